"""Values that depend on where the tests run: the time zone, line endings, the separator of paths, a variable that was read too early.

Rules: only a plain assertion of two values is read; the two must be equal but for what such a setting changes, and hours must differ by the same
amount in several entries (or the code must read local time); of a variable, the test's shown source must set it to a value that is on one side
only; it is never more than a suspicion.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from quintet.triage.model import Case, Claim, Cluster

_SIDES = re.compile(r"(?m)^(?:AssertionError: )?(?:assert )?(.{1,300}?) (?:==|!=) (.{1,300})$")
_SHOWN = re.compile(r"(?m)^\s*- (.{1,300})$(?:\n\s*\?.*$)?\n\s*\+ (.{1,300})$")
_CLOCK = re.compile(
    r"(?:(\d{4})-(\d\d)-(\d\d)[T ]|\b)(\d\d):(\d\d)(?::\d\d)?\b|datetime\((\d{4}), (\d{1,2}), (\d{1,2}), (\d{1,2}), (\d{1,2})"
)
_DAY = re.compile(r"\b\d{4}-\d\d-(\d\d)\b")
_LOCAL = re.compile(r"fromtimestamp|localtime|\bnow\(|\btoday\(|astimezone|mktime|strftime|tzlocal|tzset")
# Several that differ by the same hours may have one bug that adds them: something must speak of zones, or of a moment as a number.
_ZONES = re.compile(
    r"(?i)(?<![a-z])(?:tz|time_?zones?|zones?|utc|gmt|local(?:time)?|stamps?|timestamps?|epoch|iso(?:format)?|dst|summer|winter|clock)(?![a-z])"
    r"|tzinfo|zoneinfo|pytz|dateutil|(?-i:\b[A-Z][a-z]+/[A-Z][a-z]+)|[+-]\d\d:?00\b|\d\dZ\b|\b1[0-9]{9}\b"
)
_HALF, _FARTHEST, _DAY_LONG = 30, 14 * 60, 24 * 60
_SEVERAL = 2


def local_values(case: Case, taken: set[str], by: str) -> list[Claim]:
    """Claims about plain assertions whose two sides differ as two machines do."""
    plain = [one for one in case.clusters if one.id not in taken and _is_plain(one)]
    told = [*_read_before(plain, by), *_of_time(plain, by), *_of_form(plain, by)]
    return [claim for claim in told if claim.clusters]


def _is_plain(one: Cluster) -> bool:
    return one.phase == "call" and not one.simulated and one.exception.rpartition(".")[2] == "AssertionError"


def _sides(one: Cluster) -> tuple[str, str] | None:
    shown = _SHOWN.search(one.message)  # whole, where pytest cuts the middle of the sides out
    if shown:
        return shown[2].strip(), shown[1].strip()
    found = _SIDES.search(one.message)
    return (found[1].strip(), found[2].strip()) if found else None


def _read_before(plain: Sequence[Cluster], by: str) -> Iterator[Claim]:
    """A test sets a variable, and the code under test has another value all the same."""
    found = {one.id: name for one in plain if (name := _not_seen(one))}
    own = [one for one in plain if one.id in found]
    if own:
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(found.values()))
        yield _claim(
            "variable-read-before",
            f"The tests set {names}, and the code under test goes on with another value: it seems to have read the environment before.",
            "The test's own lines set the variable to the value that one side shows; the other side shows another.",
            "The variable is read once, while a module is imported (a constant, a default argument, settings made at the "
            "top of a module) or by a cached "
            "function; what a test sets afterwards comes too late.",
            "Read it when it is needed (a function, or settings made by a fixture; with `lru_cache`, `cache_clear()` "
            "between tests), or patch the value "
            "where it is kept (`monkeypatch.setattr`) instead of the variable.",
            own,
            by,
        )


def _not_seen(one: Cluster) -> str:
    """The name of a variable whose value, as the test sets it, is on one side of the assertion only."""
    sides = _sides(one)
    for line in one.given.split("\n") if sides else ():
        name, _, value = line.partition("=")
        shown = [bool(value and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", side)) for side in sides or ()]
        if sum(shown) == 1:
            return name
    return ""


def _of_time(plain: Sequence[Cluster], by: str) -> Iterator[Claim]:
    shifts = {one.id: shift for one in plain if (sides := _sides(one)) and (shift := _shift(*sides))}
    counted: Counter[int] = Counter()
    for one in plain:
        if one.id in shifts:
            counted[shifts[one.id]] += len(one.members)
    for shift, times in counted.items():
        own = [one for one in plain if shifts.get(one.id) == shift]
        own += _days_apart(plain, own)
        told = times >= _SEVERAL and any(_ZONES.search(_words(one)) for one in own)
        if told or any(_LOCAL.search(f"{one.home_code}\n{one.code}") for one in own):
            yield _time_claim(shift, own, by)
            return


def _words(one: Cluster) -> str:
    return "\n".join((*one.names, one.where, one.message, one.home_code, one.code, one.given, one.beside))


def _shift(left: str, right: str) -> int:
    """By how many minutes all times of day on the two sides differ; 0 where they do not, or not as zones do."""
    ours, theirs = _minutes(left), _minutes(right)
    if not ours or len(ours) != len(theirs):
        return 0
    found = {one - other for one, other in zip(ours, theirs, strict=True)}
    shift = found.pop()
    while abs(shift) > _FARTHEST:  # past midnight, without a date
        shift += _DAY_LONG if shift < 0 else -_DAY_LONG
    return shift if not found and shift % _HALF == 0 else 0


def _minutes(side: str) -> list[int]:
    times = []
    for found in _CLOCK.finditer(side):
        begin = 6 if found[6] else 1
        hour, minute = int(found[begin + 3]), int(found[begin + 4])
        times.append(_day(found[begin], found[begin + 1], found[begin + 2]) * _DAY_LONG + hour * 60 + minute)
    return times


def _day(year: str | None, month: str | None, day: str | None) -> int:
    try:
        return date(int(year or 1), int(month or 1), int(day or 1)).toordinal()
    except ValueError:
        return 0


def _days_apart(plain: Sequence[Cluster], own: Sequence[Cluster]) -> list[Cluster]:
    """Dates of the same module that are one day apart: the same shift, over midnight."""
    modules = {name.partition("::")[0] for one in own for name in one.names}
    return [one for one in plain if one not in own and one.names[0].partition("::")[0] in modules and _next_day(one)]


def _next_day(one: Cluster) -> bool:
    sides = _sides(one)
    ours, theirs = (_DAY.findall(side) for side in sides) if sides else ([], [])
    return len(ours) == len(theirs) == 1 and abs(int(ours[0]) - int(theirs[0])) == 1


def _time_claim(shift: int, own: Sequence[Cluster], by: str) -> Claim:
    hours = f"{abs(shift) / 60:g} hour{'' if abs(shift) == 60 else 's'}"
    return _claim(
        "local-time",
        f"The two sides differ by exactly {hours}, as if one of them were in the time zone of another machine.",
        "Minutes agree and hours differ by the same amount, as two time zones do (or summer and winter time).",
        "The code turns a moment into local time (`fromtimestamp`, `now`, `strftime` without a zone), and this machine's "
        "zone (`TZ`; UTC on "
        "most CI) is not that of the machine on which the expected values were written.",
        "Name the zone in the code (`datetime.fromtimestamp(…, tz=ZoneInfo(…))`, UTC inside), and let the tests name the "
        "same; to see that it is "
        "this, run them with the other zone (`TZ=Europe/Berlin pytest …`): where the two sides stay as far apart, the code itself adds the hours.",
        own,
        by,
    )


# What differs, the two sides made equal, what it means, what to do.
_FORMS = (
    (
        "line-ends",
        re.compile(r"\\r\\n"),
        r"\\n",
        "The two sides differ in their line endings only (`\\r\\n`, `\\n`).",
        "One machine writes or checks out text with `\\r\\n`, the other with `\\n` (Windows, `core.autocrlf`, or a file "
        "opened without `newline=`).",
        'Open the files with `newline="\\n"`, and fix the endings of the files that tests compare with in `.gitattributes` (`eol=lf`).',
    ),
    (
        "path-separators",
        re.compile(r"\\\\"),
        "/",
        "The two sides differ in the separator of their paths only (`\\`, `/`).",
        "One machine is a Windows one, and the code (or the test) puts paths together as text.",
        "Compare paths as `Path` objects, or with `.as_posix()`.",
    ),
)


def _of_form(plain: Sequence[Cluster], by: str) -> Iterator[Claim]:
    for rule, mark, instead, statement, root, fix in _FORMS:
        own = [one for one in plain if _same_but(one, mark, instead)]
        if own:
            yield _claim(rule, statement, "Without that they are the same, letter for letter.", root, fix, own, by)


def _same_but(one: Cluster, mark: re.Pattern[str], instead: str) -> bool:
    sides = _sides(one)
    if sides is None or sides[0] == sides[1]:
        return False
    left, right = (mark.sub(lambda _: instead.replace("\\\\", "\\"), side) for side in sides)
    return left == right


def _claim(rule: str, statement: str, because: str, root: str, fix: str, own: Sequence[Cluster], by: str) -> Claim:
    facts = tuple(fact for one in own for fact in one.facts[:2])
    return Claim(
        "",
        by,
        rule,
        "environment",
        "suspect",
        statement,
        "",
        tuple(one.id for one in own),
        facts,
        because=because,
        root=root,
        root_facts=facts[:2],
        fix=fix,
        verify="pytest {test}",
    )
