"""What a green run does not show: tests that were skipped, that never ran, or that did not notice what failed beside them.

Rules: only what the run itself says of its tests is told; it is no cause and fails nothing; each kind is one sentence with what to do about it.
"""

import re
from itertools import chain

from quintet.triage.model import Run
from quintet.triage.normalise import shorten

_FEW = 2
_NAMED = 3
_NEVER_RAN = re.compile(
    r"coroutine '((?:[\w.<>]+\.)?test\w*)' was never awaited"
    r"|value that is not None from a test case \(<bound method ([\w.]*test\w*)"
)
_RETURNED = re.compile(
    r"Expected None, but (?:the test returned|\S{1,300} returned) |Test functions should return None"
)
_UNSEEN = ("PytestUnhandledThreadExceptionWarning", "PytestUnhandledCoroutineWarning")
_NOT_RETRIEVED = re.compile(r"Task exception was never retrieved")


def hollow_of(run: Run) -> list[str]:
    """Sentences about what the run does not show, the gravest first."""
    return [
        *_always_true(run),
        *_never_ran(run),
        *_returned(run),
        *_unnoticed(run),
        *skipped_of(run),
        *_set_aside(run),
        *_only_collected(run),
    ]


def skipped_of(run: Run) -> list[str]:
    """That most of the tests were skipped: then a green run shows little, and hardly anybody looks."""
    totals = run.totals
    if totals.skipped < _FEW or 2 * totals.skipped < totals.tests:
        return []
    told = next((line for line in run.header if line.kind == "skipped"), None)
    reason = f", most of them with these words: `{shorten(told.subject, 160).replace('`', chr(39))}`" if told else ""
    return [f"{totals.skipped:,} of {totals.tests:,} tests were skipped{reason}. This run says nothing about them."]


_ASIDE = {
    "xfailed": "were expected to fail and did (`xfail`): whatever breaks there, the run stays green. Mend them or delete them, one by one; "
    "`strict=True` tells when one passes again.",
    "deselected": "were not run (`-m`, `-k` or `--deselect`, often in `addopts`): this run says nothing about them. See "
    "that another run, or another "
    "job, does run them.",
}


_TRUE = "assertion is always true"
_CLASS = re.compile(r"cannot collect test class '?(\w{1,80})'? because it has a __(?:init|new)__")


def _always_true(run: Run) -> list[str]:
    """Assertions that cannot fail, and classes whose tests pytest leaves out: its own warnings say so."""
    told = [line for line in run.warnings if _TRUE in line.text]
    classes = list(dict.fromkeys(found[1] for line in run.warnings if (found := _CLASS.search(line.text))))
    said = []
    if told:
        number = f"{len(told):,} assertions are" if len(told) > 1 else "An assertion is"
        said.append(
            f"{number} always true (line {told[0].at}): a condition and its message in parentheses are a tuple. Take the "
            "parentheses away."
        )
    if classes:
        names = ", ".join(f"`{name}`" for name in classes[:_NAMED])
        said.append(
            f"The tests of {names} were left out: pytest collects no class with a constructor. Make what it sets a fixture, and "
            "take `__init__` out."
        )
    return said


def _set_aside(run: Run) -> list[str]:
    """That most of the tests were expected to fail, or were left out: pytest's last line tells."""
    ends = " ".join(line.text for line in run.header if line.kind == "end")
    told = [
        (int(found[1].replace(",", "")), found[2]) for found in re.finditer(r"\b(\d{1,7}) (xfailed|deselected)\b", ends)
    ]
    return [
        f"{number:,} of {run.totals.tests:,} tests {_ASIDE[kind]}"
        for number, kind in told
        if number >= _FEW and 2 * number >= run.totals.tests
    ]


def _only_collected(run: Run) -> list[str]:
    """That no test was run at all."""
    told = any(re.search(r"\btests? collected\b", line.text) for line in run.header if line.kind == "end")
    number = f"{run.totals.tests:,} {'test was' if run.totals.tests == 1 else 'tests were'}"
    said = f"{number} collected and none was run (`--collect-only`, given or in `addopts`): this run shows only that they can be imported."
    return [said] if told and not run.totals.passed else []


def _never_ran(run: Run) -> list[str]:
    names = list(dict.fromkeys(found[1] or found[2] for one in run.warnings if (found := _NEVER_RAN.search(one.text))))
    if not names:
        return []
    shown = ", ".join(f"`{name}`" for name in names[:_NAMED]) + (
        f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    )
    return [
        f"{len(names):,} of the tests that pass never ran: they are coroutines that nobody awaited ({shown}). Let their class be a "
        "`unittest.IsolatedAsyncioTestCase`, or have pytest-asyncio (or anyio) run them; then see whether they pass."
    ]


def _returned(run: Run) -> list[str]:
    told = [one for one in run.warnings if one.kind.startswith("PytestReturnNotNone") or _RETURNED.search(one.text)]
    if not told:
        return []
    number = f"{len(told):,} of the tests return" if len(told) > 1 else "A test returns"
    return [
        f"{number} a value instead of asserting it: whatever it says, the test passes. Write `assert` where it says `return`."
    ]


def _unnoticed(run: Run) -> list[str]:
    """Exceptions in threads and tasks that ended nothing."""
    warned = (one.at for one in run.warnings if one.kind in _UNSEEN or _NOT_RETRIEVED.search(one.text))
    printed = (one.at for one in run.logged if _NOT_RETRIEVED.search(one.message))
    at = next(chain(warned, printed), None)
    if at is None:
        return []
    logged = next((one for one in run.logged if one.exception), None)
    told = next((one for one in run.warnings if one.at == at), None)
    words = shorten(f"{logged.name}: {logged.message}" if logged else told.text if told else "", 140).replace("`", "'")
    return [
        f"An exception that no test noticed ended a thread or a task (line {at}): `{words}`. Await it, or join it, "
        f"in the test that starts it."
    ]
