"""Every form of the report: harmless, complete, the same bytes for the same run."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.dom.minidom import parseString

import jsonschema
import pytest

from quintet.triage import Analysis, analyse, analyse_all
from quintet.triage.reports import (
    FORMATS,
    annotations,
    compare,
    difference_data,
    difference_markdown,
    explanation,
    text,
)
from quintet.triage.reports.words import spans
from triage.texts import Session, raised
from triage_command.hostile import CANARY, ORDER, SCRIPT, explained, hostile_text

pytestmark = pytest.mark.l1

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "triage.schema.json").read_text())
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]")
_FOR_BUILD_LOGS = re.compile(r"(?m)##\w*\[|^\s*::")


def _run() -> Analysis:
    session = Session(passed=3)
    for number in range(9):
        session.breaks(f"tests/test_pay.py::test_{number}", "E   fixture 'ledger' not found")
    session.fails(
        "tests/test_env.py::test_x",
        *raised("<frozen os>", 685, "raise KeyError(key) from None", "KeyError: 'PAYMENT_HOST'", "__getitem__"),
    )
    for number in range(3):
        session.fails(f"tests/test_sum.py::test_{number}", f"E   assert {number} == {number + 5}")
    return session.explained()


@pytest.mark.parametrize("form", FORMATS)
def test_a_hostile_run_is_harmless_in_every_form(form: str) -> None:
    """No secret, no control character, nothing that a build log obeys, and the order in it is a quotation at most."""
    made = FORMATS[form](explained())
    assert CANARY not in made
    assert not _COMMANDS.search(made)
    assert not _FOR_BUILD_LOGS.search(made)


def test_an_order_in_a_run_is_a_quotation() -> None:
    """The numbers stay those of the report, and whoever follows orders finds it in code only."""
    counted = analyse(hostile_text()).run.totals
    assert (counted.failures, counted.errors, counted.passed) == (3, 2, 0)
    made = FORMATS["markdown"](explained())
    assert ORDER in made
    assert ORDER not in re.sub(r"(`+).*?\1(?!`)", "", made)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("text", ["", "hello", Session(passed=4).text], ids=["empty", "no report", "green"])
def test_nothing_to_explain_is_said_in_every_form(form: str, text: str) -> None:
    """An empty text, one that is no report, and a green run."""
    analysis = analyse(text)
    assert analysis.causes == ()
    made = FORMATS[form](analysis)
    assert made.endswith("\n")
    assert "cause-1" not in made


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_run_gives_the_same_bytes(form: str) -> None:
    """Nothing depends on a clock, on chance or on the order of a set."""
    assert FORMATS[form](_run()) == FORMATS[form](_run())


class _Page(HTMLParser):
    """Tags, links and anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        found = dict(attrs)
        self.links += [str(found["href"])] if "href" in found else []
        self.anchors += [str(found["id"])] if "id" in found else []


def _page(analysis: Analysis) -> _Page:
    page = _Page()
    page.feed(FORMATS["html"](analysis))
    return page


def test_the_page_stands_alone() -> None:
    """No script, no request, no attribute that could act; its policy forbids all of it."""
    page = _page(explained())
    assert not {"script", "img", "iframe", "link", "object", "form"} & set(page.tags)
    assert all(link.startswith("#") for link in page.links)
    assert not [name for name in page.attributes if name.startswith("on") or name in ("src", "srcset", "style")]
    assert "default-src 'none'" in FORMATS["html"](explained())


def test_every_link_of_the_page_leads_somewhere() -> None:
    """From plan to cause, from a claim's step to its evidence, from the picture to the cause; each anchor once."""
    page = _page(_run())
    assert len(page.anchors) == len(set(page.anchors))
    assert {link[1:] for link in page.links} <= set(page.anchors)
    assert any("-F" in link for link in page.links)
    assert "svg" in page.tags


def test_the_picture_shows_what_each_cause_blocks() -> None:
    """Modules with their numbers; more than fit are one box."""
    session = Session()
    for number in range(30):
        session.breaks(f"tests/test_{number}.py::test_x", "E   fixture 'ledger' not found")
    drawn = FORMATS["html"](session.explained())
    assert "20 other modules" in drawn
    assert "tests/test_0.py" in drawn


