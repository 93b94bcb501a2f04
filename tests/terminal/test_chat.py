"""A conversation in the terminal, and one message in a pipe."""

import pytest

from support.effects import effect, effects
from terminal.person import Person

pytestmark = pytest.mark.l3


def test_in_a_pipe_there_is_the_answer_and_nothing_else(person: Person) -> None:
    """Standard output is the answer, exactly; the timeline is on standard error; no escape in either; exit 0."""
    done = person.run("chat", "--agent", "coordinator", "violins")
    assert done.returncode == 0, done.stderr
    assert done.stdout == '{"title": "On violins", "weights": {"found more of violins": 21, "found violins": 13}}\n'
    assert "\x1b" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert lines[0] == "coordinator"
    assert "│ ├ Looking around" in lines
    assert any(line.startswith("│ ├ ✓ lookup(query=violins") and line.endswith(" ms") for line in lines), lines


@pytest.mark.parametrize("words", [[], ["-"]])
def test_a_message_from_a_pipe(person: Person, words: list[str]) -> None:
    """Standard input is one message, whatever lines it has."""
    done = person.run("chat", "--agent", "echo", *words, given="first line\nzweite Zeile 🎻\n")
    assert (done.returncode, done.stdout) == (0, "first line\nzweite Zeile 🎻\n\n"), done.stderr


def test_nothing_to_send_is_wrong_usage(person: Person) -> None:
    """Empty input is refused before anything is sent."""
    done = person.run("chat", "--agent", "echo", given=" \n")
    assert (done.returncode, done.stdout) == (2, "")


def test_an_answer_that_nobody_reads_is_no_crash(person: Person) -> None:
    """`| head`: the command ends with 1 and without a stack trace."""
    process = person.begin("chat", "--agent", "streamer", '{"pieces": 200, "pause": 0.01}')
    assert process.stdout is not None
    process.stdout.read(5)
    process.stdout.close()
    assert process.wait(30) == 1
    assert process.stderr is not None
    with process.stderr as said:
        assert b"Traceback" not in said.read()


def test_an_old_terminal_gets_marks_instead_of_letters(person: Person) -> None:
    """An encoding without these letters crashes nothing."""
    done = person.run("chat", "--agent", "echo", "a 🎻", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (0, "a ?\n"), done.stderr


def test_a_failed_run_is_exit_1(person: Person) -> None:
    """The sentence for the user, the code, and the trace for whoever looks into the log."""
    done = person.run("chat", "--agent", "raiser", "go")
    assert (done.returncode, done.stdout) == (1, "")
    assert "agent_error, trace " in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_agent_names_those_that_are_there(person: Person) -> None:
    """Exit 1, and the names to choose from."""
    done = person.run("chat", "--agent", "nobody", "hello")
    assert done.returncode == 1
    assert "echo" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_message_that_is_too_long_says_its_size(person: Person) -> None:
    """The limit and the size, in one line."""
    done = person.run("chat", "--agent", "echo", given="x" * 40_000)
    assert done.returncode == 1
    assert "40000" in done.stderr
    assert "32768" in done.stderr


async def test_ctrl_c_stops_the_run(person: Person) -> None:
    """SIGINT at a terminal while a tool runs: the tool is cancelled, the ending is waited for and shown, exit 1."""
    terminal = person.sit_down("chat", "--agent", "slow_tool", '{"mark": "terminal-stop"}')
    terminal.shows("wait(seconds=60.0")
    await effect(person.server, "begun", "terminal-stop")
    terminal.interrupt()
    assert terminal.ended() == 1
    assert "Stopped." in terminal.screen
    assert "■ wait" in terminal.screen
    await effect(person.server, "cancelled", "terminal-stop")
    assert effects(person.server, "after terminal-stop") == []


async def test_ctrl_c_again_leaves(person: Person) -> None:
    """A tool that refuses to be stopped does not hold the person: the second Ctrl-C leaves at once."""
    terminal = person.sit_down("chat", "--agent", "slow_tool", '{"mark": "terminal-leave", "stubborn": true}')
    await effect(person.server, "begun", "terminal-leave")
    terminal.interrupt()
    terminal.shows("Ctrl-C again leaves")
    terminal.interrupt()
    assert terminal.ended(10) == 1


def test_a_conversation(person: Person) -> None:
    """Messages in one thread, the timeline with durations, Markdown set, a refusal that ends nothing, Ctrl-D that leaves with 0."""
    terminal = person.sit_down("chat", "--agent", "echo")
    said = []
    for line in ("a **bold** word", "/agent nobody", "hello", "/agent rememberer", "what?"):
        terminal.settles("› ")
        terminal.raw = b""
        terminal.type(f"{line}\n")
        said.append(terminal.settles("› "))
    assert "✓ repeat(text=a **bold** word)" in said[0]
    assert "a bold word" in said[0]
    assert "There are: " in said[2]
    assert '["a bold word", "a bold word"]' in said[4]
    terminal.type("\x04")
    assert terminal.ended() == 0


def test_what_an_agent_says_cannot_command_the_terminal(person: Person) -> None:
    """Escapes in a text arrive at a terminal as a visible mark, and in a pipe as they are."""
    terminal = person.sit_down("chat", "--agent", "echo", "before \x1b]0;owned\x07\x1b[31mafter")
    assert terminal.ended() == 0
    assert b"\x1b]0;owned" not in terminal.raw
    assert b"\x1b[31mafter" not in terminal.raw
    assert "after" in terminal.screen
