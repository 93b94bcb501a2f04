"""Test architecture: how the tests are built, and the last word on what nobody else could explain.

It is asked last: it challenges claims that rest on simulated failures, and says plainly of the rest that each entry stands alone.
"""

import re
from dataclasses import replace

from quintet.triage.comparing.growing import growing
from quintet.triage.comparing.leftovers import leftovers
from quintet.triage.comparing.quoting import meanwhile
from quintet.triage.comparing.sides import said_of_sides
from quintet.triage.judging.claims import claims_of, clusters_of, matches
from quintet.triage.model import Case, Challenge, Claim, Cluster, Findings
from quintet.triage.normalise import shorten
from quintet.triage.rules.architecture import RULES

NAME = "test-architecture"
_COMMON_FROM = 3
_NEVER_AWAITED = re.compile(
    r"(\S+) (?:Runtime|PytestUnraisableException)Warning: (?:coroutine '([\w.]+)' was never awaited)?"
)


def examine(case: Case, so_far: Findings) -> Findings:
    """Claims about configuration, fixtures, loops, isolation and drift; challenges; and the plain failures that are left."""
    real = [one for one in case.clusters if not one.simulated]
    built = claims_of(case, NAME, matches(RULES, [one for one in real if not _own_by_others(one, so_far)]))
    shared = {name for claim in built if claim.category == "isolation" for name in claim.clusters}
    open_yet = [one for one in real if one.id not in shared]
    grown = growing(NAME, open_yet) or leftovers(NAME, open_yet)
    awaited = [*_forgotten_awaits(case, so_far, built), *_unawaited_setups(case), *grown]
    built = tuple(_without(claim, {name for one in awaited for name in one.clusters}) for claim in built)
    challenges = tuple(challenge for claim in so_far.claims for challenge in _doubts(case, claim))
    doubted = {(challenge.claim, name) for challenge in challenges for name in challenge.clusters}
    taken = {
        name
        for claim in (*so_far.claims, *built, *awaited)
        for name in claim.clusters
        if (claim.id, name) not in doubted
    }
    claims = [claim for claim in (*built, *awaited) if claim.clusters]
    claims += _together([_left(case, one) for one in case.clusters if one.id not in taken])
    return Findings(tuple(replace(claim, id=f"{NAME}:{number}") for number, claim in enumerate(claims, 1)), challenges)


def _own_by_others(one: Cluster, so_far: Findings) -> bool:
    """What is claimed as probable or better needs no second opinion from the general rules."""
    return any(one.id in claim.clusters and claim.certainty in ("proven", "probable") for claim in so_far.claims)


def _without(claim: Claim, clusters: set[str]) -> Claim:
    return replace(claim, clusters=tuple(name for name in claim.clusters if name not in clusters))


def _doubts(case: Case, claim: Claim) -> list[Challenge]:
    """A mock's exception is no failure of what it imitates."""
    simulated = [one for one in clusters_of(case, claim) if one.simulated]
    if not simulated:
        return []
    raiser = shorten(simulated[0].raised[-1].partition(":")[2], 80) if simulated[0].raised else ""
    words = (
        f"The exception was raised by a mock or by the test itself ({raiser}): nothing real failed there."
        if raiser
        else "No frame of it is shown, and the tests of this module have mocks raise such exceptions: nothing is known to be real."
    )
    return [Challenge(NAME, claim.id, words, simulated[0].facts[-1:], tuple(one.id for one in simulated))]


def _forgotten_awaits(case: Case, so_far: Findings, built: tuple[Claim, ...]) -> list[Claim]:
    """A failing test that also warns of a coroutine nobody awaited: the warning names the same test, and nothing stronger explains it."""
    weak = {"status-differs", "unauthorized", "field-missing"}
    taken = {name for claim in (*so_far.claims, *built) if claim.rule not in weak for name in claim.clusters}
    claims = []
    for fact in case.facts:
        found = _NEVER_AWAITED.match(fact.excerpt) if fact.kind == "warning" else None
        hit = [
            one
            for one in case.clusters
            if found and one.id not in taken and len(one.members) == 1 and one.names[0] == found[1]
        ]
        for one in hit[:1]:
            taken.add(one.id)
            claims.append(_awaited(one, fact.id, (found[2] if found else "") or "a coroutine"))
    return claims


