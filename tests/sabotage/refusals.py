"""P10: what is refused or has failed is said, with a code and a sentence, and nothing of what went wrong inside."""

import asyncio
from typing import Any

from quintet.testing.accounts.account import register
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connecting import Connect
from support.server import Server

__all__ = ["check_refusals_are_told"]

_INSIDE = ("Traceback", "Error(", "Error:", ".py", "Exception")


async def check_refusals_are_told(server: Server) -> None:
    """A bad frame, an unknown id over socket and HTTP, an agent that raises: each has its code and its fixed sentence."""
    account = await asyncio.to_thread(register, server)
    loop = LoopThread("refusals")
    connect = Connect(loop)
    try:
        device = await connect.device(server, account)
        await device.send({"id": "odd", "do": "dance"})
        odd = await device.find("the refusal of a verb nobody knows", lambda seen: seen.body.get("id") == "odd")
        _told(odd.body, "bad_message")
        _told(await device.request("cancel", run_id="run_never"), "not_found")
        async with account.http as http:
            _told((await http.get("/v1/threads/thr_never")).json(), "not_found")
        run = await device.tell("fail", agent="raiser")
        assert run[-1].type == "agent_failed", f"a failure was told as {run[-1].type}"
        _told(run[-1].body["data"]["error"], "agent_error")
    finally:
        await asyncio.to_thread(connect.finish)
        await asyncio.to_thread(loop.close)


def _told(body: dict[str, Any], code: str) -> None:
    sentence = str(body.get("message") or body.get("detail"))
    inside = [word for word in _INSIDE if word in sentence]
    assert not inside, f"a refusal tells of the inside: {sentence}"
    assert body["code"] == code and sentence.endswith("."), f"{body} is no refusal with the code {code}"
