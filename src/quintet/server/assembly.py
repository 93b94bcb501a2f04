"""One object that builds the parts asked for, starts them, drains them, stops them. Tests start it on port 0.

1. Parts do not know each other: what one needs of another is handed to it here, as a function.
2. What a dead process left running is ended before anything is served: the store's lock proves it dead.
3. Draining: no new work and no new connections first, then the running runs, then the sockets, last the store.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI

from quintet import __version__
from quintet.accounts import Accounts
from quintet.accounts.admin.api import admin_router
from quintet.accounts.routes.api import accounts_router
from quintet.accounts.settling import Settling
from quintet.agents import ModelConfigError, shipped
from quintet.chat import Submitting, cancelling, chat_router
from quintet.delivery import Cancel, Gateway
from quintet.edge.application import http_application
from quintet.edge.figures import HTTPFigures
from quintet.edge.identity import Authenticate, service_of, speaker_of
from quintet.edge.limits import AddressOf
from quintet.edge.origins import OriginPolicy
from quintet.engine import Registry, RegistryError
from quintet.log import Log
from quintet.server import values
from quintet.server.audited import log_audit
from quintet.server.crew import Crews
from quintet.server.endings import log_endings
from quintet.server.health import Checks, checks_of, health_router
from quintet.server.lag import LoopLag
from quintet.server.listening import address, listen
from quintet.server.metrics import Metrics, metrics_router
from quintet.server.opening import map_digest, open_database, started
from quintet.server.posting import courier
from quintet.server.tracing import Tracer, opened
from quintet.server.uvicorn_server import HTTPServer
from quintet.server.vitals import Vitals
from quintet.settings import Role, Settings, StartError
from quintet.sources import Sources
from quintet.store import Store
from quintet.web import pages_router

__all__ = ["Server"]


@dataclass(frozen=True, slots=True)
class _Parts:
    store: Store
    log: Log
    accounts: Accounts
    crews: Crews
    gateway: Gateway
    lag: LoopLag
    tracer: Tracer | None


class Server:
    """A Quintet server in this process and on the running loop.

    `role`: a `gateway` runs no agents, a `worker` serves nobody but whoever asks how it is; `all` does both.
    `shares_port`: with the other processes of one parent.
    """

    def __init__(
        self,
        settings: Settings,
        modules: Sequence[str] = (),
        *,
        role: Role = "all",
        sources: Sources | None = None,
        shares_port: bool = False,
    ) -> None:
        self._settings = settings
        self._role = role
        self._modules = modules
        self._sources = sources or Sources()
        self._shares_port = shares_port
        self._draining = False
        self._parts: _Parts | None = None
        self._http: HTTPServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it answers; loopback is called `localhost`."""
        return address(self._settings.host, self.port)

    async def start(self) -> None:
        """Open the store, end what a dead process left, start every part, listen.

        Raises:
            StartError: the port, the database or the agents stand in the way.
        """
        registry = self._registry()
        tracer = opened(self._settings.traces_url, __version__)
        sockets, self.port = listen(self._settings.host, self._settings.port, shared=self._shares_port)
        try:
            self._parts = parts = await self._build(registry, tracer)
        except BaseException:
            for bound in sockets:
                bound.close()
            raise
        sockets_too = None if self._role == "worker" else parts.gateway.protocol_class()
        self._http = HTTPServer(self._application(parts), parts.gateway.http_class(), sockets_too)
        self._serving = asyncio.create_task(self._http.serve(sockets), name="http")
        while not self._http.started:
            if self._serving.done():
                await self._serving
                raise StartError("The HTTP server did not start", "Look at the lines above.")
            await asyncio.sleep(0.005)
        await parts.crews.show()
        parts.lag.start()

    async def stop(self) -> None:
        """Drain and stop. Waits for running runs only, for as long as the settings say."""
        self._draining = True
        parts, http = self._parts, self._http
        if parts is None or http is None or self._serving is None:
            return
        http.close_listeners(())
        await parts.crews.drain()
        await parts.gateway.drain()
        http.should_exit = True
        with contextlib.suppress(Exception):
            await self._serving
        await parts.crews.close()
        await parts.lag.close()
        await parts.log.close()
        await parts.accounts.close()
        await parts.store.close()
        if parts.tracer is not None:
            await parts.tracer.close()

    def _registry(self) -> Registry:
        try:
            registry = Registry(shipped(values.model(self._settings), self._sources))
            registry.load(self._modules)
        except ModelConfigError as error:
            raise StartError(error.what, error.fix, exit_code=78) from error
        except RegistryError as error:
            what, _, fix = str(error).partition(". ")
            raise StartError(what[:1].upper() + what[1:], fix or "Look at --agents and QUINTET_AGENTS.") from error
        if self._role == "all" and registry.get(self._settings.default_agent) is None:
            raise StartError(
                "There is no agent of the name that QUINTET_DEFAULT_AGENT holds",
                "Set it to one of those in --agents, or to assistant.",
                exit_code=78,
            )
        return registry

    async def _build(self, registry: Registry, tracer: Tracer | None) -> _Parts:
        settings, sources = self._settings, self._sources
        store = await self._open_store()
        log_endings(store)
        log_audit(store)
        log = Log(store)
        await log.start()
        accounts = self._accounts(store)
        await accounts.start()
        crews = Crews(settings, self._role, sources, log, registry)
        await store.tend(crews.add)
        gateway = Gateway(
            log,
            self._conversing(store, accounts),
            accounts.still_valid,
            self._submitting(store),
            self._cancelling(store),
            self._origins(),
            sources,
            values.gateway(settings),
        )
        if tracer is not None:
            store.on_commit(tracer.committed)
            gateway.tell(tracer.delivered)
        return _Parts(store, log, accounts, crews, gateway, LoopLag(sources), tracer)

    def _conversing(self, store: Store, accounts: Accounts) -> Authenticate:
        """Who speaks, with a place in the user's cell where there are cells."""
        return (
            accounts.authenticate
            if len(store.cells) == 1
            else Settling(store, self._sources, accounts.authenticate).authenticate
        )

    def _accounts(self, store: Store) -> Accounts:
        settings, sources = self._settings, self._sources
        config = values.accounts(settings, self.url)
        try:
            return Accounts(store, sources, values.secrets(settings), config, courier(settings, sources))
        except (OSError, ValueError) as error:
            raise StartError(
                "QUINTET_BREACHED_PASSWORDS names no sorted file of SHA-1 hashes that can be read",
                "Download it with the Have I Been Pwned downloader as one file, or leave it out.",
                exit_code=78,
            ) from error

    async def _open_store(self) -> Store:
        settings = self._settings
        loop = asyncio.get_running_loop()
        store = await loop.run_in_executor(None, lambda: open_database(settings, migrate=settings.dev))
        try:
            await started(store, settings)
        except StartError:
            await store.close()
            raise
        return store

    def _origins(self) -> OriginPolicy:
        return OriginPolicy(self._settings.public_url, self._settings.allowed_origins, self._settings.dev)

    def _submitting(self, store: Store) -> Submitting:
        settings = self._settings
        return Submitting(
            store,
            self._sources,
            default_agent=settings.default_agent,
            most_running=settings.runs_per_user,
            most_waiting=settings.queued_runs_per_user,
        )

    def _cancelling(self, store: Store) -> Cancel:
        return cancelling(store, self._sources, most_running=self._settings.runs_per_user)

    def _application(self, parts: _Parts) -> object:
        policy, sources = self._origins(), self._sources
        figures = HTTPFigures()
        if parts.tracer is not None:
            parts.tracer.answered(figures)
        app = http_application(policy, sources, __version__, figures)
        if self._role != "worker":
            self._add_what_people_use(app, parts, policy)
        app.include_router(health_router(self._checks(parts)))
        metrics = Metrics(parts.store, parts.gateway, parts.crews.workers, figures, parts.lag, parts.accounts.courier)
        granted = service_of(parts.accounts.programs.services.authenticate, "metrics:read")
        app.include_router(metrics_router(metrics, granted if self._settings.metrics == "granted" else None))
        return app

    def _add_what_people_use(self, app: FastAPI, parts: _Parts, policy: OriginPolicy) -> None:
        app.include_router(accounts_router(parts.accounts, policy, self._sources))
        vitals = Vitals(self._checks(parts).all, parts.store, parts.gateway, parts.lag, __version__)
        address_of = AddressOf(self._settings.trusted_proxies)
        services = parts.accounts.programs.services.authenticate
        app.include_router(admin_router(parts.accounts.desk, parts.accounts.authenticate, services, address_of, vitals))
        identity = speaker_of(self._conversing(parts.store, parts.accounts))
        app.include_router(
            chat_router(
                parts.store,
                self._sources,
                identity,
                self._submitting(parts.store),
                self._cancelling(parts.store),
                attachment_bytes=self._settings.attachment_bytes,
                most_running=self._settings.runs_per_user,
            )
        )
        app.include_router(parts.gateway.router())
        app.include_router(pages_router())

    def _checks(self, parts: _Parts) -> Checks:
        return checks_of(
            parts.store, self._serves, map_digest(self._settings), self._settings.worker_life_seconds * 1000
        )

    async def _serves(self) -> bool:
        return not self._draining
