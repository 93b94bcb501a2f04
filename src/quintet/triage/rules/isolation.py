"""State that one test leaves to another, and runs whose tests depend on order or chance."""

from quintet.triage.rules.files import NOT_OF_ONE_TEST
from quintet.triage.signatures import Rule, row

_ANSWER = r"(?:\{ ?['\"](?:detail|error|message|msg)['\"]: ?|Error response [45]\d\d|\b4(?:00|09|22)\b)"

# A name in small letters is as often what the test itself has just got.
_SHARED = (
    r"\b(?:_?(?:STATE|STORE|SHARED|CONTEXT|CTX|CACHE|CREATED|SAVED|RESULTS?|IDS?|REGISTRY|GLOBALS?|TOKENS?)"
    r"|_(?:state|shared|created|saved))\b(?=\[)"
)

RULES: tuple[Rule, ...] = (
    row(
        "flaky-property",
        "isolation",
        r"^Flaky\w*: ",
        "A property test does not repeat itself: Hypothesis ran the same example again, with another outcome.",
        "Hypothesis runs an example that failed once more before it reports it.",
        "The test keeps something between examples (a global, a cache, a row), or depends on time or chance.",
        "Make the test begin anew with every example; take time and chance as arguments.",
        exceptions="Flaky FlakyFailure FlakyReplay FlakyStrategyDefinition FlakyBackendFailure",
    ),
    row(
        "xdist-order",
        "isolation",
        r"Different tests were collected between (?P<subject>gw\d+) and",
        "The workers collected different tests.",
        "xdist compares the lists of its workers and stopped.",
        "Parameters come from sets, random values, time or the file system's order.",
        "Sort the parameters and give them fixed ids.",
        phases=("collect", "session", "setup", "call"),
        exceptions="",
    ),
    row(
        "rate-limited",
        "isolation",
        r"assert 429 (?:==|in|!=)|where 429 = .{0,80}status|429 Too Many Requests|Client error '429"
        r"|^ClientResponseError: 429, |HTTP Error 429|429 Client Error",
        "Requests are refused with 429: a rate limiter keeps its count across tests.",
        "The answer is 429 where the test expects another.",
        "The limiter's state lives longer than a test.",
        "Reset the limiter between tests, or switch it off in the test profile.",
        exceptions="AssertionError HTTPStatusError HTTPError ClientResponseError Failed",
    ),
    row(
        "tests-in-a-chain",
        "isolation",
        r"^KeyError: ",
        "The test reads from {subject} what another test was to put there: alone, or in another order, it is not there.",
        "The line that fails is the test's own, and it asks a variable of the module that all its tests share.",
        "The tests build on each other: the one that makes the value did not run before this one (another order, `-k`, `-n`, a shuffled "
        "run), or it failed.",
        "Let each test make what it needs (a fixture that gives the value), and keep nothing between tests; run the file in its written "
        "order (`-p no:randomly`) to see that it is this.",
        exceptions="KeyError",
        phases=("call",),
        raised_in=("test",),
        strict=True,
        guess=True,
        code=_SHARED,
        names=rf"(?P<subject>{_SHARED})",
        together=False,
    ),
    row(
        "class-attribute-unset",
        "fixtures",
        r"^AttributeError: '(?:Test\w*|\w+Tests?|\w+TestCase)' object has no attribute '(?P<subject>(?!assert)\w+)'",
        "The test asks its own class for {subject}, and nothing has set it.",
        "The object is the test class itself; what should have set the attribute did not run, or was to run in another test.",
        "`setup()` in the style of nose is not called since pytest 8 (`setup_method` is), `setUp` is called for `unittest.TestCase` only; or an "
        "earlier test of the class was to set it.",
        "Name the method `setup_method` (or make it a fixture with `autouse=True`), and let each test make what it needs.",
        exceptions="AttributeError",
        phases=("call", "setup"),
        raised_in=("test",),
        strict=True,
        guess=True,
        together=False,
    ),
    row(
        "left-over",
        "isolation",
        r"UNIQUE constraint failed(?:: (?P<subject>[\w.]+))?|duplicate key value violates unique|Duplicate entry|"
        r"E11000 duplicate key"
        r"|already exists?\b|already registered|^FileExistsError" + NOT_OF_ONE_TEST,
        "Something that a test wants to create exists already.",
        "The refusal says that it is there.",
        "An earlier test or run left it behind, or another worker of this run (`-n`) made it, in a database, folder or registry that all of "
        "them share.",
        "Run one of these tests alone: where it fails as well, it (or the code that it calls) makes the same thing twice. Otherwise give "
        "every test its own data (unique names, rolled-back transaction or a fresh database), or make the creation idempotent.",
        exceptions="IntegrityError UniqueViolationError UniqueViolation DuplicateTableError DuplicateTable DuplicateDatabase "
        "FileExistsError "
        "OperationalError ProgrammingError DuplicateKeyError BucketAlreadyExists ResourceInUseException "
        "UniqueConstraintError InternalError",
    ),
    row(
        "left-over-answer",
        "isolation",
        r"^(?!AssertionError: assert ['\"{\[(])[^\n]{0,200}?" + _ANSWER + r"[^\n]{0,160}(?:might |may |does "
        r")?already (?:exists?|registered|taken|in use)\b",
        "The server answers that what a test wants to create exists already.",
        "Its answer says so.",
        "An earlier test or run left it behind in a database or registry that outlives the test.",
        "Give every test its own data (unique names or a fresh database), or make the creation idempotent.",
        exceptions="Failed AssertionError HTTPStatusError HTTPError",
    ),
    row(
        "registered-twice",
        "isolation",
        r"Duplicated timeseries in CollectorRegistry|setup method .{1,60} can no longer be called|blueprint .{1,60} "
        r"already registered|"
        r"(?:name|plugin) .{1,80} is already registered|Cannot .{1,40} after the application has started|is already "
        r"being monitored|"
        r"A 'SQLAlchemy' instance has already been registered|Signal handlers? already",
        "A registry of the process already holds what is registered again.",
        "The library refuses the second registration.",
        "The application (or a module) is set up more than once in one process, and its registry is global.",
        "Build the application once per session, or give each its own registry.",
        exceptions="ValueError AssertionError RuntimeError KeyError",
        raised_in=("library", "product"),
        strict=True,
    ),
    row(
        "snapshot",
        "drift",
        r"\[- snapshot\]|\[\+ received\]|snapshot .{0,40}does not (?:exist|match)|assert \[\+ received\] == \[- "
        r"snapshot\]",
        "What is made differs from the stored snapshot.",
        "The comparison shows both.",
        "The output was changed on purpose and the snapshot was not, or the change was not meant.",
        "Read the difference; if it is meant, update the snapshots, otherwise correct the product.",
        "pytest {test}",
        exceptions="AssertionError",
    ),
)
