"""Variables that the tests need and do not have: D18 to D21. No value is ever shown."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..case import Case
from ..collected import Collected
from ..findings import Finding, Rule, rule
from ..kit import asked
from ..syntax import is_test_file, test_files

__all__ = ["RULES", "explained"]

_KEY = "builtins.KeyError"
_PLACEHOLDERS = re.compile(
    r"change-?_?me|replace-?_?me|your[-_ ]|<[^<>]+>|xxx+|placeholder|ENC\[|\$\{|todo|dummy", re.IGNORECASE
)


def variable(run: Collected, error: Mapping[str, Any]) -> str | None:
    """The variable whose absence is this exception: a `KeyError` of a read that was seen, not one that only looks like it."""
    name = str(error.get("text", "")).strip("'\"")
    read = any(name == one[0] and not one[3] for one in run.reads)
    raised_by = str((error.get("deepest") or [""])[0])
    return name if _KEY in error.get("kinds", ()) and read and raised_by.endswith(("os.py", "<frozen os>")) else None


def absent_of(case: Case, error: Mapping[str, Any]) -> list[str]:
    """The required fields whose absence is this exception of a settings class."""
    fields = [name for kind, name in error.get("fields", ()) if kind == "missing"]
    return fields if fields and error.get("text") in _classes(case) else []


def explained(case: Case, run: Collected, error: Mapping[str, Any]) -> bool:
    """Whether a rule of this family tells what the exception is about."""
    return variable(run, error) is not None or bool(absent_of(case, error))


@rule(
    "D18",
    "P",
    "A variable that is read when the tests are imported, and absent",
    fix="Publish it for the tests before they are imported ([tool.quintet.test.env], or the conftest at the root), or read it when it is used.",
)
def absent_variable(case: Case, this: Rule) -> Iterator[Finding]:
    run = case.runs.main if case.runs else None
    if run is None:
        return
    failures: dict[str, list[Mapping[str, Any]]] = {}
    for error in run.failures:
        if name := variable(run, error):
            failures.setdefault(name, []).append(error)
    for name, errors in failures.items():
        lost = f"{len(errors)} modules cannot be collected" if len(errors) > 1 else "its module cannot be collected"
        what = "the conftest cannot be imported, so nothing is collected" if errors[0].get("conftest") else lost
        statement = f"{name} is read here when the tests are imported, and is not set: {what}."
        yield this.certain(statement, *case.deepest(errors[0]))
    yield from _guards(case, this, run)


def _guards(case: Case, this: Rule, run: Collected) -> Iterator[Finding]:
    """A check of one's own that names the variable: `raise RuntimeError("X is not set")`."""
    absent = {one[0] for one in run.reads}
    for error in run.failures:
        named = [name for name in absent if re.search(rf"\b{re.escape(name)}\b", str(error.get("text", "")))]
        if named and _KEY not in error.get("kinds", ()) and not explained(case, run, error):
            statement = f"The import ends with an exception that names {named[0]}, which is not set."
            yield this.suspect(statement, *case.deepest(error))


@rule(
    "D19",
    "P",
    "Settings whose required fields nothing provides",
    fix="Give the tests a profile of their own (variables, or an env file for tests), or make the settings object when it is used.",
)
def absent_fields(case: Case, this: Rule) -> Iterator[Finding]:
    run = case.runs.main if case.runs else None
    if run is None:
        return
    stopped: set[str] = set()
    for error in run.failures:
        if absent := absent_of(case, error):
            name = str(error["text"])
            stopped.add(name)
            statement = f"{name}() is made while the tests are imported, and nothing provides {', '.join(absent[:8])}: the import fails."
            statement, fix = _with_file(case, statement, absent)
            yield this.certain(statement, *case.deepest(error), fix=fix)
    for one in run.said.get("settings_classes", ()):
        file = case.shown(one["file"])
        if one["name"] not in stopped and not is_test_file(file):
            statement = (
                f"Nothing provides {', '.join(one['fields'][:8])} of the settings {one['name']} in this environment."
            )
            statement, fix = _with_file(case, statement, one["fields"])
            yield this.suspect(statement, file, fix=fix)


