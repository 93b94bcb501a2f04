"""The life of one pytest process's services: checked, started, published, and over."""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from quintet.testing import config as asked
from quintet.testing import services as running
from quintet.testing.environment import checking
from quintet.testing.environment.publishing import Published, nowhere, templates
from quintet.testing.services import joining
from quintet.testing.services.handle import Running
from quintet.testing.services.owned import Owned
from quintet.testing.services.running import Services
from quintet.testing.services.starting import Starting

__all__ = ["Life"]


class Life:
    """Begun and settled before conftests are loaded, ended with pytest's configuration."""

    def __init__(self, config: pytest.Config, *, starts: bool, judges: bool) -> None:
        """For a run that only looks, nothing is started, and addresses where nobody is are published."""
        self._pytest = config
        self._asked = asked.of(config)
        self._starts, self._judges = starts, judges
        self._shared = joining.joined(self._asked.root)
        self._texts = templates(self._asked.env, inherit=self._shared is not None)
        self._published = Published()
        self._starting: Starting | None = None
        self._folder: Path | None = None
        self._services: Services | None = None
        self._seconds = 0.0

    def begin(self) -> None:
        """Starts and publishes, unless a required variable is missing: what the next plugins set may still be it."""
        if not self._faults():
            self._start()

    def settle(self) -> None:
        """Judges the environment for good. Raises `pytest.UsageError` with every fault."""
        if found := self._faults():
            raise pytest.UsageError(checking.message(found, self._asked.file))
        if self._services is None:
            self._start()
        else:
            self._services.publish()

    def end(self) -> None:
        """Nothing of the services is left, and the environment is as before."""
        if self._services is not None:
            running.leave(self._services)
        self._published.undo()
        if self._starting is not None:
            self._starting.end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def header(self) -> list[str]:
        """A line of what runs where, and the seconds it took."""
        if self._starting is None or not self._starting.handles:
            return []
        each = [
            f"{name}{' ' + handle.version if handle.version else ''} at {handle.host}:{handle.port} "
            f"({self._starting.seconds[name]:.2f} s)"
            for name, handle in self._starting.handles.items()
        ]
        return [f"services: {', '.join(each)}; ready in {self._seconds:.2f} s"]

    def _faults(self) -> list[str]:
        return checking.faults(self._asked, os.environ) if self._judges and self._shared is None else []

    def _start(self) -> None:
        began = time.perf_counter()
        if not self._starts:
            self._published.put(self._texts, nowhere({spec.name: spec.kind for spec in self._asked.services.values()}))
            return
        handles: Mapping[str, Running]
        if self._shared is not None:
            joining.die_with(os.getppid())
            handles = joining.of_worker(self._shared)
        else:
            handles = self._started()
        self._services = Services(handles, self._texts, self._published)
        running.enter(self._services)
        try:
            self._services.publish()
        except LookupError as fault:
            raise pytest.UsageError(f"[tool.quintet.test.env] {fault.args[0]}") from None
        self._seconds = time.perf_counter() - began

    def _started(self) -> Mapping[str, Running]:
        handles: Mapping[str, Owned] = {}
        if self._asked.services:
            from quintet.testing.services.postgres import account, folders

            kinds = {spec.kind for spec in self._asked.services.values()}
            self._folder = folders.run_folder(account.ours() if "postgres" in kinds else account.Account())
            path = [str(self._asked.root / each) for each in self._pytest.getini("pythonpath")]
            self._starting = Starting(self._asked, self._folder, self._texts, path)
            self._starting.run()
            handles = self._starting.handles
        self._published.put({joining.VARIABLE: joining.told(self._asked.root, handles)}, {})
        return handles
