"""The nouns of the analysis. All of them are immutable, hold no text that was not masked, and know nothing of how they were read."""

from dataclasses import dataclass, field
from typing import Literal

Certainty = Literal["proven", "probable", "suspect", "unknown"]
Category = Literal[
    "environment",
    "markers-config",
    "services",
    "websocket",
    "auth",
    "async",
    "database",
    "dependencies",
    "imports",
    "fixtures",
    "drift",
    "assertion",
    "isolation",
    "resources",
]
Phase = Literal["session", "collect", "setup", "call", "teardown"]
Outcome = Literal["failed", "error"]
Kind = Literal["console", "junit", "reportlog", "json-report", "ctrf", "unittest", "traceback", "nothing"]
Place = Literal["test", "product", "library", "stdlib", "mock", "runner"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a traceback. `at` is its line in the report, `line` its line in the source file."""

    path: str
    line: int
    function: str
    code: str
    place: Place
    at: int


@dataclass(frozen=True, slots=True)
class Raised:
    """One exception of a chain. `exception` is empty where the report names none (pytest's own messages); `logged` is True where a program
    under test logged it, `aside` where nothing is known of its words; `source` is the text it stands in where that is not its entry's;
    `given` are the variables that the shown source sets before it, `NAME=value` a line."""

    exception: str
    message: str
    at: int
    frames: tuple[Frame, ...] = ()
    logged: bool = False
    source: str = ""
    aside: bool = False
    given: str = ""

    @property
    def name(self) -> str:
        """The class name without its module."""
        return self.exception.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Entry:
    """One failure or error of the report. `chain` begins with the first exception; the last is the one pytest reports.

    `source` is the report it stands in, where a run has several; `logged` is what was logged while it ran, `beside` the one
    line of that which is quoted with it.
    """

    name: str
    outcome: Outcome
    phase: Phase
    chain: tuple[Raised, ...]
    at: int
    source: str = ""
    logged: tuple[Raised, ...] = ()
    beside: Raised | None = None

    @property
    def last(self) -> Raised:
        return self.chain[-1]


@dataclass(frozen=True, slots=True)
class Totals:
    """The report's own numbers, never ours where it has some."""

    tests: int = 0
    passed: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the report that says something about the whole run. `kind` is its topic, `subject` what it is about."""

    kind: str
    text: str
    at: int
    subject: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What was read. `header` are facts about the run, `warnings` pytest's warnings (never causes), `gaps` what is missing, `logged` what
    stands in logs beside the report, `passed` the lines that tell of a pass of what fails in another run of the same text, `around` those that
    tell what was installed for the run, and where a server listens."""

    kind: Kind
    source: str
    totals: Totals = Totals()
    header: tuple[Line, ...] = ()
    entries: tuple[Entry, ...] = ()
    warnings: tuple[Line, ...] = ()
    gaps: tuple[str, ...] = ()
    logged: tuple[Raised, ...] = ()
    passed: tuple[Line, ...] = ()
    around: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that stands in the report: where (`source`, `line` from 1) and in which words (`excerpt`)."""

    id: str
    kind: str
    source: str
    line: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Entries that failed in the same way: same phase, same exception, same masked message (coarse).

    `places` tells the fine clusters: the deepest first-party frame and how many entries passed through it.
    `raised` are the places that raised the first exception, innermost last, `code` the source lines there; `simulated` is True where
    a mock or the test raised it. `passed` are all files of the chain, one a line, `home_code` is the project's own line at `where`; `logged`
    is True where the first exception was read in a log, `ended_at` the kind of place that raised the last, `wrapped` are the words of the
    exceptions between, one a line, `beside` is a line that was printed meanwhile, `given` as in `Raised`, `asked` the line of the test itself."""

    id: str
    phase: Phase
    exception: str
    message: str
    first_exception: str
    first_message: str
    places: tuple[tuple[str, int], ...]
    raised: tuple[str, ...]
    simulated: bool
    members: tuple[int, ...]
    names: tuple[str, ...]
    facts: tuple[str, ...]
    where: str = ""
    code: str = ""
    passed: str = ""
    home_code: str = ""
    logged: bool = False
    ended_at: str = ""
    wrapped: str = ""
    beside: str = ""
    given: str = ""
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a specialist may look at: the run in numbers, the clusters and the facts."""

    kind: Kind
    totals: Totals
    clusters: tuple[Cluster, ...]
    facts: tuple[Fact, ...]
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """What a specialist says about some clusters, and the facts it rests on."""

    id: str
    by: str
    rule: str
    category: Category
    certainty: Certainty
    statement: str
    subject: str
    clusters: tuple[str, ...]
    facts: tuple[str, ...]
    because: str = ""
    root: str = ""
    root_facts: tuple[str, ...] = ()
    assumed: bool = True
    fix: str = ""
    verify: str = ""
    effort: int = 1
    downstream: int = 0
    plain: bool = False
    general: bool = False
    counter: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """One specialist's doubt about a claim: it does not hold for these clusters."""

    by: str
    claim: str
    statement: str
    facts: tuple[str, ...]
    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that the specialists have said so far, in order."""

    claims: tuple[Claim, ...] = ()
    challenges: tuple[Challenge, ...] = ()

    def __add__(self, other: "Findings") -> "Findings":
        return Findings(self.claims + other.claims, self.challenges + other.challenges)


@dataclass(frozen=True, slots=True)
class Why:
    """One step from symptom to what a person can change. `assumed` where the report does not show it."""

    statement: str
    facts: tuple[str, ...]
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for failing entries, after the claims were weighed. `rule` and `subject` are those of its claim."""

    id: str
    category: Category
    certainty: Certainty
    statement: str
    owner: str
    facts: tuple[Fact, ...]
    entries: tuple[str, ...]
    members: tuple[int, ...]
    whys: tuple[Why, ...]
    counter: tuple[str, ...]
    fix: str
    verify: str
    effort: int
    downstream: int = 0
    plain: bool = False
    rule: str = ""
    subject: str = ""

    @property
    def blocks(self) -> int:
        """How many failing entries it explains."""
        return len(self.members)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the plan. `priority` compares steps of one plan only."""

    cause: str
    action: str
    unblocks: int
    effort: int
    priority: float
    owner: str
    verify: str


@dataclass(frozen=True, slots=True)
class Metric:
    """How to see that it worked: what is counted, its value now, the value wanted, the command that shows it."""

    name: str
    now: int
    goal: int
    command: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result: what was read, the causes (most important first), and what to do."""

    run: Run
    case: Case
    causes: tuple[Cause, ...] = ()
    dropped: tuple[str, ...] = ()
    plan: tuple[Step, ...] = ()
    metrics: tuple[Metric, ...] = ()
    unknown: tuple[str, ...] = field(default=())
    findings: Findings = field(default=Findings())
