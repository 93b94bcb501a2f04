"""Auth integration: tokens and logins, and what follows from a login that failed."""

import re
from dataclasses import replace

from quintet.triage.judging.claims import claims_of, clusters_of, matches
from quintet.triage.model import Case, Challenge, Claim, Cluster, Findings
from quintet.triage.rules import auth, rights
from quintet.triage.specialists.signs import shows_http

NAME = "auth-integration"
_NOT_WHO = frozenset({"protocol-version"})  # refused for what is spoken, not for who speaks
_RULES = (*rights.RULES, *auth.RULES)
_SURE = tuple(rule for rule in _RULES if rule.id != "unauthorized")  # a number alone is no refusal of a server
_DOWNSTREAM = ("login-first", "unauthorized")
_SIGNING_IN = re.compile(
    r"(?i)(?:^|[_.:])(?:user_)?(?:log_?in|sign_?in|sign_?up|register|registration|authenticat\w*|token)(?:$|[_.:\[])"
)
_REFUSED = re.compile(
    r"assert (?:5\d\d|4\d\d) (?:==|in) [\[({]?2\d\d|(?i:login|registration|sign.?in)\b[^\n]{0,60}\bfail"
)


def examine(case: Case, so_far: Findings) -> Findings:
    """Claims about auth. A handshake refused with 401 or 403 is taken from the WebSocket's claims: who asks was refused, not the socket."""
    settled = {name for claim in so_far.claims if claim.rule in _NOT_WHO for name in claim.clusters}
    asked = [one for one in case.clusters if one.id not in settled]
    claims = tuple(
        _with_login(case, claim)
        for claim in claims_of(case, NAME, matches(_RULES if shows_http(case) else _SURE, asked))
    )
    return Findings(claims, tuple(challenge for claim in claims for challenge in _against(claim, so_far)))


def _with_login(case: Case, claim: Claim) -> Claim:
    """The failed sign-in itself joins the claim about what follows from it."""
    if claim.rule not in _DOWNSTREAM:
        return claim
    inside = set(claim.clusters)
    heads = [one for one in case.clusters if one.id not in inside and _is_sign_in(one)]
    followers = sum(len(one.members) for one in clusters_of(case, claim))
    if not heads:
        return claim
    facts = tuple(fact for one in heads for fact in one.facts[:2])
    return replace(
        claim,
        clusters=(*(one.id for one in heads), *claim.clusters),
        facts=(*facts, *claim.facts),
        because="The entries about signing in fail themselves, and the others only miss the token that they would have got.",
        root="Why the sign-in was refused stands in the server's log; this report shows only the answer.",
        downstream=followers,
    )


def _is_sign_in(one: Cluster) -> bool:
    return (
        one.phase == "call"
        and bool(_REFUSED.search(one.message))
        and all(_SIGNING_IN.search(name.rpartition("::")[2]) for name in one.names)
    )


def _against(claim: Claim, so_far: Findings) -> list[Challenge]:
    if claim.rule != "handshake-unauthorized":
        return []
    rivals = [
        other for other in so_far.claims if other.category == "websocket" and set(other.clusters) & set(claim.clusters)
    ]
    words = "The handshake was answered with 401 or 403: the server is up and decided against who asks."
    return [Challenge(NAME, other.id, words, claim.facts[:2], claim.clusters) for other in rivals]
