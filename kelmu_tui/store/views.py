"""The log of what was shown: an event is committed to the ledger before any content leaves the store.

Events form a chain: each holds the hash of the one before, so that editing, dropping or reordering one shows. The
ledger is synced at each commit; when it can't be written, nothing is shown.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Final, NamedTuple

GENESIS: Final = bytes(32)
"""Hash before the first event."""


class ViewEvent(NamedTuple):
    """One look: `view` is list, preview, notice or trace; `subject` is the notice's id, None for a list."""

    at: datetime
    user: str
    organisation: str
    view: str
    subject: str | None
    rows: int
    data_at: datetime | None


def log(db: Any, event: ViewEvent) -> int:
    """Append an event inside `Store.write` and return its number; it counts once that transaction is committed."""
    last = db.execute("SELECT number, hash FROM main.view_event ORDER BY number DESC LIMIT 1").fetchone()
    number, previous = (last[0] + 1, bytes(last[1])) if last is not None else (1, GENESIS)
    values = (
        event.at.isoformat(),
        event.user,
        event.organisation,
        event.view,
        event.subject,
        event.rows,
        event.data_at.isoformat() if event.data_at is not None else None,
    )
    db.execute(
        "INSERT INTO main.view_event (number, previous, hash, at, user, organisation, view, subject, rows, data_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, previous, _hash(number, previous, values), *values),
    )
    return number


def verify(db: Any) -> int | None:
    """Return the number of the first event that does not fit into the chain, None when all do."""
    expected: int | None = None
    previous: bytes | None = None
    for number, before, own, *values in db.execute(
        "SELECT number, previous, hash, at, user, organisation, view, subject, rows, data_at"
        " FROM main.view_event ORDER BY number"
    ):
        # The oldest events leave the ledger once the backend has them: the chain may begin anywhere.
        fits = previous is None or (number == expected and before == previous)
        if not fits or own != _hash(number, before, tuple(values)):
            return int(number)
        expected, previous = number + 1, own
    return None


def _hash(number: int, previous: bytes, values: tuple[Any, ...]) -> bytes:
    text = json.dumps([number, *values], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + text.encode()).digest()
