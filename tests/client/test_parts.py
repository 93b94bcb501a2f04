"""Addresses, waits, and what the package imports."""

import subprocess
import sys

import pytest

from quintet.client import RefusedError, SignedOutError, connect, parse_address
from quintet.client.faults import LineLostError
from quintet.client.waiting import Backoff

pytestmark = pytest.mark.l1


@pytest.mark.parametrize(
    ("text", "socket", "direct"),
    [
        ("http://localhost:8750", "ws://localhost:8750/v1/ws", True),
        ("https://chat.example.com/", "wss://chat.example.com/v1/ws", False),
        ("https://example.com/below", "wss://example.com/below/v1/ws", False),
        ("http://[::1]:9", "ws://[::1]:9/v1/ws", True),
        ("http://127.0.0.1:9", "ws://127.0.0.1:9/v1/ws", True),
        ("http://chat.localhost:9", "ws://chat.localhost:9/v1/ws", True),
        ("https://notlocalhost", "wss://notlocalhost/v1/ws", False),
    ],
)
def test_an_address_serves_http_and_the_socket(text: str, socket: str, direct: bool) -> None:
    """One address names both; what is on this machine is asked without a proxy."""
    address = parse_address(text)
    assert (address.socket, address.direct) == (socket, direct)


@pytest.mark.parametrize(
    "text",
    [
        *("", "localhost:8750", "ftp://localhost", "http://", "http://localhost:99999"),
        *("http://localhost/?token=abc", "http://localhost/#token=abc", "http://me@localhost", "http://:x@localhost"),
    ],
)
def test_what_is_no_address_is_said_to_be_none(text: str) -> None:
    """A wrong address is a ValueError with a sentence."""
    with pytest.raises(ValueError, match=r"[Aa]ddress of a server"):
        parse_address(text)


@pytest.mark.parametrize(
    "text", ["http://me:hunter2@localhost", "ftp://me:hunter2@localhost", "me:hunter2@localhost", "http://hunter2@[::1"]
)
def test_a_password_in_an_address_is_not_repeated(text: str) -> None:
    """The complaint about an address with a user does not show it, whatever else is wrong with it."""
    with pytest.raises(ValueError, match="ddress of a server") as refusal:
        parse_address(text)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("token", ["", "canary\nX-Other: 1", "canary\0", "canáry", "canary two"])
async def test_what_cannot_be_a_token_is_not_repeated(token: str) -> None:
    """A token that no header can carry is refused as wrong before anything is sent, and no message shows it."""
    with pytest.raises(SignedOutError) as refusal:
        await connect("http://localhost:9", token=token, patience=0).snapshot()
    assert refusal.value.code == "invalid_token"
    assert "can" not in str(refusal.value)


def test_waits_double_up_to_a_bound_and_start_again() -> None:
    """The first wait may be none, later ones grow to 15 s, with jitter of at most half; a success starts again."""
    highest, lowest = Backoff(lambda: 1.0), Backoff(lambda: 0.0)
    assert [highest.next() for _ in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 15, 15, 15]
    assert [lowest.next() for _ in range(9)] == [0, 0.25, 0.5, 1, 2, 4, 7.5, 7.5, 7.5]
    highest.reset()
    assert highest.next() == 0.25


def test_a_code_of_a_later_version_is_no_crash() -> None:
    """A refusal whose code this version does not know keeps its code, its sentence and its status."""
    refusal = RefusedError("from_the_future", "Later.", status=418)
    assert (refusal.code, refusal.message, refusal.status, refusal.passes) == ("from_the_future", "Later.", 418, False)
    assert LineLostError("cut").retry_after == 0


def test_the_package_loads_the_client_only_when_it_is_asked_for() -> None:
    """`import quintet` costs no socket library; `quintet.connect` is there."""
    code = "import sys, quintet; assert not {'httpx', 'websockets'} & set(sys.modules); print(quintet.connect.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "connect\n"
