"""Notices, files, lists and all else that ends by itself: no query returns it after.

Whoever wants to show rows sweeps first (`store.lease.within`); so does the sync, for stores that nobody looks at.
"""

from __future__ import annotations

from typing import Any, Final

from kelmu_tui.store import customers, feed, lists, replica
from kelmu_tui.store.database import Store
from kelmu_tui.store.replica import microseconds

AT_ONCE: Final = 250
"""Rows deleted in one transaction."""
LIST_STEPS: Final = 2
"""Steps in which rows of lists are deleted at a time; the rest follows with the next sweep."""
_UNHEARD: Final = "ended_unheard"
"""Key of the replica's state: microseconds, as the ends of the rows."""


def sweep(store: Store) -> int:
    """Delete what has come to its end, out of the log as well, and return how many rows and files it was."""
    gone = _end_answers(store)
    if store.organisation is None:
        return gone
    gone += _end_files(store) + _end_plain(store, "follow") + _end_plain(store, "sending") + _end_claims(store)
    gone += _end_lists(store) + _end_judgements(store)
    while _come(store):
        with store.write("replica") as db:
            ended = _ended(db, store)
            if not store.clock.heard:
                _note_unheard(db, max(row[3] for row in ended))
            replica.delete_notices(db, [row[:3] for row in ended])
            store.changed("notice", keys=[row[2] for row in ended])
        gone += len(ended)
    if gone:
        store.scrub()
    return gone


def _end_answers(store: Store) -> int:
    """End the county's own answers, which stand in the ledger, whichever organisation is attached."""
    with store.read() as db:
        if db.execute("SELECT 1 FROM main.own_answer LIMIT 1").fetchone() is None:
            return 0
    from kelmu_tui.store import own_answers  # costs an import that a start without answers should not pay

    now, gone = store.clock.now(), 0
    while True:
        with store.read() as db:
            if not own_answers.over(db, now):
                break
        with store.write() as db:
            gone += own_answers.end(db, now, AT_ONCE)
            store.changed("own_answer")
    if gone:
        store.scrub()
    return gone


def _end_files(store: Store) -> int:
    now = store.clock.now()
    with store.read() as db:
        first = customers.next_end(db)
    if first is None or first > microseconds(now):
        return 0
    with store.write("replica") as db:
        ended = customers.end(db, now)
        if ended:
            store.changed("customer", keys=ended)
    return max(1, len(ended))


def _end_plain(store: Store, table: str) -> int:
    """End follows or receipts of sendings."""
    now = microseconds(store.clock.now())
    with store.read() as db:
        first = db.execute(f"SELECT min(expires) FROM replica.{table} WHERE expires IS NOT NULL").fetchone()[0]  # noqa: S608
    if first is None or first > now:
        return 0
    with store.write("replica") as db:
        rows = db.execute(f"DELETE FROM replica.{table} WHERE expires <= ? RETURNING id", (now,)).fetchall()  # noqa: S608
        store.changed(table, keys=[row[0] for row in rows])
    return len(rows)


def _end_claims(store: Store) -> int:
    now = microseconds(store.clock.now())
    with store.read() as db:
        first = db.execute("SELECT min(expires) FROM replica.claim WHERE expires IS NOT NULL").fetchone()[0]
    if first is None or first > now:
        return 0
    gone = 0
    while True:
        with store.write("replica") as db:
            ended = db.execute(
                "DELETE FROM replica.claim WHERE (generation, id) IN (SELECT generation, id FROM replica.claim"
                " WHERE expires <= ? LIMIT ?) RETURNING generation, id, expires",
                (now, AT_ONCE),
            ).fetchall()
            if not ended:
                return gone
            db.executemany("DELETE FROM replica.claim_body WHERE generation = ? AND id = ?", [row[:2] for row in ended])
            if not store.clock.heard:
                _note_unheard(db, max(row[2] for row in ended))
            store.changed("claim", keys=[row[1] for row in ended])
        gone += len(ended)


def _end_lists(store: Store) -> int:
    """End what is over, and delete some of what has ended: 100 000 rows at once would be felt."""
    now = store.clock.now()
    with store.read() as db:
        first, erasing = lists.next_end(db), lists.erasing(db)
    over = first is not None and first <= microseconds(now)
    if over:
        with store.write("replica") as db:
            lists.end(db, now)
            store.changed("list", "invoice")
    if not (over or erasing):
        return 0
    for _ in range(LIST_STEPS):
        with store.write("replica") as db:
            if lists.erase(db):
                # Should a reader be in the way of emptying the log now, the next pull does it.
                feed.unscrub(db)
                return 1
    return int(over)


def _end_judgements(store: Store) -> int:
    """Forget what was said of findings whose time is over; not by a wall clock alone, as it stands nowhere else."""
    now = store.clock.now()
    with store.read() as db:
        first = db.execute("SELECT min(expires) FROM main.judgement").fetchone()[0]
    if first is None or first > microseconds(now) or not store.clock.heard:
        return 0
    from kelmu_tui.store import judgements  # brings the rules of the review, which no start should pay

    with store.write() as db:
        ended = judgements.end(db, now)
        store.changed("judgement")
    return ended


def step(store: Store) -> bool:
    """Sweep, and tell whether no rows of ended lists are left to be deleted."""
    if store.organisation is None:
        return True
    sweep(store)
    with store.read() as db:
        return not lists.erasing(db)


def erase_lists(store: Store) -> None:
    """Delete all rows of ended lists, in as many steps as it takes; where nobody waits for the store."""
    while not step(store):
        pass


def bring_back(store: Store) -> None:
    """Once the backend has told the time: fill anew what was deleted by a wall clock that was ahead.

    To be called after each answer; it writes only when something was deleted unheard.
    """
    with store.read() as db:
        if _ended_unheard(db) is None:
            return
    with store.write("replica") as db:
        latest = _ended_unheard(db)
        db.execute("DELETE FROM replica.state WHERE key = ?", (_UNHEARD,))
        if latest is not None and latest > microseconds(store.clock.now()):
            feed.forget_cursor(db)


def _note_unheard(db: Any, latest: int) -> None:
    """Note the latest end of rows that were deleted by a clock which nobody has confirmed."""
    db.execute(
        "INSERT INTO replica.state (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE"
        " SET value = max(CAST(value AS INTEGER), ?2)",
        (_UNHEARD, latest),
    )


def _ended_unheard(db: Any) -> int | None:
    row = db.execute("SELECT value FROM replica.state WHERE key = ?", (_UNHEARD,)).fetchone()
    return None if row is None else int(row[0])


def _come(store: Store) -> bool:
    # One step into an index that holds the rows with an end only.
    with store.read() as db:
        first = db.execute("SELECT min(expires) FROM replica.notice WHERE expires IS NOT NULL").fetchone()[0]
    return first is not None and first <= microseconds(store.clock.now())


def _ended(db: Any, store: Store) -> list[tuple[int, str, str, int]]:
    rows: list[tuple[int, str, str, int]] = db.execute(
        "SELECT rowid, body, id, expires FROM replica.notice INDEXED BY notice_expiry"
        " WHERE expires IS NOT NULL AND expires <= ? LIMIT ?",
        (microseconds(store.clock.now()), AT_ONCE),
    ).fetchall()
    return rows
