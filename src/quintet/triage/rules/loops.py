"""Event loops: who runs what, and in which loop."""

from quintet.triage.signatures import Rule, row

RULES: tuple[Rule, ...] = (
    row(
        "async-fixture",
        "async",
        r"requested an async fixture '(?P<subject>\w+)', with no plugin or hook",
        "Nobody runs the async fixture {subject}: pytest found no plugin that takes it.",
        "pytest handed the fixture on without anybody awaiting it.",
        "It is declared with plain `pytest.fixture`, and pytest-asyncio is in strict mode or not installed.",
        "Declare {subject} with `pytest_asyncio.fixture`, or set `asyncio_mode = auto` in the configuration that "
        "this run uses.",
        exceptions="PytestRemovedIn9Warning PytestWarning PytestDeprecationWarning Failed",
        phases=("setup",),
        proven=True,
        context=("asyncio", "plugins"),
    ),
    row(
        "async-test",
        "async",
        r"async def functions are not natively supported",
        "Async tests are not run: no plugin takes them.",
        "pytest itself cannot await a test.",
        "pytest-asyncio (or anyio) is not installed, or the test is not marked in strict mode.",
        "Install pytest-asyncio and set `asyncio_mode = auto`, or mark the tests.",
        exceptions="Failed PytestUnhandledCoroutineWarning",
        proven=True,
        context=("asyncio", "plugins"),
    ),
    row(
        "other-loop",
        "async",
        r"attached to a different loop|bound to a different event loop|Event loop is closed|"
        r"Timeout context manager should be used inside a task|await wasn't used with future|Future .{0,80} different "
        r"loop",
        "An object made in one event loop is used in another.",
        "asyncio refused it.",
        "Something with a wide scope (engine, pool, lock, client) outlives the loop of the test that made it.",
        "Give fixture and loop the same scope, and make and close such objects inside the loop that uses them.",
        exceptions="RuntimeError InterfaceError ValueError",
        raised_in=("stdlib", "library"),
        effort=2,
    ),
    row(
        "asyncio-under-trio",
        "async",
        r"There is no current event loop|no running event loop|sniffio|not currently running on any async library",
        "The test runs on trio, and the code under test uses asyncio itself.",
        "The name of the test tells its backend (`[trio]`), and asyncio finds no loop of its own there.",
        "anyio's plugin runs every test on all of its backends unless the fixture `anyio_backend` names one, and the product calls `asyncio` "
        "directly.",
        "Define `anyio_backend` in conftest.py and let it return `asyncio`; or write the product with anyio's own task groups "
        "if it shall run on trio too.",
        exceptions="RuntimeError AsyncLibraryNotFoundError",
        raised_in=("stdlib", "library", "product", "test"),
        tests=r"\[(?:[^\]]*-)?trio\b",
    ),
    row(
        "no-loop",
        "async",
        r"There is no current event loop|no running event loop",
        "Code that needs a running event loop is called without one.",
        "asyncio looked for the running loop and found none.",
        "A synchronous test (or the import of a module) makes tasks, locks or clients that belong into a loop.",
        "Make the test async, or build the object where the loop runs.",
        exceptions="RuntimeError",
        raised_in=("stdlib", "library", "product", "test"),
    ),
    row(
        "generator-as-value",
        "async",
        r"'(?P<subject>async_generator|coroutine)' object (?:has no attribute|is not|does not support|can't be)|"
        r"argument of type 'coroutine'|object of type 'coroutine' has no|"
        r"unsupported operand type\(s\) for .{1,5}: '(?:coroutine|async_generator)'|coroutine object .{1,80} (?:is "
        r"not|has no)|assert <coroutine object|assert <async_generator object",
        "A coroutine or async fixture is used as if it were its result.",
        "The object that arrived is the {subject} itself: nobody ran it.",
        "An `await` is missing, or an async fixture is declared with plain `pytest.fixture` and no plugin runs it.",
        "Await the call; declare async fixtures with `pytest_asyncio.fixture`, or set `asyncio_mode = auto`.",
        exceptions="AttributeError TypeError AssertionError ValueError",
    ),
    row(
        "running-loop",
        "async",
        r"(?:asyncio|Runner)\.run\(\) cannot be called from a running event loop"
        r"|Cannot run the event loop while another loop is running|This event loop is already running|Attempted "
        r"to exit cancel scope in a different task",
        "Code that starts or leaves a loop of its own is called inside a running one.",
        "asyncio refused it.",
        "A synchronous helper is used in an async test, or a task group spans a yield of a fixture.",
        "Await the coroutine instead of running it; keep task groups inside one task.",
        exceptions="RuntimeError",
        raised_in=("stdlib", "library"),
        effort=2,
    ),
    row(
        "mock-awaited",
        "async",
        r"object (?P<subject>\w+) can't be used in 'await' expression|'(?P<subject_b>\w+)' object does not support "
        r"the async(?:hronous)? (?:context|iterator)|"
        r"'async for' requires an object with __aiter__ method, got (?P<subject_c>\w+)|'async with' .{0,60}does not "
        r"support the asynchronous context|'(?P<subject_d>\w+)' object does not support the asynchronous context "
        r"manager protocol",
        "A {subject} stands where something awaitable is needed.",
        "Python tried to await it and could not.",
        "A Mock stands where an AsyncMock is needed, or a plain object where its async kind is.",
        "Use AsyncMock for what is awaited (and MagicMock for what is not), or the async kind of the object.",
        exceptions="TypeError AttributeError",
    ),
    row(
        "mock-not-awaited",
        "async",
        r"Expected (?P<subject>[\w.]+) to (?:have been|be) awaited\b[^\n]{0,60}(?:Awaited 0 times|Not awaited|never awaited)|"
        r"^AssertionError: Not awaited|"
        r"Await not found",
        "The code under test does not await {subject}.",
        "The mock counts how often it is awaited: it was never, or not so.",
        "The product calls it without `await`, so the coroutine is made and thrown away; or it does not reach the call.",
        "Add the `await` where the product calls {subject}; if it is called nowhere, patch the name where the product looks it up.",
        exceptions="AssertionError",
    ),
    row(
        "never-awaited",
        "async",
        r"coroutine '?(?P<subject>[\w.]+)'? was never awaited|Exception ignored in: <coroutine object "
        r"(?P<subject_b>[\w.]+)",
        "A coroutine ({subject}) is made and never awaited.",
        "Python noticed it when the object was thrown away.",
        "An `await` is missing, or an AsyncMock stands where a plain Mock is needed.",
        "Await the call; use MagicMock for what is not awaited.",
        exceptions="RuntimeWarning PytestUnraisableExceptionWarning TypeError AttributeError "
        "PytestUnhandledCoroutineWarning",
    ),
    row(
        "greenlet",
        "async",
        r"MissingGreenlet|greenlet_spawn has not been called",
        "An attribute is loaded lazily outside of the async database session.",
        "SQLAlchemy had to talk to the database where nothing can await.",
        "A relation is read that was not loaded with its object.",
        "Load it eagerly (`selectinload`), or refresh it inside the session.",
        exceptions="MissingGreenlet StatementError",
        raised_in=("library",),
    ),
    row(
        "tasks-left",
        "async",
        r"Task was destroyed but it is pending",
        "Something that a test started is still running after it ({subject}).",
        "The check at the end of the test found it.",
        "What ends the object under test does not end what it has started: a task is neither cancelled nor awaited, a thread not joined.",
        "Keep the task (or thread) where it is started; in what closes the object cancel it and await it "
        "(`contextlib.suppress(asyncio.CancelledError)`), "
        "or join it.",
        exceptions="PytestUnraisableExceptionWarning RuntimeError",
        told=r"(?i)(?=[\s\S]*?(?:\btask-\d|<_?task |<thread|thread-\d|asyncio|coro|_asyncgen|\.run\(|__qualname__))"
        r"(?:.{0,300}?(?P<subject>\b(?:tasks?|threads?|timers?)\b[^\n]{0,40}\b(?:left|still|leak\w*|pending|running|alive"
        r"|not (?:cancelled|done|finished|joined)))\b"
        r"|.{0,300}?(?P<subject_b>\b(?:leaked|pending|dangling|orphan\w*|unfinished)\b[^\n]{0,30}\b(?:tasks?|threads?))\b)",
    ),
    row(
        "timeout",
        "async",
        r"Timeout \(?>\s?[\d.]+s\)?",
        "Tests hang until the time limit ends them.",
        "The limit passed; the line shown is where the loop slept, not what it waited for.",
        "Unknown from this text: something is awaited that never comes.",
        "Run one of them alone with a hang guard that prints what each task waits for.",
        exceptions="Failed Timeout",
        effort=3,
    ),
    row(
        "cancelled-awaited",
        "async",
        r"^CancelledError(?::|$)",
        "A task that was cancelled is awaited, and nobody takes its CancelledError.",
        "The error is reported while a fixture is taken down, and comes out of an `await` there.",
        "`task.cancel()` asks the task to end; who then awaits it gets CancelledError, which is no `Exception`.",
        "Await it within `contextlib.suppress(asyncio.CancelledError)`, or gather it with `return_exceptions=True`.",
        exceptions="CancelledError",
        phases=("teardown",),
        raised_in=("stdlib", "product", "test", "library"),
        strict=True,
    ),
    row(
        "waited-in-vain",
        "async",
        r"^(?:TimeoutError|CancelledError)(?:: ?(?P<subject>[^\n]{0,80}))?$",
        "Something is awaited that never comes, until the test's own limit.",
        "The limit of `asyncio.wait_for` or `asyncio.timeout` passed.",
        "Unknown from this text: the event is never sent, or sent before anybody listened.",
        "Run one of them alone with a hang guard that prints what each task waits for.",
        exceptions="TimeoutError CancelledError",
        raised_in=("stdlib",),
        code=r"TimeoutError|CancelledError|wait_for|timeout|fut\.result|asyncio[/\\]",
        strict=True,
        effort=3,
    ),
    row(
        "waited-in-vain-group",
        "async",
        r"^(?:TimeoutError|TooSlowError|Cancelled)(?:: ?(?P<subject>[^\n]{0,80}))?$",
        "Something is awaited that never comes, until the test's own limit.",
        "The limit (`fail_after`, `move_on_after`, a timeout's block) passed.",
        "Unknown from this text: the event is never sent, or sent before anybody listened.",
        "Run one of them alone with a hang guard that prints what each task waits for.",
        exceptions="TimeoutError TooSlowError Cancelled",
        passed=r"/(?:anyio|trio|async_timeout|curio)/",
        raised_in=("library",),
        strict=True,
        effort=3,
    ),
)
