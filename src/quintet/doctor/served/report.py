"""A look at a server, as text, JSON and Markdown."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from .looking import Look
from .sights import Sight

__all__ = ["as_data", "as_markdown", "print_text"]


def as_data(found: Look) -> dict[str, Any]:
    """An object that can be written as JSON."""
    return {
        "url": found.url,
        "findings": [one.as_json() for one in found.sights],
        "in_order": list(found.in_order),
        "not_probed": list(found.not_probed),
        "totals": {"certain": len(found.certain), "suspect": len(found.sights) - len(found.certain)},
    }


def print_text(found: Look, console: Console) -> None:
    """Prints everything; colours only where the console has them."""
    console.print(Group(*_parts(found)), highlight=False)


def _parts(found: Look) -> Iterator[RenderableType]:
    yield Text.assemble(("quintet doctor ", "bold"), found.url)
    for title, style, sights in _groups(found):
        yield Text(f"\n{title} ({len(sights)})", style=style)
        for one in sights:
            yield Text.assemble((f"{one.rule} ", style), one.statement)
            yield Padding(Text(one.proof, style="dim"), (0, 0, 0, 4))
            yield Padding(Text.assemble(("→ ", "green"), one.fix), (0, 0, 0, 4))
    if found.in_order:
        yield Text("\nIn order", style="bold green")
        yield Padding(Text("; ".join(found.in_order) + "."), (0, 0, 0, 4))
    if found.not_probed:
        yield Text("\nNot probed", style="bold")
        yield from (Padding(Text(why, style="dim"), (0, 0, 0, 4)) for why in found.not_probed)
    yield Text(f"\n{_verdict(found)}", style="bold red" if found.certain else "bold green")


def _groups(found: Look) -> Iterator[tuple[str, str, list[Sight]]]:
    for title, style, certainty in (("Wrong", "bold red", "certain"), ("Worth a look", "bold yellow", "suspect")):
        sights = [one for one in found.sights if one.certainty == certainty]
        if sights:
            yield title, style, sights


def _verdict(found: Look) -> str:
    suspect = len(found.sights) - len(found.certain)
    return f"{len(found.certain) or 'Nothing'} wrong, {suspect} worth a look."


def as_markdown(found: Look) -> str:
    """The same for an issue or a chat."""
    lines = [f"## quintet doctor `{found.url}`", ""]
    for title, _, sights in _groups(found):
        lines += [f"### {title}", ""]
        for one in sights:
            lines += [
                f"- **{one.rule}** {one.statement}",
                f"  `{one.proof.replace('`', chr(39))}`",
                f"  Fix: {one.fix}",
            ]
        lines.append("")
    if found.in_order:
        lines += [f"In order: {'; '.join(found.in_order)}.", ""]
    lines += [f"Not probed: {why}" for why in found.not_probed]
    return "\n".join([*lines, "", _verdict(found), ""])
