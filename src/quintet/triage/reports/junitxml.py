"""The analysis as JUnit XML: the failing entries, each with its cause in front of its message, where people already look at JUnit."""

import re
from xml.sax.saxutils import escape, quoteattr  # these write XML; none is read

from quintet.triage.facts import words_of
from quintet.triage.model import Analysis, Cause, Entry
from quintet.triage.normalise import shorten
from quintet.triage.reports.text import plain

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = 2_000


def junitxml(analysis: Analysis) -> str:
    """A JUnit document with the totals of the run. Passed tests are counted, not named."""
    totals = analysis.run.totals
    belongs = {member: cause for cause in analysis.causes for member in cause.members}
    cases = [_case(entry, belongs.get(number)) for number, entry in enumerate(analysis.run.entries)]
    counted = f'tests="{totals.tests}" failures="{totals.failures}" errors="{totals.errors}" skipped="{totals.skipped}"'
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="quintet triage">\n'
        f'<testsuite name="pytest" {counted}>\n{"".join(cases)}</testsuite>\n</testsuites>\n'
    )


def _case(entry: Entry, cause: Cause | None) -> str:
    path, marks, rest = entry.name.partition("::")
    classname, name = (path, rest) if marks else ("", path)
    tag = "failure" if entry.outcome == "failed" else "error"
    words = words_of(entry.last)
    about = f"[{cause.id}, {cause.category}, {cause.certainty}] {plain(cause.statement)} " if cause else ""
    lines = [words[:_TEXT], *([f"Fix: {plain(cause.fix)}", f"Check: {cause.verify}"] if cause else [])]
    properties = (
        "".join(
            f"<property name={quoteattr(key)} value={_attribute(value)}/>"
            for key, value in (("cause", cause.id), ("category", cause.category), ("certainty", cause.certainty))
        )
        if cause
        else ""
    )
    return (
        f"<testcase classname={_attribute(classname)} name={_attribute(name)}>"
        + (f"<properties>{properties}</properties>" if properties else "")
        + f"<{tag} message={_attribute(about + shorten(words, 400))}>{_text(chr(10).join(lines))}</{tag}></testcase>\n"
    )


def _attribute(text: str) -> str:
    return quoteattr(_sound(text)).replace("##", "#&#35;")


def _text(text: str) -> str:
    return escape(re.sub(r"(?m)^(\s*)::", r"\1: :", _sound(text))).replace("##", "#&#35;")


def _sound(text: str) -> str:
    """Without what XML 1.0 has no way to write."""
    return _NOT_XML.sub("\ufffd", text)
