"""The text of a hang: the project's line that waits, every task's chain, threads, connections, and each service's last word."""

import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from quintet.testing import services
from quintet.testing.hang.connections import connections
from quintet.testing.hang.frames import Step, is_project, step
from quintet.testing.hang.loops import Loop, Waiting

__all__ = ["text"]

_MOST_TASKS: Final = 30
_MOST_STEPS: Final = 12
_MOST_THREADS: Final = 12
_HARNESS: Final = (
    "_pytest",
    "pluggy",
    "pytest_asyncio",
    "pytest_timeout",
    "xdist",
    "execnet",
)  # below it, a stack is nobody's business
_WIDEST: Final = 200


def text(ended: str, root: Path, loops: list[Loop], waited: Waiting | None, frame: FrameType | None) -> str:
    """Everything that is known. `waited` is the task that the main thread waits for, `frame` where that thread stands."""
    stack = list(_stack(frame))
    blocked = not any(one.in_main and one.answers for one in loops)
    others = list(_threads(loops))
    own = [] if blocked or waited is None else waited.own
    own = own or [one for one in stack if is_project(one.file)]
    thread, at = ("", own[-1]) if own else next(iter(others), ("", None))
    place = f"{_place(at, root)} in {at.name}" if at else "no line of the project"
    place += f", in thread {thread}" if thread else ""
    lines = [f"waits at {place}: {ended}", *([f"    {at.source}"] if at else [])]
    for one in loops:
        lines += ["", *_loop(one, waited, root)]
    if blocked:
        lines += ["", "main thread:", *_steps(stack, root)]
    for title, rows in (
        ("other threads:", [f"{name}: {_place(one, root)} in {one.name}: {one.source}" for name, one in others]),
        ("open connections:", connections(_ports())),
        ("services, the last line of their logs:", _last_lines()),
    ):
        told = [f"  {row[:_WIDEST]}" for row in rows]
        lines += ["", title, *told] if told else []
    return "\n".join(lines)


def _loop(loop: Loop, waited: Waiting | None, root: Path) -> Iterator[str]:
    where = "the main thread" if loop.in_main else f"thread {_thread_name(loop.thread)}"
    state = "" if loop.answers else ", which is blocked: something in it does not await"
    yield f"tasks of the event loop in {where}{state}:"
    ordered = sorted(loop.tasks, key=lambda one: one is not waited)
    for one in ordered[:_MOST_TASKS]:
        yield f"  {one.name}{' (pytest waits for it)' if one is waited else ''}"
        yield from _steps(one.steps, root)
    if len(ordered) > _MOST_TASKS:
        yield f"  and {len(ordered) - _MOST_TASKS} more tasks"
    if not ordered:
        yield "  none"


def _steps(steps: list[Step], root: Path) -> Iterator[str]:
    first = next((index for index, one in enumerate(steps) if is_project(one.file)), 0)
    kept = steps[first:]
    if len(kept) > _MOST_STEPS:
        yield f"      … {len(kept) - _MOST_STEPS} outer frames"
    for one in kept[-_MOST_STEPS:]:
        yield f"      {_place(one, root)} in {one.name}: {one.source}"


def _stack(frame: FrameType | None) -> Iterator[Step]:
    """A thread's frames from the outermost below the test harness inwards."""
    found = []
    while frame is not None and not _is_harness(frame.f_code.co_filename):
        found.append(step(frame))
        frame = frame.f_back
    return reversed(found)


def _is_harness(file: str) -> bool:
    return not set(_HARNESS).isdisjoint(Path(file).parts[-3:-1])


def _threads(loops: Iterable[Loop]) -> Iterator[tuple[str, Step]]:
    """The innermost line of the project in each other thread."""
    shown = {threading.main_thread().ident, threading.get_ident(), *(one.thread for one in loops)}
    frames = [(number, frame) for number, frame in sys._current_frames().items() if number not in shown]
    for number, frame in frames[:_MOST_THREADS]:
        own = [one for one in _stack(frame) if is_project(one.file)]
        if own:
            yield _thread_name(number), own[-1]


def _thread_name(number: int | None) -> str:
    return next((one.name for one in threading.enumerate() if one.ident == number), "unknown")


def _ports() -> dict[int, str]:
    running = services.current()
    return {one.port: name for name, one in running.items()} if running else {}


def _last_lines() -> Iterator[str]:
    for name, one in (services.current() or {}).items():
        last = one.tail(1).splitlines()
        yield f"{name}: {last[-1] if len(last) > 1 else '(has logged nothing)'}"


def _place(one: Step, root: Path) -> str:
    file = Path(one.file)
    if file.is_relative_to(root):
        return f"{file.relative_to(root)}:{one.line}"
    return f"{one.file if is_project(one.file) else '/'.join(file.parts[-2:])}:{one.line}"
