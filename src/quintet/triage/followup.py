"""A question about an analysis, answered from its facts. Pure, and without a model.

Rules: a table of what can be asked, first match wins; which cause is meant is read from the question, then from the questions before it,
and said where it was assumed; nothing is answered that the analysis does not hold, and what it cannot answer it says.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from quintet.triage.model import Analysis, Category, Cause
from quintet.triage.normalise import shorten
from quintet.triage.reports.explanation import (
    certainty_of,
    counter_of,
    evidence_of,
    explanation,
    tests_of,
    voices,
    whys_of,
)
from quintet.triage.reports.markdown import code, plan, prose
from quintet.triage.reports.words import TITLES, affected, disarmed, entries, known, many, summary

__all__ = ["Answer", "answer", "is_question"]

_QUESTION = 2_000  # characters of a question that are looked at
_CAUSES_SHOWN = 20
_NUMBERED = re.compile(r"\bcauses?[- #]{0,3}(?:number |no\.? )?(\d{1,4})\b|(?<![\w#])#(\d{1,4})\b", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = re.compile(rf"\b({'|'.join(_ORDINALS)}|last|top|most important|biggest) (?:cause|one)\b", re.IGNORECASE)
_FACT = re.compile(r"\b([FPD]\d{1,6})\b")
_TEST = re.compile(r"\b(test_\w{1,200}|[\w/.-]{1,300}\.py::[\w:\[\]. -]{1,300})")
_WORDS: tuple[tuple[str, Category], ...] = (
    ("environment", "environment"), ("variable", "environment"), ("marker", "markers-config"), ("configuration", "markers-config"),
    ("service", "services"), ("socket", "websocket"), ("auth", "auth"), ("login", "auth"), ("token", "auth"), ("async", "async"),
    ("event loop", "async"), ("database", "database"), ("dependenc", "dependencies"), ("package", "dependencies"), ("import", "imports"),
    ("fixture", "fixtures"), ("drift", "drift"), ("assertion", "assertion"), ("isolation", "isolation"), ("resource", "resources"),
)  # fmt: skip


class Answer(NamedTuple):
    """`about` is what was asked for, `cause` the id of the cause that was meant; both empty where the question was not understood."""

    text: str
    about: str = ""
    cause: str = ""


def answer(analysis: Analysis, question: str, earlier: Sequence[str] = ()) -> Answer:
    """The answer as Markdown. `earlier` are the questions before this one, newest last."""
    question = question[:_QUESTION]
    if (fact := _FACT.search(question)) and (told := explanation(analysis, fact[1])):
        return Answer(told, "fact")
    if test := _TEST.search(question):
        name = test[1].strip()
        told = explanation(analysis, name)
        return Answer(told or disarmed(f"No failing entry of this run is called {code(shorten(name, 200))}.\n"), "test")
    about = _about(question)
    if about in _WHOLE:
        return Answer(disarmed(_WHOLE[about](analysis)), about)
    named = _cause_of(analysis, question, earlier)
    if about and named:
        number, cause, assumed = named
        hint = "\n\nYou named no cause, so this is about the most important one.\n" if assumed else "\n"
        return Answer(disarmed(f"{_head(number, cause)}\n\n{_OF_CAUSE[about](analysis, cause)}{hint}"), about, cause.id)
    if named and not named[2]:
        return Answer(explanation(analysis, named[1].id) or "", "cause", named[1].id)
    return Answer(disarmed(_what_can_be_asked(analysis)))


def is_question(text: str) -> bool:
    """True where the words ask for something that an analysis can answer."""
    text = text[:_QUESTION]
    return bool(_about(text) or _NUMBERED.search(text) or _ORDINAL.search(text))


def _about(question: str) -> str:
    return next((about for about, pattern in _ASKED if pattern.search(question)), "")


def _cause_of(analysis: Analysis, question: str, earlier: Sequence[str]) -> tuple[int, Cause, bool] | None:
    """The cause that is meant, with its number; the last value is True where it was assumed."""
    if not analysis.causes:
        return None
    for text in (question, *reversed(earlier)):
        number = _number(analysis, text[:_QUESTION])
        if number:
            return number, analysis.causes[number - 1], False
        if not re.search(r"\b(?:it|its|this|that|they|those|these)\b", question, re.IGNORECASE):
            break
    return 1, analysis.causes[0], len(analysis.causes) > 1


def _number(analysis: Analysis, text: str) -> int | None:
    last = len(analysis.causes)
    if found := _NUMBERED.search(text):
        number = int(found[1] or found[2])
        return number if 1 <= number <= last else None
    if found := _ORDINAL.search(text):
        word = found[1].lower()
        number = last if word == "last" else _ORDINALS.index(word) + 1 if word in _ORDINALS else 1
        return number if number <= last else None
    wanted = next((category for word, category in _WORDS if word in text.lower()), None)
    fitting = [number for number, cause in enumerate(analysis.causes, 1) if cause.category == wanted]
    return fitting[0] if fitting else None


def _head(number: int, cause: Cause) -> str:
    return f"**Cause {number}**: {prose(cause.statement)}"


# --- what can be asked of a cause -------------------------------------------------------------------------------------


def _why(analysis: Analysis, cause: Cause) -> str:
    return f"{certainty_of(cause)}\n\n{whys_of(analysis, cause)}\n\n{evidence_of(analysis, cause)}"


def _tests(_: Analysis, cause: Cause) -> str:
    names = affected(cause)
    several = f", {many(len(names), 'name', 'names')}" if len(names) != cause.blocks else ""
    return f"It blocks {entries(cause.blocks)}{several}:\n\n{tests_of(cause)}"


def _fix(_: Analysis, cause: Cause) -> str:
    return f"{prose(cause.fix)}" + (
        f"\n\nAfter that, this should be green: {code(cause.verify)}" if cause.verify else ""
    )


def _against(analysis: Analysis, cause: Cause) -> str:
    return counter_of(analysis, cause)


_OF_CAUSE: dict[str, Callable[[Analysis, Cause], str]] = {
    "tests": _tests,
    "against": _against,
    "verify": _fix,
    "fix": _fix,
    "evidence": evidence_of,
    "voices": voices,
    "why": _why,
}


# --- what can be asked of the whole -----------------------------------------------------------------------------------


def _unknown(analysis: Analysis) -> str:
    lines = [f"- {prose(shorten(sentence, 600))}" for sentence in analysis.unknown]
    lines += [
        f"- Cause {number} is not proven ({cause.certainty}): {prose(cause.statement)}"
        for number, cause in enumerate(analysis.causes, 1)
        if cause.certainty in ("suspect", "unknown")
    ][:_CAUSES_SHOWN]
    steps = [
        f"- Assumed, not shown by the report (cause {number}): {prose(why.statement)}"
        for number, cause in enumerate(analysis.causes, 1)
        for why in cause.whys
        if why.assumed
    ][:_CAUSES_SHOWN]
    return "What this report does not tell:\n\n" + ("\n".join([*lines, *steps]) or "- Nothing that I know of.") + "\n"


def _plan(analysis: Analysis) -> str:
    return plan(analysis) or "There is nothing to do: no cause was found.\n"


def _causes(analysis: Analysis) -> str:
    lines = [f"- {lead} {prose(rest)}".replace("-  ", "- ") for lead, rest in summary(analysis)]
    lines += [
        f"{number}. {TITLES[cause.category]} ({cause.certainty}, {entries(cause.blocks)}): {prose(cause.statement)}"
        for number, cause in enumerate(analysis.causes[:_CAUSES_SHOWN], 1)
    ]
    return "\n".join(lines) + "\n"


_WHOLE: dict[str, Callable[[Analysis], str]] = {"unknown": _unknown, "plan": _plan, "causes": _causes}


def _what_can_be_asked(analysis: Analysis) -> str:
    real = known(analysis.causes) or analysis.causes
    several = (
        f"It has {many(len(real), 'cause', 'causes')}, the first is: {prose(real[0].statement)}"
        if real
        else "It has no cause."
    )
    return (
        f"I answer questions about the report above, from its facts and without a language model. {several}\n\n"
        "You can ask, for example:\n\n"
        "- why is cause 1 probable?\n- which tests does it block?\n- what speaks against it?\n- how do I fix it, and how do I check that?\n"
        "- who claimed it?\n- which cause blocks test_login?\n- what is F12?\n- what comes first?\n- what did you not know?\n\n"
        "Or send another report.\n"
    )


_ASKED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (about, re.compile(pattern, re.IGNORECASE))
    for about, pattern in (
        (
            "unknown",
            r"\b(?:not|n't|never|cannot) (?:you )?(?:know|tell|see|sure)|\bunknown|\bunsure|\bdo(?:n't| not) you know|\bassum",
        ),
        (
            "tests",
            r"\b(?:which|what|list|show|name|all)\b.{0,40}\b(?:tests?|entries|block|affect)|\bblocks?\b|\baffected\b",
        ),
        ("against", r"\bagainst|\bdoubt|\bchallenge|\bcounter|\bcontradict|\bwrong about"),
        ("verify", r"\bverify|\bcheck\b|\bhow (?:do|can|will|would) (?:i|we) (?:know|see|tell)"),
        ("plan", r"\b(?:what|which|where)\b.{0,30}\b(?:first|next|begin|start)\b|\border\b|\bplan\b|\bpriorit"),
        (
            "fix",
            r"\bfix|\brepair|\bsolve|\bget rid|\bwhat (?:should|can|do|must) (?:i|we)\b|\bhow (?:do|can|should) (?:i|we)\b",
        ),
        ("evidence", r"\bevidence|\bproof|\bprove\b|\bwhich lines?|\bwhere\b|\bhow do you know|\bshow me\b|\bfacts?\b"),
        ("voices", r"\bwho\b|\bwhich (?:agent|specialist)"),
        (
            "why",
            r"\bwhy\b|\breason|\bhow come|\bbecause|\bhow (?:sure|certain)|\bcertain|\bprobable|\bsuspect|\bproven",
        ),
        ("causes", r"\bcauses\b|\bsummar|\boverview|\bhow many|\bwhat(?:'s| is| went| was) wrong"),
    )
)
