"""The hang guard's part of the plugin: a limit for each phase of each test, and no coroutine that nobody awaits."""

import os
from collections.abc import Generator
from typing import Any, Final

import pytest

from quintet.testing import config as kit_config

_MARKER: Final = "hang_guard"
_GUARD: Final = pytest.StashKey[Any]()  # the guard, imported where one is asked for
_LIMIT: Final = pytest.StashKey[float]()
_UNAWAITED: Final = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("quintet").addoption(
        "--quintet-hang",
        type=float,
        metavar="SECONDS",
        help="end any phase of a test (setup, call, teardown) that takes longer, and say where it waits; 0: never "
        "(default: `hang` of [tool.quintet.test], 60 where that table exists)",
    )


def pytest_configure(config: pytest.Config) -> None:
    given = config.getoption("--quintet-hang")
    kit = kit_config.of(config)
    limit = kit.hang if given is None else given
    if kit.asked or given is not None:
        config.addinivalue_line(
            "markers",
            f"{_MARKER}(seconds): another limit than this run's {limit:g} s for each phase of the test; 0: none",
        )
        config.stash[_LIMIT] = limit


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    guard = config.stash.get(_GUARD, None)
    if guard is not None:
        del config.stash[_GUARD]
        guard.close()
    if _UNAWAITED in config.stash:
        config.stash[_UNAWAITED].end()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if _LIMIT in config.stash:
        from quintet.testing.hang.guard import Guard

        stacks = not float(config.getini("faulthandler_timeout") or 0) if _has_faulthandler(config) else True
        config.stash[_GUARD] = Guard(config.rootpath, os.dup(2), stacks=stacks)
    if kit_config.of(config).asked:
        from quintet.testing.hang.unawaited import Unawaited

        config.stash[_UNAWAITED] = Unawaited(config.rootpath)
        config.stash[_UNAWAITED].begin()


def _has_faulthandler(config: pytest.Config) -> bool:
    return config.pluginmanager.hasplugin("faulthandler")


def _limit(item: pytest.Item) -> float:
    mark = item.get_closest_marker(_MARKER)
    if mark is None:
        return item.config.stash[_LIMIT]
    given = [*mark.args, *mark.kwargs.values()]
    if len(given) != 1 or not isinstance(given[0], int | float) or given[0] < 0:
        raise pytest.UsageError(f"{item.nodeid}: {_MARKER} takes one number of seconds")
    return float(given[0])


def _but_for_ours(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether these frames are hidden: what the test raised passes through them, only the kit's own begin in them."""
    return excinfo.typename not in {"Hang", "NeverAwaited"}


def _guarded(item: pytest.Item, phase: str) -> Generator[None, object, object]:
    __tracebackhide__ = _but_for_ours
    guard = item.config.stash.get(_GUARD, None)
    limit = _limit(item) if guard is not None else 0.0
    if guard is None or limit <= 0:
        return (yield)
    from quintet.testing.hang.guard import Hang

    watch = guard.begin(item.nodeid, phase, limit)
    after, stood = "", None
    try:
        result = yield
    except (KeyboardInterrupt, SystemExit, pytest.exit.Exception):
        guard.end(watch)
        raise
    except BaseException as fault:
        if not guard.end(watch):
            raise
        after, stood = _after(fault, Hang), fault.__traceback__  # a debugger begins where it waited
    else:
        if not guard.end(watch):
            return result
    _drop_unittest_faults(item)
    raise Hang(f"{watch.story}{after}").with_traceback(stood) from None


def _after(fault: BaseException, hang: type[BaseException]) -> str:
    """What else failed while the phase was ended, in a line each."""
    from asyncio import CancelledError

    faults = fault.exceptions if isinstance(fault, BaseExceptionGroup) else (fault,)
    told = [
        f"\n{type(one).__name__} while it was ended: {str(one)[:300]}"
        for one in faults
        if not isinstance(one, (hang, CancelledError))
    ]
    return "".join(told[:5])


def _drop_unittest_faults(item: pytest.Item) -> None:
    # unittest hands pytest the exception that ended the test; the report says more.
    if getattr(item, "_excinfo", None):
        vars(item)["_excinfo"] = None


def _awaited(item: pytest.Item, phase: str) -> Generator[None, object, object]:
    __tracebackhide__ = _but_for_ours
    unawaited = item.config.stash.get(_UNAWAITED, None)
    if unawaited is None:
        return (yield from _guarded(item, phase))
    unawaited.watch()
    try:
        result = yield from _guarded(item, phase)
    except BaseException:
        told = unawaited.told()
        if told:
            item.add_report_section(phase, "coroutines", told)
        raise
    told = unawaited.told()
    if told:
        from quintet.testing.hang.unawaited import NeverAwaited

        raise NeverAwaited(told)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = _but_for_ours
    return (yield from _awaited(item, "setup"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = _but_for_ours
    return (yield from _awaited(item, "call"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    __tracebackhide__ = _but_for_ours
    return (yield from _awaited(item, "teardown"))


def pytest_enter_pdb(config: pytest.Config, pdb: Any) -> None:
    guard = config.stash.get(_GUARD, None)
    if guard is not None:
        guard.pause()