def _awaited(one: Cluster, fact: str, coroutine: str) -> Claim:
    return Claim(
        "",
        NAME,
        "never-awaited-warning",
        "async",
        "suspect",
        f"`{coroutine}` is called without `await` in a test that then fails.",
        coroutine,
        (one.id,),
        (fact, *one.facts[:2]),
        because="pytest's warning names the same test: what the call should have done did not happen.",
        root="An `await` is missing in the test or its fixture.",
        root_facts=(fact,),
        fix="Await the call, then run the test again.",
        verify="pytest {test}",
    )


_NEVER_BEGUN = re.compile(
    r"Warning: coroutine '([\w.]+\.)?(\w+)\.(set_?[uU]p(?:_?[cC]lass|_method|TestData)?|tear_?[dD]own(?:_?[cC]lass|_method)?)' was never awaited"
)


def _unawaited_setups(case: Case) -> list[Claim]:
    """A class whose `setUp` is a coroutine function that nobody awaits: its tests fail for want of what it would have made."""
    claims: dict[str, Claim] = {}
    for fact in case.facts:
        found = _NEVER_BEGUN.search(fact.excerpt) if fact.kind == "warning" else None
        own = [one for one in case.clusters if found and not one.simulated and _all_of(one, found[2])]
        if found and own and found[2] not in claims:
            claims[found[2]] = _never_begun(f"{found[2]}.{found[3]}", fact.id, own)
    return list(claims.values())


def _all_of(one: Cluster, group: str) -> bool:
    return all(group in re.split(r"::|\.", name) for name in one.names)


def _never_begun(name: str, fact: str, own: list[Cluster]) -> Claim:
    return Claim(
        "",
        NAME,
        "setup-not-awaited",
        "async",
        "probable",
        f"`{name}` is a coroutine function, and nobody awaits it: the tests run without what it makes.",
        name,
        tuple(one.id for one in own),
        (fact, *(part for one in own for part in one.facts[:2])),
        because="Python's own warning names it: it was called, and what the call gave was thrown away.",
        root="`setUp` and `setup_method` are called as plain functions; `unittest.IsolatedAsyncioTestCase` awaits `asyncSetUp` "
        "only, pytest an async fixture.",
        root_facts=(fact,),
        fix="Rename it to `asyncSetUp` (in an `IsolatedAsyncioTestCase`), or make it an async fixture.",
        verify="pytest {test}",
    )


def _left(case: Case, one: Cluster) -> Claim:
    """No rule fits. Where several entries fail at one line of the product, that line is their common cause; otherwise each stands alone."""
    what = shorten(
        f"{one.exception.rpartition('.')[2]}: {one.message}" if one.exception else one.message or "no message", 160
    ).strip(": ")
    what = what.replace("`", "'")
    if not one.exception and not one.message:
        return _unseen(one)
    return _passes_elsewhere(case, one) or _same_line(one, what) or _plain(one, what)


def _unseen(one: Cluster) -> Claim:
    number = len(one.members)
    return Claim(
        "",
        NAME,
        "unseen",
        "assertion",
        "unknown",
        f"{'1 entry fails' if number == 1 else f'{number} entries fail'}, and this text shows nothing of it but the name.",
        "",
        (one.id,),
        one.facts[:3],
        because="The text was cut off, or printed without tracebacks and summary.",
        fix="Keep the whole output of the run (or a JUnit file, `--junitxml=report.xml`), and read that.",
        verify="pytest {test}",
        plain=True,
    )


