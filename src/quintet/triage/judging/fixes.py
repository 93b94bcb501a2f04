"""What to change, as exactly as the report tells: names, places, the line that Python itself suggests.

Rules: only what stands in the report is added to a rule's advice; nothing that was read becomes part of a command.
"""

import re
from collections.abc import Sequence

from quintet.triage.rules.modules import FIXTURES, MARKERS, OPTIONS
from quintet.triage.signatures import Match, Rule

_SUGGESTED = re.compile(r"Did you mean: '([A-Za-z_]\w{0,80})'")
_FIELD = re.compile(r"(?m)^([A-Za-z_][\w.]{0,60})\n\s+\S")
_FIELDS_SHOWN = 6
_AT_A_LINE = frozenset({"crash", "hook-fails"})  # though rules of their kind are not
_ELSEWHERE = frozenset({"dependencies", "services", "markers-config", "resources"})


def fix_of(rule: Rule, group: Sequence[Match], subject: str) -> str:
    """The rule's advice with the subject's name in it, what Python suggests, the fields refused, and the place."""
    first = group[0]
    advice = rule.fix.replace("{owner}", owner_of(first.subject)).replace("{raw}", in_command(first.subject) or "NAME")
    parts = (suggested(group), _logged_first(first), said(advice, subject), _fields(rule, first), _place(rule, group))
    return " ".join(part for part in parts if part)


def _logged_first(first: Match) -> str:
    """An exception that the product logged beside a failure that is no more than its echo."""
    one = first.cluster
    inside = one.logged and one.first_exception and one.where and one.raised and "`" not in one.where
    if not inside or first.exception == one.first_exception.rpartition(".")[2]:
        return ""
    return f"Correct first what raises `{one.first_exception.rpartition('.')[2]}` at `{one.where}`: the rest may only follow from it."


def suggested(group: Sequence[Match]) -> str:
    """What Python itself proposes for a misspelt name, where every entry that proposes anything proposes the same."""
    found = {hit[1] for one in group for hit in [_SUGGESTED.search(one.cluster.first_message)] if hit}
    return f"Python suggests `{found.pop()}`." if len(found) == 1 else ""


def _fields(rule: Rule, first: Match) -> str:
    if rule.id not in ("settings-missing", "model-refuses"):
        return ""
    message = max(first.cluster.first_message, first.cluster.message, key=len)
    names = list(dict.fromkeys(_FIELD.findall(message.partition("\n")[2])))
    shown = ", ".join(f"`{name}`" for name in names[:_FIELDS_SHOWN])
    return f"It refuses {shown}{' and more' if len(names) > _FIELDS_SHOWN else ''}." if names else ""


def _place(rule: Rule, group: Sequence[Match]) -> str:
    place = next((one.cluster.where for one in group if one.cluster.where), "")
    return (
        f"Begin at `{place}`."
        if place and "`" not in place and (rule.category not in _ELSEWHERE or rule.id in _AT_A_LINE)
        else ""
    )


def owner_of(subject: str) -> str:
    """The plugin that brings a fixture, a marker or an option of pytest."""
    return FIXTURES.get(subject) or MARKERS.get(subject) or OPTIONS.get(subject) or "see pytest's list of plugins"


def said(template: str, subject: str) -> str:
    """The sentence with its subject, or without the place for it where none was found."""
    if subject:
        return template.replace("{subject}", f"`{subject}`" if "`" not in subject and subject[0].isalnum() else subject)
    for empty in (" ({subject} is one of them)", " ({subject})", ": {subject}", " {subject}"):
        template = template.replace(empty, "")
    return template.replace("{subject}", "something").strip()


def in_command(subject: str) -> str:
    """The subject if it can stand in a shell command as it is: what was read is never a piece of somebody's shell."""
    safe = subject and subject.isascii() and all(letter.isalnum() or letter in "_./" for letter in subject)
    return subject if safe else ""
