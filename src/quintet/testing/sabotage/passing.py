"""One pass, in the process that runs it: the relay is put in between, and each test's outcome is written down at once."""

import json
import re
import time
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path

import pytest

from quintet.testing import config as asked
from quintet.testing import services
from quintet.testing.contracts import Mapping
from quintet.testing.faults.proxy import PORTS
from quintet.testing.sabotage.defects import named
from quintet.testing.sabotage.interception import Interception
from quintet.testing.sabotage.order import Order, Outcome
from quintet.testing.sabotage.relay import Relay
from quintet.testing.sockets import reading

__all__ = ["Pass"]

NO_HTTP = {"postgres", "smtp"}
LONGEST_WORDS = 200
_MODULES = re.compile(r"^(?:\w+\.)+(?=\w+:)")  # of an exception's name


class Pass:
    """A pytest plugin of one pass."""

    def __init__(self, order: Order, config: pytest.Config) -> None:
        told = asked.of(config)
        mapping = Mapping.load(told.root / told.mapping) if told.mapping else Mapping.quintet()
        self._order = order
        self._relay = Relay(mapping, named(order.defect) if order.defect else None)
        self._interception = Interception(self._relay, self._spared)
        self._reports: list[pytest.TestReport] = []
        if order.patience:
            reading.PATIENCE.seconds = order.patience
        self._interception.start()
        config.add_cleanup(self._end)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Only the tests that are asked for."""
        only = self._order.only
        if only is not None:
            left = [item for item in items if item.nodeid not in only]
            items[:] = [item for item in items if item.nodeid in only]
            config.hook.pytest_deselected(items=left)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """What this test did, and what happened to it."""
        before, messages, begun = self._relay.met(), self._relay.scene.messages, time.monotonic()
        self._reports.clear()
        self._write(Outcome(item.nodeid, "running"))
        try:
            return (yield)
        finally:
            met = {name: count - before.get(name, 0) for name, count in self._relay.met().items()}
            outcome, words = self._judged()
            self._write(
                Outcome(
                    item.nodeid,
                    outcome,
                    words,
                    time.monotonic() - begun,
                    self._relay.scene.messages - messages,
                    {name: count for name, count in met.items() if count},
                )
            )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Kept for the end of the test."""
        self._reports.append(report)

    def _judged(self) -> tuple[str, str]:
        for report in self._reports:
            if report.failed:
                text = report.longreprtext.strip().splitlines()
                crash = getattr(report.longrepr, "reprcrash", None)
                words = str(getattr(crash, "message", "") or (text[-1] if text else "")).splitlines()
                return "failed", _MODULES.sub("", words[0] if words else "")[:LONGEST_WORDS]
        if any(report.skipped for report in self._reports):
            return "skipped", ""
        return "passed", ""

    def _write(self, outcome: Outcome) -> None:
        with Path(self._order.out).open("a") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")

    def _spared(self) -> set[int]:
        running = services.current()
        handles = running.values() if running is not None else ()
        return PORTS | {handle.port for handle in handles if getattr(handle, "kind", "") in NO_HTTP}

    def _end(self) -> None:
        self._interception.stop()
        self._relay.stop()
