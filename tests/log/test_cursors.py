"""Cursors: every string is one, and each is worth a position in this log or a reason to start again, never a guess."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from quintet.events import cursor, decode
from quintet.log import Position, Resync, create_head
from quintet.log.reading import resolve_in
from quintet.store import Store, Tx
from support.databases import Database
from support.kernel import WAIT, Kernel, add_user, within

pytestmark = pytest.mark.l2


async def filled(kernel: Kernel, events: int = 8) -> str:
    """A user whose log has this many events."""
    user = await kernel.user()
    run = await kernel.running(user)
    await kernel.append(run, *(kernel.thought(run, f"{number}") for number in range(events - 2)))
    return user


async def cursors(kernel: Kernel, user_id: str) -> list[str]:
    """The cursors that were sent, by seq; the beginning's at 0."""
    first = await within(kernel.log.resolve(user_id, "0"))
    assert isinstance(first, Position)
    return [first.cursor, *(decode(row.frame).cursor for row in await kernel.rows(user_id))]


async def test_the_beginning_and_now(kernel: Kernel) -> None:
    """`0` is the beginning of what is kept and `$` is now, each answered with a real cursor, never with the sentinel."""
    user = await filled(kernel)
    known = await cursors(kernel, user)
    assert await within(kernel.log.resolve(user, "0")) == Position(0, known[0], 0)
    assert await within(kernel.log.resolve(user, "$")) == Position(8, known[8], 0)
    assert await within(kernel.log.head(user)) == (8, known[8])
    assert known[0].endswith(".0.0")


async def test_both_sentinels_of_an_empty_log_are_its_beginning(kernel: Kernel) -> None:
    """A log without events has one position, seq 0 with the digest 0, and its cursor can be gone on from."""
    user = await kernel.user()
    beginning = await within(kernel.log.resolve(user, "0"))
    assert isinstance(beginning, Position)
    assert beginning == await within(kernel.log.resolve(user, "$"))
    assert (beginning.after, beginning.cursor) == await within(kernel.log.head(user))
    assert await within(kernel.log.resolve(user, beginning.cursor)) == beginning


async def test_every_cursor_that_was_sent_is_its_position(kernel: Kernel) -> None:
    """Whoever comes back with the cursor of an event gets exactly what follows that event: reading from each tiles the log."""
    user = await filled(kernel)
    rows = await kernel.rows(user)
    for seq, known in enumerate(await cursors(kernel, user)):
        found = await within(kernel.log.resolve(user, known))
        assert found == Position(seq, known, 0)
        assert await kernel.rows(user, seq) == rows[seq:]


@pytest.mark.parametrize(("limit", "size"), [(1, 10**6), (3, 10**6), (256, 1), (256, 900), (7, 2000)])
async def test_bounded_reads_tile_the_log(kernel: Kernel, limit: int, size: int) -> None:
    """However small the pieces of a read are, they are never empty before the end, stay in their bounds, and join without a hole."""
    user = await filled(kernel, 30)
    rows = await kernel.rows(user)
    assert [row.seq for row in rows] == list(range(1, 31))
    assert [row.first_seq for row in rows] == [row.seq for row in rows]
    pieces, after = [], 0
    while piece := (await within(kernel.log.read(user, after, limit=limit, size=size))).rows:
        assert len(piece) <= limit
        assert len(piece) == 1 or sum(len(row.frame) for row in piece) <= size + 150 * len(piece)
        pieces += piece
        after = piece[-1].seq
    assert pieces == rows


async def test_a_cursor_of_another_users_log_is_recognised(kernel: Kernel) -> None:
    """Every cursor ever sent to another user is answered by `resync` `epoch` with this user's own beginning."""
    user, other = await filled(kernel), await filled(kernel)
    first = (await cursors(kernel, user))[0]
    for foreign in await cursors(kernel, other):
        assert await within(kernel.log.resolve(user, foreign)) == Resync("epoch", first)


