"""`quintet status`: how an installation is, for a person or a program, and whether somebody must look."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from .administration import Data, Database, Dev
from .saying import say
from .serving import Wish

if TYPE_CHECKING:
    from quintet.server.status import Status

__all__ = ["status"]

_SHOWN = 20  # leases; a program is given more


def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,
    data: Data = None,
    database: Database = None,
    dev: Dev = False,
) -> None:
    """Show the processes, the runs that they hold, what waits, and what is wrong; of each cell where there are cells.

    Reads the databases alone, so it works beside servers and without. Ends with 0 where all is well, with 1 where somebody should look.
    """
    from .user import administered, place

    raise typer.Exit(administered(place(dev, data, database), lambda wish: _show(wish, as_json=as_json)))


def _show(wish: Wish, *, as_json: bool) -> int:
    import asyncio

    from quintet.server.status import status_of

    from .user import out, settings_of

    found = asyncio.run(status_of(settings_of(wish)))
    if as_json:
        out(json.dumps(found.view(), ensure_ascii=False, indent=2))
    else:
        _print(found)
        for problem in found.problems:
            say(problem)
    return 1 if found.problems else 0


def _print(found: "Status") -> None:
    from .tables import print_table
    from .timeline import duration

    heads = ["Node", "Role", "Version", "Host", "Process", "Up for", "Last beat", "State"]
    if found.cells:
        heads.append("Map")
    rows = []
    for (node, up_ms, silent_ms), state in found.nodes:
        beat = f"{duration(silent_ms)} ago" if found.database == "postgresql" else "-"
        told = [node.id, node.role, node.version, node.host, str(node.pid), _long(up_ms), beat, state]
        rows.append((told + [node.map] * bool(found.cells), state != "up"))
    print_table(heads, rows)
    if found.leases:
        print_table(
            ("Run", "Agent", "Worker", "Attempt", "For"),
            [
                (
                    (lease.run_id, lease.agent, lease.worker_id, str(lease.attempt), duration(lease.age_ms)),
                    not lease.held,
                )
                for lease in found.leases[:_SHOWN]
            ],
        )
    _print_cells(found)
    _print_figures(found)


def _print_figures(found: "Status") -> None:
    from .timeline import duration
    from .user import out

    lag, logs = found.lag, found.logs
    oldest = "nothing waits" if lag.oldest_ready_ms is None else f"the oldest waits for {duration(lag.oldest_ready_ms)}"
    out(f"Runs: {lag.running} running, {lag.queued} queued, {lag.ready} of them ready ({oldest}).")
    clusters = f", written by {', '.join(logs.clusters)}" if logs.clusters else ""
    out(f"Logs: {logs.logs} with {logs.events} events, the longest {logs.longest}{clusters}.")
    if lag.notices is not None:
        out(f"Queue of notices: {lag.notices:.0%} full.")


def _print_cells(found: "Status") -> None:
    from .tables import print_table
    from .timeline import duration

    rows = []
    for cell in found.cells:
        waits = "-" if cell.oldest_ready_ms is None else duration(cell.oldest_ready_ms)
        figures = [str(figure) for figure in (cell.logs, cell.events, cell.running, cell.queued)]
        told = [cell.name, cell.address, *([cell.shards or "-", *figures, waits] if cell.answers else ["away"])]
        rows.append((told, not cell.answers))
    if rows:
        print_table(("Database", "Address", "Shards", "Logs", "Events", "Running", "Queued", "Oldest waits"), rows)


def _long(ms: int) -> str:
    """A duration for people, also of days."""
    from .timeline import duration

    hours = ms // 3_600_000
    return duration(ms) if hours < 2 else f"{hours} h" if hours < 48 else f"{hours // 24} d"
