"""Where a test hangs, and what keeps it there: read from the last lines of the stack that its time limit left."""

from quintet.triage.signatures import Rule, row

RULES: tuple[Rule, ...] = (
    row(
        "loop-waits-for-itself",
        "async",
        r"^Failed: Timeout|^RunTimedOut|^(?:TimeoutError|CancelledError)(?::|$)|Timeout \(?>",
        "A call blocks the event loop's own thread ({subject}), so nothing that it waits for can run there.",
        "The stack passes through the running loop and ends in a wait that blocks the whole thread.",
        "Synchronous code waits (`future.result()`, `thread.join()`, `queue.get()`, a synchronous client) inside of a coroutine's call, for "
        "something that this same loop should do: both wait for ever.",
        "Await it instead (`await asyncio.wrap_future(future)`, an async client), or call the synchronous code in another thread "
        "(`await asyncio.to_thread(...)`).",
        exceptions="Failed Timeout RunTimedOut",
        passed=r"(?s)asyncio[/\\]base_events\.py.*(?:concurrent[/\\]futures[/\\]_base|threading|queue|subprocess|multiprocessing[/\\]\w+)\.py",
        code=r"(?:threading|queue|subprocess|concurrent[/\\]futures[/\\]_base|multiprocessing[/\\]\w+)\.py$",
        names=r"(?m)(?P<subject>\.(?:result|join|get|wait|acquire|communicate)\([^\n()]{0,40}\))",
        raised_in=("stdlib",),
        strict=True,
        effort=2,
    ),
    row(
        "waits-for-lock",
        "async",
        r"^Failed: Timeout|^RunTimedOut|^(?:TimeoutError|CancelledError)(?::|$)|Timeout \(?>",
        "The test hangs at a lock that is never free: {subject}.",
        "The last line of the stack is the one that takes the lock.",
        "Who holds it asks for it again (a method under the lock calls another that takes the same one), two locks are taken in different orders, or "
        "whoever took it never lets go. The functions between, in the same file, are the first to look at.",
        "Take the lock in the outer method only, and let a method that runs under it call none that takes it (a re-entrant lock, "
        "`threading.RLock`, where that is meant; `asyncio.Lock` has none).",
        exceptions="Failed Timeout RunTimedOut TimeoutError CancelledError",
        code=r"(?i)\b(?:async )?with [^\n]{0,60}(?:lock|mutex|semaphore|\bsem\b|condition)\w*(?:\(\))?:|\b\w*(?:lock|mutex|sem\w*)\.acquire\(",
        names=r"(?im)^(?:async )?with (?P<subject>[\w.]{0,60}(?:lock|mutex|sem\w*|condition)\w*)"
        r"|(?P<subject_b>[\w.]{0,60}(?:lock|mutex|sem\w*))\.acquire\(",
        raised_in=("stdlib", "library", "product", "test"),
        effort=2,
    ),
)
