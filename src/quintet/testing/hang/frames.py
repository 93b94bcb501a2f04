"""Lines of code, and which of them are the project's own: neither Python's nor an installed package's nor the kit's."""

import linecache
import sysconfig
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple

__all__ = ["Step", "is_project", "step"]

_WIDEST: Final = 140  # characters of a source line
_KIT: Final = str(Path(__file__).parents[1])


class Step(NamedTuple):
    """One frame of a chain or a stack."""

    file: str
    line: int
    name: str

    @property
    def source(self) -> str:
        """The line itself, cut to a width."""
        return linecache.getline(self.file, self.line).strip()[:_WIDEST]


def step(frame: FrameType) -> Step:
    """Where a frame stands now."""
    return Step(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname)


@cache
def _foreign() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")} | {_KIT})


def is_project(file: str) -> bool:
    """Whether a file is the project's own code."""
    return not file.startswith(("<", *_foreign())) and "site-packages" not in file
