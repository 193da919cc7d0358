"""The log of what was shown: an event is committed to the ledger before any content leaves the store.

Events form a chain: each holds the hash of the one before, so that editing, dropping or reordering one shows. An
event is kept as the text that is hashed and shipped (`body`): a JSON object with `number` and the fields of
`ViewEvent`, or the list of them that the ledger's first version wrote. The ledger is synced at each commit; when it
can't be written, nothing is shown.
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
    body = _body(number, event)
    db.execute(
        "INSERT INTO main.view_event (number, previous, hash, body) VALUES (?, ?, ?, ?)",
        (number, previous, chained(previous, body), body),
    )
    return number


def verify(db: Any) -> int | None:
    """Return the number of the first event that does not fit into the chain, None when all do."""
    expected: int | None = None
    previous: bytes | None = None
    for number, before, own, body in db.execute(
        "SELECT number, previous, hash, body FROM main.view_event ORDER BY number"
    ):
        # The oldest events leave the ledger once the backend has them: the chain may begin anywhere.
        fits = previous is None or (number == expected and before == previous)
        if not fits or own != chained(before, body) or _number(body) != number:
            return int(number)
        expected, previous = number + 1, own
    return None


def chained(previous: bytes, body: str) -> bytes:
    """Return the hash of an event that stands behind `previous`."""
    return hashlib.sha256(previous + body.encode()).digest()


def _body(number: int, event: ViewEvent) -> str:
    values: dict[str, Any] = {
        "number": number,
        "at": event.at.isoformat(),
        "user": event.user,
        "organisation": event.organisation,
        "view": event.view,
        "subject": event.subject,
        "rows": event.rows,
        "data_at": event.data_at.isoformat() if event.data_at is not None else None,
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _number(body: str) -> int:
    found = json.loads(body)
    return int(found[0] if isinstance(found, list) else found["number"])
