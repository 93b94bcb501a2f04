"""What users write: threads, titles, messages, files; and what they take back."""

import json
from typing import Any

from support.canaries.owner import File, Owner, Remark

__all__ = ["AGENTS", "cancel", "delete", "download", "open_thread", "post", "rename", "upload"]

AGENTS = (
    "echo",
    "coordinator",
    "secretive",
    "researcher",
    "stepper",
    "streamer",
    "rememberer",
    "returner",
    "sync_agent",
)


async def open_thread(owner: Owner) -> str:
    """A thread with a title; its id."""
    title = owner.word()
    answer = await owner.ask("POST", "/v1/threads", json={"title": title})
    assert answer.status_code == 201 and answer.json()["title"] == title, answer.text
    owner.threads.append(answer.json()["id"])
    owner.titles[owner.threads[-1]] = title
    return owner.threads[-1]


async def rename(owner: Owner, place: int) -> None:
    """Another title."""
    threads = owner.open_threads() or [await open_thread(owner)]
    thread, title = threads[place % len(threads)], owner.word()
    answer = await owner.ask("PATCH", f"/v1/threads/{thread}", json={"title": title})
    assert answer.status_code == 200, answer.text
    owner.titles[thread] = title


async def post(owner: Owner, place: int, agent: str, *, http: bool, wait: bool, seconds: float = 0.3) -> Remark:
    """A message to an own thread or a new one, with a file now and then; what it orders carries the canary into tools and answers."""
    orders: dict[str, Any] = dict.fromkeys(("text", "topic", "canary", "mark", "value"), owner.word())
    orders |= {"steps": 3, "pieces": 6, "pause": 0.002, "seconds": seconds}
    said: dict[str, Any] = {"client_id": owner.client_id(), "text": json.dumps(orders), "agent": agent}
    threads = [*owner.open_threads(), *([await open_thread(owner)] if http else [""])]
    thread = threads[place % len(threads)]
    unsent = [known for known, file in owner.files.items() if not file.thread_id]
    if unsent and place % 3 == 0:
        said["attachments"] = unsent[:1]
    told = await _said(owner, thread, said, http=http)
    if place % 4 == 0:
        assert await _said(owner, thread, said, http=http) == told, "the same message again is answered differently"
        owner.counts["sent again"] += 1
    remark = Remark(told["message_id"], told["thread_id"], told["run_id"], said["text"])
    owner.remarks.append(remark)
    if not thread:
        owner.threads.append(remark.thread_id)
    for known in said.get("attachments", ()):
        owner.files[known].thread_id = remark.thread_id
    if wait:
        await owner.over(remark.run_id)
    return remark


async def _said(owner: Owner, thread: str, said: dict[str, Any], *, http: bool) -> dict[str, Any]:
    if http:
        answer = await owner.ask("POST", f"/v1/threads/{thread}/messages", json=said)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())
    told = await owner.request("send", **said, **({"thread_id": thread} if thread else {}))
    assert told["type"] == "result", owner.device.shown(f"send was answered by {told}")
    return {key: told[key] for key in ("message_id", "thread_id", "run_id", "cursor")}


async def upload(owner: Owner) -> None:
    """A file whose name and content are one's own."""
    file = File(f"{owner.word()}.txt", owner.word().encode() * 3)
    answer = await owner.ask("POST", "/v1/attachments", files={"file": (file.name, file.content)})
    assert answer.status_code == 201, answer.text
    owner.files[answer.json()["id"]] = file


async def download(owner: Owner, place: int) -> None:
    """An own file, whole and under its name, unless its thread is deleted."""
    known = list(owner.files)[place % len(owner.files)]
    answer = await owner.ask("GET", f"/v1/attachments/{known}/content")
    if owner.alive("attachment_id", known):
        assert answer.content == owner.files[known].content, answer.text
        assert owner.files[known].name in answer.headers["content-disposition"]
        owner.counts["download"] += 1
    else:
        assert answer.status_code == 404, answer.text


async def delete(owner: Owner, place: int) -> None:
    """An own thread with all that is in it, also while its run is going on."""
    threads = owner.open_threads() or [await open_thread(owner)]
    thread = threads[place % len(threads)]
    answer = await owner.ask("DELETE", f"/v1/threads/{thread}")
    assert answer.status_code == 204, answer.text
    owner.deleted.add(thread)
    owner.counts["deletion"] += 1


async def cancel(owner: Owner, thief: Owner, place: int) -> None:
    """A run that would go on for a minute is stopped by its owner; another has tried before and was told that there is none."""
    remark = await post(owner, place, "slow_tool", http=False, wait=False, seconds=60)
    told = await thief.request("cancel", run_id=remark.run_id)
    assert (told["type"], told["code"]) == ("error", "not_found"), thief.device.shown(str(told))
    told = await owner.request("cancel", run_id=remark.run_id)
    assert told["type"] == "result", owner.device.shown(str(told))
    await owner.over(remark.run_id)
    owner.counts["cancel"] += 1
