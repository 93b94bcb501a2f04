"""Figures: percentiles, medians of rounds, tables for people, JSON for the picture."""

import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "kept_up", "median", "percentiles", "publish", "table"]

RESULTS = Path(__file__).resolve().parents[1] / "results"


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """p50, p90, p99 and the worst; empty without values."""
    ordered = sorted(values)
    if not ordered:
        return {}
    last = len(ordered) - 1
    found = {f"p{p}": ordered[round(last * p / 100)] for p in (50, 90, 99)}
    return {**found, "max": ordered[-1]}


def median(values: Iterable[float]) -> float:
    """The median of the rounds."""
    return statistics.median(values)


def kept_up(per_second: float, rate: float) -> bool:
    """Whether what was asked for arrived in time. Who falls behind gathers more into one step, and is not comparable at this rate."""
    return rate <= 0 or per_second >= 0.97 * rate


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print for people; numbers stand right."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left")
    for number, name in enumerate(columns):
        shown.add_column(name, justify="left" if number == 0 else "right", no_wrap=number > 0)
    for row in rows:
        shown.add_row(*(_shown(cell) for cell in row))
    Console(file=sys.stderr, width=None if sys.stderr.isatty() else 140).print(shown)


def _shown(cell: Any) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:,.1f}" if abs(cell) < 1000 else f"{cell:,.0f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def publish(name: str, figures: dict[str, Any], *, keep: bool) -> None:
    """Print JSON on standard output; with `keep` also write it where the picture looks for it."""
    text = json.dumps({"benchmark": name, **figures}, indent=1)
    print(text)
    if keep:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(text + "\n")
