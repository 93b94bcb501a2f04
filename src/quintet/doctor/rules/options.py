"""Options and settings that no installed plugin knows, or with which pytest does not start: D10 to D12, D37."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from ..case import Case
from ..collected import Collected
from ..findings import Finding, Rule, rule
from ..interpreter import canonical, numbers
from ..owners import SETTINGS, option_owner, owner_absent

__all__ = ["RULES"]

_TELLING = 6  # letters of a value that nothing else is likely to say
_OURS = {"cache_dir", "strict", "strict_markers", "strict_config"}  # set by the probe itself


@rule(
    "D10",
    "P",
    "addopts has options that nobody knows: pytest refuses to start",
    fix="Install the plugin that brings the option and add it to the requirements of the tests, or remove the option.",
)
def unknown_options(case: Case, this: Rule) -> Iterator[Finding]:
    if case.runs is None:
        return
    named = [word.partition("=")[0] for word in case.words("addopts")]
    for option in dict.fromkeys(word for word in case.runs.main.unrecognized if word.startswith("-")):
        bare = option.partition("=")[0]
        if bare not in named:
            continue
        plugin = owner_absent(option_owner(bare), case.python.distributions)
        why = (
            f"it belongs to {plugin}, which is not installed in {case.python.path}"
            if plugin
            else "no installed plugin knows it"
        )
        fix = f"Add {plugin} to the requirements of the tests and install it." if plugin else ""
        statement = f"pytest refuses to start: addopts has {bare}, and {why}."
        yield this.either(case.python.proves or not plugin, statement, *case.place("addopts"), fix=fix)
    yield from _unloadable(case, this, case.runs.main.unloadable)


def _unloadable(case: Case, this: Rule, plugins: tuple[str, ...]) -> Iterator[Finding]:
    named = [word.removeprefix("-p") for word in case.words("addopts")]
    for plugin in dict.fromkeys(one for one in plugins if one in named):
        statement = (
            f"pytest refuses to start: addopts loads the plugin {plugin}, which {case.python.path} does not have."
        )
        fix = f"Install what brings {plugin} and add it to the requirements of the tests."
        yield this.either(case.python.proves, statement, *case.place("addopts"), fix=fix)


@rule("D11", "P", "Settings that nobody knows", fix="Correct the name, or remove the setting.")
def unknown_settings(case: Case, this: Rule) -> Iterator[Finding]:
    if case.collected is None or case.ruling is None:
        return
    for key in sorted(set(case.collected.said["unknown_settings"])):
        if key in _OURS and key not in (case.ruling.settings or {}):
            continue
        if key not in (case.ruling.settings or {}):
            continue
        owners = SETTINGS.get(key, ())
        plugin = (
            owners[0] if owners and owners[0].startswith("pytest>") else owner_absent(owners, case.python.distributions)
        )
        statement = f"No installed plugin knows the setting {key}, so it has no effect."
        fix = ""
        if plugin:
            statement = f"The setting {key} has no effect: it belongs to {plugin}, which is not installed in {case.python.path}."
            fix = f"Add {plugin} to the requirements of the tests and install it."
        elif near := get_close_matches(key, [*SETTINGS, *_PLAIN], 1, 0.8):
            fix = f"If {near[0]} is meant, correct the name; else remove the setting."
        yield this.either(case.python.proves or not plugin, statement, *case.place(key), fix=fix)


_PLAIN = (
    *(
        "addopts",
        "cache_dir",
        "confcutdir",
        "console_output_style",
        "doctest_encoding",
        "doctest_optionflags",
        "empty_parameter_set_mark",
    ),
    *(
        "faulthandler_timeout",
        "filterwarnings",
        "junit_family",
        "log_cli",
        "log_cli_level",
        "log_level",
        "markers",
        "minversion",
    ),
    *(
        "norecursedirs",
        "python_classes",
        "python_files",
        "python_functions",
        "pythonpath",
        "required_plugins",
        "testpaths",
    ),
    *(
        "tmp_path_retention_count",
        "tmp_path_retention_policy",
        "usefixtures",
        "xfail_strict",
        "log_file",
        "consider_namespace_packages",
    ),
)


@rule(
    "D12",
    "C",
    "required_plugins or minversion is not met: pytest refuses to start",
    fix="Install what is required, and add it to the requirements of the tests.",
)
def unmet(case: Case, this: Rule) -> Iterator[Finding]:
    if case.python.pytest is None:
        return
    main = case.runs.main if case.runs else None
    lacking = main.missing_plugins if main else ", ".join(_absent(case))
    if lacking:
        statement = (
            f"pytest refuses to start: required_plugins asks for {lacking}, which {case.python.path} does not have."
        )
        yield this.either(
            case.python.proves,
            statement,
            *case.place("required_plugins"),
            fix=f"Install {lacking}, and add it to the requirements of the tests.",
        )
    wanted = case.value("minversion")
    if wanted and case.python.pytest < numbers(wanted):
        have = case.python.distributions["pytest"]
        statement = f"pytest refuses to start: minversion is {wanted}, and {case.python.path} has pytest {have}."
        yield this.either(
            case.python.proves, statement, *case.place("minversion"), fix=f"Install pytest {wanted} or newer."
        )


def _absent(case: Case) -> list[str]:
    names = [re.split(r"[\s<>=!~\[;]", word, maxsplit=1)[0] for word in case.words("required_plugins")]
    return [name for name in names if name and canonical(name) not in case.python.distributions]


@rule(
    "D37",
    "P",
    "A setting with which pytest ends before it collects anything",
    fix="Correct the setting as pytest's own words say.",
)
def ends_at_start(case: Case, this: Rule) -> Iterator[Finding]:
    """Certain only where pytest's words name a setting of the ruling file, or its value: a project may also want an option to be given."""
    main = case.runs.main if case.runs else None
    if main is None or case.ruling is None or not main.ended or _told_already(case, main):
        return
    ended = main.ended
    named = next((key for key in case.ruling.settings or {} if _speaks_of(ended, key, case.words(key))), "")
    if not named:
        yield this.suspect(f"pytest ends before it collects anything: {ended}", case.shown(case.ruling.path))
        return
    statement = f"pytest ends before it collects anything, because of the setting {named}: {ended}"
    yield this.either(case.python.proves, statement, *case.place(named))


def _told_already(case: Case, main: Collected) -> bool:
    """By D02, D06 (the file itself is refused), D33 (a module leaves) or D36."""
    refused = any(row.resolved.error for row in case.matrix.rows)
    return refused or bool(main.left) or "No files were found in testpaths" in main.ended


def _speaks_of(ended: str, key: str, items: Sequence[str]) -> bool:
    return bool(re.search(rf"\b{re.escape(key)}\b", ended)) or any(
        len(item) >= _TELLING and item in ended for item in items
    )


RULES = (unknown_options, unknown_settings, unmet, ends_at_start)
