"""A story as a table that a person can read: time, time since the frame before, type, and the fields that were judged."""

from collections.abc import Iterable, Sequence

from .record import Record
from .seen import Seen

__all__ = ["timeline", "window"]

BEFORE, AFTER = 14, 6  # rows kept around a mark; a whole story of a few hundred frames is read by nobody
LONGEST = 24  # characters of a field


def window(frames: Sequence[Seen], mark: Seen | None, *, rows: int = BEFORE + AFTER + 1) -> tuple[int, int]:
    """The places of the first and behind the last row to show: around `mark`, or the end of the story."""
    if mark is None:
        return max(0, len(frames) - rows), len(frames)
    place = next((n for n, seen in enumerate(frames) if seen is mark), len(frames) - 1)
    start = max(0, min(place - rows * BEFORE // (BEFORE + AFTER + 1), len(frames) - rows))
    return start, min(len(frames), start + rows)


def timeline(
    record: Record | Sequence[Seen],
    mark: Seen | None = None,
    *,
    due: str = "",
    rows: int = BEFORE + AFTER + 1,
    also: Iterable[Seen] = (),
) -> str:
    """The rows around `mark`, which gets an arrow; `also` get a dot. `due` is said below the arrow, or at the end without one."""
    frames = list(record)
    start, stop = window(frames, mark, rows=rows)
    dotted = {id(seen) for seen in also}
    begun = record.begun if isinstance(record, Record) else frames[0].at if frames else 0.0
    table = [("", "#", "time", "delta", "type", "order", "run", "details")]
    told: list[int] = []
    for place in range(start, stop):
        seen = frames[place]
        arrow = "▶" if seen is mark else "·" if id(seen) in dotted else ""
        before = frames[place - 1].at if place else begun
        table.append((arrow, str(place + 1), f"{seen.at - begun:.3f}", f"+{seen.at - before:.3f}", *_cells(seen)))
        if seen is mark:
            told.append(len(table))
    lines = _aligned(table)
    if due:
        where = told[0] if told else len(lines)
        lines.insert(where, f"  {'':>4}↳ {due}")
    if start:
        lines.insert(1, f"  … {start} earlier")
    if stop < len(frames):
        lines.append(f"  … {len(frames) - stop} later")
    return "\n".join(lines)


def _cells(seen: Seen) -> tuple[str, str, str, str]:
    order = "" if seen.order is None else str(seen.order)
    if seen.first is not None:
        order = f"{seen.first}..{order}"
    run = "" if seen.run is None else f"{short(seen.run)}{'' if seen.run_order is None else f' #{seen.run_order}'}"
    return (
        (seen.type or _glimpse(seen.raw)) if seen.event else f"({seen.type or _glimpse(seen.raw)})",
        order,
        run,
        _details(seen),
    )


def _details(seen: Seen) -> str:
    named = [
        ("user", seen.user),
        ("agent", seen.agent),
        ("in", seen.parent),
        ("call", seen.call),
        ("message", seen.message),
    ]
    told = [f"{name} {short(value)}" for name, value in named if value is not None]
    if seen.offset is not None:
        told.append(f"offset {seen.offset}")
    if seen.text is not None:
        told.append(repr(seen.text if len(seen.text) <= LONGEST else seen.text[: LONGEST - 1] + "…"))
    if seen.final:
        told.append("final")
    return " ".join(told)


def short(value: str) -> str:
    """An id, cut so that two of them can still be told apart: ids differ at their end or at their beginning."""
    return value if len(value) <= 10 else f"{value[:4]}…{value[-4:]}"


def _glimpse(raw: bytes) -> str:
    return raw[:LONGEST].decode(errors="replace").replace("\n", " ") or "(empty)"


def _aligned(table: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    right = {1, 2, 3, 5}
    return [
        " ".join(
            cell.rjust(w) if n in right else cell.ljust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
