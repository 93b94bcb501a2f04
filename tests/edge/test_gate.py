"""What every request meets before and after its route."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message
from structlog.testing import capture_logs

from quintet.edge.application import http_application
from quintet.edge.origins import OriginPolicy
from quintet.sources import Sources

pytestmark = pytest.mark.l2


async def test_every_answer_names_its_request_and_is_kept_by_nobody(http: httpx.AsyncClient) -> None:
    """Each answer has an id of ours, which the caller cannot choose, and headers that forbid caching, guessing and framing."""
    answers = [await http.get("/healthz", headers={"X-Request-Id": "mine"}) for _ in range(2)]
    answers.append(await http.get("/v1/nothing"))
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 3
    assert all(request_id.startswith("req_") for request_id in ids)
    assert all(answer.headers["x-content-type-options"] == "nosniff" for answer in answers)
    assert answers[2].headers["cache-control"] == "no-store"
    assert answers[2].json()["request_id"] == answers[2].headers["x-request-id"]


async def test_a_refusal_is_problem_details(http: httpx.AsyncClient) -> None:
    """RFC 9457 with our code: type, title, status, detail, code, request_id, nothing else."""
    answer = await http.get("/v1/nothing")
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert list(told) == ["type", "title", "status", "detail", "code", "request_id"]
    assert (told["status"], told["code"]) == (404, "not_found")


async def test_what_does_not_exist_looks_the_same_everywhere(http: httpx.AsyncClient) -> None:
    """An unknown address and an unknown id give the same bytes but for the request id."""
    answers = [await http.get(path) for path in ("/v1/nothing", "/v1/notes/abc", "/v1/notes/%00'; drop", "/v1/notes/")]
    bodies = {answer.text.replace(answer.headers["x-request-id"], "") for answer in answers}
    headers = {tuple((k, v) for k, v in answer.headers.items() if k != "x-request-id") for answer in answers}
    assert (len(bodies), len(headers)) == (1, 1)


async def test_an_address_that_no_database_can_be_asked_for_reaches_no_route(http: httpx.AsyncClient) -> None:
    """A NUL in a path, for any method and on any route: the same 404, before the route is asked, which here would be busy."""
    assert (await http.patch("/v1/notes/abc")).status_code == 503
    for path in ("/v1/notes/a%00c", "/v1/notes/%00"):
        answer = await http.patch(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_wrong_method_names_the_right_ones(http: httpx.AsyncClient) -> None:
    """405 lists every method of the address, though each is a route of its own."""
    answer = await http.delete("/v1/notes/abc")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, PATCH"


async def test_a_busy_answer_says_when_to_come_back(http: httpx.AsyncClient) -> None:
    """503 carries Retry-After."""
    answer = await http.patch("/v1/notes/abc")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_failure_of_ours_tells_nobody_what_failed(http: httpx.AsyncClient) -> None:
    """An exception is 500 `internal` with an id; the log has its class and place under that id, and its text is nowhere."""
    with capture_logs() as lines:
        answer = await http.get("/v1/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "swordfish" not in answer.text
    failed = next(line for line in lines if line["event"] == "request_failed")
    assert (failed["request_id"], failed["failure"]) == (answer.json()["request_id"], "RuntimeError")
    assert any(place.endswith(" broken") for place in failed["places"])
    assert "swordfish" not in json.dumps(lines)


async def test_the_log_has_the_path_and_never_the_query(http: httpx.AsyncClient) -> None:
    """What follows the question mark may be a secret; a path cannot break a line of the log."""
    with capture_logs() as lines:
        await http.get("/v1/notes/a%0Ab?code=canary")
    noted = next(line for line in lines if line["event"] == "request")
    assert (noted["path"], noted["status"], noted["method"]) == ("/v1/notes/a%0Ab", 404, "GET")
    assert "canary" not in json.dumps(lines)


async def test_a_token_in_a_path_is_not_logged(http: httpx.AsyncClient) -> None:
    """What is longer than any id stands in the log as a mark; ids stay."""
    with capture_logs() as lines:
        await http.get(f"/v1/notes/qr_{'A' * 43}/run_{'0' * 24}")
    noted = next(line for line in lines if line["event"] == "request")
    assert noted["path"] == f"/v1/notes/~/run_{'0' * 24}"


@pytest.mark.parametrize(
    "name", ["access_token", "token", "refresh_token", "Access_Token", "tok%65n", "&".join("a" * 120) + "&token"]
)
async def test_a_token_in_the_address_is_refused(http: httpx.AsyncClient, name: str) -> None:
    """Proxies and browsers write addresses down, so a token there is refused before anything looks at it, even an empty one."""
    for value in ("canary", ""):
        with capture_logs() as lines:
            answer = await http.get(f"/v1/nothing?a=1&{name}={value}")
        assert (answer.status_code, answer.json()["code"]) == (400, "token_in_url")
        assert "canary" not in answer.text + json.dumps(lines)


async def test_large_headers_are_431(http: httpx.AsyncClient) -> None:
    """A megabyte of token is refused before anybody parses it."""
    answer = await http.get("/v1/token", headers={"Authorization": "Bearer " + "a" * 1_000_000})
    assert (answer.status_code, answer.json()["code"]) == (431, "headers_too_large")


async def test_two_credentials_are_refused(http: httpx.AsyncClient) -> None:
    """Which of two would count must not be a matter of luck."""
    answer = await http.get("/v1/token", headers=[("Authorization", "Bearer a"), ("Authorization", "Bearer b")])
    assert (answer.status_code, answer.json()["code"]) == (400, "ambiguous_credentials")


@pytest.mark.parametrize("credential", ["Basic YTpi", "Bearer", "Bearer ", "abc"])
async def test_another_scheme_is_no_credential(http: httpx.AsyncClient, credential: str) -> None:
    """Only a bearer token is a credential, and a 401 says so."""
    answer = await http.get("/v1/token", headers={"Authorization": credential})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_foreign_name_is_refused_but_probes_answer(http: httpx.AsyncClient) -> None:
    """A page that points its own name at this machine gets nothing; a probe that knows only an address gets its answer."""
    foreign = {"Host": "rebound.evil.test:8750"}
    answer = await http.get("/v1/notes/abc", headers=foreign)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await http.get("/healthz", headers=foreign)).status_code == 200


async def test_an_answer_cut_short_is_not_mended(app: FastAPI) -> None:
    """When a failure comes after the answer has begun, no second answer is put into it."""
    sent: list[Message] = []

    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    broken = http_application(OriginPolicy(None, [], dev=True), Sources(), "0")
    broken.mount("/half", half)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/half/x",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await broken(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]


async def test_a_peer_that_leaves_within_its_body_is_no_failure_of_ours(app: FastAPI) -> None:
    """Nothing is sent, nothing is reported as an error, and the request is counted as one whose peer had gone, not as a 500."""
    parts: list[Message] = [
        {"type": "http.request", "body": b'{"te', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return parts.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/notes",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"400")],
    }
    with capture_logs() as lines:
        await app(scope, receive, send)
    assert sent == []
    assert [(line["event"], line["status"]) for line in lines] == [("request", 0)]
