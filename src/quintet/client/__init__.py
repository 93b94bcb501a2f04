"""A Python client that keeps the client rule: each event once and in order, over cuts, restarts and renewals.

    async with connect("http://localhost:8750", token=…) as client:
        async for event in client.run("Hello"):
            …

What is documented as raised is a `ClientError`.
"""

from quintet.client.address import DEFAULT_URL, Address, parse_address
from quintet.client.client import Client, connect
from quintet.client.faults import (
    ClientError,
    ClosedError,
    RefusedError,
    SignedOutError,
    UnansweredError,
    UnfinishedError,
    UnreachableError,
    WireError,
)
from quintet.client.http import Http
from quintet.client.items import CaughtUp, Received, Resynced, Sent
from quintet.client.run import Run
from quintet.client.session import Access, Grant, Keeping, Session
from quintet.events import Event

__all__ = [
    "DEFAULT_URL",
    "Access",
    "Address",
    "CaughtUp",
    "Client",
    "ClientError",
    "ClosedError",
    "Event",
    "Grant",
    "Http",
    "Keeping",
    "Received",
    "RefusedError",
    "Resynced",
    "Run",
    "Sent",
    "Session",
    "SignedOutError",
    "UnansweredError",
    "UnfinishedError",
    "UnreachableError",
    "WireError",
    "connect",
    "parse_address",
]
