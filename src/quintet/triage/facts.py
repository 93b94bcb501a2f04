"""What stands in the report, word for word: the only thing a claim may rest on."""

from collections.abc import Iterator, Sequence

from quintet.triage.clusters import CLUSTERS_LIMIT, cluster, first_of, home_of, waited_in
from quintet.triage.model import Case, Entry, Fact, Frame, Raised, Run
from quintet.triage.normalise import shorten
from quintet.triage.reading.logs import explained

EXCERPT = 400
# Names that reading gives to what pytest says without one.
ADDED = frozenset(
    {
        "FixtureLookupError", "UsageError", "ConftestImportFailure", "CommandNotFound", "CrashError", "NoTests", "NoTestsPart",
        "RunEndedEarly", "RunStopped", "RunCancelled", "InternalError", "InternalErrorPart", "Exit",
        "InterpreterMissing", "InstallationFailed", "CommandRefused", "CoverageBelow", "RunTimedOut",
        "LeftForVariable", "WaitedInVain", "WaitedInVainPart", "OtherRunner", "TestDatabaseKept",
    }
)  # fmt: skip
HEADER_LIMIT = 12
WARNING_LIMIT = 200


def build_case(run: Run) -> Case:
    """The facts and clusters of a run: all that the specialists get to see."""
    counter = _Counter(run.source)
    header = [counter.fact(line.kind, line.at, line.text, line.source) for line in run.header[:HEADER_LIMIT]]
    entries = explained(run)
    of_entry = [_facts_of(entry, counter) for entry in entries]
    clusters = cluster(entries, of_entry)
    warnings = [
        counter.fact("warning", line.at, f"{line.subject} {line.kind}: {line.text}", line.source)
        for line in run.warnings[:WARNING_LIMIT]
    ]
    around = [counter.fact(line.kind, line.at, line.text, line.source) for line in run.around]
    passed = [counter.fact("passed", line.at, line.text, line.source) for line in run.passed]
    used = {name for one in clusters for name in one.facts}
    kept = [fact for facts in of_entry for fact in facts if fact.id in used][: 4 * CLUSTERS_LIMIT]
    return Case(run.kind, run.totals, clusters, tuple(header + kept + warnings + passed + around), run.gaps)


class _Counter:
    """Numbers the facts of one run in the order they are found."""

    def __init__(self, source: str) -> None:
        self._source, self._last = source, 0

    def fact(self, kind: str, at: int, excerpt: str, source: str = "") -> Fact:
        self._last += 1
        return Fact(f"F{self._last}", kind, source or self._source, at, shorten(excerpt, EXCERPT))


def _facts_of(entry: Entry, counter: _Counter) -> list[Fact]:
    facts = []
    first = first_of(entry)
    source = first.source or entry.source
    if (
        first is not entry.last
        and first.message != entry.last.message
        and not (first.logged and first.at == entry.last.at)
    ):
        facts.append(counter.fact("logged" if first.logged else "first error", first.at, quoted(first), source))
    facts.append(counter.fact("error", entry.last.at, quoted(entry.last), entry.source))
    if entry.beside:
        facts.append(counter.fact("beside", entry.beside.at, entry.beside.message, entry.beside.source or entry.source))
    facts.extend(
        counter.fact("frame", frame.at, _words_of_frame(frame), source) for frame in _telling(waited_in(entry))
    )
    return facts


def quoted(raised: Raised) -> str:
    """The report's own words: without a class that pytest does not write there, and that reading has added."""
    if raised.name == "RunCancelled":
        return raised.message.partition(" (while ")[0]
    added = raised.name in ADDED or raised.message.startswith(("assert ", f"{raised.name}: "))
    return raised.message if added and raised.message else words_of(raised)


def words_of(raised: Raised) -> str:
    """`Exception: message`, as the report says it."""
    return (
        f"{raised.exception}: {raised.message}"
        if raised.exception and raised.message
        else raised.exception or raised.message
    )


def _telling(raised: Raised) -> Iterator[Frame]:
    home = home_of(raised)
    if home:
        yield home
    if raised.frames and raised.frames[-1] is not home:
        yield raised.frames[-1]


def _words_of_frame(frame: Frame) -> str:
    inside = f" in {frame.function}" if frame.function else ""
    return f"{frame.path}:{frame.line}{inside}" + (f": {frame.code}" if frame.code else "")


def of_kind(facts: Sequence[Fact], *kinds: str) -> tuple[Fact, ...]:
    """The facts of some kinds, in order."""
    return tuple(fact for fact in facts if fact.kind in kinds)
