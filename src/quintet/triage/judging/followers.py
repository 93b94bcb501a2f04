"""What follows from a refused token, or from a fixture that nobody runs, and shows no more of it than an answer, an ended socket, an empty error.

Rules: there is exactly one such cause in the run; that an answer belongs to it is assumed, and said.
"""

import re
from collections.abc import Sequence

from quintet.triage.judging.moving import moved
from quintet.triage.model import Case, Claim, Cluster

_OF_A_TOKEN = frozenset(
    {"token-signature", "token-time", "token-audience", "token-claim", "token-algorithm", "token-form", "token-other"}
)
_SAME_REFUSAL = "{number} of its entries show only that their socket was refused or ended, without a code: that it is for the same reason is assumed."
_CODES = frozenset({"closed-by-code", "closed-for-limit", "closed-unauthorized", "closed-by-failure"})
_WHO = re.compile(r"\bassert 401 (?:==|in) |401 != \d{3}\b")
_SAME_ANSWER = "{number} of its entries show only the answer 401: that it is for the same reason is assumed."


def refused_before(case: Case, claims: list[Claim], by_id: dict[str, Cluster]) -> list[Claim]:
    """An answer 401 where a test expects another, beside one that tells what is wrong with the token."""
    del by_id
    faults = [claim for claim in claims if claim.rule in _OF_A_TOKEN]
    faults = faults or [claim for claim in claims if claim.rule == "unauthorized"]
    if len(faults) != 1:
        return claims

    def host(claim: Claim, clusters: Sequence[Cluster]) -> Claim | None:
        answers = claim.rule in ("unauthorized", "status-differs") and all(_WHO.search(one.message) for one in clusters)
        return faults[0] if answers else None

    return moved(case, claims, host, _SAME_ANSWER)


def bare_closings(case: Case, claims: list[Claim], by_id: dict[str, Cluster]) -> list[Claim]:
    """Sockets that end without a code or a word, in a run where requests are refused for exactly one fault of the tokens."""
    del by_id
    refused = [claim for claim in claims if claim.rule in _OF_A_TOKEN]
    if not refused:  # or the server closes with one code, which some clients do not show
        refused = [claim for claim in claims if claim.rule in _CODES]
    if len(refused) != 1:
        return claims
    return moved(
        case, claims, lambda claim, _: refused[0] if claim.rule == "closed-without-frame" else None, _SAME_REFUSAL
    )


def after_async_fixture(case: Case, claims: list[Claim], by_id: dict[str, Cluster]) -> list[Claim]:
    """pytest-asyncio's own empty assertion at setup: the fixture that nobody runs has failed in the test before."""
    del by_id
    first = next((claim for claim in claims if claim.rule == "async-fixture"), None)
    return moved(case, claims, lambda _, clusters: first if all(map(_is_empty, clusters)) else None)


def _is_empty(one: Cluster) -> bool:
    return not one.message and "pytest_asyncio" in one.passed
