"""The report: a line for each point, then the evidence of what failed; or the same as JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from textwrap import indent
from typing import Final, get_args

from .verdicts import Point, Verdict

__all__ = ["as_json", "print_report"]

_MARKS: Final[dict[str, tuple[str, str]]] = {
    "passed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "not offered": ("–", "dim"),
    "not judged": ("?", "yellow"),
}


def totals(points: Sequence[Point]) -> dict[Verdict, int]:
    """How many points have each verdict."""
    counted = Counter(point.verdict for point in points)
    return {verdict: counted[verdict] for verdict in get_args(Verdict)}


def as_json(name: str, url: str, points: Sequence[Point]) -> str:
    """The report for programs: `backend`, `url`, `totals`, `points` (`id`, `title`, `verdict`, `words`, `evidence`?)."""
    told = [
        {"id": p.id, "title": p.title, "verdict": p.verdict, "words": p.words}
        | ({"evidence": p.evidence} if p.evidence else {})
        for p in points
    ]
    report = {"backend": name, "url": url, "totals": totals(points), "points": told}
    return json.dumps(report, indent=2, ensure_ascii=False)


def print_report(name: str, url: str, points: Sequence[Point]) -> None:
    """The report for people, on standard output."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text.assemble((name, "bold"), f"  {url}\n"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for point in points:
        mark, style = _MARKS[point.verdict]
        table.add_row(Text(f"{mark} {point.verdict}", style), Text.assemble(point.title, (f": {point.words}", "dim")))
    console.print(table)
    for point in points:
        if point.evidence:
            console.print(Text(f"\n✗ {point.title}", "bold red"))
            console.print(Text(indent(point.evidence, "  ")), soft_wrap=True)  # a row of a timeline is never broken
    counted = totals(points)
    said = ", ".join(f"{count} {verdict}" for verdict, count in counted.items() if count)
    console.print(
        Text(f"\n{said}", "bold red" if counted["failed"] else "bold green" if counted["passed"] else "bold yellow")
    )