async def test_a_position_with_another_events_digest_is_recognised(kernel: Kernel) -> None:
    """The right epoch and position with the digest of an event that is not there, as after a copy was put back, is `epoch`."""
    user = await filled(kernel)
    known = await cursors(kernel, user)
    epoch = known[0].partition(".")[0]
    digests = [one.rpartition(".")[2] for one in known]
    for seq in range(9):
        for digest in {*digests, "0", "00000000", "ffffffff"} - {digests[seq]}:
            assert await within(kernel.log.resolve(user, cursor(epoch, seq, digest))) == Resync("epoch", known[0])


async def test_a_position_that_is_not_reached_is_the_future(kernel: Kernel) -> None:
    """A cursor past the head is `future`, also one as large as a cursor can be."""
    user = await filled(kernel)
    known = await cursors(kernel, user)
    epoch = known[0].partition(".")[0]
    for seq in (9, 10, 10**17, 10**18 - 1):
        for digest in ("0", "12345678"):
            assert await within(kernel.log.resolve(user, cursor(epoch, seq, digest))) == Resync("future", known[0])


async def test_a_restored_copy_is_noticed(kernel: Kernel, store: Store, database: Database) -> None:
    """After an older copy was put back and other events were written, a client that saw the lost ones is told to start again, and one
    that saw none of them goes on."""
    user = await filled(kernel)
    known = await cursors(kernel, user)
    run = (await kernel.story(user))[0].run_id
    await within(
        store.write(user, lambda tx: tx.sql("DELETE FROM events WHERE user_id = ? AND seq > 5", (user,)).rowcount)
    )
    digest = known[5].rpartition(".")[2]
    database.change("UPDATE heads SET seq = 5, digest = ? WHERE user_id = ?", (digest, user))
    database.change("UPDATE runs SET run_seq = 5 WHERE user_id = ? AND id = ?", (user, run))
    assert await within(kernel.log.resolve(user, known[7])) == Resync("future", known[0])
    again = await kernel.running(user)
    await kernel.append(again, *(kernel.thought(again) for _ in range(4)))
    for seq in (6, 7, 8):
        assert await within(kernel.log.resolve(user, known[seq])) == Resync("epoch", known[0])
    for seq in range(6):
        assert isinstance(await within(kernel.log.resolve(user, known[seq])), Position)


_MALFORMED = [
    "",
    " ",
    "00",
    "$$",
    "$ ",
    " 0",
    "0\n",
    "-1",
    "1",
    ".",
    "..",
    "...",
    "null",
    "{}",
    "\x00",
    "\ud800",
    "{e}",
    "{e}.",
    "{e}.5",
    "{e}.5.",
    "{e}.5.{d}.",
    "{e}.5.{d}.x",
    ".5.{d}",
    " {e}.5.{d}",
    "{e}.5.{d} ",
    "{e}.5.{d}\n",
    "{e}.5.{d}\x00",
    "{e}.05.{d}",
    "{e}.00.0",
    "{e}.+5.{d}",
    "{e}.-5.{d}",
    "{e}.5.0.{d}",
    "{e}.5_0.{d}",
    "{e}.5e0.{d}",
    "{e}.0x5.{d}",
    "{e}.5.{D}",
    "{e}.5.{d}0",
    "{e}.5.1234567",
    "{e}.5.00",
    "{e}.٥.{d}",
    "{e}.５.{d}",
    "{e}.5.١٢٣٤٥٦٧٨",
    "{e}.²." + "{d}",
    "{E}.5.{d}",
    "{e}{e}{e}.5.{d}",
    "é{e}.5.{d}",
    "{e}.1000000000000000000.{d}",
    "{e}.9223372036854775807.{d}",
    "{e}.9223372036854775808.{d}",
    "{e}.18446744073709551616.{d}",
    "{e}." + "9" * 5000 + ".{d}",
    "{e},5,{d}",
    "' OR 1=1 --",
    "%24",
    "%30",
]


