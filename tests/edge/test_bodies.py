"""JSON bodies are read strictly, and whatever is wrong with one is the caller's fault, said politely."""

from collections.abc import AsyncIterator

import httpx
import pytest

pytestmark = pytest.mark.l2

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"text=hello"),
        ("text/plain", b'{"text": "hello"}'),
        ("application/xml", b"<text>hello</text>"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/jsonp", b'{"text": "hello"}'),
        ("application/problem+json", b'{"text": "hello"}'),
        ("application/json; charset=utf-16", b'{"text": "hello"}'),
        ("application/json; v=1; charset=utf-16", b'{"text": "hello"}'),
        ("", b'{"text": "hello"}'),
    ],
)
async def test_what_is_not_called_json_is_415(http: httpx.AsyncClient, content_type: str, body: bytes) -> None:
    """A form of another site, XML or plain text never reaches a route; so no page can post without asking first."""
    answer = await http.post("/v1/notes", content=body, headers={"Content-Type": content_type} if content_type else {})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json ; odata=verbose; charset=utf-8",
        "application/json;",
    ],
)
async def test_json_is_read_however_it_is_spelled(http: httpx.AsyncClient, content_type: str) -> None:
    """The media type has no letter case, UTF-8 may be named, and what its parameters say besides is passed over."""
    answer = await http.post("/v1/notes", content='{"text": "hé"}'.encode(), headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()) == (201, {"length": 2})


async def test_no_body_is_fine_where_none_is_needed(http: httpx.AsyncClient) -> None:
    """An empty POST is answered by routes that need no body, and is 422 where one is needed."""
    assert (await http.post("/v1/none")).status_code == 200
    assert (await http.post("/v1/optional")).json() == {"given": False}
    assert (await http.post("/v1/optional", json={"text": "x"})).json() == {"given": True}
    assert (await http.post("/v1/notes")).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"text": NaN}',
        b'{"text": Infinity}',
        b'{"text": ' + b"9" * 5_000 + b"}",
        b'{"text": 1e999}',
        b"[" * 100_000,
        b'{"text": "x", "inner": ' * 5_000 + b"null" + b"}" * 5_000,
        b'{"text": "\\ud800"}',
        b'{"text": "\xed\xa0\x80"}',
        b'{"text": "\xff"}',
        b'\xff\xfe{\x00"\x00',
        b'\xef\xbb\xbf{"text": "bom"}',
        b'{"text": 5}',
        b'{"text": null}',
        b"[]",
        b'"text"',
        b"null",
        b"{}",
        b'{"text": "x", "role": "admin"}',
        b'{"text": "x", "inner": {"text": "y", "id": 1}}',
        b'{"text": "x", "\\ud800": 1}',
    ],
)
async def test_what_does_not_fit_is_422(http: httpx.AsyncClient, body: bytes) -> None:
    """NaN, deep nesting, endless integers, half characters, unknown fields, wrong types: `bad_message`, never a failure of ours."""
    answer = await http.post("/v1/notes", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_message")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_refusal_repeats_nothing_of_the_body(http: httpx.AsyncClient) -> None:
    """Neither a value nor a name that the caller made up comes back: the value could be a password, the name anything."""
    told = (await http.post("/v1/notes", json={"text": 5, "canary-name": "canary-value", "inner": {"canary": 1}})).text
    assert "canary" not in told
    assert "body.text" in told
    assert "body.inner.text" in told


async def test_a_large_body_is_413(http: httpx.AsyncClient) -> None:
    """Over the bound nothing is parsed, whether the size is declared or not; the longest text fully escaped still fits."""
    large = b'{"text": "' + b"x" * 300_000 + b'"}'

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(large), 1_000):
            yield large[at : at + 1_000]

    for content in (large, pieces()):
        answer = await http.post("/v1/notes", content=content, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_long")
    fits = b'{"text": "' + b"\\u0061" * 32 * 1024 + b'"}'
    assert (await http.post("/v1/notes", content=fits, headers=JSON)).json() == {"length": 32 * 1024}
