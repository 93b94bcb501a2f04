"""For GitHub Actions: a step summary, and annotations beside the lines of code.

Rules: the summary stays under GitHub's bound of 1 MiB; an annotation is one workflow command a cause, at most ten (GitHub shows no
more of a step), with every character escaped by which its words could become a command of their own.
"""

from collections.abc import Iterator

from quintet.triage.clusters import home_of
from quintet.triage.model import Analysis, Cause, Certainty
from quintet.triage.normalise import shorten
from quintet.triage.reports.markdown import WHAT_TO_PASTE, cause_section, plan, prose
from quintet.triage.reports.text import plain
from quintet.triage.reports.words import TITLES, View, disarmed, entries, many, summary

BYTES = 900_000
ANNOTATIONS = 10
_ENTRIES, _EVIDENCE, _STEPS = 200, 8, 30
_MARKS: dict[Certainty, str] = {"proven": "●", "probable": "◕", "suspect": "◔", "unknown": "○"}


def step_summary(analysis: Analysis) -> str:
    """Markdown for `$GITHUB_STEP_SUMMARY`: the causes in a table, each to be unfolded."""
    if analysis.run.kind == "nothing" and not analysis.causes:
        return disarmed(WHAT_TO_PASTE)
    lines = [f"**{lead}** {prose(rest)}" if lead else prose(rest) for lead, rest in summary(analysis)]
    head = "## Failure analysis\n\n" + "".join(f"{number}. {line}\n" for number, line in enumerate(lines, 1)) + "\n"
    pieces, used = [head, _table(analysis)], 0
    tail = plan(analysis, _STEPS) + _unknown(analysis)
    room = BYTES - len((head + tail).encode())
    for piece in _details(analysis):
        used += len(piece.encode())
        if used > room:
            pieces.append("The other causes did not fit here.\n\n")
            break
        pieces.append(piece)
    return disarmed("".join([*pieces, tail]))


def annotations(analysis: Analysis) -> list[str]:
    """Workflow commands, the most important cause first."""
    return [_command(analysis, number, cause) for number, cause in enumerate(analysis.causes[:ANNOTATIONS], 1)]


def _table(analysis: Analysis) -> str:
    if not analysis.causes:
        return ""
    rows = [
        f"| {number} | {_MARKS[cause.certainty]} {cause.certainty} | {TITLES[cause.category]} | {cause.blocks} | {_cell(cause.statement)} |"
        for number, cause in enumerate(analysis.causes[:_STEPS], 1)
    ]
    rest = len(analysis.causes) - _STEPS
    more = f"\n\n{many(rest, 'more cause', 'more causes')} below." if rest > 0 else ""
    return "\n".join(["| | | Kind | Blocks | Cause |", "|---|---|---|---|---|", *rows]) + more + "\n\n"


def _cell(sentence: str) -> str:
    return prose(shorten(sentence, 300)).replace("|", "\\|")


def _details(analysis: Analysis) -> Iterator[str]:
    view = View.of(analysis)
    for number, cause in enumerate(analysis.causes, 1):
        section = cause_section(view, number, cause, _ENTRIES, _EVIDENCE)
        for fact in cause.facts[:_EVIDENCE]:  # GitHub keeps such anchors, under a name of its own that its links find
            section = section.replace(f"- **{fact.id}** ", f'- <a id="{cause.id}-{fact.id}"></a>**{fact.id}** ')
            section = section.replace(f"](#{fact.id})", f"](#{cause.id}-{fact.id})")
        title = f"{number}. {TITLES[cause.category]}, {cause.certainty}, {entries(cause.blocks)}"
        yield f"<details><summary>{title}</summary>\n\n{section}\n</details>\n\n"


def _unknown(analysis: Analysis) -> str:
    lines = [f"- {prose(shorten(sentence, 400))}" for sentence in analysis.unknown[:_STEPS]]
    return "\n".join(["### What is not known\n", *lines]) + "\n" if lines else ""


def _command(analysis: Analysis, number: int, cause: Cause) -> str:
    level = "warning" if cause.certainty in ("suspect", "unknown") else "error"
    title = f"{number}. {TITLES[cause.category]} ({cause.certainty}, {entries(cause.blocks)})"
    fields = [*_location(analysis, cause), ("title", title)]
    message = f"{plain(cause.statement)}\nFix: {plain(cause.fix)}\nCheck: {cause.verify}"
    written = ",".join(f"{key}={_escaped(value, of_field=True)}" for key, value in fields)
    return f"::{level} {written}::{_escaped(message)}"


def _location(analysis: Analysis, cause: Cause) -> list[tuple[str, str]]:
    """The project's own line, where the report names one by a path inside of the project."""
    for member in cause.members[:20]:
        entry = analysis.run.entries[member]
        frame = home_of(entry.chain[0]) or home_of(entry.last)
        path = frame.path.replace("\\", "/") if frame else entry.name.partition("::")[0]
        if path.endswith(".py") and not path.startswith("/") and ".." not in path and ":" not in path:
            return [("file", path), *([("line", str(frame.line))] if frame else [])]
    return []


def _escaped(text: str, *, of_field: bool = False) -> str:
    """GitHub's own escapes of a workflow command (actions/toolkit, command.ts)."""
    safe = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace("##[", "# #[")
    return safe.replace(":", "%3A").replace(",", "%2C") if of_field else safe
