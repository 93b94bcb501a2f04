"""A project is examined without being run: the doctor's rules and probes, and the reports that lie in it."""

from pathlib import Path

from quintet.triage.examined import Finding

__all__ = ["NoDoctor", "findings"]


class NoDoctor(Exception):  # noqa: N818 - what is missing, in one line
    """The doctor is not part of this installation, or has failed."""


def findings(folder: Path, *, probe: bool, python: str | None) -> list[Finding]:
    """What the doctor finds in a folder.

    Raises:
        NoDoctor: it is not installed here, or it has failed.
    """
    try:
        from quintet.doctor import examine
    except ImportError:
        raise NoDoctor("The doctor is not part of this installation: only reports were read.") from None
    try:
        found = examine(folder, probe=probe, python=python)
    except Exception as fault:  # the reports of a run are worth explaining also where the examination breaks
        raise NoDoctor(
            f"The doctor could not examine this folder ({type(fault).__name__}): only reports were read."
        ) from fault
    return [
        Finding(one.rule, one.certainty == "certain", one.statement, one.fix, one.file or "", one.line or 0)
        for one in found
    ]
