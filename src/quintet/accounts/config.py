"""The values that accounts are built with. Defaults are those of the published limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quintet.accounts.elsewhere import Issuer, Provider

__all__ = ["AccountsConfig"]

DAY = 24 * 60 * 60
SignUp = Literal["open", "invite", "closed"]


@dataclass(frozen=True, slots=True)
class AccountsConfig:
    """Durations are in seconds, rates in the form "10 per 1 minute".

    `issuer` and `audience` go into access tokens. `site` is the address that links in letters begin with. `verify_email` asks for
    confirmed addresses; `breached` is a file of known passwords. `per_address` off drops the throttles per address (development, where
    everybody is 127.0.0.1). `trusted_proxies` are networks whose `X-Forwarded-For` is believed.
    `public_url` is whom passkeys are made for (None in development: `localhost`), `product` what authenticators show. `pending_seconds` is
    the time between two steps of a sign-in, `recent_seconds` how old the sign-in of somebody without a password may be who changes
    what only a password may.
    `cookie_port` is the port in the cookie's name, None the one the request came to. `hash_at_once` None is one per core.
    """

    issuer: str
    audience: str = "quintet"
    product: str = "Quintet"
    public_url: str | None = None
    sign_up: SignUp = "open"
    verify_email: bool = False
    site: str = "http://localhost:8750"
    breached: Path | None = None
    per_address: bool = True
    trusted_proxies: Sequence[str] = ()
    cookie_port: int | None = None

    access_seconds: int = 10 * 60
    leeway_seconds: int = 30
    providers: Sequence[Provider] = ()
    foreign_issuer: Issuer | None = None
    key_rotation_days: int = 90
    refresh_idle_seconds: int = 14 * DAY
    refresh_absolute_seconds: int = 30 * DAY
    refresh_parallel_seconds: int = 10
    refresh_repeat_seconds: int = 60
    sessions_per_user: int = 20

    password_shortest: int = 15
    password_longest: int = 256

    sign_ins_per_address: str = "10 per 1 minute"
    registrations_per_address: str = "60 per 1 minute"
    failures_per_account: str = "5 per 5 minute"
    code_failures_per_account: str = "10 per 1 hour"
    pending_seconds: int = 5 * 60
    recent_seconds: int = 5 * 60
    letters_per_address: str = "20 per 1 minute"
    letters_per_account: str = "5 per 1 hour"

    verify_hours: int = 48
    reset_hours: int = 1

    hash_at_once: int | None = None
    hash_waiting: int = 32
    hash_seconds: float = 5.0
    hash_rounds: int = 3
    hash_kib: int = 64 * 1024
