"""Files that do not say what their author thinks: D01 to D04, D06, D07, D17."""

from collections.abc import Iterator

from ..case import Case
from ..configuration import NAMES, Configuration, differing, normal, spoken
from ..findings import Finding, Rule, rule
from ..matrix import way

__all__ = ["RULES"]

_OWN = {"pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"}


def searched(case: Case) -> list[Configuration]:
    """The files that pytest meets on its way for some row of the matrix; others, such as data of tests, cannot rule."""
    folders = {folder for row in case.matrix.rows for folder in way(case.tree, row)}
    return [found for path, found in sorted(case.files.items()) if path.parent in folders]


def beside(case: Case, found: Configuration) -> list[Configuration]:
    """The other files of the same folder that pytest would take if it were not for `found`, in pytest's order."""
    others = [one for path, one in case.files.items() if path.parent == found.path.parent and one.settings]
    later = [one for one in others if NAMES.index(one.path.name) > NAMES.index(found.path.name)]
    return sorted(later, key=lambda one: NAMES.index(one.path.name))


def _sets_nothing(found: Configuration) -> bool:
    """Whether it is a file of pytest's own that rules although it has no section for pytest."""
    named = "pytest" in found.sections
    return found.rules and not found.settings and not named and found.path.name in _OWN


@rule("D01", "C", "A file of pytest's own without its section rules and sets nothing", fix="Name the section [pytest].")
def no_section(case: Case, this: Rule) -> Iterator[Finding]:
    for found in searched(case):
        if not _sets_nothing(found):
            continue
        hidden = beside(case, found)
        wrong = [name for name in (*found.sections, *found.tables) if name.startswith("tool")]
        if not (hidden or found.sections or found.tables):
            continue
        what = f"{found.path.name} has no [pytest] section, so it sets nothing, and no other file is read"
        why = f"; [{wrong[0]}] is a name for other files" if wrong else ""
        lost = (
            f"; {hidden[0].path.name} beside it is ignored ({spoken(tuple(hidden[0].settings or {}))})"
            if hidden
            else ""
        )
        line = next(iter(found.sections.values()), None)
        fix = (
            ""
            if not hidden or wrong
            else f"Delete {found.path.name}, or move the settings of {hidden[0].path.name} into it."
        )
        yield this.either(wrong or hidden, what + why + lost + ".", case.shown(found.path), line, fix=fix)


@rule("D02", "C", "setup.cfg with [pytest] stops every run", fix="Rename the section to [tool:pytest].")
def cfg_section(case: Case, this: Rule) -> Iterator[Finding]:
    for found in searched(case):
        if found.path.name == "setup.cfg" and "no longer supported" in (found.error or ""):
            stops = any("no longer supported" in (row.resolved.error or "") for row in case.matrix.rows)
            what = "pytest refuses to start" if stops else "no run reads it yet, because another file comes first"
            yield this.either(
                stops, f"setup.cfg has a [pytest] section: {what}.", case.shown(found.path), found.error_line
            )


@rule(
    "D03",
    "C",
    "[tool.pytest] beside [tool.pytest.ini_options]",
    fix="Keep one of the two tables; the native [tool.pytest] needs pytest 9.",
)
def two_tables(case: Case, this: Rule) -> Iterator[Finding]:
    for found in searched(case):
        if not found.tables or found.path.name != "pyproject.toml":
            continue
        keys = spoken(found.tables)
        if "Cannot use both" in (found.error or ""):
            yield this.either(
                case.python.pytest,
                f"pytest 9 refuses to start: [tool.pytest] sets {keys} beside [tool.pytest.ini_options].",
                case.shown(found.path),
                found.error_line,
            )
        elif case.major < 9:
            yield this.suspect(
                f"pytest {case.python.distributions.get('pytest', '8')} ignores {keys} of [tool.pytest]; pytest 9 reads it"
                + (", and refuses to start because of [tool.pytest.ini_options]." if found.settings else "."),
                case.shown(found.path),
            )


@rule(
    "D04",
    "C",
    "Two configurations of pytest in one folder: the second is ignored",
    fix="Keep one file: move over what is missing in the first, and delete the section in the second.",
)
def two_files(case: Case, this: Rule) -> Iterator[Finding]:
    for found in searched(case):
        if not found.rules or _sets_nothing(found):
            continue
        if any(
            one.rules and NAMES.index(one.path.name) < NAMES.index(found.path.name) for one in _same_folder(case, found)
        ):
            continue
        for ignored in beside(case, found):
            lost = tuple(
                key
                for key in differing(found.settings or {}, ignored.settings or {})
                if key in (ignored.settings or {})
            )
            if lost:
                here = case.shown(found.path)
                statement = (
                    f"{here} rules and {ignored.path.name} beside it is ignored. Lost: {_values(found, ignored, lost)}."
                )
                yield this.certain(statement, case.shown(ignored.path), ignored.line(lost[0]))


def _same_folder(case: Case, found: Configuration) -> list[Configuration]:
    return [one for path, one in case.files.items() if path.parent == found.path.parent and path != found.path]


def _values(found: Configuration, ignored: Configuration, keys: tuple[str, ...]) -> str:
    parts = []
    for key in keys[:6]:
        more = [item for item in ignored.words(key) if item not in normal(key, (found.settings or {}).get(key, ""))]
        names = [item.partition(":")[0] if key == "markers" else item for item in more] if key != "env" else []
        parts.append(f"{key} ({', '.join(names[:5])})" if names else key)
    return ", ".join(parts) + (f" and {len(keys) - 6} more" if len(keys) > 6 else "")


@rule(
    "D06",
    "C",
    "A configuration that cannot be read",
    fix="Correct the line; where a key stands twice, merge its values.",
)
def unreadable(case: Case, this: Rule) -> Iterator[Finding]:
    for found in searched(case):
        error = found.error
        if not error or "no longer supported" in error or "Cannot use both" in error:
            continue
        stops = any(row.resolved.error and row.resolved.file == found.path for row in case.matrix.rows)
        said = error.replace(str(case.tree.root) + "/", "").strip()
        statement = f"pytest cannot read {case.shown(found.path)}: {said}."
        yield this.either(stops, statement, case.shown(found.path), found.error_line)


@rule(
    "D07",
    "C",
    "Strictness asked for through addopts has no effect on pytest 9.0",
    fix="Write strict_markers = true and strict_config = true as settings of their own, or use pytest 9.1.",
)
def inert_strictness(case: Case, this: Rule) -> Iterator[Finding]:
    if (case.python.pytest or ())[:2] != (9, 0):
        return
    for option, setting in (
        ("--strict-markers", "strict_markers"),
        ("--strict-config", "strict_config"),
        ("--strict", "strict"),
    ):
        if option in case.words("addopts") and not case.words(setting) and not case.words("strict"):
            version = case.python.distributions["pytest"]
            yield this.certain(f"{option} in addopts is without effect on pytest {version}.", *case.place("addopts"))


@rule(
    "D17",
    "C",
    "timeout_method = thread ends the whole run at the first timeout",
    fix="Use timeout_method = signal where the platform has signals.",
)
def ends_the_run(case: Case, this: Rule) -> Iterator[Finding]:
    threaded = case.value("timeout_method") == "thread"
    if threaded or "--timeout-method=thread" in case.words("addopts"):
        statement = (
            "With timeout_method = thread the first timeout ends the process: no report, no teardown, no later tests."
        )
        yield this.suspect(statement, *case.place("timeout_method" if threaded else "addopts"))


RULES = (no_section, cfg_section, two_tables, two_files, unreadable, inert_strictness, ends_the_run)
