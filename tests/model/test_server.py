"""A real server with a scripted provider behind it."""

import asyncio
import json

import pytest

from model.provider import Asked, Provider, Refusal, call, text, used
from model.talking import KEY
from support.server import Factory
from support.story import answer, ending, whole
from support.world import World

pytestmark = pytest.mark.l3


async def test_a_conversation_and_a_refusal_at_a_real_server(server_factory: Factory) -> None:
    """Set in the environment, the model answers over the wire; a refusal that holds the key shows it to nobody, not even the log."""

    def refuse(asked: Asked) -> Refusal:
        return Refusal(401, json.dumps({"error": {"message": f"wrong key {asked.headers['authorization']}"}}))

    answers = ([*call("list_agents"), used(9, 1)], [*text("Two ", "agents."), used(12, 2)], refuse)
    async with Provider(*answers) as provider:
        environment = {
            "QUINTET_MODEL": "openai:scripted",
            "QUINTET_MODEL_BASE_URL": provider.url,
            "QUINTET_MODEL_API_KEY": KEY,
        }
        start = asyncio.to_thread(server_factory, environment=environment)
        server = await start
        async with World(server) as world:
            alice = await world.user()
            device = await world.device(alice)
            said = await device.send("who is here?")
            run = whole(await device.run(said.run_id))
            assert answer(run) == "Two agents."
            assert ending(run).data["usage"] == {"requests": 2, "input_tokens": 21, "output_tokens": 3}
            failed = whole(await device.tell("and now?", "assistant"))
            assert ending(failed).data["error"]["code"] == "agent_error"
            assert KEY not in json.dumps([event.body for event in [*run, *failed]])
            trace = str(ending(failed).body["trace_id"])
        server.stop()
    log = server.logged()
    assert KEY not in log
    assert any(trace in line and "401" in line and "[key]" in line for line in log.splitlines()), log[-3000:]
    assert "HTTP Request" not in log
