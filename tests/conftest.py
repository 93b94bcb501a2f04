"""Fixtures of the whole suite: real servers, and worlds of users and devices at them. No server starts before it is asked for."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

pytest.register_assert_rewrite("support")

from support.server import Server, running  # noqa: E402
from support.world import World  # noqa: E402

_FIGURES: list[str] = []
_SABOTAGES: dict[str, bool] = {}


@pytest.fixture
def figure(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Notes what a test has measured; all of it is shown at the end of the run, also when nothing failed."""
    return lambda words: record_property("figure", f"{request.node.name}: {words}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What a test says, from whatever process of the run; a planted defect was seen where its test is green."""
    if report.when == "call":
        _FIGURES.extend(str(words) for name, words in report.user_properties if name == "figure")
    for name, planted in report.user_properties:
        if name == "sabotage" and (report.when == "call" or report.failed):
            _SABOTAGES[str(planted)] = report.passed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured, and how many of how many planted defects were seen."""
    for line in _FIGURES:
        terminalreporter.write_line(line)
    for planted, seen in sorted(_SABOTAGES.items(), key=lambda item: (int(item[0].split()[0][1:]), item[0])):
        terminalreporter.write_line(f"{'seen' if seen else 'NOT SEEN':9}{planted}")
    if _SABOTAGES:
        terminalreporter.write_line(f"sabotages seen: {sum(_SABOTAGES.values())} of {len(_SABOTAGES)}")


@pytest.fixture(scope="session")
def server_secret() -> str:
    """What the shared server has in its environment as its agents' secret."""
    import secrets

    return f"canary{secrets.token_hex(12)}"


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory, server_secret: str) -> Iterator[Server]:
    """The one server of the run, for fixtures that live longer than a test; tests ask for `server`."""
    with running(Server(tmp_path_factory.mktemp("shared"), environment={"SCRIPTED_SECRET": server_secret})) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The server that tests share. A test that stops, kills or blocks a server makes its own with `server_factory`."""
    if not shared_server.alive:
        raise AssertionError(f"an earlier test has taken the shared server down\n{shared_server.tail()}")
    return shared_server


@pytest.fixture(scope="session")
def server_class() -> type[Server]:
    """What the kit's `server_factory` makes here: servers with our scripted agents."""
    return Server


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    """Users and devices at the shared server, ended with the test."""
    async with World(server) as made:
        yield made
