"""A gateway in this process, on a real log, behind a real uvicorn on a free port; and clients made of bytes to speak with it.

Tokens are the real ones of `accounts`; only passwords are left out, since hashing them costs a fifth of a second each.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import uvicorn

from quintet.accounts.config import AccountsConfig
from quintet.accounts.keys.sealing import Secrets
from quintet.accounts.sessions import sessions
from quintet.accounts.sessions.identities import Identities
from quintet.accounts.sessions.sessions import Session
from quintet.chat import Submitting, cancelling
from quintet.delivery import Gateway, GatewayConfig
from quintet.edge.origins import OriginPolicy
from quintet.runs import Leased
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Tx
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connecting import Connect
from quintet.testing.sockets.connection import Refused
from quintet.testing.sockets.raw import Handshake, RawSocket
from quintet.testing.sockets.stream import EVENTS, Stream
from support.kernel import Kernel, within

__all__ = ["Stage", "User", "upgrade_request"]

_UPGRADE = (
    "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: {connection}\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)
_BIG, _PIECE = 16 * 1024 * 1024, 64 * 1024


@dataclass(frozen=True)
class User:
    """A session of a user. `run` is theirs, to append events to."""

    id: str
    session_id: str
    token: str
    run: Leased | None = None


def upgrade_request(token: str | None = None, connection: str = "Upgrade", more: str = "") -> bytes:
    """An upgrade request."""
    if token:
        more += f"Authorization: Bearer {token}\r\n"
    return _UPGRADE.format(connection=connection, more=more).encode()


async def _plain(scope: Any, receive: Any, send: Any) -> None:
    """HTTP beside the socket: answers with the path and the credential it was called with, after a while, or at length, if asked to."""
    headers = dict(scope["headers"])
    if scope["path"] == "/slow":
        await asyncio.sleep(0.3)
    if scope["path"] == "/read":
        while (await receive()).get("more_body"):
            pass
        headers = dict(scope["headers"])
    body = scope["path"].encode() + b" " + headers.get(b"authorization", b"nobody")
    pieces = {"/whole": [bytes(_BIG)], "/pieces": [bytes(_PIECE)] * (_BIG // _PIECE)}.get(scope["path"], [body])
    length = sum(map(len, pieces))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % length)]})
    for number, piece in enumerate(pieces, 1):
        await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})


class Stage:
    """Entered, it listens. Left, it has checked that nothing was left behind."""

    def __init__(self, kernel: Kernel, **limits: Any) -> None:
        self.kernel = kernel
        self.log = kernel.log
        self.sources = Sources()
        self.config = GatewayConfig(**limits)
        self.port = 0
        self.peers = Connect(LoopThread("a stage's clients"))
        self.connections: list[asyncio.StreamWriter] = []
        self.checks = 0  # how often it was asked whether a session stands
        self.before_check: Callable[[], Awaitable[None]] | None = None

    async def __aenter__(self) -> Self:
        accounts = AccountsConfig(issuer="http://localhost")
        self.identities = Identities(self.kernel.store, self.sources, Secrets("s" * 40), accounts)
        await self.identities.load()
        await self.kernel.store.write("", _add_agent)
        submit = Submitting(self.kernel.store, self.sources, default_agent="assistant")
        cancel = cancelling(self.kernel.store, self.sources)
        origins = OriginPolicy(None, (), dev=True)
        self.gateway = Gateway(
            self.log,
            self.identities.authenticate,
            self._still_valid,
            submit,
            cancel,
            origins,
            self.sources,
            self.config,
        )
        plug = socket.socket()
        plug.bind(("127.0.0.1", 0))
        self.port = plug.getsockname()[1]
        config = uvicorn.Config(
            _plain,
            http=self.gateway.http_class(),
            ws=self.gateway.protocol_class(),
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,
        )
        self.server = uvicorn.Server(config)
        self.server.capture_signals = _no_signals  # type: ignore[method-assign]
        self._serving = asyncio.create_task(self.server.serve([plug]))
        while not self.server.started:
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self.connections:
            writer.transport.abort()
        await asyncio.to_thread(self.peers.end)
        await asyncio.to_thread(self.peers.loop.close)
        await within(self.gateway.drain())
        self.server.should_exit = True
        await within(self._serving)
        if error is None:
            self.left_nothing()

    def left_nothing(self) -> None:
        """No socket counted, no follower registered, no task alive that was made for a socket."""
        counts = self.gateway.snapshot()
        assert (counts["sockets"], counts["users"], counts["unauthenticated"]) == (0, 0, 0), counts
        assert not self.log._streams, f"followers are left: {self.log._streams}"
        left = [task for task in asyncio.all_tasks() if "delivery" in repr(task.get_coro())]
        assert not left, f"tasks are left: {left}"

    async def _still_valid(self, identity: Identity) -> bool:
        self.checks += 1
        if self.before_check is not None:
            await self.before_check()
        return await self.identities.still_valid(identity)

    # --- who and what -------------------------------------------------------------------------------------------------

    async def user(self) -> User:
        """A user with a session and a run that is going on; their log holds two events."""
        user_id = await self.kernel.user()
        run = await self.kernel.running(user_id)
        return replace(await self.sign_in(user_id), run=run)

    async def sign_in(self, user_id: str) -> User:
        """Another session."""
        session_id = self.sources.new_id("ses")
        now = self.sources.now_ms()
        session = Session(user_id, session_id, None, now, now + 3_600_000)
        await within(self.kernel.store.write(user_id, lambda tx: sessions.start(tx, session, 20)))
        return User(user_id, session_id, self.token(user_id, session_id))

    def token(self, user_id: str, session_id: str) -> str:
        """An access token, valid from now."""
        return self.identities.issue(user_id, session_id, self.sources.new_id("tok"), self.sources.now_ms() // 1000)

    async def sign_out(self, user: User) -> None:
        """End the user's session."""
        now = self.sources.now_ms()
        await within(
            self.kernel.store.write(user.id, lambda tx: sessions.end(tx, user.id, user.session_id, "logout", now))
        )

    async def emit(self, user: User, count: int = 1, text: str = "a thought") -> None:
        """Append `count` events to the user's log, as one commit."""
        assert user.run is not None
        await self.kernel.append(user.run, *(self.kernel.thought(user.run, text, n + 1) for n in range(count)))

    # --- clients ------------------------------------------------------------------------------------------------------

    async def ask(self, token: str | None = None, **options: Any) -> tuple[Handshake, RawSocket]:
        """Ask for the upgrade; returns the answer's head and the connection."""
        raw = await self.peers.raw(self, token=token, **options)
        return raw.handshake, raw

    async def refused(self, token: str | None = None, **options: Any) -> Handshake:
        """Ask for an upgrade that must be answered over HTTP, and see the connection closed."""
        told, raw = await self.ask(token, **options)
        assert told.status != 101, told
        assert told.headers["connection"] == "close"
        await raw.ended(5)
        return told

    async def open(self, user: User | None, **options: Any) -> RawSocket:
        """A socket of this user, which has read `ready`."""
        told, raw = await self.ask(user.token if user else None, **options)
        assert told.status == 101, raw.shown(f"the upgrade was answered {told}")
        if user is not None:
            await raw.until("ready")
        return raw

    async def following(self, user: User, after: str = "$", **options: Any) -> RawSocket:
        """A socket that follows and has caught up."""
        raw = await self.open(user, **options)
        await raw.say({"id": "f", "do": "follow", "after": after})
        await raw.until("caught_up")
        return raw

    async def sip(self, asked: bytes, seconds: float) -> int:
        """Ask, then read 6 KB a second through a small window, with no reading ahead; how many bytes came. Raises `ConnectionError`: cut."""

        def sip() -> int:
            taken, until = 0, time.monotonic() + seconds
            with socket.socket() as plug:
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                plug.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536
                )  # as on a network; loopback's fill no such window
                plug.settimeout(5)
                plug.connect(("127.0.0.1", self.port))
                plug.sendall(asked)
                while time.monotonic() < until:
                    data = plug.recv(300)
                    if not data:
                        raise ConnectionError("the server has ended the connection")
                    taken += len(data)
                    time.sleep(0.05)
            return taken

        return await asyncio.to_thread(sip)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that has said nothing yet."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.connections.append(writer)
        return reader, writer

    async def stream(self, user: User, query: str = "", **options: Any) -> Stream:
        """A stream of this user's events."""
        return await self.peers.stream(self, EVENTS + query, token=user.token, **options)

    async def stream_refused(self, user: User, query: str = "", **options: Any) -> Refused:
        """A stream that must be refused."""
        return await self.peers.stream_refused(self, EVENTS + query, token=user.token, **options)

    def log_size(self) -> int:
        """What the server counted is told as its log: in full, and always anew."""
        return 0

    def logged(self, since: int = 0) -> str:
        """What the server counted, for a failure's message."""
        return str(self.gateway.snapshot())


def _no_signals() -> Any:
    import contextlib

    return contextlib.nullcontext()


def _add_agent(tx: Tx) -> None:
    tx.sql(
        "INSERT INTO agents (worker_id, name, description) VALUES ('w1', 'assistant', 'answers') ON CONFLICT DO NOTHING"
    )
