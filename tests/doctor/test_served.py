"""A running server is examined from where its users are: a healthy one has no finding, each broken way to it has its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doctor.front import Front
from quintet import __version__
from quintet.doctor.served import RULES, Look, look
from quintet.testing.accounts.account import Account, register
from support.server import Factory, Server

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose page may stand at any port of this machine: a proxy's port is not known before."""
    server = Server(tmp_path_factory.mktemp("served"))
    server.start()
    yield server
    server.end()


@pytest.fixture(scope="module")
def ada(open_server: Server) -> Account:
    """Somebody with a token."""
    return register(open_server)


def _looked(url: str, token: str = "", seconds: float = 6) -> Look:
    return look(url, version=__version__, token=token, seconds=seconds)


def _of_the_way(found: Look) -> set[str]:
    """Without what the figures say of a machine that is busy with other tests."""
    return {one.rule for one in found.sights} - {"R17"}


def _port(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


@pytest.mark.l3
def test_a_healthy_server_has_no_finding(open_server: Server, ada: Account) -> None:
    """No false alarm; with a token everything is probed."""
    found = _looked(open_server.url, ada.access_token)
    assert (_of_the_way(found), found.not_probed) == (set(), ())
    assert len(found.in_order) >= 10


@pytest.mark.l3
def test_a_plain_proxy_has_no_finding_of_its_own(open_server: Server, ada: Account) -> None:
    """A proxy that passes everything on is not to blame for anything but the name that people use."""
    with Front(_port(open_server)) as front:
        found = _looked(front.url, ada.access_token)
    assert _of_the_way(found) == set(), found.sights


@pytest.mark.l3
def test_what_a_proxy_keeps_to_itself_is_no_fault(open_server: Server, ada: Account) -> None:
    """Readiness and figures are for the inside: where they are not to be read, that is said, and nothing is called wrong."""
    hidden = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nnope"

    def refuse(head: bytes) -> bytes | None:
        return hidden if head.startswith((b"GET /readyz", b"GET /metrics")) else None

    with Front(_port(open_server), refuse=refuse) as front:
        found = _looked(front.url, ada.access_token)
    assert found.sights == (), found.sights
    assert [said.partition(":")[0] for said in found.not_probed] == ["readiness", "figures"]


def _drop(name: bytes) -> Callable[[bytes], bytes]:
    return lambda head: re.sub(rb"(?i)\r\n" + name + rb":[^\r]*", b"", head)


def _add(line: bytes) -> Callable[[bytes], bytes]:
    return lambda head: head.removesuffix(b"\r\n\r\n") + b"\r\n" + line + b"\r\n\r\n"


_HTML = b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nnope"
_OTHER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<p>Welcome!</p>"

FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "somebody else's page": ("R02", {"refuse": lambda _: _OTHER}),
    "the host's name is lost": ("R04", {"request": lambda head: re.sub(rb"(?i)\r\nhost:[^\r]*", b"\r\nHost: upstream", head)}),
    "the upgrade is lost": ("R05", {"request": lambda head: _drop(b"upgrade")(_drop(b"connection")(head))}),
    "an upgraded connection is held": ("R06", {"hold": b" 101 "}),
    "anybody may read": ("R08", {"answer": _add(b"Access-Control-Allow-Origin: *")}),
    "origins are hidden": ("R08", {"request": _drop(b"origin")}),
    "caching is allowed": ("R09", {"answer": _drop(b"cache-control")}),
    "request ids are lost": ("R09", {"answer": _drop(b"x-request-id")}),
    "uploads are small": ("R10", {"refuse": lambda head: _HTML if b"5000000" in head else None}),
    "streams are held": ("R11", {"hold": b"text/event-stream"}),
    "an hour ahead": ("R14", {"answer": lambda head: re.sub(rb"(\r\ndate: [^\r]*) \d\d:", rb"\1 23:", head.replace(b"2026", b"2027"))}),
}  # fmt: skip


@pytest.mark.l3
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_on_the_way_is_named(open_server: Server, ada: Account, fault: str) -> None:
    """What a proxy does wrong is found, with what was asked and what came back; the rest of the way is not blamed."""
    rule, how = FAULTS[fault]
    with Front(_port(open_server), **how) as front:
        found = _looked(front.url, ada.access_token, seconds=4)
    sights = {one.rule: one for one in found.sights}
    assert rule in sights, found
    assert _of_the_way(found) == {rule}, found
    assert " → " in sights[rule].proof or "Date:" in sights[rule].proof
    assert sights[rule].certainty == ("suspect" if RULES[rule].kind == "S" else "certain")


@pytest.mark.l3
def test_a_server_that_drains_or_is_away_is_named(server_factory: Factory) -> None:
    """Nobody there is certain, and ends with 1; a wrong address is misuse, and ends with 2."""
    server = server_factory()
    url = server.url
    server.stop()
    found = _looked(url)
    assert [(one.rule, one.certainty) for one in found.sights] == [("R01", "certain")]
    assert _command(url).returncode == 1
    assert _command("not an address").returncode == 2


@pytest.mark.l3
def test_the_command_shows_proof_and_fix(open_server: Server, ada: Account) -> None:
    """The exit code is what a build needs; JSON has every key; the token comes from the environment and is shown nowhere."""
    done = _command(open_server.url, "--format", "json", token=ada.access_token)
    assert (done.returncode, json.loads(done.stdout)["totals"]["certain"]) == (0, 0)
    with Front(_port(open_server), answer=_drop(b"cache-control")) as front:
        text, data = _command(front.url, token=ada.access_token), _command(front.url, "--format", "json")
    assert text.returncode == data.returncode == 1
    assert "R09 An answer of the server arrives without cache-control: no-store." in text.stdout
    first = next(one for one in json.loads(data.stdout)["findings"] if one["rule"] == "R09")
    assert set(first) == {"rule", "certainty", "statement", "proof", "fix"}
    assert "QUINTET_TOKEN" in json.loads(data.stdout)["not_probed"][0]
    assert ada.access_token not in text.stdout + text.stderr + done.stdout


def _command(url: str, *options: str, token: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quintet", "doctor", "--url", url, *options]
    environment = {**os.environ, "QUINTET_TOKEN": token, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


@pytest.mark.l1
def test_every_question_is_documented() -> None:
    """Number, certainty, what it finds and its fix stand in the page's table as in the code, and no rule beyond."""
    rows = [re.split(r"(?<!\\)\|", row)[1:-1] for row in PAGE.read_text().split("\n") if re.match(r"\| R\d\d \|", row)]
    told = [tuple(cell.strip() for cell in row) for row in rows]
    assert told == [(number, rule.kind, rule.title, rule.fix) for number, rule in RULES.items()]
