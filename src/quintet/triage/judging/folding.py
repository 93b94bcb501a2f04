"""Entries that only follow from others fold under their cause.

Rules: only what nothing else explains folds (plain and general claims, and a server's bare 500); there must be exactly one cause that it can
follow from, in the same place; what is assumed is said beside the cause, and nothing proven stays so with an assumed part.
"""

import re
from collections.abc import Iterable, Sequence

from quintet.triage.judging.claims import clusters_of
from quintet.triage.judging.followers import after_async_fixture, bare_closings, refused_before
from quintet.triage.judging.moving import moved
from quintet.triage.model import Case, Claim, Cluster

_ANSWERS = frozenset(
    {
        "unauthorized", "not-permitted", "no-session", "provider-refuses", "token-lacks",
        "sign-in-page", "csrf", "login-first", "token-signature", "token-time", "token-audience", "token-claim", "token-form",
        "token-other", "server-error", "rate-limited", "route-gone", "address-in-use",
    }
)  # fmt: skip
_READING = frozenset(
    {"KeyError", "TypeError", "IndexError", "JSONDecodeError", "ValueError", "ContentTypeError", "AssertionError"}
)
_OF_ANSWER = re.compile(r"json\b|\.text\b|\.content\b|Content-Type header|Expecting value: line 1 column 1 ")
_LEFT_BEHIND = (
    "environment",
    "drift",
    "assertion",
    "fixtures",
    "isolation",
)  # what a fixture stumbles over that was left half made
_EXISTS = re.compile(r"already exists?\b|EEXIST|File exists")
_NAMED = re.compile(r"[\"'`]([\w./-]{2,120})[\"'`]")
_BROKEN, _TELLING = "transaction-aborted", 16
_BEHIND = ("database", "services", "environment", "dependencies")
_NO_MORE = "{number} of its entries show no more than their name: that they fail for the same reason as the other parameters is assumed."
_SAME_500 = "{number} of its entries show only the server's answer: that the same exception is behind it is assumed."


def folded(case: Case, claims: Sequence[Claim]) -> list[Claim]:
    """The claims that are left, with what follows from them."""
    by_id = {one.id: one for one in case.clusters}
    kept = _teardowns(case, list(claims))
    for fold in (
        _after_first,
        _after_sign_in,
        _left_by_teardown,
        _unseen,
        _read_answers,
        _bare_500,
        bare_closings,
        refused_before,
        after_async_fixture,
        _read_answers,
    ):
        kept = fold(case, kept, by_id)
    return kept


def _teardowns(case: Case, claims: list[Claim]) -> list[Claim]:
    """A teardown that fails after its own test failed follows from it, if nothing else explains it."""
    by_entry = {
        name: claim
        for claim in claims
        if not claim.plain
        for one in clusters_of(case, claim)
        if one.phase in ("setup", "call")
        for name in one.names
    }

    def host(claim: Claim, clusters: Sequence[Cluster]) -> Claim | None:
        if any(one.phase != "teardown" for one in clusters):
            return None
        found = _only(by_entry.get(name) for one in clusters for name in one.names)
        weak = claim.plain or claim.general or (claim.category in _LEFT_BEHIND and claim.certainty != "proven")
        return found if weak else None

    return moved(case, claims, host)


def _after_first(case: Case, claims: list[Claim], by_id: dict[str, Cluster]) -> list[Claim]:
    """A session that says which earlier error broke it, where that error is one of the run's own."""
    first = {
        claim.id: [_first_line(by_id[name]) for name in claim.clusters] for claim in claims if claim.rule != _BROKEN
    }

    def host(claim: Claim, clusters: Sequence[Cluster]) -> Claim | None:
        if claim.rule != _BROKEN:
            return None
        told = [f"{one.message}\n{one.first_message}" for one in clusters]
        found = {
            name
            for name, lines in first.items()
            if any(line and all(line in words for words in told) for line in lines)
        }
        return next((other for other in claims if {other.id} == found), None)

    return moved(case, claims, host)


def _left_by_teardown(case: Case, claims: list[Claim], by_id: dict[str, Cluster]) -> list[Claim]:
    """What exists already because an earlier teardown could not remove it: both name the same thing."""
    kept: dict[str, str] = {}
    for claim in claims:
        for one in (by_id[name] for name in claim.clusters):
            kept |= {named: claim.id for named in _NAMED.findall(one.message) if one.phase == "teardown"}

    def host(claim: Claim, clusters: Sequence[Cluster]) -> Claim | None:
        told = [_NAMED.findall(one.message) for one in clusters if one.phase == "setup" and _EXISTS.search(one.message)]
        found = {kept.get(named, "") for names in told for named in names}
        return next(
            (other for other in claims if len(told) == len(clusters) and {other.id} == found and other is not claim),
            None,
        )

    return moved(case, claims, host)


