"""The test kit: real services for the tests of any server, without Docker, and checks that mean something.

Nothing here needs the server's dependencies. Fixtures come by themselves; the names here are for annotations and for tests that make
things of their own: `from quintet.testing import Database, QuintetServer`. They are loaded when asked for, so that the plugin loads fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quintet.testing.accounts.account import Account
    from quintet.testing.accounts.factory import UserFactory
    from quintet.testing.contracts import ContractViolation, Mapping, Story
    from quintet.testing.faults import Faults
    from quintet.testing.mail.mailbox import Mailbox
    from quintet.testing.services.handle import Running, ServiceError
    from quintet.testing.services.postgres.databases import Database
    from quintet.testing.services.quintet import QuintetServer
    from quintet.testing.services.running import Services
    from quintet.testing.sockets.connecting import Connect, ConnectNow
    from quintet.testing.sockets.connection import Connection

__all__ = [
    "Account",
    "Connect",
    "ConnectNow",
    "Connection",
    "ContractViolation",
    "Database",
    "Faults",
    "Mailbox",
    "Mapping",
    "QuintetServer",
    "Running",
    "ServiceError",
    "Services",
    "Story",
    "UserFactory",
]

_HOMES = {
    "Account": "accounts.account",
    "Connect": "sockets.connecting",
    "ConnectNow": "sockets.connecting",
    "Connection": "sockets.connection",
    "ContractViolation": "contracts",
    "Database": "services.postgres.databases",
    "Faults": "faults",
    "Mailbox": "mail.mailbox",
    "Mapping": "contracts",
    "QuintetServer": "services.quintet",
    "Running": "services.handle",
    "ServiceError": "services.handle",
    "Services": "services.running",
    "Story": "contracts",
    "UserFactory": "accounts.factory",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'quintet.testing' has no attribute {name!r}")
    return getattr(import_module(f"quintet.testing.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
