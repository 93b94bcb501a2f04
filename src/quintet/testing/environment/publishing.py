"""What the project's table says of the environment: secrets made, values placed, everything put back when the run is over.

A published value wins over what the environment had: an address that a developer's shell holds may be that of real data.
"""

import os
import secrets
from collections.abc import Mapping

from quintet.testing.config import Variable
from quintet.testing.environment import placing

__all__ = ["Published", "templates"]

_NOWHERE = {
    "host": "127.0.0.1",
    "port": "1",
    "url": "http://127.0.0.1:1",
    "folder": "/nonexistent",
}  # nobody listens on port 1


def templates(variables: Mapping[str, Variable], *, inherit: bool) -> dict[str, str]:
    """The text of each variable that the kit sets, references not filled in. Inheriting, secrets are those of the run that started us."""
    made = {}
    for name, variable in variables.items():
        if variable.value is not None:
            made[name] = variable.value
        elif variable.secret:
            known = os.environ.get(name) if inherit else None
            made[name] = known or secrets.token_urlsafe(variable.secret)[: variable.secret]
    return made


class Published:
    """Variables of `os.environ` that are ours while the run lasts."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def put(self, texts: Mapping[str, str], addresses: placing.Addresses) -> None:
        """Places the values; may be called again when something has changed them. Raises `LookupError` in words."""
        for name, text in texts.items():
            value = placing.fill(text, addresses)
            self._before.setdefault(name, os.environ.get(name))
            os.environ[name] = value

    def undo(self) -> None:
        """The environment is as before."""
        while self._before:
            name, value = self._before.popitem()
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def nowhere(kinds: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Addresses of services that are not started, of the right form, so that an application can be imported."""
    database = "postgresql://nobody:nothing@127.0.0.1:1/nothing"
    postgres = {"url": database, "shared_url": database, "user": "nobody", "password": "nothing"}
    return {name: {**_NOWHERE, **(postgres if kind == "postgres" else {})} for name, kind in kinds.items()}
