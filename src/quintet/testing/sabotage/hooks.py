"""`pytest --quintet-sabotage`, and what each of its passes needs.

The passes are processes of their own, because a defect breaks more than the test that meets it: a fixture of the session fails for the
rest of the session, a test may never come back, and what a module has once read from the environment stays read.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from quintet.testing.sabotage.order import Order

__all__ = ["pytest_addoption", "pytest_load_initial_conftests"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("quintet")
    group.addoption(
        "--quintet-sabotage",
        action="store_true",
        help="run the tests against planted defects, and report those that no test notices",
    )
    group.addoption(
        "--quintet-sabotage-only",
        action="append",
        default=[],
        metavar="DEFECT",
        help="plant this defect alone; can be given several times",
    )
    group.addoption(
        "--quintet-sabotage-jobs",
        type=int,
        default=1,
        metavar="N",
        help="run so many passes at once, each with services of its own (1); on a busy machine tests fail for want of time",
    )
    group.addoption(
        "--quintet-sabotage-limit",
        type=float,
        default=180.0,
        metavar="SECONDS",
        help="end the pass of a defect after so long (180)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before anything of the project is imported: run all passes and end, or be one of them."""
    from quintet.testing.sabotage.order import ordered

    order = ordered()
    if order is not None:
        _join(order, early_config)
    elif early_config.known_args_namespace.quintet_sabotage:
        from quintet.testing.sabotage.passes import run

        raise SystemExit(run(early_config))


def _join(order: "Order", config: pytest.Config) -> None:
    import shutil
    from pathlib import Path

    from quintet.testing.sabotage.passing import Pass
    from quintet.testing.services.joining import die_with

    die_with(order.giver, lambda: shutil.rmtree(Path(order.out).parent, ignore_errors=True))
    config.pluginmanager.register(Pass(order, config), "quintet sabotage pass")
