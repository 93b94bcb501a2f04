"""A bar on a terminal, for what takes long; nothing where a program reads."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["bar"]


@contextmanager
def bar(least: int) -> Iterator[Callable[[str, int, int], None]]:
    """Gives a function of a step's name, what is done of it, and how much there is. Less than `least` is done before it could be read."""
    if not sys.stderr.isatty():
        yield lambda step, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", visible=False)

        def progress(step: str, done: int, total: int) -> None:
            shown.update(task, completed=done, total=total, visible=total > least, description=step)

        yield progress
