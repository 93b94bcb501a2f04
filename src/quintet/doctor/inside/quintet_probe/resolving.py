"""Asks pytest itself: what does each file say, and which file rules for each invocation?

Reads a JSON object from standard input, writes one to standard output. Nothing is imported from the examined tree.
"""

from __future__ import annotations

import copy
import inspect
import json
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Any


def main(_: list[str]) -> None:
    """Answers one question."""
    asked = json.load(sys.stdin)
    answer: dict[str, Any] = {"distributions": _distributions(), "prefix": sys.prefix}
    try:
        from _pytest.config import findpaths
    except ImportError as error:
        answer["error"] = str(error)
    else:
        answer["files"] = {name: _read(findpaths, Path(name)) for name in asked["files"]}
        answer["resolved"] = [_resolve(findpaths, one["folder"], one["arguments"]) for one in asked["invocations"]]
    json.dump(answer, sys.stdout)


def _distributions() -> dict[str, str]:
    found: dict[str, str] = {}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name:
            found.setdefault(name, one.version)
    return found


def _read(findpaths: Any, path: Path) -> dict[str, Any]:
    """What pytest takes from a file: the settings, None where it does not configure pytest, or its error."""
    try:
        found = findpaths.load_config_dict_from_file(path)
    except BaseException as error:  # pytest's own `fail` is not an Exception
        return {"error": str(error)}
    return {"settings": None if found is None else {key: _plain(value) for key, value in found.items()}}


def _plain(value: Any) -> Any:
    value = getattr(value, "value", value)
    return value if isinstance(value, (str, int, float, bool, list)) else str(value)


def _resolve(findpaths: Any, folder: str, arguments: list[str]) -> dict[str, Any]:
    from _pytest.config import get_config

    os.chdir(folder)
    try:
        config = get_config(list(arguments))
        known, unknown = config._parser.parse_known_and_unknown_args(
            list(arguments), namespace=copy.copy(config.option)
        )
        wanted = inspect.signature(findpaths.determine_setup).parameters
        before_9 = "override_ini" not in wanted
        given = {
            "inifile": known.inifilename,
            "override_ini": known.override_ini,
            "args": known.file_or_dir + (unknown if before_9 else []),
            "rootdir_cmd_arg": known.rootdir or None,
            "invocation_dir": Path(folder),
        }
        root, file = findpaths.determine_setup(**{key: given[key] for key in given if key in wanted})[:2]
    except BaseException as error:
        return {"error": str(error)}
    return {"file": str(file) if file else None, "root": str(root)}
