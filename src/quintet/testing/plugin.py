"""The pytest plugin: it registers the rooms of the kit, and does nothing else.

Each room is a pytest plugin of its own, in its own folder. A room costs nothing in a project that has not asked for it.
"""

from importlib import import_module

import pytest

__all__ = ["pytest_addoption"]

# In the order in which they see an option or an early hook.
ROOMS: tuple[str, ...] = (
    "quintet.testing.services.hooks",
    "quintet.testing.environment.hooks",
    "quintet.testing.markers.hooks",
    "quintet.testing.hang.hooks",
    "quintet.testing.faults.hooks",
    "quintet.testing.sockets.hooks",
    "quintet.testing.accounts.hooks",
    "quintet.testing.mail.hooks",
    "quintet.testing.sabotage.hooks",
)


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Registers the rooms; each brings its own options, hooks and fixtures."""
    for name in ROOMS:
        pluginmanager.register(import_module(name), name)
