"""Where things are. `env_file` is read where a variable is not set."""

import os
from pathlib import Path

env_file = Path(__file__).parents[1] / ".env.test"
lines = env_file.read_text().splitlines() if env_file.exists() else []
stored = dict(line.split("=", 1) for line in lines if "=" in line)


def database_url() -> str:
    return os.environ.get("DATABASE_URL") or stored["DATABASE_URL"]
