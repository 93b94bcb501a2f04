"""A run with very many failures, no two of them alike, as console text: nothing of it is anybody's."""

from collections.abc import Iterator

__all__ = ["flood"]

_KINDS = (
    ("AttributeError", "'Ledger{0}' object has no attribute 'post_{0}'"),
    ("KeyError", "'field_{0}'"),
    ("AssertionError", "assert {0} == {1}"),
    ("ConnectionRefusedError", "[Errno 111] Connect call failed ('127.0.0.1', {1})"),
    ("ValueError", "row {0} of part {1} is not a number: 'x{0}'"),
)
_DEEP = 18


def flood(failures: int) -> str:
    """Console text with long tracebacks and captured logs."""
    return "\n".join(_lines(failures)) + "\n"


def _lines(failures: int) -> Iterator[str]:
    yield "============================= test session starts =============================="
    yield "platform linux -- Python 3.12.1, pytest-8.4.0, pluggy-1.6.0"
    yield f"collected {failures} items"
    yield "=================================== FAILURES ==================================="
    for number in range(failures):
        yield from _failure(number)
    yield "=========================== short test summary info ============================"
    for number in range(failures):
        yield f"FAILED tests/test_part{number % 40}.py::TestPart{number % 7}::test_{number}"
    yield f"======================= {failures} failed in 61.20s (0:01:01) ========================"


def _failure(number: int) -> Iterator[str]:
    exception, message = _KINDS[number % len(_KINDS)]
    yield f"________________________ TestPart{number % 7}.test_{number} ________________________"
    for depth in range(_DEEP):
        yield f"app/part{(number + depth) % 90}/module{depth}.py:{depth + 10}: in step_{depth}"
        yield f"    return follow_{depth}(value={number}, rest=[{', '.join(map(str, range(12)))}])"
    yield f"E   {exception}: {message.format(number, 40_000 + number)}"
    yield "------------------------------ Captured log call -------------------------------"
    for line in range(12):
        yield f"INFO     app.part{line}:module.py:{line} step {line} of {number} with request 7f3a9c{number:06x} took {line}.5 ms"
