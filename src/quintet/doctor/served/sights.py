"""What may be wrong with a server as it is reached. Certain is what an answer itself shows; what it only hints at is worth a look."""

from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

from quintet.triage.masking import mask
from quintet.triage.normalise import normalise, shorten

__all__ = ["RULES", "Rule", "Sight", "sight"]

Certainty = Literal["certain", "suspect"]


class Rule(NamedTuple):
    """`kind` C: an answer shows it · S: only ever suspected."""

    kind: Literal["C", "S"]
    title: str
    fix: str


RULES = {
    "R01": Rule(
        "C",
        "Nobody answers at this address",
        "Start the server, or correct the address, its certificate or the name look-up.",
    ),
    "R02": Rule("C", "What answers is not Quintet", "Point the proxy's route, or this address, to the server."),
    "R03": Rule("C", "The server is not ready", "Look at the part that it names, and at the server's log."),
    "R04": Rule(
        "C",
        "The server does not answer to this name",
        "Set QUINTET_PUBLIC_URL to the address that people open, and let the proxy pass the Host header on.",
    ),
    "R05": Rule(
        "C",
        "A proxy does not pass the WebSocket's upgrade on",
        "nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
    ),
    "R06": Rule(
        "C",
        "Frames do not come through the WebSocket",
        "Let the proxy pass an upgraded connection on unchanged, without buffering or inspecting it.",
    ),
    "R07": Rule(
        "C",
        "The page of this address may not connect",
        "Set QUINTET_PUBLIC_URL to this address, or name its origin in QUINTET_ALLOWED_ORIGINS.",
    ),
    "R08": Rule(
        "C",
        "Pages of any origin are let in",
        "Remove the proxy's own Access-Control headers, and * from the allowed origins.",
    ),
    "R09": Rule(
        "C", "Headers are lost on the way", "Let the proxy pass the server's headers on, and cache nothing below /v1."
    ),
    "R10": Rule(
        "C",
        "Uploads are refused on the way",
        "Raise the proxy's limit, for nginx client_max_body_size 6m;, to what QUINTET_ATTACHMENT_BYTES allows.",
    ),
    "R11": Rule(
        "C",
        "Server-sent events are held back",
        "Switch the proxy's buffering off for /v1/events, for nginx proxy_buffering off;, and compress nothing there.",
    ),
    "R12": Rule("S", "Spoken to without TLS", "Put a proxy that ends TLS in front, and give people its https address."),
    "R13": Rule("S", "The certificate ends soon", "Renew it, and see that its renewal runs."),
    "R14": Rule("S", "The clocks differ", "Keep the time of both machines by NTP; tokens are valid for minutes."),
    "R15": Rule("S", "Another version than this", "Bring server and clients to the same version."),
    "R16": Rule(
        "S",
        "The figures are open to everybody",
        "Let the proxy pass /v1, /healthz and the page only; keep /metrics inside.",
    ),
    "R17": Rule("S", "The figures tell of trouble", "Look at docs/metrics.md for what this figure means."),
    "R18": Rule(
        "S",
        "A part is away that the server can do without",
        "Look at the part that it names: until it is back, some things come seconds later, or some people wait.",
    ),
}


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing that was seen. `proof` is what was asked and what came back."""

    rule: str
    certainty: Certainty
    statement: str
    proof: str
    fix: str

    def as_json(self) -> dict[str, str]:
        """The published object."""
        return asdict(self)


def sight(number: str, statement: str, proof: str, *, sure: bool = True) -> Sight:
    """Certain where its rule can be and `sure` is true. What a server has sent is cleaned before it is shown."""
    rule = RULES[number]
    certainty: Certainty = "certain" if sure and rule.kind == "C" else "suspect"
    return Sight(number, certainty, _clean(statement), _clean(proof), rule.fix)


def _clean(words: str) -> str:
    return shorten(mask(normalise(words)), 400)
