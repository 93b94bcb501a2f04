"""The head of an HTTP message, and the credential in it: found, and put in the place of another."""

import base64
import json
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode, urlsplit

__all__ = ["TOKEN_KEYS", "Head", "Shown", "bare", "person", "shown_in", "with_token"]

TOKEN_KEYS = ("token", "access_token", "jwt", "auth", "authorization", "api_key")
CURSOR_KEYS = ("after", "since", "cursor", "last_event_id", "lasteventid", "from")


@dataclass(frozen=True)
class Head:
    """First line and fields, in order and as they were written."""

    first: str
    fields: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: bytes) -> "Head":
        """From the bytes up to the blank line."""
        first, *others = text.decode("latin-1").strip("\r\n").split("\r\n")
        pairs = (line.partition(":") for line in others)
        return cls(first, tuple((name, value.strip()) for name, _, value in pairs))

    def bytes(self) -> bytes:
        """As it is sent."""
        return "\r\n".join([self.first, *(f"{name}: {value}" for name, value in self.fields), "", ""]).encode("latin-1")

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.fields if key.lower() == name.lower()), "")

    def set(self, name: str, value: str | None) -> "Head":
        """With this field once, or without it."""
        kept = tuple((key, old) for key, old in self.fields if key.lower() != name.lower())
        return replace(self, fields=kept if value is None else (*kept, (name, value)))

    @property
    def method(self) -> str:
        """Of a request."""
        return self.first.split(" ", 1)[0]

    @property
    def status(self) -> int:
        """Of an answer; 0 where it is none."""
        words = self.first.split(" ", 2)
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

    @property
    def target(self) -> str:
        """What is asked for: path and query."""
        words = self.first.split(" ")
        return words[1] if len(words) > 2 else ""

    @property
    def upgrade(self) -> bool:
        """Whether it asks for a WebSocket."""
        return self["upgrade"].lower() == "websocket"

    def query(self) -> list[tuple[str, str]]:
        """The query's fields."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def with_query(self, pairs: list[tuple[str, str]]) -> "Head":
        """With another query."""
        method, target, version = self.first.split(" ", 2)
        path = target.partition("?")[0]
        return replace(self, first=f"{method} {path}{'?' if pairs else ''}{urlencode(pairs)} {version}")


@dataclass(frozen=True)
class Shown:
    """A credential and where it was shown: a `header`, a `subprotocol`, a field of the `query`, a key of a `frame`."""

    where: str
    name: str
    value: str


def shown_in(head: Head) -> Shown | None:
    """The credential of a request."""
    if value := head["authorization"]:
        return Shown("header", "Authorization", value)
    for offered in (part.strip() for part in head["sec-websocket-protocol"].split(",")):
        if offered.startswith("bearer.") or offered.count(".") == 2 or len(offered) >= 32:
            return Shown("subprotocol", "bearer." if offered.startswith("bearer.") else "", offered)
    for name, value in head.query():
        if name.lower() in TOKEN_KEYS and value:
            return Shown("query", name, value)
    return Shown("header", "Cookie", head["cookie"]) if head["cookie"] else None


def bare(shown: Shown) -> str:
    """The token alone."""
    if shown.name == "Authorization":
        return shown.value.partition(" ")[2] or shown.value
    if shown.name == "bearer.":
        text = shown.value.removeprefix("bearer.")
        try:
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        except ValueError:
            return text
    return shown.value


def with_token(head: Head, good: Shown) -> Head:
    """The request with a good credential where a bad one is, or where one belongs."""
    bad, token = shown_in(head), bare(good)
    if good.name == "Cookie":
        return head.set("Cookie", good.value)
    if bad is None or bad.name in {"Authorization", "Cookie"}:
        return head.set("Authorization", f"Bearer {token}")
    if bad.where == "query":
        return head.with_query([(name, token if name == bad.name else value) for name, value in head.query()])
    said = "bearer." + base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode() if bad.name else token
    offers = [part.strip() for part in head["sec-websocket-protocol"].split(",")]
    return head.set("Sec-WebSocket-Protocol", ", ".join(said if part == bad.value else part for part in offers))


def person(shown: Shown | None) -> str:
    """Whose credential it is: the subject of a JWT, else the credential itself, for another device is no other user."""
    if shown is None:
        return ""
    token = bare(shown)
    parts = token.split(".")
    if len(parts) == 3:
        try:
            told = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            return str(told["sub"])
        except (ValueError, KeyError, TypeError):
            pass
    return token
