"""An examination for a terminal: the matrix, what is wrong, what is worth a look. It fits a screen where there is little to say."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..examination import Examination
from ..findings import Finding
from .table import table

__all__ = ["print_text"]

MOST_SHOWN = 40


def print_text(found: Examination, console: Console) -> None:
    """Prints everything; colours only where the console has them."""
    console.print(Group(*_parts(found)), highlight=False, soft_wrap=False)


def _parts(found: Examination) -> list[RenderableType]:
    case = found.case
    version = case.python.distributions.get("pytest")
    pytest = f"pytest {version}" if version else "no pytest"
    parts: list[RenderableType] = [
        Text.assemble(("quintet doctor ", "bold"), str(case.tree.root)),
        Text(f"{pytest} in {case.python.path}", style="dim"),
        Text(),
        _matrix(found),
    ]
    suspects = [one for one in found.findings if one.certainty == "suspect"]
    for title, style, entries in (("Wrong", "bold red", found.certain), ("Worth a look", "bold yellow", suspects)):
        if entries:
            parts += [Text(), Text(f"{title} ({len(entries)})", style=style)]
            parts += [_finding(one, style) for one in entries[:MOST_SHOWN]]
            if len(entries) > MOST_SHOWN:
                parts.append(
                    Text(f"   … and {len(entries) - MOST_SHOWN} more; --format json has them all", style="dim")
                )
    if found.not_probed:
        parts += [
            Text(),
            Text("Not probed", style="bold"),
            *(Text(f"   {why}", style="dim") for why in found.not_probed),
        ]
    return [*parts, Text(), _verdict(found)]


def _matrix(found: Examination) -> RenderableType:
    lines = table(found.case)
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    for name in ("started as", "stands in", "ruled by", "root"):
        grid.add_column(name, overflow="fold", no_wrap=name == "started as")
    first = lines[0].file
    for line in lines:
        style = "red" if line.file == "refused" else "yellow" if line.file != first else "green"
        grid.add_row(
            Text(line.command),
            Text(line.place, style="dim"),
            Text(line.file, style=style),
            Text(line.root, style="dim"),
        )
    others = {line.file: line.differs for line in lines if line.differs}
    notes = [Text(f"{file} differs from {first} in: {keys}", style="dim") for file, keys in others.items()]
    return Group(grid, *notes)


def _finding(one: Finding, style: str) -> RenderableType:
    place = f"{one.file}:{one.line}" if one.line else one.file or ""
    head = Text.assemble((f"{one.rule} ", style), (place, "bold"))
    fix = Text.assemble(("→ ", "green"), one.fix)
    return Group(head, Padding(Text(one.statement), (0, 0, 0, 4)), Padding(fix, (0, 0, 0, 4)))


def _verdict(found: Examination) -> Text:
    certain, suspect = len(found.certain), len(found.findings) - len(found.certain)
    if certain:
        return Text(f"{certain} wrong, {suspect} worth a look.", style="bold red")
    return Text(f"Nothing wrong, {suspect} worth a look." if suspect else "Nothing wrong.", style="bold green")
