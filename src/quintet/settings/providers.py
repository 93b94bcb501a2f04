"""Providers to sign in with: `QUINTET_OIDC_<NAME>_ISSUER` and what belongs to it. The name is the operator's, so the variables have no list.

1. What is there of a provider must be whole: one half of it would be a button that leads nowhere.
2. A name that ends in nothing we know is refused, with what it may end in.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from . import forms
from .faults import Fault, UnfitError

__all__ = ["PROVIDER_PREFIX", "ProviderSettings", "read_providers"]

PROVIDER_PREFIX = "QUINTET_OIDC_"
MOST_PROVIDERS = 20

_NAME = re.compile(rf"{PROVIDER_PREFIX}([A-Z][A-Z0-9]{{0,19}})_(ISSUER|CLIENT_ID|CLIENT_SECRET|TITLE|TRUSTED)")
_REQUIRED = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One provider. `name` is lower case; `title` stands on its button; `trusted`: see docs/identity.md."""

    name: str
    issuer: str
    client_id: str
    client_secret: SecretStr = field(repr=False)
    title: str
    trusted: bool = False


def read_providers(given: Mapping[str, tuple[str, str]]) -> tuple[tuple[ProviderSettings, ...], list[Fault]]:
    """The providers, by name, and the faults. `given` has label and text by variable, of all that begin with the prefix."""
    found: dict[str, dict[str, Any]] = {}
    faults = []
    for variable, (label, text) in sorted(given.items()):
        parts = _NAME.fullmatch(variable)
        if parts is None:
            faults.append(
                Fault(
                    label,
                    "is not known",
                    f"Write {PROVIDER_PREFIX}<NAME>_ISSUER, _CLIENT_ID, _CLIENT_SECRET, _TITLE or _TRUSTED; a name is of letters and digits.",
                )
            )
            continue
        values = found.setdefault(parts[1], {})
        try:
            values[parts[2]] = _READERS[parts[2]](text)
        except UnfitError as unfit:
            values[parts[2]] = None
            faults.append(Fault(label, unfit.what, unfit.fix))
    for name, values in found.items():
        faults += [
            Fault(
                f"{PROVIDER_PREFIX}{name}_{part}",
                "is not set",
                "A provider has an issuer, a client id and a client secret.",
            )
            for part in _REQUIRED
            if part not in values
        ]
    if len(found) > MOST_PROVIDERS:
        faults.append(Fault(f"{PROVIDER_PREFIX}…", f"name more than {MOST_PROVIDERS} providers", "Remove some."))
    return (() if faults else tuple(_provider(name, values) for name, values in found.items())), faults


def _provider(name: str, values: Mapping[str, Any]) -> ProviderSettings:
    return ProviderSettings(
        name.lower(),
        values["ISSUER"],
        values["CLIENT_ID"],
        SecretStr(values["CLIENT_SECRET"]),
        values.get("TITLE", name.capitalize()),
        values.get("TRUSTED", False),
    )


def _title(text: str) -> str:
    if not text.isprintable() or len(text) > 40:
        raise UnfitError("must be a short line of text", "Write the provider's name as people know it.")
    return text


_READERS: Mapping[str, Callable[[str], Any]] = {
    "ISSUER": forms.issuer,
    "CLIENT_ID": forms.key,
    "CLIENT_SECRET": forms.key,
    "TITLE": _title,
    "TRUSTED": forms.switch(),
}
