"""Who may come in by which door: a person, a program with scopes, a service with a grant; each refusal with its own code."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import Request

from quintet.edge.identity import identity_of, person_or_service_of, service_of, speaker_of
from quintet.errors import QuintetError
from quintet.scope import Identity, Service

pytestmark = pytest.mark.l1

PEOPLE = {
    "alice": Identity("usr_a", "ses_a", 9),
    "reader": Identity("usr_a", "key_r", 9, kind="key", scopes=frozenset({"read"})),
    "writer": Identity("usr_a", "key_w", 9, kind="key", scopes=frozenset({"write"})),
    "foreign": Identity("usr_f", "iss_f", 9, kind="issuer"),
}
SERVICES = {
    "granted": Service("svc_g", frozenset({"metrics:read", "other"}), 9),
    "other": Service("svc_o", frozenset({"other"}), 9),
}


async def authenticate(token: str) -> Identity:
    """Whom a token speaks for, as the accounts do."""
    if token == "old":
        raise QuintetError("token_expired")
    if token not in PEOPLE:
        raise QuintetError("invalid_token")
    return PEOPLE[token]


async def of_service(token: str) -> Service:
    """Which service a token is of."""
    if token not in SERVICES:
        raise QuintetError("invalid_token")
    return SERVICES[token]


DOORS: dict[str, Callable[[Request], Awaitable[Any]]] = {
    "person": identity_of(authenticate),
    "speaker": speaker_of(authenticate),
    "service": service_of(of_service, "metrics:read"),
    "either": person_or_service_of(authenticate, of_service, "metrics:read"),
}


@pytest.mark.parametrize(
    ("door", "method", "token", "answer"),
    [
        ("person", "GET", "alice", "usr_a"),
        ("person", "GET", "reader", "forbidden"),
        ("person", "GET", "foreign", "forbidden"),
        ("person", "GET", "granted", "invalid_token"),
        ("person", "GET", None, "unauthenticated"),
        ("speaker", "GET", "reader", "usr_a"),
        ("speaker", "HEAD", "reader", "usr_a"),
        ("speaker", "POST", "reader", "forbidden"),
        ("speaker", "DELETE", "reader", "forbidden"),
        ("speaker", "GET", "writer", "forbidden"),
        ("speaker", "PUT", "writer", "usr_a"),
        ("speaker", "POST", "foreign", "usr_f"),
        ("speaker", "GET", "old", "token_expired"),
        ("service", "GET", "granted", "svc_g"),
        ("service", "GET", "other", "forbidden"),
        ("service", "GET", "alice", "invalid_token"),
        ("either", "GET", "alice", "usr_a"),
        ("either", "GET", "granted", "svc_g"),
        ("either", "GET", "other", "forbidden"),
        ("either", "GET", "reader", "forbidden"),
        ("either", "GET", "old", "token_expired"),
        ("either", "GET", "nobody", "invalid_token"),
        ("either", "GET", None, "unauthenticated"),
    ],
)
async def test_each_door_lets_in_whom_it_is_for(door: str, method: str, token: str | None, answer: str) -> None:
    """A route gets what it asked for and nothing else: sessions alone, programs as far as their scopes, services with the grant."""
    headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    try:
        who = await DOORS[door](Request({"type": "http", "method": method, "headers": headers}))
    except QuintetError as refusal:
        assert refusal.code == answer
    else:
        assert answer == (who.client_id if isinstance(who, Service) else who.user_id)
