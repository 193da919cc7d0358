"""What went wrong lately, for the diagnostics: parts and codes with the backend's request ids, never any text."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import stamp

KEPT: Final = 50
"""Troubles that are kept, the newest ones."""


class Part(StrEnum):
    """Where something went wrong."""

    PULL = "pull"
    FILL = "fill"
    PUSH = "push"
    SHIP = "ship"
    UPLOAD = "upload"
    SESSION = "session"
    STORE = "store"


class Trouble(NamedTuple):
    """One failure: `code` of `api.errors` or `store.errors`, `status` of HTTP if there was an answer."""

    part: Part
    code: str
    status: int | None
    request_id: str
    at: datetime

    def same(self, other: Trouble) -> bool:
        """Whether `other` is the same trouble at another time."""
        return (self.part, self.code, self.status) == (other.part, other.code, other.status)


class TroubleLine(NamedTuple):
    """A trouble as it is listed: `times` it was noted in a row, the newest request id."""

    part: Part
    code: str
    status: int | None
    request_id: str
    times: int
    first_at: datetime
    last_at: datetime


def note(store: Store, trouble: Trouble) -> None:
    """Write a trouble down; the same as the newest one of its part only raises that one's count."""
    with store.write() as db:
        last = db.execute(
            "SELECT number, code, status FROM main.trouble WHERE part = ? ORDER BY number DESC LIMIT 1",
            (trouble.part.value,),
        ).fetchone()
        at = stamp(trouble.at)
        if last is not None and last[1:] == (trouble.code, trouble.status):
            db.execute(
                "UPDATE main.trouble SET times = times + 1, last_at = ?, request_id = ? WHERE number = ?",
                (at, trouble.request_id, last[0]),
            )
        else:
            db.execute(
                "INSERT INTO main.trouble (part, code, status, request_id, times, first_at, last_at)"
                " VALUES (?, ?, ?, ?, 1, ?, ?)",
                (trouble.part.value, trouble.code, trouble.status, trouble.request_id, at, at),
            )
            db.execute("DELETE FROM main.trouble WHERE number <= (SELECT max(number) FROM main.trouble) - ?", (KEPT,))
        store.changed("trouble")


def troubles(db: Any, limit: int = KEPT) -> list[TroubleLine]:
    """Return the newest troubles, the newest first."""
    rows = db.execute(
        "SELECT part, code, status, request_id, times, first_at, last_at FROM main.trouble"
        " ORDER BY last_at DESC, number DESC LIMIT ?",
        (limit,),
    )
    return [
        TroubleLine(Part(part), code, status, request_id, times, *map(datetime.fromisoformat, (first, last)))
        for part, code, status, request_id, times, first, last in rows
    ]
