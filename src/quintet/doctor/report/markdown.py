"""An examination as Markdown, for the summary of a workflow or a comment."""

from collections.abc import Iterator

from ..examination import Examination
from ..findings import Finding
from .table import table

__all__ = ["as_markdown"]


def as_markdown(found: Examination) -> str:
    """The whole report; it ends with a line break."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Examination) -> Iterator[str]:
    suspects = [one for one in found.findings if one.certainty == "suspect"]
    yield "# quintet doctor"
    yield ""
    yield f"{len(found.certain)} wrong, {len(suspects)} worth a look."
    yield ""
    yield "| started as | stands in | ruled by | root | differs in |"
    yield "|---|---|---|---|---|"
    for line in table(found.case):
        yield "| " + " | ".join(f"`{_cell(one)}`" if one else "" for one in line) + " |"
    for title, entries in (("Wrong", found.certain), ("Worth a look", suspects)):
        if entries:
            yield from ("", f"## {title}", "")
            yield from (_entry(one) for one in entries)
    if found.not_probed:
        yield from ("", "## Not probed", "", *(f"- {_flat(why)}" for why in found.not_probed))


def _cell(text: str) -> str:
    return _flat(text).replace("|", "\\|").replace("`", "'")


def _entry(one: Finding) -> str:
    place = f" `{one.file}:{one.line}`" if one.line else f" `{one.file}`" if one.file else ""
    return f"- **{one.rule}**{place} {_flat(one.statement)} *Fix:* {_flat(one.fix)}"


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;")
