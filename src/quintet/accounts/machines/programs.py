"""The parts for programs, as accounts hold them."""

from quintet.accounts.config import AccountsConfig
from quintet.accounts.machines.own_keys import OwnKeys
from quintet.accounts.machines.services import Services
from quintet.accounts.sessions.identities import Identities
from quintet.sources import Sources
from quintet.store import Store

__all__ = ["Programs"]


class Programs:
    """`services` speak for themselves, `keys` for the user who made them."""

    def __init__(self, store: Store, sources: Sources, identities: Identities, config: AccountsConfig) -> None:
        self.services = Services(store, sources, identities, config)
        self.keys = OwnKeys(store, sources)
