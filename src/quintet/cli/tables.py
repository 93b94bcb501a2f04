"""Lists as a person or a program reads them: folded to the terminal's width, or a line each."""

from collections.abc import Sequence
from datetime import UTC, datetime

__all__ = ["minute", "print_table"]


def print_table(heads: Sequence[str], rows: Sequence[tuple[Sequence[str], bool]]) -> None:
    """Print rows under their heads; each row says whether it is history, which is shown faintly."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # a program reads lines; none is folded
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for cells, past in rows:
        table.add_row(*(Text(cell) for cell in cells), style="dim" if past else "")
    console.print(table)


def minute(at_ms: int | None) -> str:
    """A time in UTC, to the minute."""
    return "-" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"
