"""How a backend is spoken to: what a mapping file says beside where the fields are."""

from collections.abc import Mapping as Keyed
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ..mapping import Mapping, MappingError, known
from .filling import names_in

__all__ = ["Call", "Connect", "Plan", "Wait"]

Kind = Literal["websocket", "sse", "socketio"]
_KINDS: Final = ("websocket", "sse", "socketio")
_TEXT: Final = "Please look something up for me: {canary}"


@dataclass(frozen=True)
class Call:
    """An HTTP request."""

    path: str
    method: str = "POST"
    headers: Keyed[str, Any] = field(default_factory=dict)
    query: Keyed[str, Any] = field(default_factory=dict)
    body: Any = None
    value: str = ""  # where in its answer the value stands that it was made for

    @classmethod
    def of(cls, what: str, told: Keyed[str, Any]) -> "Call":
        """From a table of the file."""
        known(what, told, ("path", "method", "headers", "query", "body", "value"))
        if not isinstance(told.get("path"), str):
            raise MappingError(f"{what} needs `path`")
        return cls(**told)


@dataclass(frozen=True)
class Connect:
    """What a connection shows when it opens. `first` frames are sent at once; `ready` is a type that must come before anything else."""

    headers: Keyed[str, Any] = field(default_factory=dict)
    query: Keyed[str, Any] = field(default_factory=dict)
    auth: Any = None
    first: tuple[Any, ...] = ()
    ready: str = ""

    @classmethod
    def of(cls, what: str, told: Keyed[str, Any]) -> "Connect":
        """From a table of the file."""
        known(what, told, ("headers", "query", "auth", "first", "ready"))
        first = told.get("first", [])
        if not isinstance(first, list):
            raise MappingError(f"{what} first: a list of frames is expected")
        return cls(
            told.get("headers", {}), told.get("query", {}), told.get("auth"), tuple(first), told.get("ready", "")
        )


@dataclass(frozen=True)
class Wait:
    """Seconds: how long a run may take, how long an ended run is listened to, how long a connection may take to open."""

    run: float = 30.0
    quiet: float = 1.0
    open: float = 10.0


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
        transport = _table(told, "transport")
        known("[transport]", transport, ("kind", "path", "method", "subprotocols"))
        kind = transport.get("kind")
        if kind not in _KINDS:
            raise MappingError(f"[transport] kind: one of {', '.join(_KINDS)} is expected, not {kind!r}")
        posted = kind == "sse" and str(transport.get("method", "GET")).upper() == "POST"
        send = _table(told, "send")
        frame, call = _sent(send, kind, posted, str(transport.get("path", "/")))
        wait = _table(told, "wait")
        known("[wait]", wait, ("run", "quiet", "open"))
        resume = Connect.of("[resume]", _table(told, "resume")) if "resume" in told else None
        if resume is not None and "cursor" not in set(
            names_in([resume.headers, resume.query, resume.auth, [*resume.first]])
        ):
            raise MappingError("[resume] hands back no {cursor}")
        if resume is not None and not mapping.offers("cursor"):
            raise MappingError("[resume] needs [frame] `cursor`: what is sent back")
        return cls(
            kind=kind,
            path=str(transport.get("path", "/socket.io/" if kind == "socketio" else "/")),
            posted=posted,
            subprotocols=tuple(transport.get("subprotocols", ())),
            connect=Connect.of("[connect]", _table(told, "connect")),
            resume=resume,
            users=Call.of("[users]", _table(told, "users")) if "users" in told else None,
            prepare=Call.of("[prepare]", _table(told, "prepare")) if "prepare" in told else None,
            send=call,
            frame=frame,
            event=str(send.get("event", "message")),
            text=str(send.get("text", _TEXT)),
            wait=Wait(**{key: float(value) for key, value in wait.items()}),
        )

    @property
    def authenticates(self) -> bool:
        """Whether a credential is shown anywhere."""
        shown = [self.connect.headers, self.connect.query, self.connect.auth, [*self.connect.first]]
        sent = [] if self.send is None else [self.send.headers, self.send.query, self.send.body]
        return "credential" in set(names_in([*shown, *sent]))


def _table(told: Keyed[str, Any], name: str) -> dict[str, Any]:
    value = told.get(name, {})
    if not isinstance(value, dict):
        raise MappingError(f"[{name}] is a table")
    return value


def _sent(send: Keyed[str, Any], kind: str, posted: bool, path: str) -> tuple[Any, Call | None]:
    """The frame, or the request, by which a message is sent."""
    known("[send]", send, ("frame", "event", "text", "path", "method", "headers", "query", "body"))
    call = {key: send[key] for key in ("path", "method", "headers", "query", "body") if key in send}
    if posted:
        return None, Call.of("[send]", {"path": path, **call})
    if kind != "sse" and "frame" in send:
        return send["frame"], None
    if "path" in call:
        return None, Call.of("[send]", call)
    raise MappingError("[send] needs `frame` (over the connection) or `path` (a request beside it)")
