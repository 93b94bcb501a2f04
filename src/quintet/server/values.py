"""From settings to the values that each part is built with. Only the server knows both.

A part is imported when its values are asked for: administration needs those of accounts alone, and is to answer at once.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from quintet.accounts import AccountsConfig, Secrets
from quintet.accounts.elsewhere import USUAL_ALGORITHMS, Issuer, Provider
from quintet.edge.limits import AddressOf
from quintet.redaction import secret_values
from quintet.settings import Settings
from quintet.settings.providers import ProviderSettings

if TYPE_CHECKING:
    from quintet.agents import ModelConfig
    from quintet.delivery import GatewayConfig
    from quintet.engine import Limits

__all__ = ["Check", "accounts", "engine", "gateway", "known_secrets", "model", "secrets"]

Check = Callable[[], Awaitable[bool]]


def known_secrets(settings: Settings, environment: Mapping[str, str]) -> frozenset[str]:
    """Values that must never be shown: the settings' own, and what the environment calls a secret."""
    fields = {name: getattr(settings, name) for name in Settings.model_fields}
    hidden = {name: value.get_secret_value() for name, value in fields.items() if isinstance(value, SecretStr)}
    return secret_values(environment) | secret_values(hidden) | frozenset(hidden.values()) | _listed(settings)


def _listed(settings: Settings) -> set[str]:
    """The secrets that stand in lists."""
    places = {url for url in settings.places if url}
    return {*settings.secrets, *places, *(provider.client_secret.get_secret_value() for provider in settings.oidc)}


def secrets(settings: Settings) -> Secrets:
    """What everything is sealed under and derived from."""
    newest, *older = settings.secrets
    return Secrets(newest, tuple(older))


def accounts(settings: Settings, site: str | None = None) -> AccountsConfig:
    """What accounts are built with. `site` is where people find the server if no setting says so.

    The issuer does not depend on the port, which may change between starts.
    """
    return AccountsConfig(
        issuer=settings.public_url or "http://localhost",
        sign_up=settings.sign_up,
        verify_email=settings.verify_email,
        site=settings.public_url or site or f"http://localhost:{settings.port}",
        public_url=settings.public_url,
        breached=settings.breached_passwords,
        per_address=not settings.dev,
        trusted_proxies=settings.trusted_proxies,
        access_seconds=settings.access_token_seconds,
        leeway_seconds=settings.token_leeway_seconds,
        key_rotation_days=settings.key_rotation_days,
        providers=[_provider(provider) for provider in settings.oidc],
        foreign_issuer=_foreign_issuer(settings),
        refresh_idle_seconds=settings.session_idle_seconds,
        refresh_absolute_seconds=settings.session_max_seconds,
        sessions_per_user=settings.sessions_per_user,
        cookie_port=_port_of(settings.public_url),
        password_shortest=settings.password_min_characters,
        password_longest=settings.password_max_characters,
        sign_ins_per_address=f"{settings.sign_ins_per_minute} per 1 minute",
        registrations_per_address=f"{settings.registrations_per_minute} per 1 minute",
        failures_per_account=f"{settings.sign_in_failures} per {settings.sign_in_failure_seconds} second",
        hash_at_once=settings.hashes_at_once or None,
        hash_waiting=settings.hashes_waiting,
        hash_seconds=settings.hash_wait_seconds,
    )


def _provider(provider: ProviderSettings) -> Provider:
    secret = provider.client_secret.get_secret_value()
    return Provider(
        provider.name, provider.title, provider.issuer, provider.client_id, secret, trusted=provider.trusted
    )


def _foreign_issuer(settings: Settings) -> Issuer | None:
    if settings.issuer_url is None or settings.issuer_audience is None:
        return None
    algorithms = settings.issuer_algorithms or USUAL_ALGORITHMS
    return Issuer(settings.issuer_url, settings.issuer_audience, algorithms, settings.issuer_jwks_url)


def _port_of(public_url: str | None) -> int | None:
    """The port in the address that people open: a proxy may reach us at another. None: the one a request came to."""
    if public_url is None:
        return None
    parts = urlsplit(public_url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def engine(settings: Settings) -> "Limits":
    """The engine's bounds."""
    from quintet.engine import Limits

    return Limits(
        runs=settings.runs_at_once,
        life=settings.worker_life_seconds,
        run=settings.run_seconds,
        tool=settings.tool_seconds,
        drain=settings.drain_seconds,
        per_user=settings.runs_per_user,
    )


def gateway(settings: Settings) -> "GatewayConfig":
    """The sockets' limits."""
    from quintet.delivery import GatewayConfig

    return GatewayConfig(
        head_bytes=settings.header_bytes,
        frames_per_second=settings.frames_per_second,
        burst=settings.frame_burst,
        sockets_per_user=settings.sockets_per_user,
        address_of=AddressOf(settings.trusted_proxies),
    )


def model(settings: Settings) -> "ModelConfig | None":
    """The language model behind the assistant, if there is one."""
    from quintet.agents import ModelConfig

    if settings.model is None:
        return None
    key = settings.model_api_key
    return ModelConfig(
        settings.model,
        base_url=settings.model_base_url,
        api_key=key.get_secret_value() if key else None,
        seconds=settings.model_seconds,
        history=settings.model_history_characters,
    )
