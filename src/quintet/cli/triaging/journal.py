"""A pytest plugin that keeps what a JUnit file loses: each report as it comes, so that a crash takes nothing with it.

It runs in the project's own interpreter, whatever that is: nothing but the standard library and pytest, and no word of newer Python.
It writes the lines of pytest-reportlog (`$report_type`), and never makes a run fail: what goes wrong here is dropped.
"""

# ruff: noqa: S110, SIM105

import json
import os
import sys
import traceback
from typing import Any

import pytest

VARIABLE = "QUINTET_TRIAGE_JOURNAL"
MOST_BYTES = 64 * 1024 * 1024
MOST_TEXT = 100000


class Journal:
    """One file, a line for each report, flushed at once."""

    def __init__(self, config: Any, path: str) -> None:
        self.config = config
        self.left = MOST_BYTES
        self.file = open(path, "w", encoding="utf-8", errors="replace")  # noqa: SIM115, PTH123

    def write(self, data: Any) -> None:
        try:
            line = json.dumps(data, default=str)
            if len(line) <= self.left:
                self.left -= len(line)
                self.file.write(line + "\n")
                self.file.flush()
        except Exception:
            pass

    def pytest_sessionstart(self) -> None:
        start = {"pytest_version": pytest.__version__, "$report_type": "SessionStart", "executable": sys.executable}
        self.write(start)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.write({"exitstatus": int(exitstatus), "$report_type": "SessionFinish"})

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.write({"nodeid": nodeid, "$report_type": "TestStart"})

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.write({"nodeid": nodeid, "$report_type": "TestFinish"})

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.report(report)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.report(report)

    def report(self, report: Any) -> None:
        try:
            data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
            data["user_properties"] = []
            data["sections"] = []  # what was printed is in the console's text
            self.write(data)
        except Exception:
            pass


def pytest_configure(config: Any) -> None:
    path = os.environ.get(VARIABLE)
    if path and not hasattr(config, "workerinput"):  # a worker's reports come through its controller
        try:
            config.pluginmanager.register(Journal(config, path), "quintet-triage-journal")
        except Exception:
            pass


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests() -> Any:
    """A conftest that ends the process while it is imported: nobody but us could tell which, and where."""
    outcome = yield
    ending = outcome.excinfo
    path = os.environ.get(VARIABLE)
    if path and ending and issubclass(ending[0], SystemExit):
        try:
            with open(path, "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                told = "".join(traceback.format_exception(*ending))[-MOST_TEXT:]
                file.write(json.dumps({"$report_type": "SessionFault", "traceback": told}) + "\n")
        except Exception:
            pass
