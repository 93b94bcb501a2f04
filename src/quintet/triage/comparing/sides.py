"""The two sides of a plain assertion: which one the test expects, and in what way the other differs.

Rules: a side that stands in the test's own line as a literal is the expectation; a difference is named only where both sides are shown well
enough to see it (what pytest cut out with `...` is matched, never guessed); nothing here is a cause, it is read beside the failure.
"""

import ast
import re

from quintet.triage.model import Cluster
from quintet.triage.normalise import shorten

_LONGEST = 600
_SHOWN = 80
_ASSERT = re.compile(r"^(?:assert )?(?P<left>.{1,300}?) (?P<sign>==|!=) (?P<right>.{1,300})$")
_MESSAGE = re.compile(r"(?m)^assert (.{1,500} == .{1,300})$|^(?:AssertionError: )?(.{1,200} != .{1,200})$")
_CUT = "..."
_PARTS = re.compile(r"[,;|\n]\s*")


def said_of_sides(one: Cluster) -> str:
    """Sentences about the two sides, or nothing. Each begins with a space."""
    if one.exception.rpartition(".")[2] != "AssertionError" or one.simulated:
        return ""
    found = _MESSAGE.search(one.message[:_LONGEST])
    sides = _ASSERT.match(found[1] or found[2]) if found else None
    return _difference(sides["left"].strip(), sides["right"].strip()) + _expected(one, sides) if sides else ""


def _difference(left: str, right: str) -> str:
    ours, theirs = _items(left), _items(right)
    if ours is not None and theirs is not None:
        return _of_lists(ours, theirs)
    if "None" in (left, right) and left != right:
        return " One side is `None`: what should give the value gives nothing."
    return _of_values(_value(left), _value(right))


def _of_lists(ours: list[str], theirs: list[str]) -> str:
    if len(ours) == len(theirs) > 1 and ours != theirs and _same_members(ours, theirs):
        return " Both sides hold the same things in another order: the test relies on an order that the product does not keep (or the reverse)."
    if bool(ours) != bool(theirs):
        return " One side is empty: nothing came, or nothing was kept."
    missing = [item for item in theirs if _CUT not in item and item not in ours]
    extra = [item for item in ours if _CUT not in item and item not in theirs]
    if any(_CUT in item for item in (*ours, *theirs)) or (missing and extra):
        return ""
    doubled = [item for item in dict.fromkeys(ours) if ours.count(item) > theirs.count(item) > 0]
    if doubled and not missing:
        return f" On the left `{_safe(doubled[0])}` stands {ours.count(doubled[0])} times, on the right {theirs.count(doubled[0])}."
    return (
        f" Only {'the right' if missing else 'the left'} has `{_safe((missing or extra)[0])}`."
        if missing or extra
        else ""
    )


def _of_values(left: object, right: object) -> str:
    if left is None or right is None or left == right:
        return ""
    if type(left) is not type(right) and str(left) == str(right):
        return f" Both are the same but for their kind: `{type(left).__name__}` and `{type(right).__name__}`."
    if isinstance(left, str) and isinstance(right, str):
        if left.strip() == right.strip():
            return " Both are the same but for white space at an end."
        if sorted(parts := _PARTS.split(left)) == sorted(_PARTS.split(right)) and len(parts) > 2:
            return " Both sides hold the same parts in another order: out of a set, or of a query without `ORDER BY`, the order is chance."
        return " Both are the same but for upper and lower case." if left.lower() == right.lower() else ""
    return ""


def _value(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _items(text: str) -> list[str] | None:
    """The members of a list or tuple as they are written, also where pytest cut some of their letters out."""
    if text[:1] + text[-1:] not in ("[]", "()"):
        return None
    value = _value(text)
    if isinstance(value, list | tuple):
        return [repr(item) for item in value]
    parts = [part.strip() for part in text[1:-1].split(", ")]
    return parts if _CUT in text and all(re.fullmatch(r"[\w'\". -]{1,80}", part) for part in parts) else None


def _same_members(ours: list[str], theirs: list[str]) -> bool:
    left = list(theirs)
    for item in sorted(ours, key=lambda item: _CUT in item):
        match = next((other for other in left if _alike(item, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _alike(one: str, other: str) -> bool:
    """Equal, or equal in what is shown of both."""
    (head, _, tail), (head2, _, tail2) = (text.partition(_CUT) for text in (one, other))
    if _CUT not in one + other:
        return one == other
    if _CUT in one and _CUT in other:
        return False
    whole, begin, end = (other, head, tail) if _CUT in one else (one, head2, tail2)
    quoted = begin or whole[:1]  # a cut in the middle of a word may have taken its opening quotation mark
    return whole.startswith(quoted) and whole.endswith(end) and len(end) + len(begin) >= len(_CUT)


def _expected(one: Cluster, sides: re.Match[str]) -> str:
    """Which side the test itself writes down."""
    line = one.home_code.partition("\n")[0].strip().partition("  #")[0]
    written = _ASSERT.match(line.removeprefix("assert "))
    if written is None or sides["sign"] != "==":
        return ""
    literal = [_is_literal(written[name].partition(", f")[0]) for name in ("left", "right")]
    named = [re.search(r"[A-Za-z_]", re.sub(r"['\"].*?['\"]", "", written[name])) for name in ("left", "right")]
    if _CUT in sides["left"] + sides["right"] or not any(named):
        return ""
    if literal == [False, True]:
        got, wanted = sides["left"], sides["right"]
    elif literal == [True, False]:
        got, wanted = sides["right"], sides["left"]
    else:
        return ""
    return f" The test expects `{_safe(wanted)}`, and the product gives `{_safe(got)}`."


def _is_literal(text: str) -> bool:
    return _value(text) is not None or text.strip() in ("None", "[]", "{}")


def _safe(text: str) -> str:
    return shorten(text, _SHOWN).replace("`", "'")
