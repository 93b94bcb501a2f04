"""What a test demands that carries `l3`, or any marker that names services: the real ones, running, unpatched, and never a skip.

A bare `l3` demands every service that the table declares; a marker with `services = [...]` demands those.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from quintet.testing import services
from quintet.testing.config import KitConfig, Marker
from quintet.testing.markers.fakes import Patch
from quintet.testing.markers.networks import network_of
from quintet.testing.markers.registry import L3

__all__ = ["demanding", "missing_service", "patched", "skipped", "unreachable"]

_LAST_LINES: Final = 20


def demanding(item: pytest.Item, markers: Mapping[str, Marker]) -> Marker | None:
    """The first marker of this test that demands services; None where there is none, or the test is marked `skip`."""
    if item.get_closest_marker("skip") is not None:
        return None
    carried = (markers[mark.name] for mark in item.iter_markers() if mark.name in markers)
    return next((marker for marker in carried if marker.name == L3 or marker.services), None)


def missing_service(item: pytest.Item, kit: KitConfig, markers: Mapping[str, Marker]) -> str | None:
    """What this test demands and does not have, with the way to get it; None where all is there."""
    wanted = _wanted(item, kit, markers)
    running = services.current()
    for name, marker in wanted.items():
        handle = running[name] if running is not None and name in running else None
        if handle is None:
            return (
                f"{marker} demands the service {name!r}, and it is not running. It is declared in {kit.file} under "
                f"[tool.quintet.test.services.{name}]; start pytest where the kit can start it. A test that demands a service is never skipped."
            )
        if handle.pid is None:
            return f"{marker} demands the service {name!r}, and its process has ended.\n{handle.tail(_LAST_LINES)}"
    return None


def _wanted(item: pytest.Item, kit: KitConfig, markers: Mapping[str, Marker]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for mark in item.iter_markers():
        marker = markers.get(mark.name)
        if marker is not None:
            names = marker.services or (tuple(kit.services) if marker.name == L3 else ())
            wanted |= {name: marker.name for name in names if name not in wanted}
    return wanted


def patched(item: pytest.Item, marker: Marker, patch: Patch) -> str:
    """Why a patch is refused, with file, line and what it patches."""
    file, line = (patch.file, patch.line) if patch.file else _decorated(item, patch)
    return (
        f"{file}:{line}: {marker.name} means real services, and this test patches {patch.what}.\n"
        f"fix: let it speak to the real one (fixtures services, postgres, server), or mark it l2 if a stand-in is what you want"
    )


def _decorated(item: pytest.Item, patch: Patch) -> tuple[str, int]:
    """The decorator that applies the patch, or at least the test it decorates."""
    function = inspect.unwrap(getattr(item, "function", None) or demanding)
    file, first = inspect.getsourcefile(function) or str(item.path), function.__code__.co_firstlineno
    last = patch.what.split(" ")[0].rpartition(".")[2]
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return file, first
    for decorator in getattr(tree.body[0], "decorator_list", ()):
        if last in ast.unparse(decorator):
            return file, first + decorator.lineno - 1
    return file, first


def skipped(marker: Marker, excinfo: pytest.ExceptionInfo[BaseException]) -> str | None:
    """Why a skip from inside a demanding test is a failure; None for a skip by a mark, which says when a test does not apply."""
    entry = next(
        (one for one in reversed(excinfo.traceback) if not str(one.path).endswith("outcomes.py")), excinfo.traceback[-1]
    )
    if str(entry.path).endswith("skipping.py"):
        return None
    return (
        f"{entry.path}:{entry.lineno + 1}: {marker.name} demands its services: a missing one is an error, not a skip "
        f"(the skip said: {excinfo.value}).\nfix: declare the service under [tool.quintet.test.services], or say with a skipif mark where the "
        f"test does not apply"
    )


def unreachable(kit: KitConfig, marker: Marker, fault: BaseException) -> str | None:
    """What to do where a demanding test found nobody at the other end; None where that is not what it failed of."""
    if not any(_refused(one) for one in _chain(fault)):
        return None
    declared = ", ".join(kit.services) or "none"
    return (
        f"{marker.name}: nothing listens at the address that this test connects to (services declared in {kit.file}: {declared}).\n"
        f"fix: declare the service under [tool.quintet.test.services]; it is started before the tests, and its address published to them"
    )


def _refused(fault: BaseException) -> bool:
    return isinstance(fault, ConnectionRefusedError) or (
        network_of(type(fault).__module__) is not None and "refused" in str(fault).lower()
    )


def _chain(fault: BaseException | None, left: int = 30) -> Iterator[BaseException]:
    if fault is None or left == 0:
        return
    yield fault
    for inner in fault.exceptions if isinstance(fault, BaseExceptionGroup) else ():
        yield from _chain(inner, left - 1)
    yield from _chain(fault.__cause__ or fault.__context__, left - 1)
