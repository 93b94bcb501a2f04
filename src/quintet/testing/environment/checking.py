"""Required variables, judged before anything is collected: all faults at once, never a value.

Each fault says where the value came from and how to set it; a secret is described by its length only.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from quintet.testing.config import KitConfig, Variable

__all__ = ["faults", "message"]

_PLACEHOLDER = re.compile(
    r"""
      ^ \s* ( change[-_ ]?(me|this|it)? | to[-_ ]?do | tbd | fixme | placeholder | dummy | example | none | null | undefined | secret ) \s* $
    | change[-_ ]?(me|this) | replace[-_ ]?(me|this) | (^|[-_ ])(your|my|insert|enter)[-_ ].*(key|secret|token|password|here|url|id)\b
    | ^ < .* > $ | ^ \[ .* \] $ | ^ \{\{ .* \}\} $ | ^ \$ \{? \w+ \}? $ | ^ \$\( .* \) $
    | [xX]{4,} | (\.\.\.|…) \s* $ | ^ \*+ $
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DOTENV_FILES = (".env", ".env.test", ".env.local", ".env.testing")
_MOST_DOTENV = 1 << 20


def faults(config: KitConfig, environ: Mapping[str, str]) -> list[str]:
    """What is wrong with the required variables, a paragraph each; empty when all is well."""
    return [
        "\n".join([f"{variable.name} {what}", *(f"    {line}" for line in _advice(variable, environ, config.root))])
        for variable in config.env.values()
        if variable.required and (what := _wrong(variable, environ.get(variable.name)))
    ]


def message(found: list[str], file: Path | None) -> str:
    """All faults as one usage error."""
    noun = "variable is" if len(found) == 1 else "variables are"
    return "\n".join([f"{len(found)} required {noun} not usable ([tool.quintet.test.env] of {file}):", *found])


def _wrong(variable: Variable, value: str | None) -> str:
    if value is None:
        return "is not set"
    if not value.strip():
        return "is set, but empty"
    if _PLACEHOLDER.search(value):
        return f"looks like a placeholder, not a value ({len(value)} characters)"
    if len(value) < variable.min_length:
        return f"is too short: {len(value)} characters, it needs at least {variable.min_length}"
    if variable.form and not re.search(variable.form, value):
        return f"does not have its form, {variable.form} ({len(value)} characters)"
    return ""


def _advice(variable: Variable, environ: Mapping[str, str], root: Path) -> Iterator[str]:
    value = environ.get(variable.name)
    yield f"{'looked in' if value is None else 'came from'}: {_origin(variable.name, value, root)}"
    yield f"set it:    {variable.hint or f'export {variable.name}=… in the shell, or in the variables of the CI job'}"


def _origin(name: str, value: str | None, root: Path) -> str:
    files = list(_dotenv(name, root))
    if value is None:
        return "the environment of pytest" + (
            f"; {files[0][0]} has it, but nothing has loaded that file" if files else ""
        )
    beside = next((f", as in {place}" for place, held in files if held == value), "")
    if _inherited().get(name) == value:
        return f"the shell or program that started pytest{beside}"
    return f"set inside pytest by a plugin or a file that it loaded{beside}"


def _inherited() -> dict[str, str]:
    try:
        rows = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return dict(os.environ)
    return dict(os.fsdecode(row).partition("=")[::2] for row in rows if b"=" in row)


def _dotenv(name: str, root: Path) -> Iterator[tuple[str, str]]:
    """Where files beside the project give the variable: "file:line" and the value."""
    for file in (root / each for each in _DOTENV_FILES):
        try:
            text = file.read_text("utf-8", "replace") if file.stat().st_size < _MOST_DOTENV else ""
        except OSError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            key, given, value = line.removeprefix("export ").partition("=")
            if given and key.strip() == name:
                yield f"{file}:{number}", value.strip().strip("'\"")
