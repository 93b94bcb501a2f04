"""Draws `docs/performance.svg` and writes the figures of `docs/performance.md`, from what the benchmarks printed (`--keep`)."""

import json
import sys
from html import escape
from typing import Any

from benchmarks.kit.figures import RESULTS, kept_up
from benchmarks.kit.machine import QUIET
from benchmarks.kit.process import ROOT
from benchmarks.tables import put

TARGET, PAGE = ROOT / "docs" / "performance.svg", ROOT / "docs" / "performance.md"
WIDTH, LEFT, RIGHT, LINE = 760, 210, 90, 26
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 15px } .note { fill: #57606a; font-size: 12px } .own { font-weight: 600 }
  .bar { fill: #8c959f } .bar.ours { fill: #0969da } .redis { fill: #bf8700 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .note { fill: #9198a1 } .bar { fill: #6e7681 } .bar.ours { fill: #4493f8 } .redis { fill: #d29922 }
  }
"""


def main() -> int:
    """Read, draw, write."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}
    if "push" not in found:
        print("There are no figures yet: python -m benchmarks.push --keep", file=sys.stderr)
        return 1
    body, height = _drawn(found)
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="CPU of the server for each event pushed to a socket"><style>{STYLE}</style>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text)
    PAGE.write_text(put(PAGE.read_text(), found))
    print(f"Written: {TARGET.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")
    return 0


def _drawn(found: dict[str, Any]) -> tuple[list[str], int]:
    push = found["push"]
    body: list[str] = []
    y = 24
    for number, rate in enumerate(push["rates"]):
        pace = f"{rate:,.0f} events/s" if rate else "as fast as it goes"
        body.append(_text(0, y, f"CPU µs for each event, {push['users']:,} sockets, {pace}", "title"))
        y = _bars(body, push, number, y + 14)
    body.append(_text(0, y, "Blue and bars marked “durable” commit each event to disk before it leaves.", "note"))
    body.append(_text(0, y + 18, "Yellow: Redis. Shorter is better. Whole server, all threads; medians.", "note"))
    body.append(_text(0, y + 36, "Behind: it did not hold the pace, so its figure is of another load.", "note"))
    if push["machine"]["load"] > QUIET:
        y += 18
        body.append(_text(0, y + 36, "Provisional: the machine was not quiet.", "note"))
    return body, y + 50


def _bars(body: list[str], push: dict[str, Any], number: int, y: int) -> int:
    rows = {name: figures[number] for name, figures in push["figures"].items()}
    most = max(row["cpu_us"] for row in rows.values()) or 1
    scale = (WIDTH - LEFT - RIGHT) / most
    for name, row in rows.items():
        ours = name == "quintet"
        held = kept_up(row["per_second"], push["rates"][number])
        title = push["titles"][name] + (" (durable)" if name in push["durable"] else "")
        whole, redis = row["cpu_us"] * scale, (row["redis_us"] or 0) * scale
        body.append(_text(LEFT - 10, y + 16, title, "own" if ours else "", end=True))
        body.append(_bar(LEFT, y + 4, whole - redis, "bar ours" if ours else "bar"))
        if redis:
            body.append(_bar(LEFT + whole - redis, y + 4, redis, "redis"))
        body.append(
            _text(
                LEFT + whole + 6, y + 16, f"{row['cpu_us']:,.1f}" + ("" if held else " behind"), "own" if ours else ""
            )
        )
        y += LINE
    return y + 26


def _bar(x: float, y: float, width: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{max(1.0, width):.1f}" height="16" rx="2"/>'


def _text(x: float, y: float, words: str, kind: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y}"{anchor}>{escape(words)}</text>'


if __name__ == "__main__":
    sys.exit(main())
