"""Which pages may speak, and under which names the server answers."""

import pytest

from quintet.edge.origins import OriginPolicy

pytestmark = pytest.mark.l1

PUBLIC = OriginPolicy("https://chat.example.org", ["https://other.example.org:8443"], dev=False)
BARE = OriginPolicy(None, [], dev=False)
DEV = OriginPolicy(None, [], dev=True)
LISTED = OriginPolicy("https://box.example.org", [], dev=True)


@pytest.mark.parametrize(
    ("policy", "origin", "host", "allowed"),
    [
        (PUBLIC, "https://chat.example.org", "chat.example.org", True),
        (PUBLIC, "HTTPS://Chat.Example.org:443", "chat.example.org", True),
        (PUBLIC, "https://other.example.org:8443", "chat.example.org", True),
        (PUBLIC, "https://other.example.org", "chat.example.org", False),
        (PUBLIC, "http://chat.example.org", "chat.example.org", False),
        (PUBLIC, "https://chat.example.org.evil.test", "chat.example.org", False),
        (PUBLIC, "https://evilchat.example.org", "chat.example.org", False),
        (PUBLIC, "https://chat.example.org@evil.test", "chat.example.org", False),
        (PUBLIC, "https://evil.test", "evil.test", False),
        (PUBLIC, "http://localhost:8750", "localhost:8750", False),
        (PUBLIC, "null", "chat.example.org", False),
        (PUBLIC, "", "chat.example.org", False),
        (PUBLIC, "https://chat.example.org/", "chat.example.org", False),
        (PUBLIC, "https://chat.example.org https://evil.test", "chat.example.org", False),
        (PUBLIC, "file://", "chat.example.org", False),
        (PUBLIC, "https://" + "a" * 600, "chat.example.org", False),
        (PUBLIC, "https://chat.example.org", "", False),
        (PUBLIC, "https://chat.example.org", "chat.example.org, evil.test", False),
        (BARE, "http://box:8750", "box:8750", True),
        (BARE, "http://box", "box:80", True),
        (BARE, "https://box", "box:443", True),
        (BARE, "http://box:8751", "box:8750", False),
        (BARE, "http://evil.test", "box:8750", False),
        (BARE, "null", "box:8750", False),
        (DEV, "http://localhost:8750", "localhost:8750", True),
        (DEV, "http://127.0.0.1:8750", "localhost:8750", True),
        (DEV, "http://[::1]:8750", "localhost:8750", True),
        (DEV, "http://localhost:3000", "localhost:8750", False),
        (DEV, "http://localhost", "localhost:8750", False),
        (DEV, "http://rebound.evil.test:8750", "rebound.evil.test:8750", False),
        (DEV, "http://localhost.evil.test:8750", "localhost:8750", False),
        (DEV, "http://192.168.0.7:8750", "192.168.0.7:8750", False),
        (DEV, "null", "localhost:8750", False),
        (LISTED, "https://box.example.org", "box.example.org", True),
        (LISTED, "http://localhost:8750", "localhost:8750", True),
        (LISTED, "http://box.example.org", "box.example.org", False),
    ],
)
def test_an_origin_is_allowed_whole_or_not_at_all(policy: OriginPolicy, origin: str, host: str, allowed: bool) -> None:
    """Listed origins, the same origin where nothing is listed, loopback at the same port under --dev; never a look-alike."""
    assert policy.allows(origin, host) is allowed


@pytest.mark.parametrize(
    ("policy", "host", "allowed"),
    [
        (PUBLIC, "chat.example.org", True),
        (PUBLIC, "CHAT.example.org:443", True),
        (PUBLIC, "chat.example.org.", True),
        (PUBLIC, "other.example.org:8443", True),
        (PUBLIC, "10.0.0.1", True),
        (PUBLIC, "", False),
        (PUBLIC, "chat.example.org, evil.test", False),
        (BARE, "whatever:8750", True),
        (BARE, "what/ever", False),
        (DEV, "localhost:8750", True),
        (DEV, "127.0.0.1:8750", True),
        (DEV, "[::1]:8750", True),
        (DEV, "rebound.evil.test:8750", False),
        (DEV, "192.168.0.7", False),
        (LISTED, "box.example.org", True),
        (LISTED, "box.example.org:8443", False),
        (LISTED, "rebound.evil.test", False),
    ],
)
def test_a_server_on_loopback_answers_to_loopback_names_only(policy: OriginPolicy, host: str, allowed: bool) -> None:
    """A page of another site that points its own name at this machine gets nothing. In production the proxy decides."""
    assert policy.allows_host(host) is allowed


@pytest.mark.parametrize("wrong", ["chat.example.org", "ftp://chat.example.org", "https://chat.example.org/path", "*"])
def test_an_address_that_is_no_origin_is_refused_when_the_policy_is_made(wrong: str) -> None:
    """A mistake in the list is found at the start, not by letting nobody or everybody in."""
    with pytest.raises(ValueError, match="origin"):
        OriginPolicy(None, [wrong], dev=False)
