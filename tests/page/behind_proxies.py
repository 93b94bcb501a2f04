"""A fleet as it is meant to be run: in production, behind nginx and Caddy with the files of docs/deploy, TLS and two gateways, used by a
person in a browser and one at a terminal. `make proxies` runs it; nobody needs the two programs for anything else."""

import asyncio
import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from fleet.fleet import Fleet, Node
from page.conftest import Visit
from page.test_connection import whole_story
from page.window import GONE
from quintet.testing.services import ports
from support.postgres import PostgresDatabase
from support.proxies import PROXIES, Front, front
from terminal.person import Person

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session"), pytest.mark.hang_guard(240)]

LOST = r"status of 502|ERR_NETWORK_CHANGED|" + GONE
STEPS = 60


class _InProduction(Node):
    """Started as the units do it."""

    def _line(self) -> list[str]:
        return [word for word in super()._line() if word != "--dev"]

    @property
    def sockets(self) -> int:
        """How many it has."""
        with urllib.request.urlopen(f"http://{self.host}:{self.port}/metrics", timeout=5) as answer:
            found = re.search(r"^quintet_sockets (\d+)", answer.read().decode(), re.MULTILINE)
        assert found
        return int(found[1])


class Deployed:
    """A proxy and the fleet behind it."""

    def __init__(self, fleet: Fleet, before: Front) -> None:
        self.fleet, self.before = fleet, before


@pytest.fixture(params=PROXIES)
def deployed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployed]:
    """Two gateways and a worker behind each of the proxies."""
    port = ports.free()
    variables = {
        "QUINTET_PUBLIC_URL": f"https://localhost:{port}",
        "QUINTET_TRUSTED_PROXIES": "127.0.0.1",
        "QUINTET_SIGN_UP": "open",
    }
    fleet = Fleet(tmp_path, PostgresDatabase(), gateways=2, workers=1, variables=variables, kind=_InProduction)
    try:
        fleet.start()
        gateways = [node.port for node in fleet.gateways]
        with front(request.param, tmp_path / "front", port, gateways) as before:
            yield Deployed(fleet, before)
    finally:
        fleet.end()


async def test_a_person_loses_nothing_when_a_gateway_is_killed(
    deployed: Deployed, visit: Visit, tmp_path: Path
) -> None:
    """Signing up, a run that is watched live, a reload in its middle, kill -9 of the gateway that has the socket: the page goes on over the
    other one, every step is there once, and nobody is told more than that it connects again."""
    window = await (await visit(at=deployed.before, ignore_https_errors=True)).sign_up()
    await window.say(json.dumps({"steps": STEPS, "pause": 0.25}), agent="stepper")
    thoughts = window.page.locator(".thought-text")
    await expect(thoughts.nth(4)).to_be_visible()
    assert await thoughts.count() < STEPS, "nothing came before all was there"
    await window.page.reload()
    await expect(window.turn()).to_have_attribute("data-state", "running")
    await expect(window.page.locator(".link-state")).to_have_text("Connected")
    holding = [node for node in deployed.fleet.gateways if await asyncio.to_thread(lambda node=node: node.sockets)]  # type: ignore[misc]
    assert len(holding) == 1
    holding[0].kill()
    seen = await thoughts.count()
    await expect(window.page.locator(".link-state")).not_to_have_text("Connected")
    await expect(window.page.locator(".link-state")).to_have_text("Connected")
    await expect(thoughts.nth(seen + 3)).to_be_visible()
    assert await window.turn().get_attribute("data-state") == "running"
    await window.page.screenshot(path=tmp_path / "goes_on.png")
    await window.ended("completed")
    await whole_story(window, STEPS)
    window.quiet(LOST)
    holding[0].start()
    await window.say("and again", agent="echo")
    await window.ended("completed")


async def test_a_terminal_and_the_doctor_find_nothing_wrong(deployed: Deployed, tmp_path: Path) -> None:
    """`quintet chat` through the proxy has its answer, while a gateway is away too; `quintet doctor --url` ends with 0."""
    person = Person(deployed.before, tmp_path)  # type: ignore[arg-type]  # its address is all that is asked for

    def run(*words: str, given: str = "") -> str:
        done = person.run(*words, given=given, SSL_CERT_FILE=str(deployed.before.certificate))
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}\n{deployed.fleet.gateways[0].tail()}"
        return done.stdout

    def all_of_it() -> None:
        run("login", "--register", "--url", deployed.before.url, given=f"{person.email}\n{person.password}\n")
        assert "violins" in run("chat", "--agent", "echo", "violins")
        run("doctor", "--url", deployed.before.url)
        deployed.fleet.gateways[0].kill()
        assert "cellos" in run("chat", "--agent", "echo", "cellos")
        assert "violas" in run("chat", "--agent", "echo", "violas")

    await asyncio.to_thread(all_of_it)
