"""The forms of the values: hosts, origins, addresses of services, lists. Each takes the text and gives the value or raises `UnfitError`.

A list is separated by commas or blanks; a wrong entry is named by its place, never shown.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from .faults import UnfitError

__all__ = [
    "address",
    "agent",
    "algorithms",
    "choice",
    "database",
    "folder",
    "host",
    "is_loopback",
    "issuer",
    "key",
    "model",
    "modules",
    "origin",
    "origins",
    "proxies",
    "sender",
    "smtp",
    "split",
    "switch",
]

MOST_ENTRIES = 100
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.IGNORECASE)
_AGENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_MODEL = re.compile(r"test|[a-z][a-z0-9/-]{0,63}:[!-~]{1,200}")
_SENDER = re.compile(r"(?:[^<>\"@,;:\\]{1,100} )?<[^\s<>@]{1,64}@[^\s<>@]+>|[^\s<>@]{1,64}@[^\s<>@]+")
_FURTHER = re.compile(
    r"(?:,[A-Za-z0-9._-]+(?::\d{1,5})?)+(?=[/?]|$)"
)  # PostgreSQL's addresses may name its standbys as well
_UNCODED = re.compile(r"#|%(?![0-9a-f]{2})|%00|//.*[@/?\[\]].*@", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def switch(on: str = "on", off: str = "off") -> Callable[[object], object]:
    """A reader of yes or no that understands `on` and `off` by these names and by the usual ones."""
    words = {**_SWITCH, on: True, off: False}

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.lower() not in words:
            raise UnfitError(f"must be {on} or {off}", f"Set it to {on} or {off}.")
        return words[value.lower()]

    return read


def choice(*words: str) -> Callable[[object], object]:
    """A reader of one of these words."""

    def read(value: object) -> object:
        told = str(value).lower()
        if told not in words:
            raise UnfitError(f"must be {', '.join(words[:-1])} or {words[-1]}", f"Set it to {words[0]}, for instance.")
        return told

    return read


def host(text: str) -> str:
    """A host name or an address to listen on, without brackets."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not _is_host(bare):
        raise UnfitError(
            "must be a host name or an address to listen on",
            "Set it to localhost, 0.0.0.0 or an address of this machine.",
        )
    return bare


def is_loopback(name: str) -> bool:
    """Whether only this machine can reach what listens on `name`."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name.lower().rstrip(".") == "localhost"


def origin(text: str) -> str:
    """The origin (RFC 6454) of an http or https address: lower case, no default port, no trailing slash."""
    parts, port = split(text)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or not _is_host(parts.hostname):
        raise UnfitError(
            "must be an address such as https://chat.example.com", "Write the scheme and the host, in full."
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise UnfitError("must be scheme, host and port only", "Remove what stands behind the host, and any user name.")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}" + (f":{port}" if port not in {None, _DEFAULT_PORTS[parts.scheme]} else "")


def origins(value: object) -> object:
    """The origins whose pages may speak to this server, besides its own."""
    entries = _entries(value)
    for place, entry in enumerate(entries, 1):
        if "*" in entry:
            # With a wildcard any page on the web could act with the credentials of whoever looks at it.
            raise UnfitError(
                f"must not hold * (entry {place})", "List each origin in full, such as https://app.example.com."
            )
        try:
            entries[place - 1] = origin(entry)
        except UnfitError as unfit:
            raise UnfitError(f"{unfit.what} (entry {place})", unfit.fix) from None
    return tuple(dict.fromkeys(entries))


def proxies(value: object) -> object:
    """The addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    entries = _entries(value)
    for place, entry in enumerate(entries, 1):
        try:
            network = ip_network(entry, strict=False)
        except ValueError:
            raise UnfitError(
                f"must be addresses or networks (entry {place})", "Write such as 10.0.0.7 or 10.0.0.0/8."
            ) from None
        if network.prefixlen == 0:
            # Believing everybody lets every client choose the address that the limits count.
            raise UnfitError(f"must not trust every address (entry {place})", "List the addresses of your proxies.")
        entries[place - 1] = str(network)
    return tuple(dict.fromkeys(entries))


def modules(value: object) -> object:
    """The modules that agents are imported from."""
    entries = _entries(value)
    for place, entry in enumerate(entries, 1):
        if not all(part.isidentifier() for part in entry.split(".")):
            raise UnfitError(
                f"must name modules (entry {place})", "Write such as mypackage.agents, without .py and without slashes."
            )
    return tuple(dict.fromkeys(entries))


def agent(text: str) -> str:
    """The name of an agent."""
    if not _AGENT.fullmatch(text):
        raise UnfitError("must be the name of an agent", "Set it to one of the names that GET /v1/agents lists.")
    return text


