"""Markers nobody has registered: D08 and D09."""

import ast
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from quintet.testing.markers.elsewhere import registered

from ..case import Case
from ..findings import Finding, Rule, rule
from ..kit import asked
from ..owners import MARKERS, owner_absent

__all__ = ["RULES", "unknown", "used"]

MOST_PLACES = 4
_BUILT_IN = {"parametrize", "skip", "skipif", "xfail", "usefixtures", "filterwarnings", "tryfirst", "trylast"}

Places = Mapping[str, list[tuple[Path, int]]]
"""Markers with the places where they are used, relative to the root."""


def unknown(case: Case) -> Places:
    """The markers that pytest did not know when it collected the tests; without a probe, those that no file seems to register."""
    if case.collected is None:
        known = _BUILT_IN | set(MARKERS) | registered_anywhere(case)
        return {name: places for name, places in used(case, Path()).items() if name not in known}
    known = set(case.collected.said["registered"])
    found: dict[str, list[tuple[Path, int]]] = {}
    for name, file, line in case.collected.said["markers"]:
        if name not in known:
            found.setdefault(name, []).append((case.shown(file), int(line)))
    return {name: sorted(set(places)) for name, places in sorted(found.items())}


def used(case: Case, folder: Path) -> dict[str, list[tuple[Path, int]]]:
    """The markers that stand in the test modules below a folder, by their syntax."""
    found: dict[str, list[tuple[Path, int]]] = {}
    for file in case.tree.modules:
        if not file.is_relative_to(folder) or not (
            file.name.startswith("test_") or file.name.endswith("_test.py") or file.name == "conftest.py"
        ):
            continue
        module = case.tree.module(file)
        for node in ast.walk(module) if module else ():
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pytest.mark":
                found.setdefault(node.attr, []).append((file, node.lineno))
    return dict(sorted(found.items()))


def registered_anywhere(case: Case) -> set[str]:
    """Markers that some configuration or conftest registers, whether it rules or not."""
    return {one.marker for one in registered(case.tree.root)}


def name(line: str) -> str:
    """The marker's name in a line of `markers`."""
    return re.split(r"[:(]", line, maxsplit=1)[0].strip()


@rule(
    "D08", "P", "Markers that pytest does not know", fix="Register them once, under `markers` in the file that rules."
)
def unknown_markers(case: Case, this: Rule) -> Iterator[Finding]:
    for marker, places in unknown(case).items():
        if case.collected and _plugin(case, marker):
            continue
        file, line = places[0]
        statement = f"Nothing that rules here registers the marker {marker} ({_uses(places)})." + _consequence(case)
        elsewhere = [one for one in registered(case.tree.root) if one.marker == marker]
        ruling = case.shown(case.ruling.path).as_posix() if case.ruling else "a pytest configuration at the root"
        fix = f'Add "{marker}: what it means" to `markers` in {ruling}.'
        if elsewhere:
            where = ", ".join(f"{case.shown(one.file).as_posix()}:{one.line}" for one in elsewhere[:3])
            statement += f" It is registered in {where}, which does not rule."
        elif near := get_close_matches(marker, _known(case), 1, 0.75):
            fix = f"If {near[0]} is meant, correct the name; else add {marker} to `markers` in {ruling}."
        yield this.either(case.collected, statement, file, line, fix=fix)


def _uses(places: list[tuple[Path, int]]) -> str:
    shown = ", ".join(f"{file.as_posix()}:{line}" for file, line in places[:MOST_PLACES])
    return shown + (f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else "")


def _consequence(case: Case) -> str:
    if case.collected is None:
        return ""
    if case.strict:
        return " Collection of these modules fails: unknown markers are errors here."
    return " The warning is an error here, so collection fails." if case.warnings_fail else ""


def _known(case: Case) -> list[str]:
    return list(case.collected.said["registered"]) if case.collected else []


@rule(
    "D09",
    "P",
    "A marker whose plugin is not installed",
    fix="Install the plugin, and add it to the requirements of the tests.",
)
def plugin_absent(case: Case, this: Rule) -> Iterator[Finding]:
    if case.collected is None:
        return
    for marker, places in unknown(case).items():
        if plugin := _plugin(case, marker):
            file, line = places[0]
            statement = f"Nothing registers the marker {marker} ({_uses(places)}). {plugin} does, and is not installed in {case.python.path}."
            yield this.either(
                case.python.proves,
                statement,
                file,
                line,
                fix=f"Add {plugin} to the requirements of the tests and install it.",
            )


def _plugin(case: Case, marker: str) -> str | None:
    """The plugin to install, unless the project registers a marker of that name itself."""
    if marker in asked(case.tree, "markers"):
        return None if case.python.has("quintet") else "quintet[testing]"
    if marker in registered_anywhere(case):
        return None
    return owner_absent(MARKERS.get(marker, ()), case.python.distributions)


RULES = (unknown_markers, plugin_absent)
