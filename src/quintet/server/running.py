"""A server as the whole of a process: signals, logs, the line on standard output, the exit code."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence

import uvloop

from quintet.server.assembly import Server
from quintet.server.logs import set_up_logs
from quintet.server.values import known_secrets
from quintet.settings import Role, Settings

__all__ = ["run"]

logger = logging.getLogger(__name__)

# Handshakes make many objects that live as long as their socket; collecting less often makes them a fifth cheaper.
_GC_THRESHOLDS = (50_000, 20, 50)


def run(settings: Settings, modules: Sequence[str], role: Role, parent: int | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code.

    `parent` is the descriptor by which one of several processes speaks with its parent: it says that it is ready, and hears that the other is gone.

    Raises:
        StartError: something stands in the way of the start.
    """
    set_up_logs(dev=settings.dev, secrets=known_secrets(settings, os.environ))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, modules, role, parent))


async def _serve(settings: Settings, modules: Sequence[str], role: Role, parent: int | None) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, stopping, number)
    if parent is not None:
        loop.add_reader(parent, _on_gone, stopping, parent)
    server = Server(settings, modules, role=role, shares_port=parent is not None)
    await server.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    gc.enable()
    if parent is None:
        print(f"Quintet is listening on {server.url}", flush=True)  # noqa: T201 - whoever started it waits for this line
    else:
        with contextlib.suppress(OSError):
            os.write(parent, b"ready")
    await stopping.wait()
    await server.stop()
    return 0


def _on_signal(stopping: asyncio.Event, number: int) -> None:
    if stopping.is_set():
        logger.warning("asked twice: leaving at once, running runs will be closed at the next start")
        sys.stdout.flush()
        raise SystemExit(128 + number)
    logger.info("stopping: waiting for running runs")
    stopping.set()


def _on_gone(stopping: asyncio.Event, parent: int) -> None:
    asyncio.get_running_loop().remove_reader(parent)
    if not stopping.is_set():
        logger.error("the parent process is gone: stopping, waiting for running runs")
        stopping.set()
