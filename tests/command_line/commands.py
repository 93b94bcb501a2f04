"""Runs the real command in a folder and an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["clean", "quintet"]


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The given variables on top of ours, without any setting that this machine happens to have."""
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith("QUINTET_") and name != "SECRET_KEY"
    }
    return {**ours, "COLUMNS": "200", "NO_COLOR": "1", **environment}


def quintet(
    *arguments: str, folder: Path, environment: Mapping[str, str] | None = None, within: float = 30
) -> subprocess.CompletedProcess[str]:
    """What the command printed and how it ended; it must end by itself within so many seconds."""
    command = [sys.executable, "-m", "quintet", *arguments]
    return subprocess.run(
        command, cwd=folder, env=clean(environment or {}), capture_output=True, text=True, timeout=within, check=False
    )
