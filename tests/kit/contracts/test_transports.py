"""Every transport that a mapping can name carries the same contract: what keeps it passes, what breaks it fails at its point."""

import dataclasses
import itertools
import re
import tomllib
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.contracts.dialects import answering_stream, socketio_chat
from quintet.testing.contracts import Mapping, MappingError
from quintet.testing.contracts.mapping import FIELDS
from quintet.testing.contracts.probe import Plan, Point, examine, verdicts
from quintet.testing.contracts.probe.plan import Wait
from quintet.testing.contracts.probe.stream import Blocks
from support.server import Server

USERS = ["alice-1", "bob-1"]


async def judged(url: str, name: str, **values: str) -> dict[str, Point]:
    """The points of a backend by the mapping that ships."""
    mapping = Mapping.shipped(name)
    plan = dataclasses.replace(Plan.of(mapping), wait=Wait(run=10.0, quiet=0.1, open=10.0))
    users = [] if plan.users or not plan.authenticates else USERS
    return {point.id: point for point in verdicts(await examine(url, mapping, plan, users, plan.text, values))}


def by_verdict(points: dict[str, Point], verdict: str) -> set[str]:
    """The points with this verdict."""
    return {name for name, point in points.items() if point.verdict == verdict}


@pytest.mark.l3
async def test_a_standing_stream_resumes_by_its_last_event_id(server: Server) -> None:
    """Our server over server-sent events, messages sent by requests beside the stream, passes every point, the resume included."""
    points = await judged(server.url, "quintet-sse", agent="coordinator")
    assert len(by_verdict(points, "passed")) == len(points) == 13, points


CARRIED: list[tuple[str, Any, str, str, set[str]]] = [
    (
        "ag-ui",
        answering_stream,
        "TOOL_CALL_RESULT",
        "TOOL_CALL_START .* has no tool_completed before RUN_FINISHED",
        {"pieces", "stranger"},
    ),
    ("socketio-chat", socketio_chat, "tool_end", "tool_start .* has no tool_completed before run_end", set()),
]


@pytest.mark.l2
@pytest.mark.parametrize(("name", "backend", "drop", "words", "besides"), CARRIED, ids=[row[0] for row in CARRIED])
async def test_another_transport_is_judged(name: str, backend: Any, drop: str, words: str, besides: set[str]) -> None:
    """An answering stream and Socket.IO are read through the mappings that ship; a tool that never ends fails there too."""
    opened: AbstractAsyncContextManager[str] = backend()
    async with opened as url:
        points = await judged(url, name)
    assert by_verdict(points, "not offered") == {"no_gap", "once", "schema", "resumes_exactly"} | besides
    assert len(by_verdict(points, "passed")) == 13 - 4 - len(besides), points
    async with backend(drop) as url:
        points = await judged(url, name)
    assert by_verdict(points, "failed") == {"pairs"} and re.search(words, points["pairs"].words), points["pairs"]


SOCKET: dict[str, Any] = {"frame": {"type": "t"}, "transport": {"kind": "websocket"}, "send": {"frame": {}}}


@pytest.mark.l1
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"transport": {"kind": "carrier pigeon"}}, "transport.*kind"),
        ({"transport": {"kind": "websocket", "sub_protocols": []}}, "did you mean 'subprotocols'"),
        ({"transport": {"kind": "websocket", "subprotocols": "quintet"}}, "subprotocols"),
        ({"transport": {"kind": "sse"}}, "needs `frame`"),
        ({"send": {}}, "needs `frame`"),
        ({"connect": {"headers": "x"}}, "headers"),
        ({"connect": {"auth": {"token": "{credential}"}}}, "Socket.IO"),
        ({"transport": {"kind": "sse", "method": "POST"}, "connect": {"first": [{}]}}, "first"),
        ({"resume": {"query": {"since": "{cursor}"}}}, "needs .frame. `cursor`"),
        ({"resume": {"query": {"since": 1}}}, "hands back no"),
        ({"wait": {"run": "long"}}, "wait"),
        ({"users": {"value": "id"}}, "users.*path"),
        ({"connect": "now"}, "is a table"),
    ],
)
def test_a_wrong_plan_is_named(change: dict[str, Any], named: str) -> None:
    """What cannot be done as the file says is an error before anything is sent."""
    Plan.of(Mapping.of(SOCKET))
    with pytest.raises(MappingError, match=named):
        Plan.of(Mapping.of({**SOCKET, **change}))


@pytest.mark.l1
def test_the_mappings_that_ship_and_the_documented_one_can_be_used() -> None:
    """Each can be read and spoken by; the documentation names every field of a frame."""
    for name in Mapping.names():
        assert Plan.of(Mapping.shipped(name)).text
    text = (Path(__file__).parents[3] / "docs" / "contract.md").read_text()
    told = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    assert Plan.of(Mapping.of(told)).resume is not None
    assert not [field for field in FIELDS if f"`{field}`" not in text]


STREAM = (
    b"\xef\xbb\xbf: a comment\n\nid: 1\nevent: one\ndata: {\ndata: }\n\ndata:two\r\n\r\n"
    b"id: 2\r\rdata\rretry: 5\r\revent: lost\n\ndata: \xc3\xa9\nunknown: x\n\ndata: never ended"
)


@pytest.mark.l1
@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_server_sent_events_are_read_in_any_pieces(cuts: list[int]) -> None:
    """However the bytes of a stream are cut, its blocks are the same: names, ids that stay, lines of data, nothing that is not ended."""
    blocks, places = Blocks(), [0, *sorted(cuts), len(STREAM)]
    found = [block for a, b in itertools.pairwise(places) for block in blocks.feed(STREAM[a:b])]
    assert found == [
        (b"{\n}", {"event": "one", "id": "1"}),
        (b"two", {"event": "message", "id": "1"}),
        (b"", {"event": "message", "id": "2"}),
        ("é".encode(), {"event": "message", "id": "2"}),
    ]
