"""Service clients as the operator of a server sees them: added, listed, disabled. Works beside a running server."""

from collections.abc import Iterable

from quintet.accounts import audit
from quintet.accounts.machines import clients
from quintet.accounts.machines.clients import Client
from quintet.accounts.machines.scopes import OF_SERVICES, chosen, written
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["MOST_CLIENTS", "ClientKeeping"]

MOST_CLIENTS = 200
LONGEST_NAME = 100


class ClientKeeping:
    """What an operator does with service clients. Every method also raises QuintetError `busy`, `unavailable` or `storage_full`."""

    def __init__(self, store: Store, sources: Sources) -> None:
        self._store = store
        self._sources = sources

    async def add(self, name: str, scopes: Iterable[str]) -> tuple[Client, str]:
        """Make a client; with it its secret, which is kept nowhere.

        Raises:
            QuintetError: `invalid_scope`; `bad_message` for a name that cannot be shown; `conflict` when there are too many.
        """
        if not name.isprintable() or not 1 <= len(name.strip()) <= LONGEST_NAME:
            raise QuintetError("bad_message", "The name must have 1 to 100 characters, all of them visible.")
        allowed = written(chosen(scopes, OF_SERVICES))
        secret = clients.secret_of(self._sources.token_bytes(clients.SECRET_BYTES))
        now = self._sources.now_ms()
        client = Client(self._sources.new_id("svc"), name.strip(), clients.digest_of(secret), allowed, now)

        def store(tx: Tx) -> None:
            if len(clients.all_of(tx)) >= MOST_CLIENTS:
                raise QuintetError("conflict", f"There are {MOST_CLIENTS} clients already.")
            clients.add(tx, client)
            audit.record(tx, "service_added", now, subject_id=client.id, name=client.name, scopes=allowed)

        await self._store.write("service_clients", store)
        return client, secret

    async def clients(self) -> list[Client]:
        """All clients, the oldest first."""
        return await self._store.read(clients.all_of)

    async def set_disabled(self, client_id: str, *, disabled: bool) -> Client:
        """Disable a client, from this moment on, or enable it; as it was before. Raises QuintetError `not_found`."""
        now = self._sources.now_ms()

        def change(tx: Tx) -> Client:
            client = clients.by_id(tx, client_id)
            if client is None:
                raise QuintetError("not_found", "There is no such client.")
            if (client.disabled_at is not None) != disabled:
                clients.set_disabled(tx, client_id, now if disabled else None)
                audit.record(tx, "service_disabled" if disabled else "service_enabled", now, subject_id=client_id)
            return client

        return await self._store.write("service_clients", change)