def _with_file(case: Case, statement: str, fields: Sequence[str]) -> tuple[str, str]:
    """The statement with the file that has the fields and is not read from here, and what to do about it. No value is looked at."""
    for file in case.tree.files:
        text = case.tree.text(file) if file.name.startswith(".env") and len(file.parts) > 1 else None
        named = re.findall(r"(?m)^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=", text or "")
        if fields and all(any(name.lower().endswith(field.lower()) for name in named) for field in fields):
            where = file.as_posix()
            told = f"{statement[:-1]}; {where} has it, and is not read from here: a relative env_file begins where pytest is started."
            return (
                told,
                f'Build the path of the env file from __file__ (it is "{where}" below this folder), or start pytest in {file.parent.as_posix()}.',
            )
    return statement, ""


def _classes(case: Case) -> set[str]:
    """Names of classes that read the environment, by their bases' names."""
    found: set[str] = set()
    for file in case.tree.modules:
        text = case.tree.text(file) or ""
        if "BaseSettings" in text:
            found |= set(re.findall(r"^\s*class\s+(\w+)\s*\(", text, re.MULTILINE))
    return found


@rule(
    "D20",
    "C",
    "A variable that [tool.quintet.test.env] requires is absent, empty or a placeholder",
    fix="Set it as the table says, or let the kit make it: { secret = 48 } for a secret, a value for anything else.",
)
def required_variable(case: Case, this: Rule) -> Iterator[Finding]:
    text = case.tree.text(Path("pyproject.toml"))
    for name, wanted in asked(case.tree, "env").items():
        if (
            isinstance(wanted, dict)
            and wanted.get("required")
            and (fault := _fault(case.environment.get(name), wanted))
        ):
            at = re.search(rf"^\s*[\"']?{re.escape(name)}\b", text or "", re.MULTILINE)
            line = (text or "").count("\n", 0, at.start()) + 1 + at[0].count("\n") if at else None
            hint = wanted.get("hint")
            yield this.certain(
                f"{name} is required for the tests and {fault}.",
                Path("pyproject.toml"),
                line,
                fix=f"{hint}." if hint else "",
            )


def _fault(value: str | None, wanted: Mapping[str, Any]) -> str:
    if value is None:
        return "not set"
    if not value.strip():
        return "empty"
    least, form = wanted.get("min_length"), wanted.get("form")
    if isinstance(least, int) and len(value) < least:
        return f"shorter than {least} characters"
    if isinstance(form, str) and form and not re.search(form, value):
        return "not of the form that is asked for"
    return "a placeholder" if _PLACEHOLDERS.search(value) and not form else ""


@rule(
    "D21",
    "S",
    "An env file that nothing loads for the tests",
    fix="Load it in the conftest at the root before the application is imported, or put what tests need into [tool.quintet.test.env].",
)
def unloaded_file(case: Case, this: Rule) -> Iterator[Finding]:
    names = [name for name in (".env.test", ".env.testing", ".env.tests", ".env") if (case.tree.root / name).is_file()]
    if not names or case.python.has("pytest-env", "pytest-dotenv", "pytest-django-dotenv"):
        return
    if any(key in (case.ruling.settings or {}) for key in ("env", "env_files") if case.ruling):
        return
    for file in case.tree.modules:
        if re.search(r"load_dotenv|dotenv_values|env_file\b|read_env\(|environs|decouple", case.tree.text(file) or ""):
            return
    if list(test_files(case.tree)):
        yield this.suspect(f"{names[0]} is there, and nothing loads it: the tests do not see its variables.", names[0])


RULES = (absent_variable, absent_fields, required_variable, unloaded_file)
