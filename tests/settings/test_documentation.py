"""The list of settings in the documentation is the list in the code."""

from pathlib import Path

import pytest

from quintet.settings import VARIABLES, Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def row(name: str) -> str:
    """One line of the table: the variable, its default, its bounds, its meaning."""
    info = Settings.model_fields[VARIABLES[name]]
    bounds = [str(getattr(rule, "ge", getattr(rule, "le", ""))) for rule in info.metadata if info.annotation is int]
    empty = info.is_required() or info.default in (None, ())
    default = "" if empty else ("on" if info.default else "off") if info.annotation is bool else str(info.default)
    return f"| `{name}` | {default} | {' to '.join(bounds)} | {info.description} |"


@pytest.mark.l1
def test_the_documentation_lists_every_variable_as_it_is() -> None:
    """Name, default, bounds and meaning of every setting stand in docs/settings.md, and nothing else does."""
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `QUINTET_")]
    assert rows == [row(name) for name in VARIABLES]
