"""Waiting for evidence that a service is ready. The error says who waited for what, what was seen last, and the service's last words."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from quintet.testing.config import Ready
from quintet.testing.services.handle import ServiceError

__all__ = ["Evidence", "accepts", "await_all", "evidence_of", "status"]

_PROBE_SECONDS = 5.0  # a single question to the service
_PAUSE_SECONDS = (0.005, 0.05)  # between two looks: short at first
_CLOSE = "Connection: close\r\n"
_UPGRADE = "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\n"


class Starting(Protocol):
    """What is being started."""

    name: str
    host: str
    port: int

    @property
    def alive(self) -> bool:
        """Whether its process runs."""

    @property
    def exit_code(self) -> int | None:
        """How it ended."""

    def look(self, seconds: float) -> None:
        """Wait so long for news of the process."""

    def logged(self, since: int = 0) -> str:
        """Its log from a position."""

    def tail(self, lines: int = 60) -> str:
        """Its last words."""


@dataclass(frozen=True)
class Evidence:
    """Something to wait for: in words, and a look that returns "" when it holds, or what was seen instead."""

    words: str
    look: Callable[[float], str]  # given the seconds that it may take


def status(host: str, port: int, path: str, headers: str = _CLOSE, seconds: float = _PROBE_SECONDS) -> int:
    """The HTTP status of a plain GET. Raises `OSError` while nobody answers."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\n{headers}\r\n"
    with socket.create_connection((host, port), seconds) as plug:
        plug.sendall(request.encode())
        line = b""
        while b"\r\n" not in line and len(line) < 4096 and (piece := plug.recv(1024)):
            line += piece
    words = line.split(None, 2)
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionError("closed without an answer" if not line else "something that is not HTTP")
    return int(words[1])


def accepts(host: str, port: int) -> Evidence:
    """A connection is accepted."""

    def look(seconds: float) -> str:
        with socket.create_connection((host, port), seconds):
            return ""

    return Evidence(f"{host}:{port} to accept a connection", look)


def answers(host: str, port: int, path: str, *, websocket: bool = False) -> Evidence:
    """A path answers 2xx or 3xx; or a WebSocket handshake there is accepted."""

    def look(seconds: float) -> str:
        seen = status(host, port, path, _UPGRADE if websocket else _CLOSE, seconds)
        return "" if (seen == 101 if websocket else 200 <= seen < 400) else f"status {seen}"

    what = (
        f"ws://{host}:{port}{path} to accept a socket"
        if websocket
        else f"GET http://{host}:{port}{path} to answer 2xx or 3xx"
    )
    return Evidence(what, look)


def evidence_of(ready: Ready, who: Starting, since: int) -> Iterator[Evidence]:
    """What a service's table asks for; with nothing asked, an accepted connection where it has a port."""
    if ready.log:
        yield Evidence(f"{ready.log!r} in its log", lambda _: "" if ready.log in who.logged(since) else "not there")
    if ready.http:
        yield answers(who.host, who.port, ready.http)
    if ready.socket:
        yield answers(who.host, who.port, ready.socket, websocket=True)
    if who.port and not (ready.log or ready.http or ready.socket):
        yield accepts(who.host, who.port)


def await_all(who: Starting, wanted: Iterator[Evidence], within: float) -> None:
    """Waits for each in turn, all of it within a number of seconds. Raises `ServiceError`."""
    until = time.monotonic() + within
    for evidence in wanted:
        _await(who, evidence, until, within)
    if not who.alive:
        raise _ended(who, "it to stay up")


def _await(who: Starting, evidence: Evidence, until: float, within: float) -> None:
    pause, most = _PAUSE_SECONDS
    seen = "nothing"
    answer = ""  # what it last said itself: more than that the last moment was too short for another look
    while True:
        left = until - time.monotonic()
        given = max(0.01, min(left, _PROBE_SECONDS))
        try:
            seen = answer = evidence.look(given)
        except TimeoutError as fault:
            seen = f"{answer}, then nothing for {given:.2g} s" if answer else str(fault)
        except OSError as fault:
            seen = str(fault) or type(fault).__name__
        if not seen:
            return
        if not who.alive:
            raise _ended(who, evidence.words)
        if left <= 0:
            raise ServiceError(
                f"starting {who.name}: waited {within:g} s for {evidence.words}; last seen: {seen}\n{who.tail()}"
            )
        who.look(min(pause, max(left, 0)))
        pause = min(pause * 1.5, most)


def _ended(who: Starting, words: str) -> ServiceError:
    return ServiceError(
        f"starting {who.name}: it ended with exit code {who.exit_code} while the test run waited for {words}\n{who.tail()}"
    )
