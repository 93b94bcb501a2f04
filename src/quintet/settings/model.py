"""Every setting: its type, default, bounds and meaning. The field `session_idle_seconds` is the variable `QUINTET_SESSION_IDLE_SECONDS`.

A field that only makes sense together with another one is checked after it and reads it from `info.data`.
Secrets are `SecretStr`: their text appears in no representation, so in no log and no crash.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from . import fleet, forms
from .faults import UnfitError
from .providers import ProviderSettings
from .secret import strong, strong_ones

__all__ = ["VARIABLES", "Settings"]

PREFIX = "QUINTET_"
SignUp = Literal["open", "invite", "closed"]
DAY = 86_400


def _hidden(check: Any) -> AfterValidator:
    return AfterValidator(lambda secret: SecretStr(check(secret.get_secret_value())))


def _whole(default: int, least: int, most: int, meaning: str) -> Any:
    return Field(default=default, ge=least, le=most, description=meaning)


def _word(default: Any, meaning: str) -> Any:
    return Field(default=default, description=meaning)


class Settings(BaseModel):
    """What the server is told. Immutable; made by `load` alone. Times are in seconds, sizes in bytes, texts in characters."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    dev: bool = Field(
        default=False, description="Development: loopback only, open sign-up, migrates, no limits per address."
    )

    secret_key: Annotated[SecretStr, _hidden(strong)] | None = _word(
        None, "Signs and derives; at least 32 random characters. Required in production, or the next."
    )
    secret_keys: Annotated[tuple[SecretStr, ...], BeforeValidator(strong_ones)] = _word(
        (), "Instead, to change it: the newest first, then those that still open what they have sealed."
    )
    public_url: Annotated[str, AfterValidator(forms.origin)] | None = _word(
        None, "The address people open, such as https://chat.example.com. Required in production, there https."
    )
    host: Annotated[str, AfterValidator(forms.host)] = _word(
        "localhost", "Where to listen; localhost means both loopback families."
    )
    port: int = _whole(8750, 0, 65_535, "The port to listen on; 0 picks a free one.")
    data: Annotated[Path, BeforeValidator(forms.folder)] = _word(
        Path(".quintet"), "The folder of everything that is kept."
    )
    database_url: Annotated[SecretStr, _hidden(forms.database)] | None = _word(
        None, "The database; a SQLite file in the data folder if not set."
    )
    allowed_origins: Annotated[tuple[str, ...], BeforeValidator(forms.origins)] = _word(
        (), "Origins whose pages may speak to this server, besides its own, separated by commas."
    )
    sign_up: Annotated[SignUp, BeforeValidator(forms.choice("open", "invite", "closed"))] = _word(
        "invite", "Who may register: open, invite (whoever has an invitation) or closed. Open in development."
    )
    verify_email: Annotated[bool, BeforeValidator(forms.switch())] = _word(
        False, "Whether an address must be confirmed before it can sign in: on or off."
    )
    smtp_url: Annotated[SecretStr, _hidden(forms.smtp)] | None = Field(
        default=None, validate_default=True, description="The mail server, such as smtps://user:password@host:465."
    )
    mail_from: Annotated[str, AfterValidator(forms.sender)] | None = _word(
        None, "In whose name letters are sent; if not set, the user of the mail server or quintet@ the public host."
    )
    agents: Annotated[tuple[str, ...], BeforeValidator(forms.modules)] = _word(
        (), "Modules with agents of your own, separated by commas."
    )
    default_agent: Annotated[str, AfterValidator(forms.agent)] = _word(
        "assistant", "The agent that answers when a message names none."
    )
    model: Annotated[str, AfterValidator(forms.model)] | None = _word(
        None, "The language model behind the assistant, such as openai:gpt-5; without one it answers by rules."
    )
    model_base_url: Annotated[str, AfterValidator(forms.address)] | None = _word(
        None, "Where the model is reached, such as http://localhost:11434/v1; the provider's own address if not set."
    )
    model_api_key: Annotated[SecretStr, _hidden(forms.key)] | None = _word(
        None, "The key for the model; the provider's usual variable, such as OPENAI_API_KEY, if not set."
    )
    model_seconds: int = _whole(120, 1, 3_600, "How long the model may be silent before a run that waits for it fails.")
    model_history_characters: int = _whole(
        48_000, 0, 1_000_000, "How much of a conversation the model is reminded of; four characters are about a token."
    )
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(forms.proxies)] = _word(
        (), "Addresses or networks of the proxies in front, whose X-Forwarded-For is believed."
    )
    traces_url: Annotated[str, AfterValidator(forms.address)] | None = _word(
        None, "An OpenTelemetry collector (OTLP over HTTP) that gets spans, such as http://localhost:4318/v1/traces."
    )

    metrics: Annotated[Literal["open", "granted"], BeforeValidator(forms.choice("open", "granted"))] = _word(
        "open", "Who may read /metrics: open (whoever reaches it) or granted (service clients with metrics:read)."
    )
    oidc: tuple[ProviderSettings, ...] = Field(default=(), description="The providers to sign in with.")
    issuer_url: Annotated[str, AfterValidator(forms.issuer)] | None = _word(
        None, "Another issuer whose access tokens are believed, such as https://login.example.com."
    )
    issuer_audience: Annotated[str, AfterValidator(forms.key)] | None = Field(
        default=None, validate_default=True, description="What its tokens must be for. Required with an issuer."
    )
    issuer_algorithms: Annotated[tuple[str, ...], BeforeValidator(forms.algorithms)] = _word(
        (), "The signatures of its tokens that are believed; RS256 and ES256 if not set."
    )
    issuer_jwks_url: Annotated[str, AfterValidator(forms.issuer)] | None = _word(
        None, "Where its public keys are; what it says itself if not set."
    )

    key_rotation_days: int = _whole(
        90, 0, 3_650, "After so many days another key signs access tokens; 0 means only by hand."
    )
    access_token_seconds: int = _whole(600, 1, DAY, "How long an access token is valid.")
    token_leeway_seconds: int = _whole(30, 0, 300, "How far clocks may differ when a token's times are checked.")
    session_idle_seconds: int = _whole(14 * DAY, 60, 365 * DAY, "How long a session lives without being used.")
    session_max_seconds: int = Field(
        default=30 * DAY, ge=60, le=365 * DAY, validate_default=True, description="How long a session lives at most."
    )
    sessions_per_user: int = _whole(20, 1, 1_000, "Sessions of one user; the least recently used goes.")
    sockets_per_user: int = _whole(10, 1, 1_000, "Open sockets of one user.")

    password_min_characters: int = _whole(15, 8, 64, "The shortest password.")
    password_max_characters: int = _whole(256, 64, 1_024, "The longest password.")
    breached_passwords: Annotated[Path, BeforeValidator(forms.folder)] | None = _word(
        None, "A sorted file of SHA-1 hashes of known passwords, as Have I Been Pwned gives it."
    )
    sign_ins_per_minute: int = _whole(10, 1, 100_000, "Sign-ins from one address; not counted in development.")
    registrations_per_minute: int = _whole(
        60, 1, 100_000, "Registrations from one address; not counted in development."
    )
    sign_in_failures: int = _whole(5, 1, 1_000, "Wrong passwords for one account before it has to wait.")
    sign_in_failure_seconds: int = _whole(300, 1, DAY, "The time in which wrong passwords are counted.")
    hashes_at_once: int = _whole(0, 0, 256, "Passwords hashed at the same time, 64 MiB each; 0 means as many as cores.")
    hashes_waiting: int = _whole(32, 0, 10_000, "Passwords that may wait to be hashed.")
    hash_wait_seconds: int = _whole(5, 1, 60, "How long a password waits to be hashed before the answer is 503.")

    runs_per_user: int = _whole(5, 1, 1_000, "Runs of one user at the same time.")
    queued_runs_per_user: int = _whole(20, 1, 10_000, "Runs of one user that may wait.")
    runs_at_once: int = _whole(
        64, 1, 10_000, "Runs of everybody at the same time in this process; more wait in the database."
    )
    worker_life_seconds: int = _whole(
        12, 2, 600, "PostgreSQL: a worker without a sign of life for so long is dead, and its runs are ended."
    )
    failover_keeps_epochs: Annotated[bool, BeforeValidator(forms.switch())] = _word(
        False,
        "PostgreSQL: on if failovers and restores are known to lose nothing, so that cursors outlast them; on or off.",
    )
    wakes_url: Annotated[SecretStr, _hidden(fleet.valkey)] | None = _word(
        None,
        "PostgreSQL: a Valkey or Redis that carries the wake-ups between processes, such as redis://host:6379; else the database does.",
    )
    cells: Annotated[tuple[SecretStr, ...], BeforeValidator(fleet.cells)] = _word(
        (),
        "PostgreSQL: where conversations are in several databases, which shards are in which: 0-2047=postgresql://… 2048-4095=postgresql://….",
    )
    run_seconds: int = _whole(600, 1, DAY, "How long a run may take.")
    tool_seconds: int = _whole(120, 1, DAY, "How long a tool may take, unless it says otherwise.")
    frames_per_second: int = _whole(10, 1, 10_000, "Inbound frames of one socket.")
    frame_burst: int = _whole(30, 1, 10_000, "Inbound frames of one socket at once.")
    events_kept_days: int = _whole(
        0, 0, 36_500, "Days for which events are kept; 0 keeps them for ever. What was said stays in its thread."
    )
    attachment_bytes: int = _whole(5_000_000, 1, 100_000_000, "The largest attachment.")
    reserved_bytes: int = _whole(
        16_777_216, 0, 1_073_741_824, "Room on the disk that is kept for endings and deletions; 0 keeps none."
    )
    header_bytes: int = _whole(16_384, 1_024, 65_536, "All headers of a request together.")
    drain_seconds: int = _whole(60, 0, 3_600, "How long a stopping server waits for running runs.")

    @field_validator("host")
    @classmethod
    def _only_loopback_in_development(cls, host: str, info: ValidationInfo) -> str:
        if info.data.get("dev") and not forms.is_loopback(host):
            # Open sign-up and a secret that nobody chose must not meet a network.
            raise UnfitError(
                "must be loopback in development", "Leave it out, or start without --dev to be reached from elsewhere."
            )
        return host

    @field_validator("public_url")
    @classmethod
    def _https_in_production(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url and url.startswith("http://") and not info.data.get("dev"):
            raise UnfitError(
                "must begin with https:// in production",
                "Put a proxy that ends TLS in front, and write its https address.",
            )
        return url

    @field_validator("model_base_url", "model_api_key")
    @classmethod
    def _for_a_model(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and "model" in info.data and info.data["model"] is None:
            raise UnfitError(
                "is set, but QUINTET_MODEL is not", "Set QUINTET_MODEL, such as openai:gpt-5, or remove this."
            )
        return value

    @field_validator("wakes_url", "cells")
    @classmethod
    def _for_several(cls, value: Any, info: ValidationInfo) -> Any:
        database = info.data.get("database_url")
        if value and not (database and database.get_secret_value().startswith("postgresql")):
            raise UnfitError("is for PostgreSQL alone", "Set QUINTET_DATABASE_URL to PostgreSQL, or remove this.")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_needs_a_server(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if url is None and info.data.get("verify_email") and not info.data.get("dev"):
            raise UnfitError("is not set, but QUINTET_VERIFY_EMAIL is on", "Set it to smtps://user:password@host:465.")
        return url

    @field_validator("issuer_url")
    @classmethod
    def _not_ourselves(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is not None and url == info.data.get("public_url"):
            raise UnfitError("must be another's", "Remove it: this server believes its own tokens anyway.")
        return url

    @field_validator("issuer_audience", "issuer_jwks_url")
    @classmethod
    def _with_an_issuer(cls, value: str | None, info: ValidationInfo) -> str | None:
        issuer = info.data.get("issuer_url", "refused")
        if value is not None and issuer is None:
            raise UnfitError("is set, but QUINTET_ISSUER_URL is not", "Set QUINTET_ISSUER_URL, or remove this.")
        if value is None and info.field_name == "issuer_audience" and issuer not in (None, "refused"):
            # Without it a token that the issuer made for any other service would open this one.
            raise UnfitError(
                "is not set, but QUINTET_ISSUER_URL is", "Set it to what the issuer's tokens have as `aud`."
            )
        return value

    @field_validator("session_max_seconds")
    @classmethod
    def _idle_within_max(cls, most: int, info: ValidationInfo) -> int:
        if most < info.data.get("session_idle_seconds", 0):
            raise UnfitError("must not be less than QUINTET_SESSION_IDLE_SECONDS", "Raise this one or lower the other.")
        return most

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets, the newest first: for deriving keys, never for showing them."""
        return tuple(key.get_secret_value() for key in (self.secret_keys or filter(None, (self.secret_key,))))

    @property
    def places(self) -> "list[str | None]":
        """The database of each shard, with its password; none where there are no cells. None in it: nobody's while it is moved."""
        return fleet.places(self.cells)

    @property
    def database(self) -> str:
        """The database's URL, with its password: for opening it, never for showing it."""
        return self.database_url.get_secret_value() if self.database_url else f"sqlite:///{self.data / 'quintet.db'}"


VARIABLES: dict[str, str] = {
    f"{PREFIX}{field.upper()}": field for field in Settings.model_fields if field not in ("dev", "oidc")
}
"""Every variable that is understood, and its field in `Settings`."""
