"""Where something listens, however a test names it: a handle of a service, an address, a URL, a port of this machine."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from quintet.testing.contracts import Log

__all__ = ["Target"]

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "postgresql": 5432, "smtp": 25}


@dataclass(frozen=True)
class Target:
    """A place of the network. `log` is the server's log where a handle has one; `url` is what was given, whole."""

    name: str
    host: str
    port: int
    url: str
    log: Log | None = None

    @classmethod
    def of(cls, told: "Target | str | int | tuple[str, int] | Any") -> "Target":
        """From a handle with `host` and `port`, a URL, `host:port`, a pair, or a port on loopback. Raises `ValueError`."""
        if isinstance(told, Target):
            return told
        if isinstance(told, int):
            return cls._plain("127.0.0.1", told)
        if isinstance(told, tuple):
            return cls._plain(str(told[0]), int(told[1]))
        if isinstance(told, str):
            return cls._written(told)
        host, port = getattr(told, "host", "localhost"), getattr(told, "port", 0)
        if not isinstance(port, int) or not port:
            raise ValueError(f"{told!r} has no port: a service that runs, a URL or host:port is expected")
        url = str(getattr(told, "url", "") or f"http://{host}:{port}")
        log = told if hasattr(told, "logged") and hasattr(told, "log_size") else None
        return cls(str(getattr(told, "name", f"{host}:{port}")), str(host), port, url, log)

    @classmethod
    def _plain(cls, host: str, port: int) -> "Target":
        return cls(f"{host}:{port}", host, port, f"http://{_bracketed(host)}:{port}")

    @classmethod
    def _written(cls, text: str) -> "Target":
        url = text if "://" in text else f"http://{text}"
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme.partition("+")[0], 0)
        if not parts.hostname or not port:
            raise ValueError(f"{text!r} names no host and port")
        return cls(f"{parts.hostname}:{port}", parts.hostname, port, url)

    def moved(self, host: str, port: int) -> "Target":
        """The same thing at another address: everything else of its URL is kept."""
        parts = urlsplit(self.url)
        signed, at, _ = parts.netloc.rpartition("@")
        url = parts._replace(netloc=f"{signed}{at}{_bracketed(host)}:{port}").geturl()
        return replace(self, host=host, port=port, url=url)

    def at(self, scheme: str, path: str | None = None) -> str:
        """Its URL in this scheme (`s` is added where the own URL is encrypted), with another path where one is given."""
        parts = urlsplit(self.url)
        secure = "s" if parts.scheme in {"https", "wss"} else ""
        own = parts.path + (f"?{parts.query}" if parts.query else "")
        return f"{scheme}{secure}://{_bracketed(self.host)}:{self.port}{own if path is None else path}"

    def said(self) -> str:
        """The end of its log, to be shown with an error; empty where it has none."""
        if self.log is None:
            return ""
        lines = self.log.logged(max(0, self.log.log_size() - 16_384)).splitlines()[-60:]
        return "\n".join([f"--- the log of {self.name}, last {len(lines)} lines ---", *lines])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
