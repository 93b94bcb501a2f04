"""State that one test leaves to another, and tests that the product has left behind."""

from quintet.triage.signatures import Rule, row

_ISOLATION = (
    row(
        "xdist-order",
        "isolation",
        r"Different tests were collected between (?P<subject>gw\d+) and",
        "The workers collected different tests.",
        "xdist compares the lists of its workers and stopped.",
        "Parameters come from sets, random values, time or the file system's order.",
        "Sort the parameters and give them fixed ids.",
        phases=("collect", "session"),
        exceptions="",
    ),
    row(
        "rate-limited",
        "isolation",
        r"assert 429 (?:==|in|!=)|429 Too Many Requests|Client error '429",
        "Requests are refused with 429: a rate limiter keeps its count across tests.",
        "The answer is 429 where the test expects another.",
        "The limiter's state lives longer than a test.",
        "Reset the limiter between tests, or switch it off in the test profile.",
        exceptions="AssertionError HTTPStatusError Failed",
    ),
    row(
        "left-over",
        "isolation",
        r"UNIQUE constraint failed(?:: (?P<subject>[\w.]+))?|duplicate key value violates unique|Duplicate entry"
        r"|(?:might |may |does )?already exists?\b|already registered|FileExistsError",
        "Something that a test wants to create exists already.",
        "The refusal says that it is there.",
        "An earlier test or run left it behind in a database, folder or registry that outlives the test.",
        "Give every test its own data (unique names, rolled-back transaction or a fresh database), or make the "
        "creation idempotent.",
        exceptions="IntegrityError UniqueViolationError UniqueViolation DuplicateTableError FileExistsError "
        "AssertionError Failed ValueError OperationalError ProgrammingError",
    ),
)

_DRIFT = (
    row(
        "did-not-raise",
        "assertion",
        r"DID NOT RAISE",
        "An exception that the tests expect is not raised.",
        "The named exception is the expected one: it did not occur.",
        "The product accepts what it used to refuse, or the test no longer reaches the check.",
        "Decide which is right, the product's check or the test, and change the other.",
        exceptions="Failed",
        together=False,
    ),
    row(
        "mock-value",
        "drift",
        r"(?P<subject>\w*Mock)'? (?:object|id=)|and '(?P<subject_b>\w*Mock)'|instances of '(?P<subject_c>\w*Mock)'",
        "A {subject} stands where the product now needs a real value.",
        "The operation was tried with a mock as its operand.",
        "The product reads an attribute or calls a function that the test's mock does not set.",
        "Set on the mock what the product now reads, with `spec` so that this shows at once.",
        exceptions="TypeError AttributeError ValueError InvalidRequestError ArgumentError",
    ),
    row(
        "attribute-gone",
        "drift",
        r"(?:'(?!NoneType|coroutine)(?P<subject_c>\w+)' object|module '(?P<subject_d>[\w.]+)'|type object "
        r"'(?P<subject_e>\w+)'|<[^\n]{1,300}>) (?:has no|does not have the) attribute '(?P<subject_b>\w+)'",
        "{subject} is used like something it no longer (or not yet) is: an attribute is missing.",
        "The object exists; the attribute does not.",
        "Test and product moved apart: one side was renamed.",
        "Find where the attribute went (`git log -S`), and follow it.",
        exceptions="AttributeError",
        together=False,
    ),
    row(
        "name-undefined",
        "drift",
        r"^(?:NameError|UnboundLocalError): .*?'(?P<subject>\w+)'",
        "The name {subject} is used and not defined.",
        "Python looked for the name in the module and found none.",
        "An import or definition was removed or renamed and this use was left behind.",
        "Import or rename it.",
        exceptions="NameError UnboundLocalError",
        together=False,
    ),
    row(
        "signature-changed",
        "drift",
        r"(?P<subject>\w+)\(\) (?:got an unexpected keyword argument|missing \d+ required|takes \d+ positional|got "
        r"multiple values)",
        "{subject}() is called with arguments that it does not take.",
        "Python refused the call before running it.",
        "Its signature changed and this call was left behind.",
        "Follow the new signature.",
        exceptions="TypeError",
        together=False,
    ),
    row(
        "field-missing",
        "drift",
        r"^AssertionError: (?:[^\n]{0,200}\n)?assert ['\"](?P<subject>[\w.-]+)['\"] in \{",
        "Answers lack fields that the tests expect: {subject}.",
        "The assertion shows the fields that the answer has.",
        "The answer's form changed on one side only.",
        "Agree on the form, then change the product or the test.",
        exceptions="AssertionError",
    ),
    row(
        "status-differs",
        "drift",
        r"assert (?P<subject>[2-4]\d\d (?:==|in) [\[({]?[2-5]\d\d)\b",
        "The server answers with another status than the test expects ({subject}).",
        "Both are deliberate answers, so the request was understood.",
        "The interface changed on one side only.",
        "Decide which status is right, and change the other side.",
        exceptions="AssertionError",
        together=False,
    ),
)

RULES: tuple[Rule, ...] = _ISOLATION + _DRIFT
