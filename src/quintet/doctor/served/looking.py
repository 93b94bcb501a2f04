"""A look at a running server from beginning to end: each question once, and what its answer shows.

1. Without an answer to the first question there is no second.
2. Nothing is said that the server's own answer, or the want of one, does not show; the proof stands beside it.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .asking import Answer, Server
from .sights import Sight, sight

__all__ = ["Look", "Said", "look"]

Said = Callable[[str], None]
FOREIGN = "https://somebody-else.invalid"
_AUTH = '{"do":"auth","token":"not-a-token"}'
_CLOCKS = 5.0  # seconds
_CERTIFICATE = 14.0  # days
_TROUBLE = (
    (re.compile(r"^quintet_storage_scarce (1)(?:\.0)?$", re.M), 1, "the disk has no room for anything new"),
    (re.compile(r"^quintet_letters_waiting (\d+)(?:\.0)?$", re.M), 5, "letters wait for the mail server"),
    (re.compile(r"^quintet_loop_lag_worst_seconds ([\d.e+-]+)$", re.M), 0.5, "the sockets' loop stood still"),
    (re.compile(r'^quintet_store_queue\{queue="committer"\} (\d+)(?:\.0)?$', re.M), 200, "writes wait for the store"),
)
_HIDDEN = (401, 403, 404)  # what a proxy that keeps a route to itself answers
_KEPT = ("x-request-id", "x-content-type-options", "content-security-policy")


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, certain things first; what was in order, in words; what could not be asked, and why."""

    url: str
    sights: tuple[Sight, ...]
    in_order: tuple[str, ...]
    not_probed: tuple[str, ...]

    @property
    def certain(self) -> tuple[Sight, ...]:
        """What fails a build."""
        return tuple(one for one in self.sights if one.certainty == "certain")


def look(url: str, *, version: str, token: str = "", seconds: float = 10, said: Said = lambda _: None) -> Look:
    """Look at the server at `url`, which is scheme, host and port. `seconds` bounds each question; `token` is anybody's access token."""
    server = Server(url, seconds, token)
    looking = _Looking(server, version, token, said)
    looking.all()
    order = sorted(looking.sights, key=lambda one: (one.certainty != "certain", one.rule))
    return Look(url, tuple(order), tuple(looking.in_order), tuple(looking.not_probed))


