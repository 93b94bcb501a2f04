"""Which server a command speaks to, as whom, and what is said when that fails: one line that ends with what to do."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import NamedTuple

from quintet.client import (
    Address,
    Client,
    ClientError,
    ClosedError,
    RefusedError,
    Session,
    SignedOutError,
    UnreachableError,
    connect,
    parse_address,
)

from .keeping import SignIn, usual_url
from .saying import say

__all__ = ["TOKEN", "Reach", "close_quietly", "reported"]

TOKEN = "QUINTET_TOKEN"  # noqa: S105 - the name of the variable
_CLOSED = {
    4503: "This is not allowed.",
    4504: "This user has as many connections open as a user may have. Close one and try again.",
    4506: "The server does not speak this version. Bring client and server to the same version.",
}


class Reach(NamedTuple):
    """A server, and this terminal's sign-in there."""

    address: Address
    sign_in: SignIn

    @classmethod
    def to(cls, url: str | None) -> "Reach":
        """The server at `url`; without one, where this terminal signed in last. Raises ValueError."""
        address = parse_address(url if url is not None else usual_url())
        return cls(address, SignIn(address.url))

    def client(self, patience: float) -> Client:
        """A client of who is signed in. Raises `SignedOutError` where nobody is."""
        token = os.environ.get(TOKEN, "").strip()
        if token:
            return connect(self.address.url, token=token, patience=patience)
        if self.sign_in.read() is None:
            raise SignedOutError("unauthenticated", f"Not signed in at {self.address.url}.")
        return connect(self.address.url, session=Session(keeping=self.sign_in), patience=patience)

    def line(self, fault: ClientError) -> str:
        """A failure in one line."""
        if isinstance(fault, SignedOutError):
            return self._signed_out(fault)
        if isinstance(fault, UnreachableError):
            return f"{_sentence(str(fault))} {self._start()}"
        if isinstance(fault, ClosedError):
            return _CLOSED.get(fault.number, _sentence(str(fault)))
        if isinstance(fault, RefusedError):
            wait = f" Try again in {fault.retry_after} s." if fault.retry_after else ""
            return fault.message + wait
        return _sentence(str(fault))

    def command(self, name: str) -> str:
        """How to type a command for this server."""
        return name if self.address.url == usual_url() else f"{name} --url {self.address.url}"

    def _signed_out(self, fault: SignedOutError) -> str:
        if os.environ.get(TOKEN, "").strip():
            return f"{self.address.url} does not take {TOKEN}: {fault.message} Set a new one, or unset it and sign in."
        login = self.command("quintet login")
        if fault.code == "unauthenticated":
            return f"Not signed in at {self.address.url}. Sign in with: {login} (a new account: {login} --register)"
        return f"{fault.message.replace(' Sign in again.', '')} Sign in again with: {login}"

    def _start(self) -> str:
        if self.address.direct:
            return "Is it running? Start one with: quintet serve --dev"
        return "Check the address and the network."


def reported(url: str | None, work: Callable[[Reach], int]) -> int:
    """Does the work at a server and gives the exit code of the process."""
    try:
        reach = Reach.to(url)
    except ValueError as fault:
        say(str(fault))
        return 2
    try:
        return work(reach)
    except ClientError as fault:
        say(reach.line(fault))
        return 1
    except (KeyboardInterrupt, EOFError):
        say("")
        return 1
    except BrokenPipeError:  # who read the output has left; nobody has seen the end
        close_quietly()
        return 1


def close_quietly() -> None:
    """The interpreter flushes standard output once more at its end, and would complain that nobody reads it."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sentence(text: str) -> str:
    shown = text if text.startswith(("http://", "https://")) else text[:1].upper() + text[1:]
    return shown if shown.endswith((".", "?", "!")) else f"{shown}."
