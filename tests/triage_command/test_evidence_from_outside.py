"""What was tried out, what the doctor found, and how a run ended: facts beside those of the report."""

import re

import pytest

from quintet.triage import Analysis, analyse, explain, read
from quintet.triage.ending import Ending, with_ending
from quintet.triage.examined import Finding, counts, examined
from quintet.triage.probes import Answer, Probe, probed, probes_of
from quintet.triage.reports import FORMATS
from triage.texts import Session, raised
from triage_command.hostile import CANARY

pytestmark = pytest.mark.l1


def _missing_variable() -> Analysis:
    environment = raised("<frozen os>", 685, "raise KeyError(key) from None", "KeyError: 'PAYMENT_HOST'", "__getitem__")
    return Session().fails("tests/test_env.py::test_x", *environment).explained()


def _refused(address: str) -> Analysis:
    words = f"redis.exceptions.ConnectionError: Error 111 connecting to {address}. Connection refused."
    place = "/venv/lib/python3.12/site-packages/redis/connection.py"
    return (
        Session().fails("tests/test_a.py::test_x", *raised(place, 385, "raise ConnectionError(x)", words)).explained()
    )


def test_what_is_worth_trying() -> None:
    """A variable, a port of this machine, a package; by kind and name, never by a command that was read."""
    assert [(probe.kind, probe.subject) for probe in probes_of(_missing_variable())] == [("variable", "PAYMENT_HOST")]
    assert [(probe.kind, probe.subject) for probe in probes_of(_refused("localhost:6379"))] == [
        ("port", "localhost:6379")
    ]
    imported = Session().cannot_collect(
        "tests/test_a.py", *raised("app/main.py", 1, "import fastapi", "ModuleNotFoundError: No module named 'fastapi'")
    )
    assert ("module", "fastapi") in [(probe.kind, probe.subject) for probe in probes_of(imported.explained())]


@pytest.mark.parametrize("address", ["evil.example:80", "10.0.0.7:22", "169.254.169.254:80", "metadata:80"])
def test_a_report_sends_us_nowhere_else(address: str) -> None:
    """A log that names another machine's port has us connect to nothing."""
    assert not [probe for probe in probes_of(_refused(address)) if probe.kind == "port"]


def test_a_probe_lifts_lowers_or_leaves() -> None:
    """One step up where it confirms, down to suspect where it contradicts, with its words as a fact; nothing where it tells nothing."""
    analysis = _missing_variable()
    before = analysis.causes[0].certainty
    probe = Probe("cause-1", "variable", "PAYMENT_HOST")
    up = probed(analysis, [Answer(probe, True, "PAYMENT_HOST is not set")])
    down = probed(analysis, [Answer(probe, False, "PAYMENT_HOST is set")])
    assert [one.causes[0].certainty for one in (up, down)] == ["proven", "suspect"]
    assert before == "probable"
    assert probed(analysis, [Answer(probe, None, "")]) == analysis
    assert "P1" in [fact.id for fact in up.causes[0].facts]
    assert down.causes[0].counter == ("A probe speaks against it: PAYMENT_HOST is set",)
    assert up.run == analysis.run
    assert up.plan[0].priority > down.plan[0].priority
    assert "PAYMENT_HOST is not set" in FORMATS["markdown"](up)


def test_a_finding_backs_the_cause_that_it_speaks_of() -> None:
    """Same kind and a name in common: evidence. Anything else stands for itself, blocks nothing, and may be left out."""
    marker = "'slowly' not found in `markers` configuration option"
    analysis = Session().cannot_collect("tests/test_a.py", f"E   {marker}").explained()
    same = Finding("D08", True, "Nothing registers the marker slowly.", "Register it.", "tests/test_a.py", 3)
    other = Finding("D22", False, "QUEUE_URL points to a port that refuses.", "Start it.")
    told = examined(analysis, [same, other])
    assert [(cause.category, cause.blocks) for cause in told.causes] == [("markers-config", 1), ("services", 0)]
    assert "D1" in [fact.id for fact in told.causes[0].facts]
    assert [counts(cause) for cause in told.causes] == [True, False]
    assert [cause.category for cause in examined(analysis, [other], own=False).causes] == ["markers-config"]
    for form in FORMATS.values():
        assert form(told)


def test_findings_alone_are_causes_without_a_run() -> None:
    """Proven where the doctor is certain; its words are cleaned and masked like any other's."""
    evil = Finding("D18", True, f"\x1b[31mAPI_TOKEN={CANARY} is read <script>", "Set it.", "conftest.py", 4)
    told = examined(analyse(""), [evil])
    assert (told.causes[0].category, told.causes[0].certainty) == ("environment", "proven")
    for name, form in FORMATS.items():
        made = form(told)
        assert CANARY not in made, name
        assert "\x1b" not in made, name
    assert "found without a run" in FORMATS["text"](told)


@pytest.mark.parametrize(
    ("text", "ending", "category", "says"),
    [
        ("", Ending(1), "imports", "before pytest could begin"),
        (
            "platform linux -- Python 3.12\ncollected 2 items\n",
            Ending(-9, running="tests/a.py::t"),
            "resources",
            "in the middle",
        ),
        ("collected 2 items\n", Ending(-2, 5.0, "tests/a.py::t"), "resources", "its time was over"),
    ],
)
def test_an_ending_that_pytest_could_not_tell(text: str, ending: Ending, category: str, says: str) -> None:
    """A process that went away, or was stopped, is a cause of its own, under the name of the test that was running."""
    cause = explain(with_ending(read(text), ending)).causes[0]
    assert (cause.category, cause.certainty) == (category, "proven")
    assert says in cause.statement
    assert cause.entries == (ending.running or "(session)",)


def test_an_ending_that_pytest_has_told_stays_as_it_is() -> None:
    """A last line, a usage error, a green end: nothing is added."""
    for text, code in ((Session(passed=1).text, 0), (Session().fails("tests/a.py::t", "E   assert 0").text, 1)):
        assert with_ending(read(text), Ending(code)) == read(text)
    usage = read("ERROR: usage: pytest [options]\npytest: error: unrecognized arguments: --cov\n")
    assert with_ending(usage, Ending(4)) == usage
    assert re.search("RunEndedEarly", str(with_ending(read(""), Ending(1)).entries))


KIT = """ERROR: services of the test run are not ready
starting desk: it ended with exit code 1 while the test run waited for GET http://127.0.0.1:5/health to answer 2xx
--- desk's log, last 4 lines (/tmp/run/desk.log) ---
Traceback (most recent call last):
  File "/srv/desk/desk/app.py", line 7, in <module>
    {code}
{error}
"""


@pytest.mark.parametrize(
    ("code", "error", "category"),
    [
        ("import fastapi", "ModuleNotFoundError: No module named 'fastapi'", "dependencies"),
        ("serve()", "Halted: for reasons of its own", "services"),
    ],
)
def test_a_service_of_the_kit_that_did_not_start(code: str, error: str, category: str) -> None:
    """What the service logged last is the cause where a rule knows it; otherwise that it did not start is."""
    cause = analyse(KIT.format(code=code, error=error)).causes[0]
    assert cause.category == category
    assert error.partition(":")[0] in FORMATS["markdown"](analyse(KIT.format(code=code, error=error)))


def test_variables_that_the_kit_refused() -> None:
    """One usage error, about the environment and not about the command line."""
    said = (
        "ERROR: 2 required variables are not usable ([tool.quintet.test.env] of pyproject.toml):\nAPI_KEY is not set\n"
    )
    assert [cause.category for cause in analyse(said).causes] == ["environment"]
