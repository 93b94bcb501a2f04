"""All passes of a sabotage, one process after the other: first plain, which must be green, then each defect that met a test."""

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import pytest

from quintet.testing.sabotage.defects import ALL, Defect, named
from quintet.testing.sabotage.order import VARIABLE, Order, Outcome, outcomes
from quintet.testing.sabotage.report import Finding, Report

__all__ = ["run"]

PATIENCE_SECONDS = 3.0  # of a step that waits for what a defect withholds: no deadline of any length would help it
PLAIN_SECONDS = 1_800.0
DROPPED = "--quintet-sabotage"
WITH_VALUE = (
    "--quintet-sabotage-limit",
    "--quintet-sabotage-only",
    "--quintet-sabotage-jobs",
    "--junitxml",
    "--junit-xml",
)
TAIL_LINES = 40


def run(config: pytest.Config, out: TextIO = sys.stdout) -> int:
    """Run them and report; the exit code: 0 all were noticed, 1 not, else pytest's own where the plain pass could not run."""
    with tempfile.TemporaryDirectory(prefix="quintet-sabotage-") as folder:
        return _Passes(config, Path(folder), out).run()


class _Passes:
    def __init__(self, config: pytest.Config, folder: Path, out: TextIO) -> None:
        self._config, self._folder, self._out = config, folder, out
        self._limit = float(config.known_args_namespace.quintet_sabotage_limit)
        wanted = config.known_args_namespace.quintet_sabotage_only
        self._defects = [named(name) for name in wanted] if wanted else list(ALL)
        self._jobs = max(1, config.known_args_namespace.quintet_sabotage_jobs)
        self._numbers = itertools.count(1)

    def run(self) -> int:
        """The whole."""
        self._say("sabotage: the plain pass, without any defect …")
        begun = time.monotonic()
        code, told, text = self._pass(Order(out=""), PLAIN_SECONDS)
        failed = [outcome for outcome in told if outcome.outcome in {"failed", "running"}]
        if code not in {0, 1} or (code and not failed):
            self._say(_tail(text))
            return code or 1
        report = Report(told, time.monotonic() - begun)
        self._say(report.plain())
        if failed or not report.speaking:
            self._say(report.verdict())
            return 1
        with ThreadPoolExecutor(self._jobs) as threads:
            findings = threads.map(lambda defect: self._try(defect, report), self._defects)
            for number, finding in enumerate(findings, 1):
                self._say(report.add(finding, number, len(self._defects)))
        self._say(report.verdict())
        return report.exit_code

    def _try(self, defect: type[Defect], report: Report) -> Finding:
        tests = report.meeting(defect.name)
        if not tests:
            return Finding(defect.name, defect.says, (), 0.0)
        finding = self._struck(defect, tests)
        if finding.verdict == "not exercised" and len(report.speaking) > len(tests):
            # It strikes with what other tests have shown, such as a credential that is good: they have to be there.
            finding = self._struck(defect, report.speaking)
        return finding

    def _struck(self, defect: type[Defect], tests: Sequence[Outcome]) -> Finding:
        """These tests, and no other, with the defect planted."""
        plain = sum(test.seconds for test in tests)
        slowest = max(test.seconds for test in tests)
        patience = max(PATIENCE_SECONDS, 2 * slowest) if defect.withholds else 0.0
        order = Order("", defect.name, tuple(test.test for test in tests), patience)
        begun = time.monotonic()
        _, told, text = self._pass(order, min(self._limit, 30 + 3 * plain + 20 * len(tests)))
        words = "" if told else _tail(text)
        return Finding(defect.name, defect.says, tuple(told), time.monotonic() - begun, words)

    def _pass(self, order: Order, within: float) -> tuple[int, list[Outcome], str]:
        """One process; its exit code, what its tests did, what it printed."""
        number = next(self._numbers)
        file, told, log = (self._folder / f"{number}.{kind}" for kind in ("order", "told", "log"))
        Order(str(told), order.defect, order.only, order.patience, os.getpid()).write(file)
        with log.open("w") as printed:
            process = subprocess.Popen(  # noqa: S603 - ourselves, with the arguments we were given
                [sys.executable, "-m", "pytest", *self._arguments()],
                cwd=self._config.invocation_params.dir,
                env={**os.environ, VARIABLE: str(file)},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(within)
            except subprocess.TimeoutExpired:
                code = 1
            finally:
                _end(process)
        return code, outcomes(told), log.read_text(errors="replace")

    def _arguments(self) -> list[str]:
        """As they were given, without what belongs to the whole; no workers, no stop at the first failure."""
        kept: list[str] = []
        skip = False
        for word in map(str, self._config.invocation_params.args):
            name = word.partition("=")[0]
            if not skip and name not in {DROPPED, *WITH_VALUE}:
                kept.append(word)
            skip = not skip and name in WITH_VALUE and "=" not in word
        has = self._config.pluginmanager.hasplugin
        cache = ["-o", f"cache_dir={self._folder / 'cache'}"] if has("cacheprovider") else []
        workers, covered = ["-n0"] if has("xdist") else [], ["--no-cov"] if has("pytest_cov") else []
        return [*kept, "--maxfail=0", *cache, *workers, *covered]

    def _say(self, words: str) -> None:
        self._out.write(words + "\n")
        self._out.flush()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Nothing of the pass is left: its services see its end, its own processes are in its group."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _tail(text: str) -> str:
    lines: Sequence[str] = text.splitlines()[-TAIL_LINES:]
    return "\n".join(lines)
