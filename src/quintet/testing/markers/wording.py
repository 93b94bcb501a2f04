"""One text for all unknown markers of a run: where they are used, whose they are, where else they are registered, what to do."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from quintet.testing.markers import owners
from quintet.testing.markers.census import Use
from quintet.testing.markers.elsewhere import Registration, registered

__all__ = ["unknown_markers"]

_MOST_PLACES: Final = 12  # of one marker


def unknown_markers(uses: Sequence[Use], known: Iterable[str], table: Path, inipath: Path | None) -> str:
    """All unknown markers, told once. `table` is the file of `[tool.quintet.test]`, `inipath` the one that pytest has read."""
    known = sorted(set(known))
    root = table.parent
    others = [one for one in registered(root) if one.file != inipath]
    read = _short(inipath, root) if inipath else "none"
    names = sorted({use.marker for use in uses})
    lines = [f"{len(names)} marker(s) are used and not registered (this run's ini file: {read})"]
    for name in names:
        lines += ["", f"  {name}", *(f"    {line}" for line in _about(name, uses, known, others, table))]
    return "\n".join(lines)


def _about(name: str, uses: Sequence[Use], known: list[str], others: list[Registration], table: Path) -> Iterator[str]:
    root = table.parent
    yield from _places([use for use in uses if use.marker == name], root)
    here = [f"{_short(one.file, root)}:{one.line}" for one in others if one.marker == name]
    if here:
        yield f"registered in {', '.join(here[:_MOST_PLACES])}, which this run does not read"
    near = get_close_matches(name, known, 1)
    if near:
        yield f"nearest registered name: {near[0]}"
    plugin = owners.owner(name)
    if plugin and not here:
        yield f"it belongs to {plugin}, which {_state(plugin)}"
    else:
        yield f'fix: in {_short(table, root)}, under [tool.quintet.test.markers]: {name} = "what it means"'


def _state(plugin: str) -> str:
    if owners.installed(plugin):
        return "is installed but not active in this run; fix: remove what switches it off (-p no:…, PYTEST_DISABLE_PLUGIN_AUTOLOAD)"
    return f"is not installed; fix: add it to the test requirements (pip install {plugin})"


def _places(uses: list[Use], root: Path) -> Iterator[str]:
    places = list(dict.fromkeys(f"{_short(Path(use.file), root)}:{use.line}" for use in uses))
    yield from places[:_MOST_PLACES]
    if len(places) > _MOST_PLACES:
        yield f"and {len(places) - _MOST_PLACES} more places"


def _short(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)
