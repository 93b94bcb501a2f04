"""WebSocket integration: handshakes, closings, readers, names of events."""

from quintet.triage.comparing.sent import unseen
from quintet.triage.comparing.spellings import spellings
from quintet.triage.judging.claims import claims_of, matches
from quintet.triage.model import Case, Findings
from quintet.triage.rules import frames, websocket
from quintet.triage.specialists.signs import shows_sockets

NAME = "websocket-integration"
_RULES = (*frames.RULES, *websocket.RULES)
_SURE = tuple(rule for rule in _RULES if rule.id not in frames.BY_WORDS)


def examine(case: Case, so_far: Findings) -> Findings:
    """Claims about sockets. A refused TCP connection is not one of them: there the service is missing, which was claimed before."""
    refused = {identity for claim in so_far.claims if claim.category == "services" for identity in claim.clusters}
    asked = [one for one in case.clusters if one.id not in refused]
    rules = _RULES if shows_sockets(case) else _SURE
    named = [*spellings(NAME, asked), *unseen(NAME, asked)]
    settled = {identity for claim in named for identity in claim.clusters}
    return Findings((*named, *claims_of(case, NAME, matches(rules, [one for one in asked if one.id not in settled]))))
