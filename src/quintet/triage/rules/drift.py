"""Tests and product that have moved apart."""

from quintet.triage.signatures import Rule, row

RULES: tuple[Rule, ...] = (
    row(
        "passes-now",
        "drift",
        r"^\[?XPASS\(strict\)\]?",
        "A test that is marked as expected to fail passes now.",
        "The mark is strict: an unexpected success counts as a failure.",
        "What the mark waited for has been mended.",
        "Take the mark off the test.",
        phases=("call",),
    ),
    row(
        "caplog-empty",
        "isolation",
        r"(?s)(?:assert [^\n]{1,200} in ''|assert 0 [=>]{1,2} \d|assert \[\]|where 0 = len\(\[\]\)|IndexError: list index)[^\0]{0,300}?"
        r"_pytest\.logging\.LogCaptureFixture[^\n]{0,60}\.(?:text|records|messages|record_tuples)\b",
        "Nothing at all was caught by `caplog`: what the test expects to be logged did not reach it.",
        "The side that `caplog` gives is empty, not only without these words.",
        "The logger was cut off: a logging configuration that is in force (`dictConfig` or `fileConfig` with `disable_existing_loggers`, "
        "`propagate = False`, `logging.disable`), made by the application or by an earlier test; or its level is above "
        "the message's; or the "
        "product does not log it.",
        "Run the test alone: if it passes, an earlier test configures logging. Set `disable_existing_loggers=False`, "
        "leave `propagate` on, and name the "
        "level in the test (`caplog.at_level(logging.INFO, logger=…)`).",
        exceptions="AssertionError",
    ),
    row(
        "not-refused",
        "environment",
        r"^Failed: DID NOT RAISE (?:any of )?\(?(?:<class ')?(?:builtins\.)?PermissionError",
        "The tests expect that the system refuses access, and nothing is refused: they probably run as root, whom "
        "permission bits do not stop.",
        "`PermissionError` is what the operating system raises for anybody else; the code under test only passes it on.",
        "Containers and many CI jobs run as root.",
        "Run the tests as an ordinary user (`USER` in the image, `runuser -u nobody`), or skip these where `os.geteuid() == 0`.",
        "id -u",
        exceptions="Failed",
    ),
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
        "mock-spec",
        "drift",
        r"Mock object has no attribute '(?P<subject>\w+)'|(?P<subject_b>\w+) does not have the attribute|Cannot "
        r"(?:autospec|spec)",
        "A mock with a specification lacks {subject}: what it imitates does not have it.",
        "The mock was made from the real object and refuses what that does not offer.",
        "Test and product moved apart: one side was renamed.",
        "Find where the name went, and follow it.",
        exceptions="AttributeError InvalidSpecError",
        together=False,
    ),
    row(
        "mock-value",
        "drift",
        r"(?P<subject>\w*Mock)'? (?:object|id=)|and '(?P<subject_b>\w*Mock)'|instances of '(?P<subject_c>\w*Mock)'"
        r"|(?P<subject_d>\w*Mock)(?:\.__format__| is not JSON| found\b)|(?:not|type) '?(?P<subject_e>\w*Mock)\b",
        "A {subject} stands where the product now needs a real value.",
        "The operation was tried with a mock as its operand.",
        "The product reads an attribute or calls a function that the test's mock does not set; or the test sets it on "
        "another mock: on a patched "
        "class, where the product uses an instance of it (`Patched.return_value`). Where this test makes no mock at all, "
        "an earlier one has left its "
        "patch behind (`patcher.start()` without `stop()`).",
        "Set on the mock what the product now reads (for a patched class on its `return_value`), with `autospec` so that "
        "this shows at once; let patches end with "
        "their test (`with`, a decorator, `mocker`, `addCleanup(patcher.stop)`).",
        exceptions="TypeError AttributeError ValueError InvalidRequestError ArgumentError ProgrammingError ValidationError",
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
        effort=2,
    ),
    row(
        "route-gone",
        "drift",
        r"assert 40[45] (?:==|in) [\[({]?[23]\d\d|^ClientResponseError: 40[45], "
        r"|HTTPError: (?:HTTP Error )?40[45](?: Client Error|:)|Client error '40[45]|NoReverseMatch|BuildError"
        r"|Could not build url for endpoint|Reverse "
        r"for '(?P<subject>[\w:-]+)' not found",
        "A route that the tests ask for is not there (or not for this method).",
        "The server answered, and knows no such route.",
        "The route was renamed or not registered in the application that the tests build.",
        "Compare the path in the test with the routes of the application; follow the one that changed.",
        exceptions="AssertionError NoReverseMatch BuildError ClientResponseError HTTPError HTTPStatusError",
    ),
    row(
        "server-error",
        "assertion",
        r"assert (?P<subject>50\d) (?:==|in|<)|where (?P<subject_b>50\d) = [^\n]{0,120}(?:status|Response)|AssertionError: "
        r"(?P<subject_c>50\d) != [2-4]\d\d|Response code "
        r"was (?P<subject_d>50\d)|HTTP (?P<subject_e>50\d)|Server error '(?P<subject_f>50\d)|(?P<subject_g>50\d) Server Error"
        r"|^ClientResponseError: (?P<subject_h>50\d), |HTTP Error (?P<subject_i>50\d):",
        "The server under test answers {subject}: its own code failed with an exception.",
        "A 500 is what a framework answers for an exception that nobody caught.",
        "The exception and its place stand in the server's log, not in this answer.",
        "Read the server's log of that moment (in-process: let the test client raise the server's exceptions), and correct what it shows.",
        exceptions="AssertionError HTTPStatusError HTTPError ClientResponseError",
        code=r"status|raise_for_status|urlopen|HTTPError|\.ok\b|is_success|assertContains|assertRedirects",
        alone=r"where (?P<subject>50\d) = [^\n]{0,120}(?:status|Response)|Server error '(?P<subject_f>50\d)"
        r"|(?P<subject_g>50\d) Server Error",
        effort=2,
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
        effort=2,
    ),
    row(
        "query-unfit",
        "drift",
        r"Cannot query field ['\"](?P<subject>\w+)['\"] on type|Unknown argument ['\"](?P<subject_b>\w+)['\"] on field",
        "The tests ask for {subject}, which the schema does not have (any more).",
        "GraphQL refused the query before it ran.",
        "The field or argument was renamed, moved to another type or taken away, and the queries of the tests were not changed.",
        "Look for {subject} in the history of the schema, and follow it in the queries.",
        exceptions="AssertionError GraphQLError Failed TransportQueryError",
        others=True,
    ),
    row(
        "option-gone",
        "drift",
        r"(?:No such option|unrecognized arguments):? ?['\"]?[\s'\"-]{0,12}?(?P<subject>--?\w[\w-]{0,60})",
        "The command does not know the option {subject} that the tests give it.",
        "The parser of the command line printed its usage instead of doing the work.",
        "The option was renamed or taken away (or belongs to another subcommand), and the tests were not changed.",
        "Compare {subject} with what `--help` of the command lists; change the side that was left behind.",
        exceptions="AssertionError Failed SystemExit NoSuchOption",
        guess=True,
    ),
    row(
        "answer-not-json",
        "drift",
        r"^JSONDecodeError: Expecting value|^ContentTypeError: |^ValueError: Content-Type header is",
        "An answer is read as JSON and is none.",
        "The decoder stopped at the answer's first letter: it is empty, or a page or an error in plain text.",
        "Another route answered (a page, a redirect, an error page), or the request failed and its status was not looked at.",
        "Look at the status and the first bytes of the answer before reading it as JSON.",
        exceptions="JSONDecodeError ContentTypeError ValueError",
        code=r"(?s)\A(?!.*(?:read_text\(|\bopen\()).*?(?:json\b|_parse_json)",  # a file is no answer
        raised_in=("stdlib", "library"),
        strict=True,
        guess=True,
        general=True,
    ),
    row(
        "status-differs-in-unittest",
        "drift",
        r"^AssertionError: (?P<subject>[2-4]\d\d != [2-5]\d\d)\b",
        "The server answers with another status than the test expects ({subject}).",
        "Both are deliberate answers, so the request was understood.",
        "The interface changed on one side only, or the client is not signed in and is sent elsewhere (a redirect).",
        "Print where the answer leads (`response.url`, `response.content`); decide which status is right, and change the other side.",
        exceptions="AssertionError",
        code=r"status",
        together=False,
        effort=2,
    ),
    row(
        "model-refuses",
        "drift",
        r"validation errors? for (?P<subject>[\w\[\]., ]{1,80})",
        "The model {subject} refuses the data that it is given.",
        "The library compared the data with the model's fields and lists what does not fit.",
        "The model was changed and this data was not, or the reverse.",
        "Give the data the fields and types that the model has now (or change the model back).",
        exceptions="ValidationError ResponseValidationError RequestValidationError",
        together=False,
    ),
    row(
        "pydantic-moved",
        "drift",
        r"[Pp]ydantic(?:User|Schema|ImportError|Deprecated)|\"Config\" and \"model_config\" cannot be used together|"
        r"A non-annotated attribute was detected|"
        r"`@root_validator`|`regex` is removed|Field \"\w+\" (?:has conflict|overrides symbol)|`const` is removed",
        "A pydantic model is written in a way that the installed pydantic refuses.",
        "pydantic refused the class when it was made.",
        "The model was written for another version of pydantic, or mixes the two ways.",
        "Change the model as the message says (see pydantic's migration guide).",
        exceptions="PydanticUserError PydanticSchemaGenerationError PydanticImportError NameError TypeError "
        "ValueError PydanticDeprecatedSince20",
        raised_in=("library",),
        strict=True,
    ),
    row(
        "deprecated",
        "drift",
        r"^(?P<subject>\w*(?:Deprecation|Future|RemovedIn|Removed|MovedIn)\w*Warning|Deprecated\w*): ",
        "Something deprecated is used, and warnings are errors here ({subject}).",
        "The library warned and the configuration turned the warning into an error.",
        "The code is written for an older version of the library.",
        "Use what the warning recommends; until then exempt this one warning in `filterwarnings`.",
        exceptions="DeprecationWarning FutureWarning PendingDeprecationWarning MovedIn20Warning "
        "RemovedInDjango60Warning RemovedInDjango61Warning "
        "PydanticDeprecatedSince20 RemovedIn20Warning SADeprecationWarning MarshmallowDeprecationWarning "
        "PytestDeprecationWarning",
    ),
    row(
        "abstract",
        "drift",
        r"Can't instantiate abstract class (?P<subject>\w+)",
        "{subject} lacks a method that its base class demands.",
        "Python refused to make the object.",
        "The base class got a new abstract method and this class (or the test's fake) did not.",
        "Add the method that the message names.",
        exceptions="TypeError",
        together=False,
    ),
    row(
        "member-gone",
        "drift",
        r"^ValueError: .{1,80} is not a valid (?P<subject>\w+)$|^AttributeError: (?P<subject_b>\w+)$",
        "{subject} has no such member.",
        "The enumeration was asked for a member that it does not have.",
        "A member was renamed or removed on one side only.",
        "Follow the enumeration's members as they are now.",
        exceptions="ValueError AttributeError",
        raised_in=("stdlib",),
        strict=True,
        together=False,
    ),
    row(
        "unpacking",
        "drift",
        r"(?:too many|not enough) values to unpack|cannot unpack non-iterable (?P<subject>\w+) object",
        "A call gives another number of values than its caller takes.",
        "Python refused to unpack them.",
        "What the function returns was changed on one side only.",
        "Take what the function returns now, or change it back.",
        exceptions="ValueError TypeError",
        code=r"\A(?![\s\S]*(?:\.r?split(?:lines)?\(|\.groups\(|\.findall\())",  # these give what the data holds
    ),
)
