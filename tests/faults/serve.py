"""Start a server that kills itself at a named point: `python tests/faults/serve.py -- serve --dev …`.

`FAULT_POINT=NAME:N` arms the N-th pass of a point; at it the process leaves `NAME WHAT` in the file `FAULT_REACHED` and sends itself
SIGKILL. `FAULT_DEFECT=NAME` plants one of `defects.py` besides. `FAULT_WEATHER` and `FAULT_MET` name the files of `weather.py`, and
`FAULT_PERIODS` has what it shortens. Without these variables the server is the ordinary one; the product has no switch for any of this, it is
patched in here.
"""

import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def bomb(name: str, number: int, file: Path) -> Callable[[str], None]:
    """What a point calls at each pass; the one with this number is the last thing that the process does."""
    passes = itertools.count(1)  # one call of `next` is one step: points are passed on several threads

    def here(what: str) -> None:
        if next(passes) == number:
            file.write_text(f"{name} {what}")
            os.kill(os.getpid(), signal.SIGKILL)

    return here


def main() -> None:
    """Arm what is to be armed, and go on as `quintet`."""
    from faults.defects import DEFECTS
    from faults.points import POINTS
    from faults.weather import CONDITIONS, Weather, shorten
    from quintet.cli import main as quintet

    separator, *arguments = sys.argv[1:] or [""]
    name, _, number = os.environ.get("FAULT_POINT", "").partition(":")
    defect = os.environ.get("FAULT_DEFECT", "")
    known = name in {"", *POINTS} and defect in {"", *DEFECTS} and bool(name) == number.isdigit()
    if separator != "--" or not known:
        sys.exit(
            "usage: [FAULT_POINT=NAME:N] [FAULT_DEFECT=NAME] serve.py -- serve …"
            f"   with NAME one of: {', '.join(POINTS)}; or: {', '.join(DEFECTS)}"
        )
    if file := os.environ.get("FAULT_WEATHER"):
        weather = Weather(Path(file), Path(os.environ["FAULT_MET"]))
        for condition in CONDITIONS.values():
            condition(weather)
        shorten(json.loads(os.environ.get("FAULT_PERIODS", "{}")))
    if name:
        POINTS[name](bomb(name, int(number), Path(os.environ["FAULT_REACHED"])))
    if defect:  # around the point: what the defect commits too early is committed when the process dies
        DEFECTS[defect]()
    sys.argv = ["quintet", *arguments]
    quintet()


if __name__ == "__main__":
    main()
