"""The log: every line a fact with its id, and nothing in it that a user wrote or that opens anything."""

import asyncio
import json
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from command_line.commands import quintet
from command_line.test_serve import serving
from quintet.testing.accounts.account import http_client
from quintet.testing.contracts import whole
from support.server import Factory, Server
from support.world import World

PROGRAM = """
import asyncio, logging, sys, threading, structlog
from quintet.server.logs import set_up_logs
known = "".join(["known", "-value"])
set_up_logs(dev={dev}, secrets=[known])

def fail():
    try:
        raise KeyError("secret-inner")
    except KeyError as error:
        raise RuntimeError(f"{{known}} at secret-outer password=" + "named-" + "value") from error

try:
    fail()
except RuntimeError:
    logging.getLogger("some.library").exception("it failed", extra={{"trace_id": "t" * 32, "note": "secret-extra"}})
    structlog.get_logger("quintet.x").error("ours failed", exc_info=True, request_id="req_1")

async def lost():
    async def inner():
        fail()
    task = asyncio.ensure_future(inner())
    await asyncio.sleep(0.01)
    del task
    import gc; gc.collect()
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.01)
asyncio.run(lost())

thread = threading.Thread(target=fail); thread.start(); thread.join()

class Bad:
    def __del__(self):
        fail()
Bad()
fail()
"""


@pytest.mark.l1
def test_exceptions_are_told_without_their_texts() -> None:
    """Logged, lost by a task, raised in a callback, in a thread, in a finalizer, at the very end: class and places, no text."""
    done = _failing(dev=False)
    assert "secret" not in done.stderr + done.stdout, done.stderr
    assert done.stderr.count("RuntimeError") >= 7 and done.stderr.count("KeyError") >= 7
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert all(line["failure"] == ["RuntimeError", "KeyError"] and line["places"] for line in lines), lines
    assert (lines[0]["trace_id"], lines[1]["request_id"]) == ("t" * 32, "req_1")
    assert {line["level"] for line in lines} <= {"error", "critical"}


@pytest.mark.l1
def test_in_development_their_texts_are_told_with_secrets_hidden() -> None:
    """The same seven ways: text and traceback, as Python prints them; what is known to be secret is hidden, and so is what else a line held."""
    done = _failing(dev=True)
    assert done.stderr.count("RuntimeError: [redacted] at secret-outer") >= 7, done.stderr
    assert done.stderr.count("direct cause of the following exception") >= 7
    assert "KeyError: 'secret-inner'" in done.stderr
    assert not any(hidden in done.stderr + done.stdout for hidden in ("known-value", "named-value", "secret-extra"))
    assert "password=[redacted]" in done.stderr


def _failing(*, dev: bool) -> "subprocess.CompletedProcess[str]":
    program = PROGRAM.format(dev=dev)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    return done


@pytest.mark.l3
async def test_a_busy_servers_log_holds_no_secret(server: Server, server_secret: str, world: World) -> None:
    """Words, files, passwords, tokens, cookies, query strings, confidential tool arguments, texts of exceptions: not one of them."""
    began = len(server.log.read_bytes())
    alice = await world.user()
    device = await world.device(alice)
    words = f"canary{secrets.token_hex(12)}"
    upload = await alice.http.post("/v1/attachments", files={"file": (f"{words}.txt", words.encode(), "text/plain")})
    threads = []
    for agent in ("echo", "secretive", "catcher", "raiser", "returns_unencodable", "bad_args"):
        said = await device.say(
            {"text": words, "mark": "log", "canary": words}, agent=agent, attachments=[upload.json()["id"]]
        )
        whole(await device.run(said.run_id))
        threads.append(said.thread_id)
    await (await world.stream(alice, f"?after={words}")).ended()
    async with http_client(server) as http:
        cookie = f"__Host-quintet-{server.port}={words}"
        await http.get(f"/v1/threads?after={words}", headers={"Cookie": cookie, "Authorization": f"Bearer {words}"})
        await http.get(f"/v1/threads?token={words}")
        await http.post("/v1/auth/login", json={"email": f"{words}@example.com", "password": f"long enough {words}"})
        await http.post("/v1/auth/register", json={"email": "x", "password": words, words: words})
        await http.post("/v1/auth/refresh", json={"refresh_token": words})
    await device.follow(words)
    await device.send(words)
    await alice.http.delete(f"/v1/threads/{threads[0]}")
    log = server.logged(began)
    planted = [words, alice.password, alice.access_token, alice.refresh_token, alice.email, server_secret]
    assert not [secret for secret in planted if secret in log], "the log holds a secret"
    assert "run_ended" in log and "request" in log


@pytest.mark.l3
async def test_who_writes_an_agent_sees_why_it_failed(server_factory: Factory) -> None:
    """Under `--dev` the terminal has the text and the line of the agent's exception, with its trace; no event has, and no secret is in it."""
    secret = f"canary{secrets.token_hex(12)}"
    server = server_factory(environment={"SCRIPTED_SECRET": secret})
    async with World(server) as world:
        device = await world.device(await world.user())
        story = whole(await device.tell("go on", "raiser"))
        told = server.logged()
        assert "ValueError: secret [redacted]-raised at /srv/app/secret.py" in told, told
        assert "failing.py" in told and "raise ValueError(" in told
        assert story[0]["trace_id"] in told
        assert secret not in told
        assert b"ValueError" not in device.received() and b"secret.py" not in device.received()


@pytest.mark.l3
async def test_production_logs_are_json_with_ids(tmp_path: Path) -> None:
    """One JSON object a line; a request's id is the one in its answer; a run's trace is in its line; no query string."""
    environment = {
        "QUINTET_SECRET_KEY": secrets.token_urlsafe(48),
        "QUINTET_PUBLIC_URL": "https://chat.example.com",
        "QUINTET_SIGN_UP": "open",
    }
    assert quintet("migrate", folder=tmp_path, environment=environment).returncode == 0
    with serving(folder=tmp_path, environment=environment) as url:
        told, run = await asyncio.to_thread(_use, url)
    lines = [json.loads(line) for line in (tmp_path / "errors.txt").read_text().splitlines()]
    by_id = {line["request_id"]: line for line in lines if "request_id" in line}
    line = by_id[told.headers["x-request-id"]]
    assert (line["event"], line["method"], line["path"], line["status"]) == ("request", "GET", "/v1/threads", 422)
    (ended,) = [line for line in lines if line.get("run_id") == run["id"]]
    assert (ended["event"], ended["state"], len(ended["trace_id"])) == ("run_ended", "completed", 32)
    assert "canaryquery" not in (tmp_path / "errors.txt").read_text()
    assert all({"event", "level", "timestamp", "logger"} <= line.keys() for line in lines)


def _use(url: str) -> tuple[httpx.Response, dict[str, Any]]:
    with httpx.Client(base_url=url, trust_env=False) as http:
        form = {"email": "a@example.com", "password": f"violet anchor {secrets.token_hex(8)}"}
        http.headers["Authorization"] = f"Bearer {http.post('/v1/auth/register', json=form).json()['access_token']}"
        thread = http.post("/v1/threads").json()["id"]
        sent = http.post(f"/v1/threads/{thread}/messages", json={"client_id": "c", "text": "hello"}).json()
        run: dict[str, Any] = {}
        while run.get("state") not in ("completed", "failed"):
            run = http.get(f"/v1/runs/{sent['run_id']}").json()
        return http.get("/v1/threads?after=canaryquery"), run
