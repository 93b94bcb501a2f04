"""Says at the end how many of how many planted defects were seen."""

import pytest

_SEEN: dict[str, bool] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember whether the check of a defect went red, which is when its test is green."""
    name = report.nodeid
    if "test_a_planted_defect" in name and (report.when == "call" or report.failed):
        _SEEN[name] = report.passed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line: sabotages seen."""
    if _SEEN:
        terminalreporter.write_line(f"sabotages seen: {sum(_SEEN.values())} of {len(_SEEN)}")
