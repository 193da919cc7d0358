"""Rows and customers' files that end by themselves: the backend says when, and from then on no query returns them.

Whoever wants to show rows sweeps first (`store.lease.within`); so does the sync, for stores that nobody looks at.
"""

from __future__ import annotations

from typing import Any, Final

from kelmu_tui.store import customers, feed, replica
from kelmu_tui.store.database import Store
from kelmu_tui.store.replica import microseconds

AT_ONCE: Final = 250
"""Rows deleted in one transaction."""


def sweep(store: Store) -> int:
    """Delete what has come to its end, out of the log as well, and return how many rows and files it was."""
    if store.organisation is None:
        return 0
    gone = _end_files(store)
    while _come(store):
        with store.write("replica") as db:
            ended = _ended(db, store)
            if not store.clock.heard:
                feed.ended_unheard(db, max(row[3] for row in ended))
            replica.delete_notices(db, [row[:3] for row in ended])
            store.changed("notice", keys=[row[2] for row in ended])
        gone += len(ended)
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
