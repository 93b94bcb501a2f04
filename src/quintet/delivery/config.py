"""What delivery is given: its limits, and the functions of the parts it does not know."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from quintet.delivery.connections import Connections
from quintet.edge.limits import AddressOf
from quintet.edge.origins import OriginPolicy
from quintet.log import Log
from quintet.protocol import FRAME_BYTES, Send
from quintet.scope import Identity, UserScope
from quintet.sources import Sources

__all__ = ["Authenticate", "Cancel", "GatewayConfig", "Parts", "StillValid", "Submit"]

Authenticate = Callable[[str], Awaitable[Identity]]
"""An access token's identity. Raises QuintetError `invalid_token`, `token_expired` or `session_revoked`."""

StillValid = Callable[[Identity], Awaitable[bool]]
"""Whether the session stands, read anew: not ended, its user not disabled."""

Submit = Callable[[UserScope, Send], Awaitable[dict[str, Any]]]
"""Stores a message and its run. Answers `message_id`, `run_id`, `thread_id`, `cursor`."""

Cancel = Callable[[UserScope, str], Awaitable[dict[str, Any]]]
"""Stops the run of this id. Answers `run_id`, `state`. Raises QuintetError `not_found`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """The limits of sockets (protocol.md, sections 4 and 6). Times in seconds, sizes in bytes; `address_of` names who calls."""

    path: str = "/v1/ws"
    frame_bytes: int = FRAME_BYTES
    head_bytes: int = 16 * 1024  # of a request, beyond it 431
    head_wait: float = 30  # until a request's head has come, also its first byte on a fresh connection
    body_wait: float = 90  # then until all of its body has: longer than an upload may take
    answer_wait: float = 60  # without a byte of an answer taken
    pipelined: int = 32  # requests of one connection that wait for the answer to another
    frames_per_second: float = 10
    burst: int = 30
    refusals: int = 30  # more of them within `refusal_window` close with 4005
    refusal_window: float = 10
    bad_frames: int = 10  # more of them within `bad_window` close with 4505
    bad_window: float = 60
    waiting_frames: int = 16  # received and not yet executed; beyond them nothing more is read
    sockets_per_user: int = 10
    unauthenticated_per_address: int = 20
    auth_timeout: float = 5
    check_timeout: float = 10  # of asking whose token it is, before the upgrade
    heartbeat: float = 25
    comment: float = 15  # of a stream of server-sent events
    silence: float = 60
    expiry_notice: float = 60
    slow_after: float = 30
    close_wait: float = 5
    retry: float = 1  # after storage could not be read
    drain_spread: float = 5
    write_bytes: int = 64 * 1024  # handed over at once; also where the transport says that it has enough
    address_of: AddressOf = field(default_factory=AddressOf)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a socket needs, the same for all sockets. Nothing in it belongs to a user."""

    log: Log
    authenticate: Authenticate
    still_valid: StillValid
    submit: Submit
    cancel: Cancel
    origins: OriginPolicy
    sources: Sources
    config: GatewayConfig
    connections: Connections