class _Looking:
    def __init__(self, server: Server, version: str, token: str, said: Said) -> None:
        self.server, self.version, self.token, self.said = server, version, token, said
        self.sights: list[Sight] = []
        self.in_order: list[str] = []
        self.not_probed: list[str] = []

    def all(self) -> None:
        self.said("Asking whether it is alive")
        alive = self.server.get("/healthz")
        if not alive.status:
            self.sights.append(sight("R01", f"{self.server.origin} does not answer: {alive.why}.", str(alive)))
            return
        if alive.status != 200 or alive.data.get("status") != "ok":
            self.sights.append(sight("R02", "Something answers, and it does not say what Quintet says.", _shown(alive)))
            return
        for title, question in (
            ("ready, and every part that it needs", self._ready),
            (f"answers to the name {self.server.host}", self._name),
            ("the WebSocket's upgrade and its frames come through", self._socket),
            ("pages of its own origin may connect, others may not", self._origins),
            ("headers come through", self._headers),
            ("uploads come through", self._uploads),
            ("server-sent events come at once", self._stream),
            ("certificate and TLS", self._secured),
            ("the clocks agree", lambda: self._clock(alive)),
            ("the same version", self._version),
            ("figures", self._figures),
        ):
            self.said(f"Asking: {title}")
            left_out = len(self.not_probed)
            found = list(question())
            self.sights += found
            if not found and len(self.not_probed) == left_out:
                self.in_order.append(title)
            if any(one.rule in ("R02", "R04") for one in found):
                self.not_probed.append(
                    "everything else: as long as these requests are refused, nothing behind them can be seen"
                )
                return

    def _ready(self) -> Iterator[Sight]:
        told = self.server.get("/readyz")
        checks = told.data.get("checks")
        failing = [str(name) for name, state in checks.items() if state != "ok"] if isinstance(checks, dict) else []
        if told.status in _HIDDEN and not isinstance(checks, dict):
            self.not_probed.append(f"readiness: not to be read from here ({told}), as may be from outside")
        elif told.status != 200:
            parts = f" of: {', '.join(failing)}" if failing else ""
            yield sight("R03", f"The server is up and not ready; it speaks{parts or ' of no part'}.", _shown(told))
        elif failing:
            yield sight("R18", f"The server is ready, and does without: {', '.join(failing)}.", _shown(told))

    def _name(self) -> Iterator[Sight]:
        told = self.server.get("/v1/threads")
        if told.status == 403 and told.ours:
            yield sight("R04", f"Called by the name {self.server.host} it refuses every request.", _shown(told))
        elif not (told.status == 401 and told.ours):
            yield sight("R02", "Behind /v1 something else answers than Quintet.", _shown(told))

    def _socket(self) -> Iterator[Sight]:
        told = self.server.upgrade(frame=_AUTH)
        if told.status == 426:
            yield sight("R05", "The request for a WebSocket reached the server without its Upgrade header.", str(told))
        elif told.status != 101:
            yield sight("R05", "The request for a WebSocket was answered by something else than an upgrade.", str(told))
        elif not 4000 <= told.closed < 5000:
            words = "The WebSocket opens, and a frame that the server must answer by closing it is not answered so."
            yield sight("R06", words, str(told))

    def _origins(self) -> Iterator[Sight]:
        own, foreign = self.server.upgrade(self.server.origin), self.server.upgrade(FOREIGN)
        if own.status == 403 and own.ours and foreign.status == 403:
            yield sight("R07", f"The page at {self.server.origin} may not open a WebSocket here.", str(own))
        if foreign.status == 101:
            yield sight("R08", "A page of somebody else's may open a WebSocket here.", str(foreign))
        shared = self.server.get("/v1/threads", Origin=FOREIGN)
        allowed = shared.headers.get("access-control-allow-origin", "")
        if allowed in ("*", FOREIGN):
            words = "A page of somebody else's may read the answers."
            yield sight("R08", words, f"{shared}, Access-Control-Allow-Origin: {allowed}")

    def _headers(self) -> Iterator[Sight]:
        told = self.server.get("/v1/threads")
        lost = [name for name in _KEPT if name not in told.headers]
        if "no-store" not in told.headers.get("cache-control", ""):
            lost.append("cache-control: no-store")
        if told.ours and lost:
            yield sight("R09", f"An answer of the server arrives without {', '.join(lost)}.", str(told))

    def _uploads(self) -> Iterator[Sight]:
        told = self.server.announce("/v1/attachments")
        if told.status == 413 and not told.ours:
            yield sight("R10", "A file of 5 MB is refused before the server sees it.", _shown(told))

    def _stream(self) -> Iterator[Sight]:
        if not self.token:
            self.not_probed.append("server-sent events: set QUINTET_TOKEN to an access token")
            return
        told = self.server.stream("/v1/events?after=$")
        if told.status in (401, 403):
            self.not_probed.append(f"server-sent events: the token was not taken ({told})")
        elif not told.status or (told.status == 200 and not told.body):
            yield sight(
                "R11",
                "The first event of a stream, which the server sends at once, does not arrive in time.",
                str(told),
            )
        elif told.status != 200:
            yield sight("R11", "A stream of events does not open.", _shown(told), sure=False)

    def _secured(self) -> Iterator[Sight]:
        if not self.server.secure:
            if not _is_here(self.server.host):
                yield sight("R12", "Passwords and tokens travel in clear text to this address.", self.server.origin)
            return
        days = self.server.certificate_days()
        if days is not None and days < _CERTIFICATE:
            yield sight(
                "R13", f"The certificate of {self.server.host} is good for {days:.0f} more days.", "TLS handshake"
            )

    def _clock(self, alive: Answer) -> Iterator[Sight]:
        if alive.skew is not None and abs(alive.skew) > _CLOCKS:
            word = "ahead of" if alive.skew > 0 else "behind"
            yield sight(
                "R14",
                f"The server's clock is {abs(alive.skew):.0f} s {word} this machine's.",
                f"Date: {alive.headers['date']}",
            )

    def _version(self) -> Iterator[Sight]:
        told = self.server.get("/v1/openapi.json")
        info = told.data.get("info")
        version = str(info.get("version", "")) if isinstance(info, dict) else ""
        if version and version != self.version:
            yield sight("R15", f"The server is version {version}, this is version {self.version}.", str(told))

    def _figures(self) -> Iterator[Sight]:
        told = self.server.get("/metrics")
        text = told.body.decode("utf-8", "replace")
        if told.status != 200 or "quintet_" not in text:
            self.not_probed.append(
                f"figures: /metrics is not to be read from here ({told}), as it should be from outside"
            )
            return
        if not _is_here(self.server.host):
            yield sight("R16", "Whoever reaches this address can read the server's figures.", str(told))
        for pattern, least, words in _TROUBLE:
            found = pattern.search(text)
            if found and float(found[1]) >= least:
                yield sight("R17", f"A figure tells that {words}.", found[0])


def _shown(told: Answer) -> str:
    body = told.body[:200].decode("utf-8", "replace")
    return f"{told}: {body}" if body else str(told)


def _is_here(host: str) -> bool:
    """Loopback, by name or address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
