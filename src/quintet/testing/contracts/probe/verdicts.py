"""The points of the contract, each with its verdict on what was seen: passed, failed, not offered, or not judged.

1. A point fails only with evidence: the timeline, or what the backend answered.
2. What the mapping gives nothing to judge by is not offered; what did not occur is not judged. Neither is ever called passed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..arriving import silence
from ..offered import NotOfferedError
from ..ordering import no_gap, once, sequence
from ..owning import DISTINCT, isolated, only_user
from ..pairing import closed, pairs
from ..record import Record
from ..resuming import resumes_exactly
from ..seen import FIVE
from ..shapes import schema
from ..story import Story
from ..texts import pieces
from ..timeline import timeline
from ..violation import ContractViolation, violated
from .examination import Evidence

__all__ = ["Point", "Verdict", "verdicts"]

Verdict = Literal["passed", "failed", "not offered", "not judged"]


@dataclass(frozen=True)
class Point:
    """One point of the contract. `words` say in a line what the verdict rests on."""

    id: str
    title: str
    verdict: Verdict
    words: str
    evidence: str = ""


Judged = tuple[Verdict, str, str]


def verdicts(evidence: Evidence) -> list[Point]:
    """Every point, in the order of the report."""
    judged = [(name, title, *judge(evidence)) for name, title, judge in _POINTS]
    return [
        Point(name, title, verdict, _masked(w, evidence), _masked(e, evidence)) for name, title, verdict, w, e in judged
    ]


def _masked(text: str, evidence: Evidence) -> str:
    for credential in evidence.credentials:
        text = text.replace(credential, "…") if len(credential) >= DISTINCT else text
    return text


def _passed(words: str) -> Judged:
    return "passed", words, ""


def _each(evidence: Evidence, check: Callable[[Record], None], words: str) -> Judged:
    """A check on the story of each user."""
    judged = [story for story in evidence.stories if story.events]
    if not judged:
        return "not judged", "no event was received", ""
    try:
        for story in judged:
            check(story)
    except ContractViolation as violation:
        return "failed", violation.what, str(violation)
    except NotOfferedError as missing:
        told = " or ".join(f"`{name}`" for name in missing.fields)
        return "not offered", f"the mapping tells no {told}", ""
    except ModuleNotFoundError as missing_module:
        return "not judged", str(missing_module), ""
    return _passed(words)


def _connected(evidence: Evidence) -> Judged:
    trouble = evidence.trouble.get("two users")
    if trouble is not None:
        return "failed", trouble, "\n\n".join(timeline(story) for story in evidence.stories if len(story))
    sent = sum(evidence.sent)
    return _passed(f"two users were connected at once and sent {sent} messages")


def _readable(evidence: Evidence) -> Judged:
    frames = sum(len(story) for story in evidence.stories)
    events = [seen for story in evidence.stories for seen in story if seen.event]
    known = [seen for seen in events if seen.kind]
    strange = sorted({seen.type or "(no type)" for seen in events if not seen.kind})
    if not events and any(evidence.sent):
        shown = "\n\n".join(timeline(story) for story in evidence.stories)
        return "failed", f"no event came in answer to {sum(evidence.sent)} messages", shown
    if not events:
        return "not judged", "no event was received", ""
    if not known:
        shown = "\n\n".join(timeline(story) for story in evidence.stories)
        return "failed", f"of {frames} frames none has a type that the mapping knows", shown
    also = f"; of no type of the contract: {', '.join(strange[:12])}" if strange else ""
    return _passed(f"{len(known)} of {len(events)} events have a type of the contract{also}")


def _five(evidence: Evidence) -> Judged:
    seen = {frame.kind for story in evidence.stories for frame in story if frame.event}
    unmapped = [kind for kind in FIVE if not evidence.mapping.words(kind)]
    unseen = [kind for kind in FIVE if kind not in seen and kind not in unmapped]
    if not seen:
        return "not judged", "no event was received", ""
    if unseen:
        return (
            "not judged",
            f"did not occur: {', '.join(unseen)}; a message that makes the agent think and use a tool shows them",
            "",
        )
    if unmapped:
        return "not offered", f"the mapping has no {', '.join(unmapped)}; the others came", ""
    return _passed("all five came")


def _ordered(evidence: Evidence) -> Judged:
    return _each(evidence, sequence, "every run begins with its start, and nothing is out of its place")


def _ungapped(evidence: Evidence) -> Judged:
    return _each(evidence, no_gap, "every position came")


def _single(evidence: Evidence) -> Judged:
    return _each(evidence, once, "no event came twice")


def _paired(evidence: Evidence) -> Judged:
    mapping = evidence.mapping
    if not mapping.words("tool_executing") or not mapping.words("tool_completed"):
        return "not offered", "the mapping has no types for the begin and the end of a tool", ""
    calls = sum(seen.kind == "tool_executing" for story in evidence.stories for seen in story)
    ends = sum(seen.kind == "tool_completed" for story in evidence.stories for seen in story)

    def paired(record: Record) -> None:
        pairs(record)
        _nothing_open(record)

    judged = _each(evidence, paired, f"{calls} calls of tools, each with its end before its run's")
    if judged[0] == "passed" and not calls + ends:
        return "not judged", "no tool was used", ""
    by = "" if mapping.offers("call") or judged[0] != "passed" else "; counted, as the mapping tells no `call`"
    return judged[0], judged[1] + by, judged[2]


def _nothing_open(record: Record) -> None:
    """Also in a run that never ended: the time in which it was due is over."""
    begun = [seen for seen in record if seen.kind == "tool_executing"]
    ended = [seen for seen in record if seen.kind == "tool_completed"]
    ends = {(seen.run, seen.call) for seen in ended}
    for seen in begun:
        if (seen.run, seen.call) not in ends or (seen.call is None and len(begun) > len(ended)):
            violated("pairs", f"{seen} never ended", record, seen, due="its end was due after this")


def _one_ending(evidence: Evidence) -> Judged:
    mapping = evidence.mapping
    if not mapping.offers("final") and not mapping.words("agent_completed"):
        return "not offered", "the mapping tells no ending", ""
    quiet = evidence.plan.wait.quiet

    def ended(record: Record) -> None:
        closed(record)
        if record.closing is None:
            silence(record, quiet)

    runs = sum(seen.final for story in evidence.stories for seen in story)
    then = "the end of the stream" if evidence.plan.posted else f"{quiet:g} s of silence"
    judged = _each(evidence, ended, f"{runs} runs, each with one ending, then {then}")
    if judged[0] != "passed" or runs >= sum(evidence.sent):
        return judged
    shown = "\n\n".join(timeline(story) for story in evidence.stories)
    return (
        "failed",
        f"{sum(evidence.sent)} messages were sent, {runs} runs ended within {evidence.plan.wait.run:g} s",
        shown,
    )


def _joined(evidence: Evidence) -> Judged:
    said = [seen for story in evidence.stories for seen in story if seen.kind == "text_delta"]
    if not evidence.mapping.words("text_delta"):
        return "not offered", "the mapping has no type for a piece of text", ""
    whole = any(
        seen.kind == "agent_completed" and seen.text is not None for story in evidence.stories for seen in story
    )
    if not evidence.mapping.offers("offset") and not whole:
        return "not offered", "pieces carry no offset, and the ending no text to compare them with", ""
    if not said:
        return "not judged", "no piece of text came", ""
    return _each(evidence, pieces, f"{len(said)} pieces, joined as they say")


def _shaped(evidence: Evidence) -> Judged:
    return _each(evidence, schema, "every event keeps the schema")


def _isolated(evidence: Evidence) -> Judged:
    if len(evidence.stories) < 2 or not all(story.events for story in evidence.stories):
        return "not judged", "the two users did not both receive events", ""
    first, second = evidence.stories
    mine, theirs = evidence.canaries
    try:
        isolated(first, second, marks=([mine], [theirs]))
        if evidence.mapping.offers("user"):
            only_user(first)
            only_user(second)
    except ContractViolation as violation:
        return "failed", violation.what, str(violation)
    echoed = all(_holds(story, word) for story, word in zip(evidence.stories, evidence.canaries, strict=True))
    named = [name for name in ("user", "thread", "run", "call") if _distinct(evidence.stories, name)]
    if not echoed and not named:
        return (
            "not judged",
            "neither the users' own words nor ids of 8 characters came back, so nothing tells them apart",
            "",
        )
    told = (["the users' own words"] if echoed else []) + [f"{name} ids" for name in named]
    return _passed(f"while both worked at once, {', '.join(told)} reached their own user only")


def _holds(story: Story, word: str) -> bool:
    return any(word.encode() in seen.raw for seen in story)


def _distinct(stories: Iterable[Story], name: str) -> bool:
    return all(any(len(str(getattr(seen, name) or "")) >= DISTINCT for seen in story) for story in stories)


def _turned_away(evidence: Evidence) -> Judged:
    if not evidence.plan.authenticates:
        return "not offered", "the mapping shows no credential", ""
    if not evidence.stories or not any(story.events for story in evidence.stories):
        return "not judged", "a right credential was answered by nothing either", ""
    story = evidence.stranger
    if story is not None and story.events:
        return "failed", f"a credential that was never given out received events ({len(story.events)})", timeline(story)
    return _passed(evidence.turned_away or "a credential that was never given out received nothing")


def _resumed(evidence: Evidence) -> Judged:
    if evidence.plan.resume is None:
        return "not offered", "the mapping tells no way to resume", ""
    if "resume" in evidence.trouble:
        if "two users" in evidence.trouble:
            return "not judged", evidence.trouble["resume"], ""
        return "failed", evidence.trouble["resume"], ""
    for one in evidence.resumed:
        try:
            resumes_exactly(one.before, one.after, one.uncut)
        except ContractViolation as violation:
            return "failed", f"resumed {one.how}: {violation.what}", str(violation)
        except NotOfferedError:
            words = "without an order, and without a second connection that hears the same, a hole could not be seen"
            return "not judged", words, ""
    beside = "" if evidence.resumed[0].uncut is None else ", byte for byte what a connection received that was not cut"
    return _passed(
        f"cut after {len(evidence.resumed[0].before)} events, resumed at once and later: no hole, no double{beside}"
    )


_POINTS: Sequence[tuple[str, str, Callable[[Evidence], Judged]]] = (
    ("connected", "Two users can connect and send", _connected),
    ("readable", "The mapping reads the frames", _readable),
    ("five", "The five events occur", _five),
    ("sequence", "A run's events come in order", _ordered),
    ("pairs", "Every tool that begins ends", _paired),
    ("closed", "Every run has one ending, and nothing after it", _one_ending),
    ("no_gap", "Nothing is lost", _ungapped),
    ("once", "Nothing comes twice", _single),
    ("pieces", "The pieces are the text", _joined),
    ("schema", "Every event has its form", _shaped),
    ("isolated", "Users are isolated", _isolated),
    ("stranger", "A wrong credential gets nothing", _turned_away),
    ("resumes_exactly", "A cut reading resumes exactly", _resumed),
)
