"""Moving for an operator: an installation between databases, where the store copies and both logs are read here as users read them; shards
between cells."""

from collections.abc import Callable

from quintet.log.numbers import Head, head_in
from quintet.log.reading import Row, read_in
from quintet.server.opening import map_digest
from quintet.settings import Settings, StartError
from quintet.sources import Sources
from quintet.store import Tx
from quintet.store.moving import Moved, MoveError, move

__all__ = ["moved", "shards_moved"]

_PAGE = 100  # events
_PAGE_BYTES = 1 << 20


def moved(source_url: str, target_url: str, progress: Callable[[str, int, int], None]) -> Moved:
    """Move everything from the one to the other; `progress` gets a step, rows done and rows in all. Raises `StartError`."""
    sources = Sources()

    def epoch() -> str:
        return sources.token_bytes(6).hex()

    try:
        return move(source_url, target_url, new_epoch=epoch, check=_check_logs, progress=progress)
    except MoveError as error:
        raise StartError(error.what, error.fix) from error


def shards_moved(
    settings: Settings, source_url: str, target_url: str, shards: range, progress: Callable[[str, int, int], None]
) -> Moved:
    """Move shards, which are nobody's in the map of these settings, from one cell to another; no rows where they were moved before.

    Raises:
        StartError: it did not begin, or goes on when it is started again.
    """
    from quintet.store.moving.shards import Move, move_shards

    if not settings.places or {settings.places[shard] for shard in shards} != {None}:
        raise StartError(
            "QUINTET_CELLS does not give these shards to nobody",
            f"Write {shards[0]}-{shards[-1]}=- in it, and restart every process with that.",
            exit_code=78,
        )
    life_ms = settings.worker_life_seconds * 1000
    ends = (settings.database, source_url, target_url)
    move = Move(*ends, shards, map_digest(settings), life_ms, settings.failover_keeps_epochs)
    try:
        return move_shards(move, new_name=lambda: Sources().token_bytes(6).hex(), progress=progress)
    except MoveError as error:
        raise StartError(error.what, error.fix) from error


def _check_logs(source: Tx, target: Tx) -> None:
    """What each user would read: the first page and the last, by the code that serves it."""
    for (user_id,) in source.sql("SELECT user_id FROM heads").fetchall():
        theirs, ours = head_in(source, user_id), head_in(target, user_id)
        if theirs.epoch == ours.epoch or theirs[1:] != ours[1:]:
            raise MoveError("The head of a log is not what it was", "Nothing was moved.")
        for after in {theirs.kept_after, max(theirs.kept_after, theirs.seq - _PAGE)}:
            if _page(source, user_id, theirs, after) != _page(target, user_id, ours, after):
                raise MoveError("A page of a log is not what it was", "Nothing was moved.")


def _page(tx: Tx, user_id: str, head: Head, after: int) -> list[Row]:
    """As it goes out, but for the epoch in its cursors."""
    mark = f'"cursor":"{head.epoch}.'.encode()
    rows = read_in(tx, user_id, after, _PAGE, _PAGE_BYTES).rows
    return [Row(row.seq, row.first_seq, row.frame.replace(mark, b'"cursor":".', 1)) for row in rows]
