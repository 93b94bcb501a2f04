"""A server behind a certificate."""

import asyncio
from pathlib import Path

import pytest

from quintet.client import UnreachableError, connect
from support.secured import certified, secured
from support.world import World

pytestmark = pytest.mark.l3
STEP = 30.0


async def test_a_certificate_that_nobody_vouches_for_is_named_and_one_that_the_machine_knows_is_taken(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words say that it is the certificate; SSL_CERT_FILE is believed, over HTTP and by the socket."""
    alice = await world.user()
    context, certificate = certified(tmp_path)
    async with secured(int(world.server.url.rpartition(":")[2]), context) as url:
        with pytest.raises(UnreachableError, match=r"its certificate is not to be trusted: self.signed"):
            async with connect(url, token=alice.access_token):
                pass
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with connect(url, token=alice.access_token) as client:
            assert (await asyncio.wait_for(client.threads(), STEP))["items"] == []
            run = client.run("hello", agent="echo")
            await asyncio.wait_for(run.finished(), STEP)
            assert run.text == "hello"
