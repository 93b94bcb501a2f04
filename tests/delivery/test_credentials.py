"""Which protocol and whose token: one credential or none, and none in an address."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.delivery.credentials import WRONG, Choice, choose, offered_in, token_in
from quintet.errors import QuintetError

pytestmark = pytest.mark.l1


def bearer(token: bytes) -> str:
    """The subprotocol that carries a token."""
    return "bearer." + base64.urlsafe_b64encode(token).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("offered", "headers", "choice"),
    [
        ([], [], Choice(None, None, supported=True)),
        (["quintet.v1"], [], Choice("quintet.v1", None, supported=True)),
        (["other", "quintet.v1"], [], Choice("quintet.v1", None, supported=True)),
        (["quintet.v1"], ["Bearer abc"], Choice("quintet.v1", "abc", supported=True)),
        ([], ["bearer  abc "], Choice(None, "abc", supported=True)),
        (["quintet.v1", bearer(b"a.b.c")], [], Choice("quintet.v1", "a.b.c", supported=True)),
        ([bearer(b"abcd"), "quintet.v1"], [], Choice("quintet.v1", "abcd", supported=True)),
        ([bearer(b"abc"), "quintet.v9", "x"], [], Choice("quintet.v9", "abc", supported=False)),
        ([bearer(b"abc")], [], Choice(None, "abc", supported=False)),
        (["QUINTET.V1"], [], Choice("QUINTET.V1", None, supported=False)),
        ([], ["Basic dXNlcg=="], Choice(None, WRONG, supported=True)),
        ([], [""], Choice(None, WRONG, supported=True)),
        ([], ["Bearer"], Choice(None, WRONG, supported=True)),
        (["quintet.v1", "bearer."], [], Choice("quintet.v1", WRONG, supported=True)),
        (["quintet.v1", "bearer.a"], [], Choice("quintet.v1", WRONG, supported=True)),
        (["quintet.v1", "bearer.YWJj="], [], Choice("quintet.v1", WRONG, supported=True)),
        (["quintet.v1", bearer(b"\xff\xfe")], [], Choice("quintet.v1", WRONG, supported=True)),
    ],
)
def test_the_choice(offered: list[str], headers: list[str], choice: Choice) -> None:
    """Only `quintet.v1` is echoed; a credential that cannot be read is a wrong one, never an absent one."""
    assert choose(offered, headers) == choice


@pytest.mark.parametrize(
    ("offered", "headers"),
    [
        (["quintet.v1", bearer(b"a")], ["Bearer a"]),
        (["quintet.v1", bearer(b"a"), bearer(b"a")], []),
        (["quintet.v1"], ["Bearer a", "Bearer a"]),
        (["quintet.v1"], ["Basic a", "Bearer a"]),
        (["quintet.v9", bearer(b"a")], ["Bearer a"]),
    ],
)
def test_two_credentials_are_ambiguous(offered: list[str], headers: list[str]) -> None:
    """Also when they are equal, or one of them is none."""
    with pytest.raises(QuintetError) as caught:
        choose(offered, headers)
    assert caught.value.code == "ambiguous_credentials"


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
def test_every_token_travels_in_a_subprotocol(token: str) -> None:
    """What a browser encodes is what is asked for."""
    assert choose(["quintet.v1", bearer(token.encode())], []).token == token


def test_offers_of_several_headers_are_one_list() -> None:
    """RFC 6455, 11.3.4: the header may appear more than once."""
    assert offered_in(["a, b", "", " c ,,d"]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", False),
        ("v=1&x", False),
        ("token=abc", True),
        ("a=1&Access_Token=", True),
        ("%74oken=abc", True),
        ("x=eyJhbGciOiJFUzI1NiJ9.e30.c2ln", True),
        ("x=eyJust.a.word.with.dots", False),
        ("&".join("a=1" for _ in range(500)), True),
    ],
)
def test_a_token_in_the_address(query: str, found: bool) -> None:
    """By its name in any writing, or by its looks; too much to look at counts as one."""
    assert token_in(query) is found