def test_json_is_as_published() -> None:
    """Each analysis validates against the schema, hostile and green ones too; the fixed keys are required by it."""
    for analysis in (_run(), explained(), analyse(""), Session(passed=1).explained()):
        jsonschema.validate(json.loads(FORMATS["json"](analysis)), SCHEMA, jsonschema.Draft202012Validator)
    assert set(SCHEMA["required"]) == {"totals", "causes", "entries", "plan", "metrics", "unknown"}
    broken = json.loads(FORMATS["json"](_run()))
    broken["causes"][0]["certainty"] = "sure"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA, jsonschema.Draft202012Validator)


def test_ctrf_is_a_ctrf_report() -> None:
    """The required keys of its schema, the run's own numbers, and the cause beside each failing test."""
    data = json.loads(FORMATS["ctrf"](_run()))
    assert (data["reportFormat"], data["results"]["tool"]["name"]) == ("CTRF", "pytest")
    told = data["results"]["summary"]
    assert (told["tests"], told["passed"], told["failed"]) == (16, 3, 13)
    assert {"tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"} <= told.keys()
    assert len(data["results"]["tests"]) == 13
    assert all({"name", "status", "duration"} <= test.keys() for test in data["results"]["tests"])
    assert data["results"]["tests"][0]["extra"]["cause"] == "cause-1"


def test_junit_is_read_as_junit() -> None:
    """Well-formed XML whose numbers and entries are those of the run, with the cause in the message."""
    made = FORMATS["junit"](_run())
    cases = parseString(made).getElementsByTagName("testcase")
    assert len(cases) == 13
    again = analyse(made, "again.xml")
    assert (again.run.totals.tests, again.run.totals.failures, again.run.totals.errors) == (16, 4, 9)
    assert "[cause-1, fixtures" in made
    parseString(FORMATS["junit"](explained()))


def test_annotations_are_commands_of_ours_alone() -> None:
    """One line a cause, at most ten; nothing of the run can begin a second command or a second field."""
    lines = annotations(explained())
    assert 0 < len(lines) <= 10
    for line in lines:
        found = re.fullmatch(
            r"::(?:error|warning) ((?:file|line|title)=[^,:]*(?:,(?:file|line|title)=[^,:]*)*)::(.*)", line
        )
        assert found, line
        assert "\n" not in line
    assert any("file=tests/test_c.py" in line or "file=app/settings.py" in line for line in lines)


def test_the_text_fits_the_screen() -> None:
    """Not wider than the screen but for a command to copy, not longer than it; what did not fit is counted."""
    session = Session()
    for number in range(60):
        session.breaks(
            f"tests/test_{number}.py::test_with_a_long_name_{number}", f"E   fixture 'ledger_{number}' not found"
        )
        session.fails(
            f"tests/test_env_{number}.py::test_x",
            *raised("<frozen os>", 685, "raise KeyError(key)", f"KeyError: 'PAYMENT_HOST_{number}'", "__getitem__"),
        )
        session.fails(f"tests/test_sum_{number}.py::test", *raised("a.py", 2, "x", f"ValueError: {'long ' * number}"))
    analysis = session.explained()
    for width, height in ((80, 24), (60, 40), (200, 60)):
        lines = text(analysis, width, height).splitlines()
        assert len(lines) <= height
        assert all(len(line) <= width for line in lines if "Check" not in line)
    assert re.search(r"and \d+ more causes", text(analysis, 80, 24))


def test_colour_is_put_on_after_measuring() -> None:
    """The same lines, with and without."""
    coloured = text(_run(), 80, 40, lambda _, words: f"\x1b[1m{words}\x1b[0m")
    assert re.sub("\x1b\\[[01]m", "", coloured) == text(_run(), 80, 40)


def test_a_claim_links_to_its_evidence() -> None:
    """In Markdown a step cites its line, and the line carries the same name."""
    made = FORMATS["markdown"](_run())
    links = re.findall(r"\]\(#(F\d+)\)", made)
    assert links
    assert all(f"**{name}**" in made for name in links)