def model(text: str) -> str:
    """The name of a language model, with its provider in front."""
    if not _MODEL.fullmatch(text):
        raise UnfitError(
            "must be a provider and a model", "Write such as openai:gpt-5, anthropic:claude-sonnet-4-5 or ollama:qwen3."
        )
    return text


def address(text: str) -> str:
    """The http or https address of a service, with a path. It is shown in logs, so it holds no credentials."""
    parts, _ = split(text)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or not _is_host(parts.hostname):
        raise UnfitError(
            "must be an address such as http://localhost:11434/v1", "Write the scheme and the host, in full."
        )
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise UnfitError(
            "must be scheme, host, port and path only", "Remove what stands behind the path, and any user name or key."
        )
    return text.rstrip("/")


def issuer(text: str) -> str:
    """The name of an issuer, which is an address. It is compared to the letter, so a slash at its end stays."""
    parts, _ = split(text)
    if parts.query or parts.fragment or "@" in parts.netloc or not parts.hostname or not _is_host(parts.hostname):
        raise UnfitError(
            "must be an issuer such as https://login.example.com", "Copy it from the provider, to the letter."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise UnfitError("must begin with https://", "Only an issuer on this machine may be asked over http.")
    return text


def algorithms(value: object) -> object:
    """The signatures that are believed: with public keys only."""
    entries = _entries(value)
    for place, entry in enumerate(entries, 1):
        if entry not in ALGORITHMS:
            raise UnfitError(
                f"must be signatures with public keys (entry {place})", f"Choose from {', '.join(ALGORITHMS)}."
            )
    if not entries:
        raise UnfitError("must name one at least", f"Choose from {', '.join(ALGORITHMS)}.")
    return tuple(dict.fromkeys(entries))


def key(text: str) -> str:
    """A key that goes into a header."""
    if not (text.isascii() and text.isprintable()) or " " in text or len(text) > 4_096:
        raise UnfitError("must be one word of printable ASCII", "Copy the key again, without blanks or line breaks.")
    return text


def folder(value: object) -> object:
    """A folder; `~` is a shell's word, so here it would be a folder of that name."""
    if str(value).startswith("~"):
        raise UnfitError("must not begin with ~", "Write the folder in full.")
    return value


def database(text: str) -> str:
    """The URL of a database: SQLite in a file, or PostgreSQL."""
    parts, _ = split(_FURTHER.sub("", text))
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1 and ":memory:" not in parts.path:
        return text
    if parts.scheme in {"postgresql", "postgres"} and parts.hostname:
        if _UNCODED.search(text):
            # The driver would take a part of the password for a host or a database, and name it in what it says.
            raise UnfitError(
                "has a character that must be written otherwise",
                "In user and password write % as %25, @ as %40, / as %2F, ? as %3F, # as %23, [ as %5B and ] as %5D.",
            )
        return f"postgresql{text[len(parts.scheme) :]}"
    raise UnfitError(
        "must be a database", "Set it to sqlite:///folder/file.db or postgresql://user:password@host/name."
    )


def sender(text: str) -> str:
    """An address of mail, perhaps with a name in front: `Quintet <quintet@example.com>`."""
    host_name = text.rpartition("@")[2].rstrip(">")
    if not (text.isascii() and text.isprintable()) or not _SENDER.fullmatch(text) or not _is_host(host_name):
        raise UnfitError(
            "must be an address of mail", "Write such as quintet@example.com or Quintet <quintet@example.com>."
        )
    return text


def smtp(text: str) -> str:
    """The URL of a mail server."""
    parts, _ = split(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise UnfitError(
            "must be a mail server", "Set it to smtp://user:password@host:587 or smtps://user:password@host:465."
        )
    return text


def split(text: str) -> tuple[SplitResult, int | None]:
    """The parts of an address, and its port."""
    if not text.isprintable():
        # urlsplit drops tabs and line breaks silently: what is checked would not be what is used.
        raise UnfitError("must be one line of printable UTF-8 text", "Write it again without control characters.")
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError:
        raise UnfitError("must be an address with a scheme and a host", "Check its brackets and its port.") from None


def _is_host(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return len(name) <= 253 and _HOST_NAME.fullmatch(name) is not None
    return True


def _entries(value: object) -> list[str]:
    entries = (
        re.split(r"[\s,]+", value.strip(", \t")) if isinstance(value, str) else [str(entry) for entry in _each(value)]
    )
    if len(entries) > MOST_ENTRIES:
        raise UnfitError(f"must have at most {MOST_ENTRIES} entries", "Remove the ones that are not needed.")
    return [entry for entry in entries if entry]


def _each(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)