def _together(claims: list[Claim]) -> list[Claim]:
    """What passes elsewhere is one claim: the text does not tell several reasons apart."""
    alike = [claim for claim in claims if claim.rule == "passes-elsewhere"]
    if len(alike) < 2:
        return claims
    joined = replace(
        alike[0],
        clusters=tuple(name for claim in alike for name in claim.clusters),
        facts=tuple(dict.fromkeys(name for claim in alike for name in claim.facts)),
    )
    return [joined, *(claim for claim in claims if claim.rule != "passes-elsewhere")]


def _passes_elsewhere(case: Case, one: Cluster) -> Claim | None:
    """The same test, or its whole file, passes in another run of the text."""
    facts = [fact for fact in case.facts if fact.kind == "passed"] if not one.simulated else []
    names = {part for name in one.names for part in (name, name.partition("::")[0])}
    shown = [fact for fact in facts if any(_tells_of(fact.excerpt, name) for name in names)]
    if not shown:
        return None
    return Claim(
        "",
        NAME,
        "passes-elsewhere",
        "isolation",
        "suspect",
        "The same tests pass in another run that this text holds, so it is not their code alone that decides.",
        "",
        (one.id,),
        (*(fact.id for fact in shown[:2]), *one.facts[:2]),
        because="One run shows the pass, another the failure.",
        root="What differs between the two runs decides: the tests that ran before (and the state they left: a cache, a variable, a row), their "
        "order, chance, time, or the environment.",
        root_facts=tuple(fact.id for fact in shown[:2]),
        fix="Run the failing test alone, then after the tests that precede it in the failing run, and halve these until one is left: it leaves "
        "the state behind. Where both runs hold the same tests, compare their environments (versions, variables).",
        verify="pytest {test}",
        effort=2,
    )


def _tells_of(line: str, name: str) -> bool:
    return line == name or line.startswith((f"{name} ", f"{name}::")) or f" {name} " in f"{line} "


def _same_line(one: Cluster, what: str) -> Claim | None:
    place, times = one.places[0] if one.places else ("", 0)
    inside = any(
        place.startswith(path)
        for kind, _, path in (raised.partition(":") for raised in one.raised)
        if kind == "product"
    )
    if (
        one.simulated
        or times < _COMMON_FROM
        or times < len(one.members)
        or not inside
        or one.exception == "AssertionError"
    ):
        return None
    return Claim(
        "",
        NAME,
        "same-line",
        "assertion",
        "probable",
        f"{len(one.members)} entries fail at one line of the product, `{place.replace('`', chr(39))}`, with `{what}`.{meanwhile(one)}",
        place,
        (one.id,),
        one.facts[:3],
        because="Every one of them passes through this line, and it is there that the exception is raised or let through.",
        fix=f"Correct `{place.replace('`', chr(39))}`, or what calls it with a value that it does not expect.",
        verify="pytest {test}",
    )


def _plain(one: Cluster, what: str) -> Claim:
    alone = "1 entry fails" if len(one.members) == 1 else f"{len(one.members)} entries fail"
    if one.simulated:
        because = "A mock or the test raised this exception on purpose, and the code under test did not deal with it as the test expects."
        fix = "Look at what the code under test does with this exception."
    elif one.exception in ("AssertionError", "Failed", ""):
        because = "What the test expects and what the product gives differ."
        fix = "Decide which side is right, the expectation or the product, and change the other."
    else:
        because = "The exception was raised by the code under test or by the test itself, and no known cause fits it."
        fix = (
            f"Start at `{one.where}`."
            if one.where and "`" not in one.where
            else "Start at the line that the traceback names."
        )
    return Claim(
        "",
        NAME,
        "plain",
        "assertion",
        "unknown",
        f"{alone} with `{what}`; no common cause with other entries was found.{said_of_sides(one)}{meanwhile(one)}",
        one.where,
        (one.id,),
        one.facts[:3],
        because=because,
        fix=fix,
        verify="pytest {test}",
        plain=True,
    )