def test_words_of_the_run_cannot_format() -> None:
    """Outside of code no markup of the run's survives; inside it cannot end the code."""
    made = FORMATS["markdown"](explained())
    assert SCRIPT in made
    outside = re.sub(r"(`+).*?\1(?!`)", "", made)
    assert not re.search(r"(?<!\\)<script", outside)
    assert "](http" not in outside
    assert "](javascript" not in outside
    assert [span.words for span in spans("a `b` c ``d ` e``")] == ["a ", "b", " c ", "d ` e"]


def test_all_about_a_cause() -> None:
    """Evidence, whys, what speaks against it, who claimed and who doubted, each test by name; by id, number, fact or test."""
    lines = raised(
        "/venv/lib/python3.12/site-packages/websockets/client.py",
        9,
        "raise",
        "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 401",
    )
    session = Session().fails("tests/test_ws.py::test_x", *lines)
    analysis = session.fails("tests/test_ws.py::test_y", *lines).explained()
    told = explanation(analysis, "cause-1") or ""
    assert told == explanation(analysis, "1") == explanation(analysis, "Cause 1")
    for part in ("## Evidence", "## Why", "## Against it", "## Who claimed, who doubted", "## Affected", "## Fix"):
        assert part in told
    assert "test_x" in told and "test_y" in told
    assert "websocket-integration" in told and "challenges" in told
    assert "Cited by cause-1" in (explanation(analysis, analysis.causes[0].facts[0].id) or "")
    assert "Challenged by" in (explanation(analysis, analysis.findings.claims[0].id) or "")
    assert "cause 1" in (explanation(analysis, "test_x") or "")
    assert explanation(analysis, "cause-9") is None
    assert explanation(analysis, "") is None


def _broken(*fixtures: str, plain: int = 0) -> Analysis:
    session = Session(passed=2)
    for name in fixtures:
        for number in range(3):
            session.breaks(f"tests/test_{name}.py::test_{number}", f"E   fixture '{name}' not found")
    for number in range(plain):
        session.fails(f"tests/test_plain.py::test_{number}", f"E   assert {number} == 99")
    return session.explained()


def test_what_has_changed() -> None:
    """By cause and by entry: fixed, new, the same; worse only where something is new."""
    loop = "E   RuntimeError: Task <Task> got Future <Future> attached to a different loop"
    before = Session().breaks("tests/test_a.py::test_x", "E   fixture 'ledger' not found")
    before.fails("tests/test_b.py::test_y", loop)
    after = Session().fails("tests/test_b.py::test_y", loop).fails("tests/test_c.py::test_z", "E   assert 1 == 2")
    told = compare(before.explained(), after.explained())
    assert [cause.category for cause in told.fixed] == ["fixtures"]
    assert [cause.category for cause in told.new] == ["assertion"]
    assert [now.category for _, now in told.same] == ["async"]
    assert told.worse
    assert not compare(before.explained(), before.explained()).worse
    data = difference_data(told)
    assert data["entries"]["fixed"] == ["tests/test_a.py::test_x (setup)"]
    assert "1 fixed, 1 new, 1 the same" in difference_markdown(told)


def test_a_test_that_was_not_reached_is_not_fixed() -> None:
    """Its module cannot be imported any more, or the whole run ended before it."""
    before = _broken("ledger")
    gone = (
        Session().cannot_collect("tests/test_ledger.py", "E   ModuleNotFoundError: No module named 'nope'").explained()
    )
    stopped = analyse("ERROR: usage: pytest [options]\npytest: error: unrecognized arguments: --cov\n")
    for after in (gone, stopped):
        told = compare(before, after)
        assert told.fixed_entries == ()
        assert len(told.unreached) == 3
        assert "Not reached" in difference_markdown(told)


def test_several_reports_say_which_one_a_line_stands_in() -> None:
    """A line number alone would be ambiguous."""
    one = Session().breaks("tests/test_a.py::test_x", "E   fixture 'ledger' not found").text
    other = Session().breaks("tests/test_b.py::test_y", "E   fixture 'ledger' not found").text
    analysis = analyse_all([("first.txt", one), ("second.txt", other)])
    assert "first.txt line" in FORMATS["markdown"](analysis)
