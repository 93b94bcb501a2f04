"""Files sent with messages, at a real server: in, on the wire, in the agent's hands, out again, and gone."""

import asyncio
import hashlib
import json
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from quintet.testing.accounts.account import Account, http_client
from quintet.testing.contracts import whole
from support.server import Factory, Server, running
from support.world import World

pytestmark = pytest.mark.l3

JUNIT = (
    b"<testsuite tests='1' failures='1'><testcase name='t'><failure>AssertionError: x</failure></testcase></testsuite>"
)


OPTIONS: dict[str, Any] = {
    "agents": ("support.scripted", "support.readers"),
    "environment": {"QUINTET_ATTACHMENT_BYTES": "50000"},
}


@pytest.fixture(scope="module")
def files_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose agents read files."""
    with running(Server(tmp_path_factory.mktemp("files"), **OPTIONS)) as server:
        yield server


@pytest.fixture
def server(files_server: Server) -> Server:
    """The one of this module."""
    return files_server


async def upload(account: Account, content: bytes, name: str = "notes.txt", kind: str = "text/plain") -> dict[str, Any]:
    """A file that is taken in."""
    answer = await account.http.post("/v1/attachments", files={"file": (name, content, kind)})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_file_goes_through_the_wire_to_the_agent_and_back(world: World) -> None:
    """Uploaded, sent, named in `message_accepted` and the listing, read by agents byte for byte, downloaded unchanged."""
    alice = await world.user()
    device = await world.device(alice)
    text, binary = "Grüße 🎻\n".encode(), secrets.token_bytes(40_000)
    first = await upload(alice, text, "../../notes é🎻.txt", "text/plain; charset=utf-8")
    second = await upload(alice, binary, "data.bin", "application/x-thing")
    assert first == {"id": first["id"], "name": "notes é🎻.txt", "media_type": "text/plain", "size": len(text)}
    assert await alice.get(f"/v1/attachments/{first['id']}") == first
    for agent in ("filer", "sync_filer"):
        said = await device.say("look", agent=agent, attachments=[first["id"], second["id"]])
        run = whole(await device.run(said.run_id))
        assert run[0]["data"]["attachments"] == [first, second]
        seen = [
            [f["name"], f["media_type"], f["size"], hashlib.sha256(c).hexdigest()]
            for f, c in ((first, text), (second, binary))
        ]
        assert json.loads(run[-1]["data"]["text"]) == seen
        listed = await alice.messages(said.thread_id)
        assert [message["attachments"] for message in listed] == [[first, second], []]
    got = await alice.http.get(f"/v1/attachments/{second['id']}/content")
    assert (got.status_code, got.content) == (200, binary)


async def test_what_was_uploaded_never_becomes_a_page(world: World) -> None:
    """A page, a picture with scripts and a strange name come back as a download in a sandbox, never under a type that runs."""
    alice = await world.user()
    page = await upload(alice, b"<script>alert(1)</script>", 'a"b;%0d\r\nX-Evil: 1.html', "text/html")
    drawing = await upload(alice, b"<svg onload='x'/>", "x.svg", "image/svg+xml")
    for file in (page, drawing):
        got = await alice.http.get(f"/v1/attachments/{file['id']}/content")
        assert got.headers["content-type"] == "application/octet-stream"
        assert got.headers["content-disposition"].startswith("attachment; filename=")
        assert "sandbox" in got.headers["content-security-policy"]
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "x-evil" not in got.headers


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"files": {"file": ("big", b"x" * 50_001)}}, 413, "too_long"),
        ({"files": {"file": ("huge", b"x" * 3_000_000)}}, 413, "too_long"),
        ({"files": [("a", ("a", b"x")), ("b", ("b", b"x"))]}, 422, "bad_message"),
        ({"files": {"file": ("a", b"x")}, "data": {"is_admin": "1"}}, 422, "bad_message"),
        ({"files": {"file": (None, b"no file")}}, 422, "bad_message"),
        (
            {"content": b"--x\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            422,
            "bad_message",
        ),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 422, "bad_message"),
        ({"json": {"file": "x"}}, 415, "unsupported_media_type"),
        ({"content": b"x"}, 415, "unsupported_media_type"),
    ],
)
async def test_what_is_no_single_bounded_file_is_refused(
    world: World, form: dict[str, Any], status: int, code: str
) -> None:
    """Too long, two, with other fields, broken, no form: a code each, and nothing is stored."""
    alice = await world.user()
    answer = await alice.http.post("/v1/attachments", **form)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_an_upload_without_end_is_cut_by_its_size(world: World) -> None:
    """A body of unknown length is counted while it comes: the answer is there before it ends."""
    alice = await world.user()
    head = (
        f"POST /v1/attachments HTTP/1.1\r\nHost: localhost:{world.server.port}\r\nAuthorization: Bearer {alice.access_token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    writer.write(head.encode() + b"%x\r\n%s\r\n" % (len(part), part))
    chunk = b"%x\r\n%s\r\n" % (16_384, b"x" * 16_384)
    try:
        async with asyncio.timeout(15):
            for _ in range(8):
                writer.write(chunk)
                await writer.drain()
            assert (await reader.readuntil(b"\r\n")).split()[1] == b"413"
    finally:
        writer.close()


async def test_files_are_their_owners_alone(world: World) -> None:
    """A foreign id, an unknown one and a deleted one are the same 404, on every route, and cannot be sent; nothing is stored by trying."""
    alice, bob = await world.users(2)
    mine = await upload(alice, b"mine")
    for path in (f"/v1/attachments/{mine['id']}", f"/v1/attachments/{mine['id']}/content"):
        told = await bob.http.get(path)
        assert (told.status_code, told.json()["code"]) == (404, "not_found")
    thief = await world.device(bob)
    for wrong in ([mine["id"]], ["att_never"], [""]):
        refused = await thief.request("send", client_id=secrets.token_hex(4), text="x", attachments=wrong)
        assert (refused["type"], refused["code"]) == ("error", "not_found")
    assert (await bob.snapshot())["last_seq"] == 0
    async with http_client(world.server) as nobody:
        assert (await nobody.get(f"/v1/attachments/{mine['id']}")).status_code == 401


async def test_the_same_send_with_other_files_is_a_conflict(world: World) -> None:
    """Files are part of what was sent with a client id: the same again is the first answer, others are a conflict."""
    alice = await world.user()
    device = await world.device(alice)
    one, two = await upload(alice, b"one"), await upload(alice, b"two")
    sent = {"client_id": "c", "text": "x", "agent": "filer"}
    first = await device.request("send", **sent, attachments=[one["id"]])
    again = await device.request("send", **sent, attachments=[one["id"]])
    assert {k: v for k, v in first.items() if k != "id"} == {k: v for k, v in again.items() if k != "id"}
    for other in ([two["id"]], [], [one["id"], two["id"]]):
        assert (await device.request("send", **sent, attachments=other))["code"] == "conflict"
    await device.run(first["run_id"])


async def test_agents_say_which_files_they_take(world: World) -> None:
    """The list of agents names the media types of each."""
    listed = {one["name"]: one["attachments"] for one in (await (await world.user()).get("/v1/agents"))["items"]}
    assert listed["filer"] == ["text/*", "application/xml"]
    assert (listed["echo"], "text/*" in listed["triage"]) == ([], True)


async def test_the_triage_team_reads_a_report_that_was_attached(world: World) -> None:
    """A JUnit file with a question in words: the question does not hide the file."""
    alice = await world.user()
    device = await world.device(alice)
    file = await upload(alice, JUNIT, "report.xml", "application/xml")
    for agent in ("triage", "assistant"):
        said = await device.say("what is wrong here?", agent=agent, attachments=[file["id"]])
        answer = whole(await device.run(said.run_id))[-1]["data"]["text"]
        assert "1 failed" in answer or "1 test" in answer, answer


async def test_what_was_never_sent_goes_after_a_day_and_what_was_sent_stays(server_factory: Factory) -> None:
    """The look at the next start finds a file of the day before; one that hangs on a message stays."""
    server = server_factory(**OPTIONS)
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice)
        sent, left = await upload(alice, b"sent"), await upload(alice, b"left")
        await device.run((await device.say("x", agent="filer", attachments=[sent["id"]])).run_id)
    server.stop()
    with closing(sqlite3.connect(next(server.data.glob("*.db")))) as database, database:
        database.execute("UPDATE attachments SET created_at = created_at - 86400001")
    server.start()
    deadline = time.monotonic() + 10
    async with http_client(server, alice.access_token) as http:
        while (await http.get(f"/v1/attachments/{left['id']}")).status_code != 404:
            assert time.monotonic() < deadline, server.tail()
            await asyncio.sleep(0.05)
        assert (await http.get(f"/v1/attachments/{sent['id']}")).status_code == 200


async def test_many_slow_uploads_hold_no_place_of_others(world: World) -> None:
    """The ninth upload of one user at the same time is told to wait; another user is served."""
    alice, bob = await world.users(2)
    head = (
        f"POST /v1/attachments HTTP/1.1\r\nHost: localhost:{world.server.port}\r\nAuthorization: Bearer {alice.access_token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000\r\n\r\n--b\r\n"
    )
    plugs = [await asyncio.open_connection("127.0.0.1", world.server.port) for _ in range(8)]
    try:
        for _, writer in plugs:
            writer.write(head.encode())
        deadline = time.monotonic() + 10
        while True:
            answer = await alice.http.post("/v1/attachments", files={"file": ("a", b"x")})
            if answer.status_code == 429:
                break
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        assert answer.headers["retry-after"]
        await upload(bob, b"served")
    finally:
        for _, writer in plugs:
            writer.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
            )
            writer.transport.abort()
    async with asyncio.timeout(10):
        while (await alice.http.post("/v1/attachments", files={"file": ("a", b"x")})).status_code != 201:
            await asyncio.sleep(0.02)
    assert isinstance(answer, httpx.Response)
