"""What can be asked once everything is collected: fixtures nobody provides, settings nothing provides, addresses of services."""

from __future__ import annotations

import os
import sys
from typing import Any

from .notes import Notes, fields


def absent_fixtures(items: Any) -> list[list[Any]]:
    """Fixtures that a test asks for and that nobody provides: name, test, file, line."""
    absent = []
    for item in items:
        information = getattr(item, "_fixtureinfo", None)
        if information is None:
            continue
        direct = set(getattr(getattr(item, "callspec", None), "params", ()))
        for name in information.names_closure:
            if name != "request" and name not in information.name2fixturedefs and name not in direct:
                absent.append([name, item.nodeid[:300], str(item.path), (item.location[1] or 0) + 1])
                if len(absent) >= 500:
                    return absent
    return absent


def settings_classes(notes: Notes) -> list[dict[str, Any]]:
    """Classes of pydantic-settings in the project whose required fields nothing provides: names only."""
    module = sys.modules.get("pydantic_settings")
    base = getattr(module, "BaseSettings", None)
    if base is None:
        return []
    waiting = list(base.__subclasses__())
    found: list[dict[str, Any]] = []
    seen: set[Any] = set()
    while waiting and len(seen) < 200:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        waiting += kind.__subclasses__()
        file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
        if notes.ours(file) and "<locals>" not in kind.__qualname__ and _plain_settings(kind, base):
            absent = _absent_fields(kind)
            if absent:
                found.append({"name": kind.__qualname__, "file": file, "fields": absent})
    return found


def _plain_settings(kind: Any, base: Any) -> bool:
    """Only classes that read variables and files are made: other sources could call somewhere, arguments would be pytest's."""
    own = kind.settings_customise_sources.__func__ is base.settings_customise_sources.__func__
    return own and not kind.model_config.get("cli_parse_args") and not kind.model_config.get("secrets_dir")


def _absent_fields(kind: Any) -> list[str]:
    try:
        kind()
    except Exception as error:
        return (
            [name for kind_of_error, name in fields(error) if kind_of_error == "missing"]
            if hasattr(error, "errors")
            else []
        )
    return []


def addresses() -> list[list[Any]]:
    """Services that variables point to: variable, scheme, host, port. Nothing else of the value leaves."""
    from urllib.parse import urlsplit

    found = []
    for name, value in os.environ.items():
        if "://" not in value or len(value) > 2_000:
            continue
        try:
            parts = urlsplit(value)
            found.append([name, parts.scheme, parts.hostname or "", parts.port or 0])
        except ValueError:
            continue
    return found[:100]
