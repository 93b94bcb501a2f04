"""An operator at the host of the shared server."""

from pathlib import Path

import pytest

from administration.operator import Operator
from support.server import Server


@pytest.fixture
def operator(server: Server, tmp_path: Path) -> Operator:
    """The operator of the shared server."""
    return Operator(server, tmp_path)
