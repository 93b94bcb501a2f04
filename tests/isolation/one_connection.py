"""Two users behind one proxy: their requests take turns on one TCP connection, large bodies among them, and at last it is upgraded."""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from quintet.testing.accounts.account import Account, register
from quintet.testing.targets import Target
from quintet.testing.wire.frames import TEXT, Scanner, frame_bytes

__all__ = ["Line", "check_one_connection"]

WITHIN = 20.0  # seconds for each answer
LARGE = 3_000_000  # bytes: far more than any server reads at once
_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "quintet.v1",
}


class Answer(NamedTuple):
    """An answer as it came, heads included."""

    status: int
    head: bytes
    body: bytes

    @property
    def told(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)


class Line:
    """One TCP connection on which anybody's request may be sent, one behind the other."""

    def __init__(self, server: Any) -> None:
        self._target = Target.of(server)
        self._scanner = Scanner()

    async def __aenter__(self) -> Self:
        host, port = self._target.url.removeprefix("http://").rstrip("/").split(":")
        self._host = f"{host}:{port}"
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    def ask(
        self,
        account: Account,
        verb: str,
        path: str,
        body: bytes = b"",
        kind: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Put a request on the line; its answer comes in its turn."""
        heads = {"Host": self._host, "Authorization": f"Bearer {account.access_token}", **(fields or {})}
        if body:
            heads |= {"Content-Length": str(len(body)), "Content-Type": kind}
        lines = "".join(f"{name}: {value}\r\n" for name, value in heads.items())
        self._writer.write(f"{verb} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)

    def upload(self, account: Account, text: bytes) -> None:
        """Three megabytes of a user, as a file."""
        head = (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
        )
        content = text * (LARGE // len(text))
        self.ask(
            account, "POST", "/v1/attachments", head + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
        )

    async def answer(self) -> Answer:
        """The next answer on the line."""
        async with asyncio.timeout(WITHIN):
            await self._writer.drain()
            head = await self._reader.readuntil(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if ": " in line)
            body = await self._reader.readexactly(int(fields.get("content-length", "0")))
        return Answer(int(head.split(b" ", 2)[1]), head, body)

    async def upgrade(self, account: Account) -> None:
        """From here on it is a socket of this user's."""
        self.ask(account, "GET", "/v1/ws", fields=_UPGRADE)
        answer = await self.answer()
        assert answer.status == 101, f"the upgrade was answered {answer.head!r}"

    def say(self, **frame: Any) -> None:
        """A frame on the socket."""
        self._writer.write(frame_bytes(TEXT, json.dumps(frame).encode()))

    async def until(self, word: bytes) -> list[bytes]:
        """The frames up to one that holds `word`."""
        found: list[bytes] = []
        async with asyncio.timeout(WITHIN):
            while not any(word in payload for payload in found):
                data = await self._reader.read(65_536)
                assert data, f"the line has ended; {word!r} was due after {found}"
                found += [frame.payload for frame in self._scanner.feed(data)]
        return found


async def check_one_connection(server: Any, *, rounds: int = 4) -> None:
    """A's three megabytes, B's request, again and again and also without waiting for the answers; then B's upgrade: B sees only B."""
    alice, bob = await asyncio.gather(*(asyncio.to_thread(register, server) for _ in range(2)))
    words = {account.id: f"canary{secrets.token_hex(8)}" for account in (alice, bob)}
    for account in (alice, bob):
        async with account.http as http:
            assert (await http.patch("/v1/auth/me", json={"name": words[account.id]})).status_code == 200
            sent = {"client_id": "one", "text": words[account.id], "agent": "echo"}
            thread = (await http.post("/v1/threads", json={"title": words[account.id]})).json()["id"]
            assert (await http.post(f"/v1/threads/{thread}/messages", json=sent)).status_code == 202
    async with Line(server) as line:
        for place in range(rounds):
            await _turns(line, alice, bob, words, waits=place % 2 == 0)
        line.upload(alice, words[alice.id].encode())
        assert (await line.answer()).status == 201
        await _as_a_socket(line, bob, words[alice.id], words[bob.id])


async def _turns(line: Line, alice: Account, bob: Account, words: dict[str, str], *, waits: bool) -> None:
    """Both ask on one line; `waits`: one after the other, otherwise before the first answer has come."""
    asked: list[tuple[Account, str]] = []
    for account, other in ((alice, bob), (bob, alice)):
        line.upload(account, words[account.id].encode())
        asked.append((account, "upload"))
        for path in ("/v1/auth/me", "/v1/threads", "/v1/snapshot"):
            line.ask(other, "GET", path)
            asked.append((other, path))
        if waits:
            await _judge(line, asked, words)
            asked = []
    await _judge(line, asked, words)


async def _judge(line: Line, asked: Sequence[tuple[Account, str]], words: dict[str, str]) -> None:
    for account, path in asked:
        answer = await line.answer()
        own = words[account.id]
        (foreign,) = (word for word in words.values() if word != own)
        assert foreign.encode() not in answer.head + answer.body, f"{path} of one user was answered with another's"
        if path == "upload":
            assert answer.status == 201, f"{answer.status} {answer.body!r}"
        else:
            assert answer.status == 200, f"{path}: {answer.status} {answer.body!r}"
            assert own.encode() in answer.body, f"{path} lacks the user's own: {answer.body!r}"


async def _as_a_socket(line: Line, bob: Account, foreign: str, own: str) -> None:
    await line.upgrade(bob)
    line.say(id="f", do="follow", after="0")
    told = await line.until(b'"caught_up"')
    ready = json.loads(next(payload for payload in told if b'"ready"' in payload))
    assert ready["user_id"] == bob.id, f"the socket of one user speaks for {ready['user_id']}"
    line.say(id="s", do="send", client_id="two", text=f"again {own}", agent="echo")
    told += await line.until(b'"run_seq":1,')
    assert any(own.encode() in payload for payload in told), "the user's own is missing"
    assert not any(foreign.encode() in payload for payload in told), "a frame holds what is another user's"
