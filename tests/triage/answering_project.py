"""A small project whose tests fail at what a server answers, written to a folder and run for real.

A failing test's name begins with the category of its true cause, as in `broken_project`. What the servers log stands in the report.
"""

from pathlib import Path

DESK = """
import json, logging, os, sqlite3

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request

log = logging.getLogger("desk")
app = FastAPI()
SECRET = "the-desk-signs-with-this-" + "s" * 20

@app.middleware("http")
async def answered(request: Request, go_on):
    try:
        return await go_on(request)
    except Exception:
        log.exception("no answer for %s", request.url.path)
        raise

def who(request: Request):
    try:
        return jwt.decode(request.headers["authorization"].removeprefix("Bearer "), SECRET, ["HS256"])
    except jwt.PyJWTError as fault:
        log.warning("token refused: %s", fault)
        raise HTTPException(401, "not for you")

@app.get("/invoices")
def invoices(): return sqlite3.connect(":memory:").execute("select * from invoices").fetchall()
@app.get("/rate")
def rate(): return os.environ["DESK_RATE_TABLE"]
@app.get("/me")
def me(user=Depends(who)): return {"user": user}

async def echo(ws):
    async for raw in ws: await ws.send(json.loads(raw)["text"])
async def silent(ws): await ws.wait_closed()
async def gateway(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 426 Upgrade Required\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
    await writer.drain(); writer.close()
"""

TESTS = """
import asyncio, contextlib, json, logging, os, subprocess, sys

import httpx, jwt, pytest, websockets
from fastapi.testclient import TestClient

import desk

client = TestClient(desk.app, raise_server_exceptions=False)
mine = {"Authorization": "Bearer " + jwt.encode({"sub": "ada"}, "the-tests-sign-with-that-" + "t" * 20)}

@contextlib.asynccontextmanager
async def connected(handler):
    async with websockets.serve(handler, "127.0.0.1", 0) as server:
        async with websockets.connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}") as ws: yield ws

@pytest.fixture
def half_made(tmp_path):
    yield tmp_path / "made"
    (tmp_path / "made").unlink()
@pytest.fixture
def backend():
    process = subprocess.Popen([sys.executable, "-c", "import os\\nos.environ['DESK_PORT']"])
    if process.wait(20): raise RuntimeError("the backend did not start")

def test_database__behind_500(): assert client.get("/invoices").status_code == 200
def test_environment__behind_500(): assert client.get("/rate").status_code == 200
def test_environment__behind_a_start(backend): pass
def test_environment__left_half_made(half_made): os.environ["DESK_UPLOADS"]
def test_auth__refused(): assert client.get("/me", headers=mine).status_code == 200
def test_auth__read_after_it(): assert client.get("/me", headers=mine).json()["user"]
def test_environment__proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    httpx.get("http://127.0.0.1:8/rates")
def test_environment__value(monkeypatch):
    monkeypatch.setenv("DESK_LIMIT", "")
    assert int(os.environ["DESK_LIMIT"])
@pytest.mark.asyncio
async def test_websocket__handler():
    async with connected(desk.echo) as ws:
        await ws.send(json.dumps({"message": "hello"}))
        await ws.recv()
@pytest.mark.asyncio
async def test_websocket__never_sent():
    async with connected(desk.silent) as ws: await asyncio.wait_for(ws.recv(), 0.3)
@pytest.mark.asyncio
async def test_websocket__gateway():
    async with await asyncio.start_server(desk.gateway, "127.0.0.1", 0) as server:
        async with websockets.connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"): pass
def test_assertion__noise():
    logging.getLogger("cache").error("token refused: Signature has expired")
    try: {}["SECRET_KEY"]
    except KeyError: logging.getLogger("cache").exception("not there")
    assert sum([1, 2]) == 4
"""


def write(folder: Path) -> Path:
    """The project in the folder."""
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (folder / "desk.py").write_text(DESK)
    (folder / "test_desk.py").write_text(TESTS)
    return folder
