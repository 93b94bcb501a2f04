"""WebSocket integration: handshakes, closings, readers, names of events."""

from quintet.triage.claims import claims_of, matches
from quintet.triage.model import Case, Findings
from quintet.triage.rules.websocket import RULES
from quintet.triage.spellings import spellings

NAME = "websocket-integration"


def examine(case: Case, so_far: Findings) -> Findings:
    """Claims about sockets. A refused TCP connection is not one of them: there the service is missing, which was claimed before."""
    refused = {identity for claim in so_far.claims if claim.category == "services" for identity in claim.clusters}
    asked = [one for one in case.clusters if one.id not in refused]
    named = spellings(NAME, asked)
    settled = {identity for claim in named for identity in claim.clusters}
    return Findings((*named, *claims_of(case, NAME, matches(RULES, [one for one in asked if one.id not in settled]))))