async def test_what_is_no_cursor_is_malformed(kernel: Kernel) -> None:
    """Any string that this log could not have sent is answered by `resync`, with the way to begin: leading zeros, signs, digits of other
    scripts, numbers past any integer, other cases, white space."""
    user = await filled(kernel)
    known = await cursors(kernel, user)
    epoch, _, digest = known[5].split(".")
    assert digest.upper() != digest or epoch.upper() != epoch
    for pattern in _MALFORMED:
        asked = pattern.replace("{e}", epoch).replace("{d}", digest)
        asked = asked.replace("{E}", epoch.upper() + "A").replace("{D}", digest[:-1] + "G")
        assert await within(kernel.log.resolve(user, asked)) == Resync("malformed", known[0]), asked


async def test_a_huge_string_costs_nothing(kernel: Kernel) -> None:
    """A megabyte of anything is malformed at once."""
    user = await filled(kernel)
    first = (await cursors(kernel, user))[0]
    for piece in ("a", "0", "9", ".", "a.", "a.1.", "\U0001f600"):
        asked = piece * (1_000_000 // len(piece))
        assert await within(kernel.log.resolve(user, asked), 1) == Resync("malformed", first)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.text(max_size=60) | st.from_regex(r"[a-z0-9]{0,17}\.[0-9]{0,20}\.[0-9a-f]{0,9}"))
@example("a.0.0")
@example("a.1.0")
def test_any_string_is_answered(store: Store, asked: str) -> None:
    """No string raises, and none that was not sent is taken for a position."""
    store.submit("u", _user_with_epoch_a).result(WAIT)
    found = store.submit_read(lambda tx: resolve_in(tx, "u", asked)).result(WAIT)
    if isinstance(found, Position):
        assert asked in {"0", "$", "a.0.0"}
    else:
        assert found.reason in {"malformed", "epoch", "future"}


def _user_with_epoch_a(tx: Tx) -> None:
    if tx.sql("SELECT 1 FROM users WHERE id = 'u'").fetchone() is None:
        add_user(tx, "u", "u@example.org")
        create_head(tx, "u", "a")


async def test_what_is_no_longer_kept(kernel: Kernel, database: Database) -> None:
    """After the first events are gone, older cursors are `too_old`, `0` begins at what is kept, its cursor can be gone on from, and
    newer cursors are not touched."""
    user = await filled(kernel)
    known = await cursors(kernel, user)
    database.change("DELETE FROM events WHERE user_id = ? AND seq <= 4", (user,))
    database.change("UPDATE heads SET kept_after = 4 WHERE user_id = ?", (user,))
    beginning = await within(kernel.log.resolve(user, "0"))
    assert isinstance(beginning, Position)
    assert beginning.after == 4
    assert await within(kernel.log.resolve(user, beginning.cursor)) == beginning
    for seq in range(4):
        assert await within(kernel.log.resolve(user, known[seq])) == Resync("too_old", beginning.cursor)
    for seq in range(5, 9):
        assert await within(kernel.log.resolve(user, known[seq])) == Position(seq, known[seq], 0)
    assert [row.seq for row in await kernel.rows(user, 4)] == [5, 6, 7, 8]


async def test_when_nothing_is_kept_now_can_be_gone_on_from(kernel: Kernel, database: Database) -> None:
    """A log whose events are all gone still knows its head: `$`, the head's cursor and the beginning agree."""
    user = await filled(kernel)
    _, head = await within(kernel.log.head(user))
    database.change("DELETE FROM events WHERE user_id = ?", (user,))
    database.change("UPDATE heads SET kept_after = 8 WHERE user_id = ?", (user,))
    for asked in ("0", "$", head):
        assert await within(kernel.log.resolve(user, asked)) == Position(8, head, 0)


async def test_a_cursor_is_the_same_for_all_devices(kernel: Kernel) -> None:
    """A cursor depends on nothing but the log: two readings give the same bytes."""
    user = await filled(kernel)
    assert await kernel.rows(user) == await kernel.rows(user)
    assert await cursors(kernel, user) == await cursors(kernel, user)


async def test_nobodys_log(kernel: Kernel) -> None:
    """A user who does not exist has no log to read or resolve in."""
    for work in (
        kernel.log.resolve("usr_nobody", "0"),
        kernel.log.read("usr_nobody", 0),
        kernel.log.head("usr_nobody"),
    ):
        with pytest.raises(KeyError):
            await within(work)
