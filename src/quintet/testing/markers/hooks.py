"""The markers' part of the plugin: register, take the census while collecting, hold demanding tests to their word."""

from collections.abc import Generator
from typing import Any, Final

import pytest

from quintet.testing import config as kit_config
from quintet.testing.markers import registry
from quintet.testing.markers.census import Census

_KEY: Final = pytest.StashKey["_Room"]()
_SENT: Final = "quintet_unknown_markers"  # what a worker of pytest-xdist sends home


class _Room:
    """What the hooks of one run share."""

    def __init__(self, config: pytest.Config, kit: kit_config.KitConfig) -> None:
        self.config = config
        self.kit = kit
        self.markers = registry.declared(kit)
        self.census = Census(config) if kit.unknown_markers == "error" else None
        self.item: pytest.Item | None = None
        self.fakes: Any = None
        self.told = ""

    def unknown(self) -> str:
        """The text about the unknown markers seen, empty where there is none."""
        if self.census is None or not self.census.uses or self.kit.file is None:
            return ""
        from quintet.testing.markers.wording import unknown_markers

        known = set(registry.names(self.config)) - self.census.unknown
        return unknown_markers(self.census.uses, known, self.kit.file, self.config.inipath)

    def watch_fakes(self) -> None:
        """From now on no demanding test patches a network."""
        from quintet.testing.markers import demands, fakes

        def refuse(patch: fakes.Patch) -> None:
            marker = demands.demanding(self.item, self.markers) if self.item is not None else None
            if self.item is not None and marker is not None:
                pytest.fail(demands.patched(self.item, marker, patch), pytrace=False)

        self.fakes = fakes.Watch(refuse)
        self.fakes.begin()


def _room(config: pytest.Config) -> _Room | None:
    return config.stash.get(_KEY, None)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    kit = kit_config.of(config)
    if kit.asked:
        registry.register(config, kit)
        config.stash[_KEY] = _Room(config, kit)


def pytest_unconfigure(config: pytest.Config) -> None:
    room = _room(config)
    if room is not None and room.fakes is not None:
        room.fakes.end()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    room = _room(session.config)
    if room is None or room.census is None:
        return (yield)
    room.census.begin()
    try:
        result = yield
    finally:
        room.census.end()
    told = room.unknown()
    if told and not _is_worker(session.config):
        raise pytest.UsageError(told)
    return result


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    room = _room(config)
    if room is None:
        return
    told = room.unknown() if _is_worker(config) else ""
    if told:
        vars(config)["workeroutput"][_SENT] = told
        items.clear()
    from quintet.testing.markers.demands import demanding

    if any(demanding(item, room.markers) for item in items):
        room.watch_fakes()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    room = _room(node.config)
    if room is not None:
        room.told = room.told or getattr(node, "workeroutput", {}).get(_SENT, "")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    room = _room(session.config)
    if room is not None and room.told:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
    return (yield)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    room = _room(config)
    if room is not None and room.told:
        terminalreporter.write_line(f"ERROR: {room.told}", red=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    room = _room(item.config)
    if room is None:
        return (yield)
    room.item = item
    try:
        return (yield)
    finally:
        room.item = None


@pytest.hookimpl(tryfirst=True)  # before a skipif mark is looked at: what is missing is an error
def pytest_runtest_setup(item: pytest.Item) -> None:
    room = _room(item.config)
    if room is None or room.fakes is None:
        return
    from quintet.testing.markers import demands

    marker = demands.demanding(item, room.markers)
    if marker is None:
        return
    missing = demands.missing_service(item, room.kit, room.markers)
    if missing:
        pytest.fail(missing, pytrace=False)
    for patch in room.fakes.in_force.values():
        pytest.fail(demands.patched(item, marker, patch), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    room = _room(item.config)
    if room is None or room.fakes is None or hasattr(report, "wasxfail") or call.excinfo is None:
        return report
    from quintet.testing.markers import demands

    marker = demands.demanding(item, room.markers)
    if marker is None:
        return report
    if report.outcome == "skipped":
        told = demands.skipped(marker, call.excinfo)
        if told:
            report.outcome, report.longrepr = "failed", told
    else:
        told = demands.unreachable(room.kit, marker, call.excinfo.value)
        if told:
            report.sections.append(("services", told))
    return report
