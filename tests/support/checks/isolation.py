"""P6: no byte of one user reaches another. Ownership means which socket received the frame, not a field inside it."""

import asyncio
import json
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from quintet.testing.accounts.account import Account
from quintet.testing.contracts import Story, whole
from quintet.testing.sockets.device import Device
from support.routes import OWNED, VERBS
from support.ways_in import passkey_of
from support.world import World

__all__ = ["WORKLOADS", "Tenant", "check_a_foreign_cursor", "check_foreign_ids", "check_isolation"]

WORKLOADS = ("echo", "researcher", "coordinator", "stepper", "secretive", "catcher", "streamer", "raiser")


@dataclass
class Tenant:
    """A user with a secret word, the socket that is theirs, and what it received for the messages sent on it."""

    account: Account
    device: Device
    canary: str
    runs: list[Story]

    def marks(self) -> list[bytes]:
        """What belongs to this user and may be seen by nobody else: the word, and every id."""
        ids = [self.account.id, self.account.session_id, self.account.email, self.canary]
        ids += [run[0][key] for run in self.runs for key in ("run_id", "thread_id", "trace_id", "id")]
        ids += [str(run[0]["data"]["message_id"]) for run in self.runs]
        return [mark.encode() for mark in ids]


async def _tenant(world: World, place: int) -> Tenant:
    account = await world.user()
    device = await world.device(account, name=f"user {place}")
    return Tenant(account, device, f"canary{place}x{secrets.token_hex(12)}", [])


async def _work(tenant: Tenant, agent: str, rounds: int, barrier: asyncio.Barrier) -> None:
    orders: dict[str, Any] = {
        "text": tenant.canary,
        "canary": tenant.canary,
        "topic": tenant.canary,
        "mark": tenant.canary,
    }
    orders |= {"steps": 8, "pause": 0.01, "pieces": 20}
    await barrier.wait()
    for _ in range(rounds):
        said = await tenant.device.say(orders, agent=agent)
        tenant.runs.append(await tenant.device.run(said.run_id))


async def check_isolation(world: World, count: int, *, workloads: tuple[str, ...] = WORKLOADS, rounds: int = 2) -> None:
    """`count` users work at once, each on an agent of its own: each socket has all of its own and nothing of another's."""
    tenants = list(await asyncio.gather(*(_tenant(world, place) for place in range(count))))
    barrier = asyncio.Barrier(count)
    await asyncio.gather(*(_work(t, workloads[i % len(workloads)], rounds, barrier) for i, t in enumerate(tenants)))
    for tenant in tenants:
        for run in tenant.runs:
            whole(run)
            assert tenant.canary.encode() in run[0].raw, tenant.device.shown("the user's own words are missing")
        received = tenant.device.received()
        for other in tenants:
            if other is not tenant:
                found = [mark for mark in other.marks() if mark in received]
                assert not found, tenant.device.shown(f"received what belongs to {other.device.name}: {found}")
    await asyncio.gather(*(_complete(tenant) for tenant in tenants))


async def _complete(tenant: Tenant) -> None:
    """The socket received the whole log of its user: as many events as the snapshot counts, from the first on."""
    snapshot = await tenant.account.snapshot()
    seen = [e["seq"] for e in tenant.device.events]
    assert seen == list(range(1, snapshot["last_seq"] + 1)), tenant.device.shown("the socket has not all of its own")


async def check_a_foreign_cursor(world: World) -> None:
    """Every cursor of one user is answered to another by `resync`, and nothing comes."""
    alice, bob = await world.users(2)
    hers, thief = await world.device(alice, name="hers"), await world.device(bob, name="thief")
    whole(await thief.tell("his own", "echo"))
    for event in whole(await hers.tell("hers", "echo")):
        told = await thief.follow(event["cursor"])
        assert (told["type"], told.get("reason")) == ("resync", "epoch"), thief.shown(
            f"a foreign cursor was answered by {told['type']}"
        )


# --- foreign ids ------------------------------------------------------------------------------------------------------


def _never(known: str) -> str:
    """An id of the same form that never was."""
    return known[:-12] + secrets.token_hex(6)


async def _ask(account: Account, verb: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
    return await account.http.request(verb, path, json=body)


def _bare(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """An answer without what differs between any two: the request id and the date."""
    told = answer.json()
    request_id = str(told.pop("request_id"))
    assert request_id, "a refusal names its request"
    headers = {k: v for k, v in answer.headers.items() if k not in {"date", "x-request-id", "content-length"}}
    body = answer.text.replace(request_id, "…")
    return answer.status_code, {k: v.replace(request_id, "…") for k, v in headers.items()}, body


async def check_foreign_ids(world: World) -> None:
    """Every route and verb answers another's id like an id that never was, byte for byte, and changes nothing."""
    owner, thief = await world.users(2)
    device = await world.device(owner, name="owner")
    robber = await world.device(thief, name="thief")
    said = await device.say({"text": "mine"}, agent="echo")
    whole(await device.run(said.run_id))
    slow = await device.say({"mark": f"foreign {said.run_id}"}, agent="slow_tool")
    await device.find("the slow tool", lambda e: e.run == slow.run_id and e.type == "tool_executing")
    mine = {
        "thread_id": said.thread_id,
        "run_id": slow.run_id,
        "session_id": owner.session_id,
        "attachment_id": await owner.attach("mine.txt", b"mine alone"),
        "passkey_id": await passkey_of(owner),
        "key_id": (await owner.http.post("/v1/auth/keys", json=_key(owner))).json()["id"],
        "link_id": f"ext_{secrets.token_hex(12)}",
    }
    unknown = {key: _never(value) for key, value in mine.items()}
    malformed = dict.fromkeys(mine, "%00%F0%9F%8E%BB'; --")
    for route in OWNED:
        foreign = await _ask(thief, route.verb, route.filled(mine), route.body)
        assert foreign.status_code == 404, f"{route.name} with a foreign id: {foreign.status_code} {foreign.text}"
        assert foreign.headers["content-type"].startswith("application/problem+json")
        for never in (unknown, malformed):
            other = await _ask(thief, route.verb, route.filled(never), route.body)
            assert _bare(foreign) == _bare(other), f"{route.name}: a foreign id and {never} are told apart"
    for verb, fields in VERBS.items():
        if fields is not None:
            frames = [await _verb(robber, verb, fields, ids) for ids in (mine, unknown, malformed)]
            assert (frames[0]["type"], frames[0]["code"]) == ("error", "not_found"), robber.shown(str(frames[0]))
            assert frames[0] == frames[1] == frames[2], robber.shown("a foreign id and an unknown one are told apart")
    assert (await thief.snapshot())["last_seq"] == 0, "a refused call has left an event"
    state = (await owner.get(f"/v1/runs/{slow.run_id}"))["state"]
    assert state == "running", f"a stranger's call has changed the run: {state}"
    assert (await owner.get(f"/v1/threads/{said.thread_id}"))["id"] == said.thread_id
    await device.cancel(slow.run_id)
    whole(await device.run(slow.run_id))


def _key(owner: Account) -> dict[str, str]:
    return {"name": "mine", "password": owner.password}


async def _verb(device: Device, verb: str, fields: dict[str, str], ids: dict[str, str]) -> dict[str, Any]:
    told = await device.request(verb, **{k: v.format(**ids) for k, v in fields.items()})
    shown = json.loads(json.dumps(told))
    shown.pop("id")
    return dict(shown)
