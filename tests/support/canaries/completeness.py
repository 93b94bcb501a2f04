"""Nothing of a user's is missing: the feed to its head, every message that was not deleted, every title, the same bytes."""

import json
from typing import Any

from quintet.testing.sockets.device import Device
from support.canaries.owner import Owner

__all__ = ["dense", "pages", "whole"]


async def pages(owner: Owner, path: str, limit: int) -> list[dict[str, Any]]:
    """All items of a listing, read page by page."""
    items: list[dict[str, Any]] = []
    mark = ""
    while True:
        told = await owner.got(f"{path}?limit={limit}{mark}")
        items += told["items"]
        if "next" not in told:
            return items
        mark = f"&after={told['next']}"


async def dense(device: Device, after: int, due: int) -> None:
    """After `caught_up` a feed has every position from the one it began after to the one that was due when it began."""
    await device.find("caught_up", lambda body: body["type"] == "caught_up")
    for event in device.events:
        assert event.body.get("first_seq", event["seq"]) == after + 1, device.shown(f"a hole after {after}")
        after = event["seq"]
    assert after >= due, device.shown(f"the feed was at {after} when it had caught up, the snapshot at {due} before")


async def whole(owner: Owner) -> None:
    """Wait for what is going on, then read everything again from the beginning and compare it with what was said."""
    said = [remark for remark in owner.remarks if remark.thread_id not in owner.deleted]
    for remark in said:
        await owner.over(remark.run_id)
    last = (await owner.got("/v1/snapshot"))["last_seq"]
    await owner.up_to(last)
    assert sorted(owner.events) == list(range(1, last + 1)), owner.device.shown("the sockets in use have brought holes")
    device = await owner.another(name="from the beginning")
    assert (await device.follow("0"))["last_seq"] == 0
    await dense(device, 0, last)
    _same_bytes(owner, device)
    accepted = {e["data"]["message_id"]: e["data"]["text"] for e in device.events if e.type == "message_accepted"}
    assert accepted == {remark.message_id: remark.text for remark in said}, device.shown(
        "what was said is not the feed"
    )
    finals = {event.run for event in device.events if event.body.get("final")}
    assert finals == {remark.run_id for remark in said}, device.shown("a run has no ending")
    answers = {
        e["data"]["message_id"]: e["data"]["text"] for e in device.events if e.body.get("final") and "text" in e["data"]
    }
    await _conversations(owner, answers)
    for door, path in (("key_id", "/v1/auth/keys"), ("passkey_id", "/v1/auth/passkeys")):
        told = [item["id"] for item in (await owner.got(path))["items"]]
        assert told == [owner.doors[door]], f"{path} of {owner.name} has {told}"
    await device.close()


def _same_bytes(owner: Owner, device: Device) -> None:
    for event in device.events:
        before = owner.events.get(event["seq"], event.raw)
        if "first_seq" not in event.body and b'"first_seq"' not in before:
            assert event.raw == before, device.shown(f"event {event['seq']} was once {before.decode()}")


async def _conversations(owner: Owner, answers: dict[str, str]) -> None:
    listed = {item["id"]: item.get("title") for item in await pages(owner, "/v1/threads", 3)}
    assert sorted(listed) == sorted(owner.open_threads()), f"{owner.name} has other threads: {listed}"
    told: dict[str, str] = {}
    for thread, title in listed.items():
        assert owner.titles.get(thread, title) == title, f"a title of {owner.name} is {title}"
        items = await pages(owner, f"/v1/threads/{thread}/messages", 2)
        told |= {item["id"]: item["text"] for item in items if item["role"] == "agent"}
        texts = [item["text"] for item in items if item["role"] == "user"]
        due = [remark.text for remark in owner.remarks if remark.thread_id == thread]
        assert texts == due, f"the messages of {thread} of {owner.name}: {json.dumps(texts)}, not {json.dumps(due)}"
    missing = {known: text for known, text in answers.items() if told.get(known) != text}
    assert not missing, f"answers to {owner.name} that are in no thread: {missing}"
