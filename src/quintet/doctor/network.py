"""Is there a service at an address, and does it speak its protocol? A name look-up, a connection, the first words of a handshake.

Nothing is asked of a service that could change it, no name and no password is sent. Every step has a deadline.
"""

import socket
import struct
from collections.abc import Callable
from typing import Literal, NamedTuple

__all__ = ["PORTS", "Reached", "reach"]

SECONDS = 1.5

PORTS = {
    **dict.fromkeys(("postgres", "postgresql"), 5432),
    **dict.fromkeys(("mysql", "mariadb"), 3306),
    **dict.fromkeys(("redis", "rediss", "valkey"), 6379),
    **dict.fromkeys(("amqp", "amqps"), 5672),
    **dict.fromkeys(("mongodb",), 27017),
    **dict.fromkeys(("nats",), 4222),
    **dict.fromkeys(("kafka",), 9092),
    **dict.fromkeys(("memcached",), 11211),
    **dict.fromkeys(("clickhouse",), 9000),
}
"""The services that are looked for, by the scheme of an address without its driver, with their usual ports."""

Outcome = Literal["speaks", "listens", "refused", "unresolved", "unclear"]


class Reached(NamedTuple):
    """`speaks`: the protocol answered; `listens`: something else did, or nothing within the time; `unclear`: neither yes nor no."""

    outcome: Outcome
    why: str = ""


def reach(scheme: str, host: str, port: int) -> Reached:
    """Tries an address. `scheme` may name a driver, as in `postgresql+asyncpg`."""
    kind = scheme.partition("+")[0]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        gone = error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
        return Reached("unresolved" if gone else "unclear", f"the name {host} does not resolve")
    refused = 0
    for family, type_, protocol, _, address in found[:4]:
        try:
            with socket.socket(family, type_, protocol) as line:
                line.settimeout(SECONDS)
                line.connect(address)
                return _speaks(line, kind)
        except ConnectionRefusedError:
            refused += 1
        except OSError:
            continue
    return Reached("refused", "the connection is refused") if refused else Reached("unclear", "no answer")


def _speaks(line: socket.socket, kind: str) -> Reached:
    greeting = _GREETINGS.get(kind)
    if greeting is None:
        return Reached("listens")
    sent, right = greeting
    try:
        if sent:
            line.sendall(sent)
        answer = line.recv(256)
    except OSError:
        return Reached("listens", "it says nothing")
    return Reached("speaks") if right(answer) else Reached("listens", "it speaks another protocol")


_SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)  # PostgreSQL, "SSLRequest"; answered by one letter
_GREETINGS: dict[str, tuple[bytes, Callable[[bytes], bool]]] = {
    "postgres": (_SSL_REQUEST, lambda said: said[:1] in (b"S", b"N", b"E")),
    "postgresql": (_SSL_REQUEST, lambda said: said[:1] in (b"S", b"N", b"E")),
    "redis": (b"PING\r\n", lambda said: said[:1] in (b"+", b"-")),
    "valkey": (b"PING\r\n", lambda said: said[:1] in (b"+", b"-")),
    "mysql": (b"", lambda said: len(said) > 5 and said[4] in (10, 255)),
    "mariadb": (b"", lambda said: len(said) > 5 and said[4] in (10, 255)),
    "nats": (b"", lambda said: said.startswith(b"INFO")),
    "amqp": (b"AMQP\x00\x00\x09\x01", lambda said: said[:1] == b"\x01" or said.startswith(b"AMQP")),
}
