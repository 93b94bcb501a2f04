"""Commands in the words of whoever ran the tests: rules speak of pytest, and a project may have none."""

import re

from quintet.triage.model import Case

PYTEST = "pytest"
_CALL = re.compile(
    r"(?:python (?P<fault>-X faulthandler )?-m )?pytest(?: --collect-only)?(?: -q)?(?: -p no:xdist)?(?= |$)"
)


def runner_of(case: Case) -> str:
    """What starts the tests of this run."""
    if case.kind != "unittest":
        return PYTEST
    return "python manage.py test" if any(fact.kind == "django" for fact in case.facts) else "python -m unittest"


def in_words_of(runner: str, command: str, test: str = "") -> str:
    """A rule's command, with its test in the place of `{test}`. A part of a test (a subtest) is run with its whole."""
    if runner == PYTEST:
        return command.replace("{test}", quoted(test)).rstrip()
    call = lambda found: runner.replace("python ", f"python {found['fault'] or ''}", 1)  # noqa: E731
    return _CALL.sub(call, command, count=1).replace("{test}", quoted(test.partition(" [")[0]))


def quoted(name: str) -> str:
    """A test's name for a command line, or nothing where it holds what a shell might act upon."""
    safe = (
        name.isascii()
        and all(letter.isalnum() or letter in "_./:[]-, =+@\\" for letter in name)
        and not name.startswith(("-", "("))
    )
    return f"'{name}'" if safe and name else ""
