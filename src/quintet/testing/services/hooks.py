"""pytest's view of the services: started before anything of the project is imported, a line in the header, fixtures, the end.

In two steps, because other plugins act in between: first of all (a plugin may import the application's settings next), and once more
when those are done (one may have set a required variable, or overwritten ours).
"""

from collections.abc import Callable, Generator, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from quintet.testing import config as asked
from quintet.testing import services as running

if TYPE_CHECKING:
    from quintet.testing.services.handle import Running
    from quintet.testing.services.life import Life
    from quintet.testing.services.postgres.databases import Database
    from quintet.testing.services.quintet import QuintetServer
    from quintet.testing.services.running import Services

_numbers = count(1)  # of databases of this process
_LIFE: "pytest.StashKey[Life]" = pytest.StashKey()
_LOOKING = ("help", "version", "markers", "showfixtures", "show_fixtures_per_test", "cacheshow", "quintet_sabotage")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """The first step. The second is taken by `Second`, registered here."""
    if asked.of(early_config).asked:
        from quintet.testing.services.life import Life

        options = early_config.known_args_namespace
        looking = any(getattr(options, name, False) for name in _LOOKING)
        life = early_config.stash[_LIFE] = Life(
            early_config, starts=not looking and not options.collectonly, judges=not looking
        )
        early_config.add_cleanup(life.end)
        life.begin()
    yield


class Second:
    """The second step: after other plugins, before conftests."""

    @staticmethod
    def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
        """Faults in the environment end the run here."""
        life = early_config.stash.get(_LIFE, None)
        if life is not None:
            life.settle()


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Registers the second step."""
    pluginmanager.register(Second, "quintet.testing.services.second")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The services, and how long they took."""
    life = config.stash.get(_LIFE, None)
    return life.header() if life is not None else []


def _declare(name: str, kind: str) -> str:
    return (
        f"no service of kind {kind!r} is declared. Put this in pyproject.toml:\n\n[tool.quintet.test.services.{name}]\n"
    )


def _of_kind(config: pytest.Config, kind: str) -> "Running":
    services = running.current()
    for spec in asked.of(config).services.values():
        if spec.kind == kind and services is not None:
            return services[spec.name]
    raise pytest.UsageError(_declare(kind, kind))


@pytest.fixture(scope="session")
def services() -> "Services":
    """The services of this run: `services["api"]`, `services.api`."""
    found = running.current()
    if found is None:
        raise pytest.UsageError("this project declares no services: [tool.quintet.test.services] in pyproject.toml")
    return found


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> "Running":
    """The PostgreSQL of this run; `url` is this process's own migrated database."""
    return _of_kind(request.config, "postgres")


@pytest.fixture
def database(postgres: Any) -> "Iterator[Database]":
    """A migrated database for this test alone, cloned in milliseconds and dropped after it."""
    from quintet.testing.services.postgres.server import TEMPLATE

    made = postgres.databases.clone(TEMPLATE, f"{postgres.database}_t{next(_numbers)}")
    yield made
    postgres.databases.drop(made.name)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> "Running":
    """The Quintet of this run, which all tests share. A test that stops or kills one makes its own with `server_factory`."""
    return _of_kind(request.config, "quintet")


@pytest.fixture(scope="session")
def server_class() -> "type[QuintetServer]":
    """What `server_factory` makes. A project with a kind of its own (its agents, its settings) overrides this fixture."""
    from quintet.testing.services.quintet import QuintetServer

    return QuintetServer


@pytest.fixture
def server_factory(
    tmp_path_factory: pytest.TempPathFactory, server_class: "type[QuintetServer]"
) -> "Iterator[Callable[..., QuintetServer]]":
    """Makes and starts Quintets with data of their own; all are ended with the test."""
    made: list[QuintetServer] = []

    def make(*, start: bool = True, **options: Any) -> "QuintetServer":
        server = server_class(tmp_path_factory.mktemp("server"), **options)
        made.append(server)
        if start:
            server.start()
        return server

    yield make
    for server in made:
        server.end()
