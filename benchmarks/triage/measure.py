"""One analysis in a process of its own, so that its time and its memory are its own."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Measured", "analysed"]

_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Measured:
    """`seconds` without starting Python; `peak_mb` of the whole process; `texts` is the own text of every entry."""

    data: dict[str, Any]
    texts: list[str]
    seconds: float
    peak_mb: float
    raw: str


def analysed(files: Sequence[Path], seed: int = 0) -> Measured:
    """The analysis of files of one run. Raises `subprocess.SubprocessError` when it crashes or takes too long."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.triage.measure", *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
        timeout=_SECONDS,
        env={"PYTHONHASHSEED": str(seed), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
    )
    answer = json.loads(done.stdout)
    return Measured(answer["data"], answer["texts"], answer["seconds"], answer["peak_mb"], json.dumps(answer["data"]))


def _main(names: Sequence[str]) -> None:
    from quintet.triage import analyse_all, as_data, decode, markdown, words_of

    begin = time.perf_counter()
    analysis = analyse_all([(Path(name).name, decode(Path(name).read_bytes())) for name in names])
    data = as_data(analysis)
    markdown(analysis)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    texts = ["\n".join(words_of(raised) for raised in entry.chain) for entry in analysis.run.entries]
    json.dump({"data": data, "texts": texts, "seconds": round(seconds, 3), "peak_mb": round(peak, 1)}, sys.stdout)


if __name__ == "__main__":
    _main(sys.argv[1:])
