"""The picture of the causes and what they block: causes at the left, the modules of the failing entries at the right, a band for each pair.

Rules: an SVG that asks for nothing from outside; colours and sizes are classes, so light, dark and paper are the page's business; a
certainty is told by word, and by line style beside colour; at most so many causes and modules, the rest together.
"""

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from quintet.triage.model import Analysis, Cause
from quintet.triage.normalise import shorten
from quintet.triage.reports.words import TITLES, entries, many

CAUSES_SHOWN, MODULES_SHOWN = 8, 10
_GAP, _ROW, _TOP = 10, 34, 22
_LONGEST = 200  # of a column, in units, before the gaps
_SHARE = 0.36  # of the width for each column
_PAD, _LETTER = 10, 7.5  # of the words in a box, at 12 units, bold


class _Box(NamedTuple):
    """One end of the bands. `at` and `height` are vertical; `to` is the id of the section that tells of it."""

    label: str
    blocks: int
    at: float
    height: float
    style: str = ""
    to: str = ""


def picture(analysis: Analysis, width: int) -> str:
    """The drawing at `width` units, 1 unit being 1 CSS pixel where the page is as wide; empty where nothing is blocked."""
    pairs = _pairs(analysis)
    if not pairs:
        return ""
    left = _column([(key, sum(of.values())) for key, of in pairs.items()])
    right = _column(_beside(pairs))
    boxes = _named(analysis.causes, left, width)
    column = round(width * _SHARE)
    height = max(box.at + box.height for box in (*left.values(), *right.values())) + 8
    body = [
        _bands(pairs, left, right, column, width),
        "".join(_cause_box(box, column) for box in boxes),
        "".join(_module_box(box, width - column, column) for box in right.values()),
    ]
    return (
        f'<svg class="picture w{width}" viewBox="0 0 {width} {height:.0f}" role="group" aria-label="{_told(analysis)}">'
        f'<text class="head" x="0" y="12">causes</text>'
        f'<text class="head" x="{width - column}" y="12">block</text>{"".join(body)}</svg>'
    )


def _told(analysis: Analysis) -> str:
    causes = many(len(analysis.causes), "cause", "causes")
    return f"Picture: {causes} and the test modules they block. The sections below say the same in words."


def _pairs(analysis: Analysis) -> dict[int, Counter[str]]:
    """For each shown cause (by its place, the last one for all others) how many entries of which module."""
    pairs: dict[int, Counter[str]] = {}
    for number, cause in enumerate(analysis.causes):
        into = pairs.setdefault(min(number, CAUSES_SHOWN), Counter())
        into.update(_module(name) for name in cause.entries)
    totals: Counter[str] = sum(pairs.values(), Counter())
    kept = {name for name, _ in _ordered(totals)[:MODULES_SHOWN]}
    others = f"{many(len(totals) - len(kept), 'other module', 'other modules')}"
    for number, of in pairs.items():
        pairs[number] = Counter({name: of[name] for name in of if name in kept})
        if rest := sum(of[name] for name in of if name not in kept):
            pairs[number][others] = rest
    return {number: of for number, of in pairs.items() if of}


def _module(name: str) -> str:
    path = name.partition("::")[0]
    return shorten(path, 200) or "(no name)"


def _ordered(totals: Counter[str]) -> list[tuple[str, int]]:
    return sorted(totals.items(), key=lambda pair: (" other module" in pair[0], -pair[1], pair[0]))


def _beside(pairs: dict[int, Counter[str]]) -> list[tuple[str, int]]:
    """The modules, each as near as can be to the cause that blocks most of it: fewer bands cross."""
    totals: Counter[str] = sum(pairs.values(), Counter())
    nearest = {name: max(pairs, key=lambda number: (pairs[number][name], -number)) for name in totals}
    return sorted(_ordered(totals), key=lambda pair: (" other module" in pair[0], nearest[pair[0]]))


def _column(sizes: Sequence[tuple[str | int, int]]) -> dict[str | int, _Box]:
    whole = sum(size for _, size in sizes) or 1
    boxes, at = {}, float(_TOP)
    for key, size in sizes:
        height = max(_ROW, size / whole * _LONGEST)
        boxes[key] = _Box(str(key), size, at, height)
        at += height + _GAP
    return boxes


def _named(causes: Sequence[Cause], left: dict[str | int, _Box], width: int) -> list[_Box]:
    made = []
    for number, box in left.items():
        at = int(number)
        if at < CAUSES_SHOWN:
            cause = causes[at]
            label = f"{at + 1} {TITLES[cause.category]}"
            made.append(box._replace(label=label, style=cause.certainty, to=cause.id))
        else:
            label = many(len(causes) - CAUSES_SHOWN, "more cause", "more causes")
            made.append(box._replace(label=label, style="unknown", to="causes"))
    letters = int((width * _SHARE - 2 * _PAD) / _LETTER)
    return [box._replace(label=shorten(box.label, letters)) for box in made]


def _bands(
    pairs: dict[int, Counter[str]], left: dict[str | int, _Box], right: dict[str | int, _Box], begin: int, width: int
) -> str:
    taken: dict[str | int, float] = {}
    made = []
    for number, of in pairs.items():
        for name, size in sorted(of.items(), key=lambda pair: right[pair[0]].at):
            a, b = left[number], right[name]
            thick_a, thick_b = size / a.blocks * a.height, size / b.blocks * b.height
            from_y, to_y = a.at + taken.get(number, 0), b.at + taken.get(name, 0)
            taken[number], taken[name] = taken.get(number, 0) + thick_a, taken.get(name, 0) + thick_b
            made.append(_band((begin, from_y, thick_a), (width - begin, to_y, thick_b), number))
    return f'<g class="bands">{"".join(made)}</g>'


def _band(start: tuple[float, float, float], end: tuple[float, float, float], number: int) -> str:
    (x, y, thick), (to_x, to_y, to_thick) = start, end
    middle = (x + to_x) / 2
    path = (
        f"M{x:.0f} {y:.1f}C{middle:.0f} {y:.1f} {middle:.0f} {to_y:.1f} {to_x:.0f} {to_y:.1f}V{to_y + to_thick:.1f}"
        f"C{middle:.0f} {to_y + to_thick:.1f} {middle:.0f} {y + thick:.1f} {x:.0f} {y + thick:.1f}Z"
    )
    return f'<path class="band b{number % 2}" d="{path}"/>'


def _cause_box(box: _Box, wide: int) -> str:
    rect = f'<rect class="{box.style}" x="1" y="{box.at:.1f}" width="{wide - 2}" height="{box.height:.1f}" rx="6"/>'
    words = f"{entries(box.blocks)}, {box.style}" if wide > 180 else entries(box.blocks)
    return f'<a href="#{box.to}">{rect}{_two(_PAD, box, escape(words))}</a>'


def _module_box(box: _Box, x: int, wide: int) -> str:
    letters = int((wide - 2 * _PAD) / _LETTER)
    label = box.label if len(box.label) <= letters else "…" + box.label[1 - letters :]
    rect = f'<rect class="module" x="{x + 1}" y="{box.at:.1f}" width="{wide - 2}" height="{box.height:.1f}" rx="6"/>'
    return (
        f"<g><title>{escape(box.label)}</title>{rect}{_two(x + _PAD, box._replace(label=label), str(box.blocks))}</g>"
    )


def _two(x: int, box: _Box, second: str) -> str:
    middle = box.at + box.height / 2
    return (
        f'<text class="label" x="{x}" y="{middle - 2:.1f}">{escape(box.label)}</text>'
        f'<text class="size" x="{x}" y="{middle + 12:.1f}">{second}</text>'
    )
