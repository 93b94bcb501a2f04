"""How a backend is spoken to: what a mapping file says beside where the fields are."""

from collections.abc import Mapping as Keyed
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, TypeVar

import msgspec

from ..mapping import Mapping, MappingError, known, table
from .filling import names_in

__all__ = ["Call", "Connect", "Plan", "Wait"]

Kind = Literal["websocket", "sse", "socketio"]
_PATHS: Final = {"websocket": "/", "sse": "/", "socketio": "/socket.io/"}
T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """An HTTP request."""

    path: str
    method: str = "POST"
    headers: Keyed[str, Any] = field(default_factory=dict)
    query: Keyed[str, Any] = field(default_factory=dict)
    body: Any = None
    value: str = ""  # where in its answer the value stands that it was made for


@dataclass(frozen=True)
class Connect:
    """What a connection shows when it opens. `first` frames are sent at once; `ready` is a type that must come before anything else."""

    headers: Keyed[str, Any] = field(default_factory=dict)
    query: Keyed[str, Any] = field(default_factory=dict)
    auth: Any = None
    first: tuple[Any, ...] = ()
    ready: str = ""


@dataclass(frozen=True)
class Wait:
    """Seconds: how long a run may take, how long an ended run is listened to, how long a connection may take to open."""

    run: float = 30.0
    quiet: float = 1.0
    open: float = 10.0


@dataclass(frozen=True)
class Transport:
    """What carries the frames."""

    kind: Kind
    path: str | None = None
    method: str = "GET"
    subprotocols: tuple[str, ...] = ()


@dataclass(frozen=True)
class Message:
    """How a message is sent: a frame over the connection, or a request beside it, which is answered by the events or not."""

    frame: Any = None
    event: str = "message"
    text: str = "Please look something up for me: {canary}"
    path: str | None = None
    method: str = "POST"
    headers: Keyed[str, Any] = field(default_factory=dict)
    query: Keyed[str, Any] = field(default_factory=dict)
    body: Any = None

    def call(self, otherwise: str) -> Call:
        """The request."""
        return Call(self.path if self.path is not None else otherwise, self.method, self.headers, self.query, self.body)


@dataclass(frozen=True)
class Plan:
    """Everything but the fields."""

    kind: Kind
    path: str
    posted: bool  # server-sent events as the answer of the request that sends the message
    subprotocols: tuple[str, ...]
    connect: Connect
    resume: Connect | None
    users: Call | None  # makes a user; its value is the credential
    prepare: Call | None  # made once for each user, before anything is sent; its value is what {session} stands for
    send: Call | None  # a request beside the connection, or the one that is answered by the events
    frame: Any  # what is sent over the connection instead
    event: str  # the name of the Socket.IO event that carries the frame
    text: str
    wait: Wait

    @classmethod
    def of(cls, mapping: Mapping) -> "Plan":
        """The plan in a mapping's file. Raises `MappingError`: it tells too little, or something unknown."""
        told = mapping.plan
        transport = _read("transport", told, Transport)
        message = _read("send", told, Message)
        connect = _read("connect", told, Connect)
        resume = _read("resume", told, Connect) if "resume" in told else None
        posted = transport.kind == "sse" and transport.method.upper() == "POST"
        _fits(mapping, transport.kind, connect, resume)
        over = transport.kind != "sse" and message.frame is not None
        if not over and not posted and message.path is None:
            raise MappingError("[send] needs `frame` (over the connection) or `path` (a request beside it)")
        path = transport.path if transport.path is not None else _PATHS[transport.kind]
        return cls(
            kind=transport.kind,
            path=path,
            posted=posted,
            subprotocols=transport.subprotocols,
            connect=connect,
            resume=resume,
            users=_read("users", told, Call) if "users" in told else None,
            prepare=_read("prepare", told, Call) if "prepare" in told else None,
            send=None if over else message.call(path),
            frame=message.frame if over else None,
            event=message.event,
            text=message.text,
            wait=_read("wait", told, Wait),
        )

    @property
    def authenticates(self) -> bool:
        """Whether a credential is shown anywhere."""
        shown = [self.connect.headers, self.connect.query, self.connect.auth, [*self.connect.first]]
        sent = [] if self.send is None else [self.send.headers, self.send.query, self.send.body]
        return "credential" in set(names_in([*shown, *sent]))


def _read(name: str, told: Keyed[str, Any], form: type[T]) -> T:
    """A table of the file. Raises `MappingError`: it has an unknown key, or a value of another type."""
    given = table(told, name)
    known(f"[{name}]", given, [one.name for one in fields(form)])  # type: ignore[arg-type]
    try:
        return msgspec.convert(given, form, strict=name != "wait")
    except msgspec.ValidationError as fault:
        raise MappingError(f"[{name}] {fault}") from None


def _fits(mapping: Mapping, kind: Kind, connect: Connect, resume: Connect | None) -> None:
    """What is shown can be shown over this transport, and what is handed back is known."""
    for shown in (connect, resume or connect):
        if shown.auth is not None and kind != "socketio":
            raise MappingError("`auth` is of a Socket.IO connection; use `headers`, `query` or `first`")
        if shown.first and kind == "sse":
            raise MappingError("nothing can be sent `first` over a stream of events; use `headers` or `query`")
    if resume is None:
        return
    if "cursor" not in set(names_in([resume.headers, resume.query, resume.auth, [*resume.first]])):
        raise MappingError("[resume] hands back no {cursor}")
    if not mapping.offers("cursor"):
        raise MappingError("[resume] needs [frame] `cursor`: what is sent back")
