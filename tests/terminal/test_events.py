"""The log as lines, for programs."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.server import Factory
from terminal.person import Person

pytestmark = pytest.mark.l3
STEP = 30.0


def lines(process: "subprocess.Popen[bytes]", count: int) -> list[bytes]:
    """The next lines of a command that goes on."""
    assert process.stdout is not None
    return [process.stdout.readline().rstrip(b"\n") for _ in range(count)]


def end(process: "subprocess.Popen[bytes]") -> bytes:
    """Ctrl-C; it must end with 0. What it said besides."""
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=STEP)
    assert process.returncode == 0, said
    return said


@pytest.mark.hang_guard(90)
def test_every_event_is_a_line_at_once(person: Person) -> None:
    """From the beginning, then live: complete events with dense numbers, each line out before the next event; Ctrl-C ends with 0."""
    assert person.run("chat", "--agent", "echo", "one").returncode == 0
    process = person.begin("events", "--after", "0")
    first = [json.loads(line) for line in lines(process, 7)]
    assert [event["seq"] for event in first] == list(range(1, 8))
    assert first[0]["data"]["text"] == "one"
    assert first[-1]["final"] is True
    assert person.run("chat", "--agent", "echo", "two").returncode == 0
    more = [json.loads(line) for line in lines(process, 7)]
    assert [event["seq"] for event in more] == list(range(8, 15))
    assert end(process) == b""
    rest = person.begin("events", "--after", first[-1]["cursor"])
    assert [json.loads(line) for line in lines(rest, 7)] == more
    end(rest)


@pytest.mark.hang_guard(90)
def test_what_was_written_commands_no_terminal(person: Person) -> None:
    """On a terminal what would command it or turn its lines stands as escapes of the same JSON; a pipe gets the very bytes."""
    hostile = "a\u009b2Jb\u202ec"
    assert person.run("chat", "--agent", "echo", hostile).returncode == 0
    piped = person.begin("events", "--after", "0")
    first = lines(piped, 1)[0]
    end(piped)
    assert hostile.encode() in first
    typing = person.sit_down("events", "--after", "0")
    typing.shows('"final":true')
    assert rb"a\u009b2Jb\u202ec" in typing.raw
    assert hostile.encode() not in typing.raw
    typing.interrupt()
    assert typing.ended() == 0


@pytest.mark.hang_guard(90)
def test_a_reader_who_leaves_ends_it_quietly(person: Person) -> None:
    """`| head`: no stack trace, exit 0, also while nothing happens any more."""
    assert person.run("chat", "--agent", "echo", "one").returncode == 0
    process = person.begin("events")
    lines(process, 2)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    begun = time.monotonic()
    assert process.wait(STEP) == 0
    assert process.stderr.read() == b""
    process.stderr.close()
    assert time.monotonic() - begun < 10


@pytest.mark.hang_guard(110)
def test_it_survives_a_dead_server(server_factory: Factory, tmp_path: Path) -> None:
    """A kill -9, a restart, and the next line is the next event."""
    server = server_factory()
    person = Person(server, tmp_path)
    person.register()
    process = person.begin("events")
    assert person.run("chat", "--agent", "echo", "one").returncode == 0
    assert [json.loads(line)["seq"] for line in lines(process, 7)] == list(range(1, 8))
    server.kill()
    server.start()
    assert person.run("chat", "--agent", "echo", "two").returncode == 0
    assert [json.loads(line)["seq"] for line in lines(process, 7)] == list(range(8, 15))
    assert end(process) == b""


@pytest.mark.hang_guard(90)
def test_a_cursor_of_nobody_is_said(person: Person) -> None:
    """The frame of the server is a line like all others, and a sentence stands on standard error."""
    process = person.begin("events", "--after", "nonsense")
    [line] = lines(process, 1)
    assert json.loads(line)["type"] == "resync"
    assert b"--after 0" in end(process)
