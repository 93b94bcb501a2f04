"""Values that refer to services: `{postgres.url}` anywhere in a string. Braces that mean something else are left alone."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

__all__ = ["fill", "misspelt", "names"]

_REFERENCE = re.compile(r"\{([A-Za-z_]\w*)\.([a-z_]+)\}")

Addresses = Mapping[str, Mapping[str, str]]  # of a service's name: what can be referred to


def names(texts: Iterable[str], services: Iterable[str]) -> set[str]:
    """The services that some texts refer to."""
    known = set(services)
    return {found[1] for text in texts for found in _REFERENCE.finditer(text) if found[1] in known}


def misspelt(texts: Iterable[str], services: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What looks like a reference to a service that is not there, with the one that is meant; other braces are not ours to judge."""
    known = set(services)
    for found in (found for text in texts for found in _REFERENCE.finditer(text) if found[1] not in known):
        near = get_close_matches(found[1], known, 1, 0.8)
        if near:
            yield found[0], near[0]


def fill(text: str, addresses: Addresses) -> str:
    """The text with addresses in place. Raises `LookupError` for something that a service does not have, in words."""

    def place(found: re.Match[str]) -> str:
        service = addresses.get(found[1])
        if service is None:
            return found[0]
        if found[2] not in service:
            raise LookupError(f"{found[0]}: {found[1]} has only {', '.join(sorted(service))}")
        return service[found[2]]

    return _REFERENCE.sub(place, text)