def _first_line(one: Cluster) -> str:
    line = one.first_message.partition("\n")[0].strip()
    return line if len(line) >= _TELLING else ""


def _only(hosts: Iterable[Claim | None]) -> Claim | None:
    """The one that all of them have."""
    found = {host.id if host else "": host for host in hosts}
    return found.popitem()[1] if len(found) == 1 else None


def _unseen(case: Case, claims: list[Claim], by_id: dict[str, Cluster]) -> list[Claim]:
    """An entry of which only its name is shown, and whose test fails with other parameters for one reason."""
    reasons: dict[str, set[str]] = {}
    for claim in claims:
        for one in (by_id[name] for name in claim.clusters):
            for test in one.names if not _is_unseen(one) else ():
                reasons.setdefault(test.partition("[")[0], set()).add(claim.id)

    def host(claim: Claim, clusters: Sequence[Cluster]) -> Claim | None:
        del claim
        if not all(map(_is_unseen, clusters)):
            return None
        found = {name for one in clusters for name in reasons.get(one.names[0].partition("[")[0], {""})}
        return next((other for other in claims if {other.id} == found), None)

    return moved(case, claims, host, _NO_MORE)


def _is_unseen(one: Cluster) -> bool:
    return not one.exception and not one.message


def _read_answers(case: Case, claims: list[Claim], by_id: dict[str, Cluster]) -> list[Claim]:
    """A test that reads from an answer what a refused (or failed) request does not have, beside one that shows the refusal."""
    hosts: dict[str, dict[str, set[str]]] = {}
    for claim in claims:
        for one in (by_id[name] for name in claim.clusters):
            if claim.rule in _ANSWERS or one.logged:
                hosts.setdefault(_file(one), {}).setdefault(claim.id, set()).update(_paths(one))

    def host(claim: Claim, clusters: Sequence[Cluster]) -> Claim | None:
        if not (claim.plain or claim.general) or not all(map(_reads_answer, clusters)):
            return None
        found = {name for one in clusters for name in _hosts(hosts.get(_file(one), {}), _paths(one))}
        return next((other for other in claims if {other.id} == found and other.id != claim.id), None)

    return moved(case, claims, host)


def _hosts(known: dict[str, set[str]], asked: set[str]) -> set[str]:
    """Those that asked the same path; where nothing tells a path, all of the module."""
    same = {name for name, paths in known.items() if paths & asked}
    return same or {name for name, paths in known.items() if not (paths and asked)} or {""}


def _paths(one: Cluster) -> set[str]:
    """The paths of requests in the project's own line."""
    return set(re.findall(r"['\"](/[\w/{}.-]{0,80})", one.home_code))


def _reads_answer(one: Cluster) -> bool:
    if (
        one.simulated
        or one.logged
        or one.phase not in ("call", "setup")
        or one.exception.rpartition(".")[2] not in _READING
    ):
        return False
    return bool(_OF_ANSWER.search(f"{one.home_code}\n{one.message}"))


def _file(one: Cluster) -> str:
    """The test module, or unittest's class."""
    name = one.names[0] if one.names else ""
    return name.partition("::")[0] if "::" in name else name.rpartition(".")[0]


def _after_sign_in(case: Case, claims: list[Claim], by_id: dict[str, Cluster]) -> list[Claim]:
    """Requests without anybody signed in, where the sign-in of the same module's tests fails."""
    files = {claim.id: {_file(by_id[name]) for name in claim.clusters} for claim in claims}
    signing = [claim for claim in claims if claim.rule == "sign-in-fails"]
    if len(signing) != 1:
        return claims
    here = files[signing[0].id]
    follows = {"sign-in-page", "unauthorized", "no-session"}
    return moved(
        case, claims, lambda claim, _: signing[0] if claim.rule in follows and files[claim.id] <= here else None
    )


def _bare_500(case: Case, claims: list[Claim], by_id: dict[str, Cluster]) -> list[Claim]:
    """A server's 500 without a word, in a run where the product itself fails for exactly one reason of its surroundings."""
    behind = [
        claim
        for claim in claims
        if claim.category in _BEHIND and any(_in_product(by_id[name]) for name in claim.clusters)
    ]
    if len(behind) != 1:
        return claims
    return moved(case, claims, lambda claim, _: behind[0] if claim.rule == "server-error" else None, _SAME_500)


def _in_product(one: Cluster) -> bool:
    return any(place.startswith("product:") for place in one.raised)
