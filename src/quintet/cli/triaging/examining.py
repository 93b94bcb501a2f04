"""A project is examined without being run: the doctor's rules and probes, and the reports that lie in it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from quintet.triage.examined import Finding

__all__ = ["NoDoctor", "Seen", "seen"]


class NoDoctor(Exception):  # noqa: N818 - what is missing, in one line
    """The doctor is not part of this installation, or has failed."""


class Seen(NamedTuple):
    """What the doctor has found, and sentences about what it could not find out."""

    findings: list[Finding]
    not_probed: tuple[str, ...] = ()


def seen(
    folder: Path, *, probe: bool, python: str | None, seconds: float = 60, said: Callable[[str], None] = lambda _: None
) -> Seen:
    """What the doctor finds in a folder, with all its probes in `seconds`. `said` is told what it is doing.

    Raises:
        NoDoctor: it is not installed here, or it has failed.
    """
    try:
        from quintet.doctor import examination
    except ImportError:
        raise NoDoctor("The doctor is not part of this installation: only reports were read.") from None
    try:
        found = examination(
            folder,
            probe=probe,
            python=Path(python) if python else None,
            seconds=seconds,
            together=seconds,
            said=said,
        )
    except Exception as fault:  # the reports of a run are worth explaining also where the examination breaks
        raise NoDoctor(
            f"The doctor could not examine this folder ({type(fault).__name__}): only reports were read."
        ) from fault
    findings = [
        Finding(one.rule, one.certainty == "certain", one.statement, one.fix, one.file or "", one.line or 0)
        for one in found.findings
    ]
    return Seen(findings, found.not_probed if probe else ())
