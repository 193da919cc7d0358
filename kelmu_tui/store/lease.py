"""Until when rows of the backend may be shown without hearing from it: the newest lease of session and feed.

What is shown leaves the store through `within`, so nothing is returned after the lease or past a row's own end,
whatever asks for it, nor while the log of views is known to be an old or an altered copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from kelmu_tui.store import chain, expiry
from kelmu_tui.store.connection import Connection
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import ClockBehind, LeaseEnded

SECRET: Final = "lease_until"  # noqa: S105 - a name in the table of secrets
SHREDDED_AFTER: Final = timedelta(hours=24)
"""How long after the lease the replicas are destroyed."""


def until(db: Any) -> datetime | None:
    """Return when the newest known lease ends; None when no backend has been heard, so that there is nothing to show.

    The session's lease stands in the ledger, the feed's in the attached replica.
    """
    rows = db.execute("SELECT value FROM main.secret WHERE key = ?", (SECRET,)).fetchall()
    if db.execute("SELECT 1 FROM pragma_database_list WHERE name = 'replica'").fetchone():
        rows += db.execute("SELECT value FROM replica.state WHERE key = 'lease_until'").fetchall()
    return max((datetime.fromisoformat(row[0]) for row in rows), default=None)


@contextmanager
def within(store: Store) -> Iterator[Connection]:
    """Give the connection in a snapshot, as `Store.read`, for what is to be shown.

    Raises:
        NotShown: nothing may be shown any more.
    """
    expiry.sweep(store)
    with store.read() as db:
        _check(store, db)
        yield db


def check(store: Store) -> None:
    """Let nothing be shown after the lease, nor without a log of views that holds.

    Raises:
        ViewsBarred: the log does not hold.
        LeaseEnded: it has ended.
        ClockBehind: nobody can tell whether it has.
    """
    with store.read() as db:
        _check(store, db)


def _check(store: Store, db: Any) -> None:
    chain.demand(db)
    ends = until(db)
    if ends is None:
        return
    if store.clock.now() > ends:
        raise LeaseEnded(ends)
    if store.clock.behind:
        raise ClockBehind


def keep(db: Any) -> None:
    """Write the newest lease into the ledger, inside a transaction of it: there it is known without any replica."""
    ends = until(db)
    if ends is not None:
        db.execute("INSERT OR REPLACE INTO main.secret (key, value) VALUES (?, ?)", (SECRET, ends.isoformat()))


def overdue(store: Store) -> bool:
    """Tell whether the lease ended so long ago that the replicas have to go."""
    with store.read() as db:
        ends = until(db)
    return ends is not None and store.clock.now() > ends + SHREDDED_AFTER
