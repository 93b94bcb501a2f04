"""Who speaks: passwords, tokens, sessions, sign-in flows and their routes."""

from quintet.accounts.config import AccountsConfig
from quintet.accounts.flows import Accounts
from quintet.accounts.keys.sealing import Secrets

__all__ = ["Accounts", "AccountsConfig", "Secrets"]
