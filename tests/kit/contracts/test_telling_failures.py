"""A broken contract explains itself: the timeline, a mark, the server's log of that window; and a check that cannot judge never passes."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from kit.contracts.telling import Body, Writer, frames_of, story_of
from quintet.testing.contracts import (
    ContractViolation,
    Mapping,
    NotOfferedError,
    Story,
    isolated,
    resumes_exactly,
    timeline,
    whole,
)

pytestmark = pytest.mark.l1

SILENT = Mapping.of({"name": "a peer", "frame": {"type": "type"}, "types": {"agent_completed": "done"}})


class Log:
    """A server that logs a line for each frame it sends."""

    name = "api"

    def __init__(self) -> None:
        self.text = ""

    def log_size(self) -> int:
        """Its bytes."""
        return len(self.text.encode())

    def logged(self, since: int = 0) -> str:
        """Its text from there."""
        return self.text.encode()[since:].decode()


def told() -> list[Body]:
    """One long reading."""
    rng = Random(1)
    frames: list[Body] = []
    while len(frames) < 90:
        frames = Writer(rng, "alice0").runs(4).read()
    return frames


def test_a_violation_shows_where_and_what_the_server_said() -> None:
    """Rows around the mark with time, delta, type and fields, how many are left out, and the log from the first row shown on."""
    frames, log = told(), Log()
    del frames[60]
    story = Story("alice", log=log, begun=0.0)
    for place, raw in enumerate(frames_of(frames)):
        log.text += f"sending frame {place}\n"
        story.add(raw, place / 100, 1000 + place / 100)
    story.ended(1006, "cut")
    with pytest.raises(ContractViolation) as caught:
        story.no_gap()
    text, missing = str(caught.value), frames[60]
    lines = text.splitlines()
    marked = next(line for line in lines if line.startswith("▶"))
    assert caught.value.at is story[60] and caught.value.what in lines[0]
    assert missing["type"] in marked and " 0.600 +0.010 " in marked and f" {missing['seq']} " in marked
    assert any(line.startswith("·") and frames[59]["type"] in line for line in lines)
    assert "  … 46 earlier" in lines and any(line.strip().endswith("later") for line in lines)
    assert "the connection ended with 1006 cut" in text
    assert "--- the log of api from then on" in text and "sending frame 46" in text and "sending frame 45\n" not in text
    assert len(lines) < 80


def test_a_timeline_is_readable_whatever_it_holds() -> None:
    """Frames without a type, with line breaks, with bytes that are no text: a row each."""
    story = Story("odd", begun=0.0)
    for raw in (
        b"",
        b"\xff\xfe",
        b"two\nlines",
        b'{"type":"ready"}',
        b'{"seq":1,"type":"text_delta","data":{"text":"' + b"x" * 500 + b'"}}',
    ):
        story.add(raw, 0.1, 0.1)
    lines = timeline(story).splitlines()
    assert len(lines) == 6 and max(map(len, lines)) < 160


@pytest.mark.parametrize("check", ["no_gap", "once", "schema", "pieces", "only_user"])
def test_what_a_mapping_does_not_tell_is_not_offered(check: str) -> None:
    """A check without its fields is an error that names them, never green."""
    story = Story("peer", SILENT)
    story.add('{"type":"done"}')
    with pytest.raises(NotOfferedError, match="'a peer' does not tell"):
        getattr(story, check)()
    with pytest.raises(NotOfferedError):
        resumes_exactly(story, story)
    with pytest.raises(NotOfferedError):
        story.within(1.0, stamped=True)
    whole(story)


@pytest.mark.parametrize(
    "check", ["sequence", "pairs", "no_gap", "once", "schema", "pieces", "only_user", "closed", "whole"]
)
def test_nothing_received_is_no_success(check: str) -> None:
    """A story without events breaks every contract: a silent server keeps none."""
    story = Story("alice")
    story.add('{"type":"ready","user_id":"u"}')
    with pytest.raises(ContractViolation, match="no event"):
        getattr(story, check)()
    with pytest.raises(ContractViolation):
        isolated(story, story_of(told()))
    with pytest.raises(ContractViolation):
        resumes_exactly(story, story)


def test_sequence_with_types_names_the_first_that_is_missing() -> None:
    """The five in order pass; one that never came, or came before, is named with what it should follow."""
    five = ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")
    writer = Writer(Random(0), "alice0")
    writer.events = []
    while not {e["type"] for e in writer.events} >= {*five}:
        writer = Writer(writer.rng, "alice0").runs(1)
    frames = writer.read()
    story = story_of(frames)
    story.sequence("message_accepted", "agent_started", "tool_executing", "tool_completed")
    with pytest.raises(ContractViolation, match=r"agent_failed_hard never came in run .* after agent_started"):
        story.sequence("agent_started", "agent_failed_hard")
    with pytest.raises(
        ContractViolation, match=r"message_accepted .* came too early in run .*, not after tool_completed"
    ):
        story.sequence("tool_completed", "message_accepted")


def test_closed_with_a_code() -> None:
    """The close code of the connection, where it is asked for."""
    story = story_of(told())
    with pytest.raises(ContractViolation, match="the connection is open"):
        story.closed(code=4501)
    story.ended(4000, "draining")
    with pytest.raises(ContractViolation, match="closed with 4000, not with 4501"):
        story.closed(code=4501)
    story.closed(code=4000)


def test_a_schema_of_ones_own(tmp_path: Path) -> None:
    """A JSON schema as a dict or a file, or a type: the fault is named with its place in the event."""
    story = story_of(told())
    loose: dict[str, Any] = {"type": "object", "required": ["seq"], "properties": {"seq": {"type": "integer"}}}
    strict = loose | {"properties": {"seq": {"type": "integer", "maximum": 1}}}
    file = tmp_path / "event.json"
    file.write_text(json.dumps(strict))
    story.schema(loose)
    for form in (strict, file, str(file)):
        with pytest.raises(ContractViolation, match=r"\$\.seq: 2 is greater"):
            story.schema(form)

    class Numbered(msgspec.Struct):
        seq: str

    with pytest.raises(ContractViolation, match=r"\$\.seq"):
        story.schema(Numbered)


def test_without_jsonschema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quintet's events are judged by their types; another JSON schema is an error that says what to install."""
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    frames = told()
    story_of(frames).schema()
    with pytest.raises(ModuleNotFoundError, match="pip install jsonschema"):
        story_of(frames).schema({"type": "object"})
    for change in (
        {"data": None},
        {"type": "agent_pondering"},
        {"seq": 0},
        {"final": 1},
        {"trace_id": None},
        {"v": "1"},
    ):
        with pytest.raises(ContractViolation, match="does not keep its schema"):
            story_of([frames[0], frames[1] | change]).schema()
    bare = {key: value for key, value in frames[2].items() if key != "run_id"}
    with pytest.raises(ContractViolation, match="`run_id` is missing"):
        story_of([frames[0], bare]).schema()


def test_pytest_is_not_needed() -> None:
    """The contracts and the command's part of them load without pytest, and without what only a server needs."""
    code = (
        "import sys; sys.modules['pytest'] = None; import quintet.testing.contracts.probe; "
        "assert not {'fastapi', 'sqlalchemy', 'uvicorn', 'jsonschema'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=30)


def test_pytest_shows_the_line_of_the_test(tmp_path: Path) -> None:
    """A failing test ends with its own line and the timeline; none of the checks' code is shown."""
    test = tmp_path / "test_chat.py"
    test.write_text(
        "from quintet.testing.contracts import Story\n"
        "def test_chat():\n"
        "    story = Story('alice')\n"
        '    story.add(\'{"type":"agent_started","seq":2,"run_id":"r","run_seq":2}\')\n'
        "    story.whole()\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "none.ini",
        "--rootdir",
        ".",
        test.name,
    ]
    (tmp_path / "none.ini").write_text("[pytest]\n")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ">       story.whole()" in done.stdout and "the beginning of run r was not received" in done.stdout, (
        done.stdout
    )
    assert "contracts/" not in done.stdout.partition("short test summary")[0], done.stdout
