"""How often somebody may try something, and who somebody is."""

from typing import Any

import pytest

from quintet.edge.limits import AddressOf, Throttle
from quintet.errors import QuintetError

pytestmark = pytest.mark.l1


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_throttle_refuses_and_opens_again() -> None:
    """The one too many hears how long to wait, and after exactly that long it is let in."""
    clock = Clock()
    throttle = Throttle("3 per 1 minute", clock)
    for second in range(3):
        clock.now = 1_000.0 + second
        throttle.take("a")
    with pytest.raises(QuintetError) as refused:
        throttle.take("a")
    assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 58)
    clock.now += 58
    throttle.take("a")
    with pytest.raises(QuintetError):
        throttle.take("a")


def test_a_throttle_is_per_key() -> None:
    """One who tries too often is nobody else's trouble."""
    throttle = Throttle("1 per 1 minute", Clock())
    throttle.take("a")
    throttle.take("b")
    with pytest.raises(QuintetError):
        throttle.take("a")


def test_checking_counts_nothing() -> None:
    """Whoever only asks uses nothing up, and asking when it is used up is refused."""
    throttle = Throttle("1 per 1 minute", Clock())
    for _ in range(5):
        throttle.check("a")
    throttle.take("a")
    with pytest.raises(QuintetError):
        throttle.check("a")


def test_a_refused_try_does_not_prolong_the_wait() -> None:
    """Knocking while it is shut does not keep it shut."""
    clock = Clock()
    throttle = Throttle("1 per 1 minute", clock)
    throttle.take("a")
    for _ in range(50):
        clock.now += 1
        with pytest.raises(QuintetError):
            throttle.take("a")
    clock.now += 10
    throttle.take("a")


def test_the_number_of_keys_is_bounded() -> None:
    """A flood of names takes no more memory than the bound; the ones untouched for longest go."""
    throttle = Throttle("1 per 1 minute", Clock(), keys=10)
    for n in range(1_000):
        throttle.take(f"name {n}")
    with pytest.raises(QuintetError):
        throttle.check("name 999")
    throttle.check("name 0")
    assert len(throttle._limiter.storage._times) == 10  # type: ignore[attr-defined]


def scope(client: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return {"client": (client, 40000) if client else None, "headers": headers}


@pytest.mark.parametrize(
    ("trusted", "client", "forwarded", "address"),
    [
        ((), "203.0.113.9", (), "203.0.113.9"),
        ((), "203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ((), "127.0.0.1", ("198.51.100.1",), "127.0.0.1"),
        (("10.0.0.0/8",), "203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        (("10.0.0.0/8",), "10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        (("10.0.0.0/8",), "10.1.2.3", ("1.1.1.1, 198.51.100.1, 10.9.9.9",), "198.51.100.1"),
        (("10.0.0.0/8",), "10.1.2.3", ("1.1.1.1", "198.51.100.1"), "198.51.100.1"),
        (("10.0.0.0/8",), "10.1.2.3", ("1.1.1.1, nonsense",), "10.1.2.3"),
        (("10.0.0.0/8",), "10.1.2.3", (), "10.1.2.3"),
        ((), "::ffff:203.0.113.9", (), "203.0.113.9"),
        ((), "2001:db8:1:2:3:4:5:6", (), "2001:db8:1:2::"),
        ((), "2001:db8:1:2:ffff::1", (), "2001:db8:1:2::"),
        ((), None, (), "unknown"),
        (("10.0.0.0/8",), None, ("198.51.100.1",), "unknown"),
        (("10.0.0.0/8",), "nonsense", ("198.51.100.1",), "unknown"),
    ],
)
def test_an_address_is_believed_only_from_the_transport_or_a_named_proxy(
    trusted: tuple[str, ...], client: str | None, forwarded: tuple[str, ...], address: str
) -> None:
    """What a caller writes about its own address changes nothing; one home's IPv6 addresses are one."""
    assert AddressOf(trusted)(scope(client, *forwarded)) == address


def test_a_person_is_told_the_whole_address() -> None:
    """A throttle counts a home's network, the audit names the address."""
    scope = {"client": ("2001:db8:1:2:3:4:5:6", 1), "headers": []}
    assert AddressOf()(scope) == "2001:db8:1:2::"
    assert AddressOf().whole(scope) == "2001:db8:1:2:3:4:5:6"
    assert AddressOf().whole({"client": None, "headers": []}) == "unknown"
