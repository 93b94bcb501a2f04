"""What each verb of a socket needs of whoever speaks. A session may everything, an API key what its scopes say."""

from quintet import protocol
from quintet.errors import QuintetError
from quintet.protocol import ClientFrame
from quintet.scope import Identity

__all__ = ["check_scopes"]

_READS = frozenset({"read"})
_WRITES = frozenset({"write"})
_NEEDED = {protocol.SendMessage: _WRITES, protocol.Cancel: _WRITES, protocol.Auth: frozenset()}


def check_scopes(frame: ClientFrame, identity: Identity) -> None:
    """Raises QuintetError `forbidden` for a verb that the identity's scopes do not hold."""
    if not _NEEDED.get(type(frame), _READS) <= identity.scopes:
        raise QuintetError("forbidden", "This API key may not do that.")
