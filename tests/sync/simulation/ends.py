"""Notices that end within a run or soon after it: handled so long ago that the record keeps them no longer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from kelmu_backend.database.claim_tables import claim
from kelmu_backend.database.tables import notice
from kelmu_tui.domain.claims.kept import closed_kept
from kelmu_tui.domain.deadlines import kept_after_handling


class Ends:
    """Which notices end, and when.

    Attributes:
        notices: their ids; a client may know that one is over before the record does something about it.
    """

    def __init__(self, now: datetime) -> None:
        self.notices: set[str] = set()
        self._at: list[datetime] = []
        self._seen = now

    def give(self, id: str, number: int, now: datetime) -> dict[str, Any]:  # noqa: A002
        """Return what is different in the row of a notice that arrives: every third was handled long ago."""
        if number % 3:
            return {}
        # Some end within the run, and some later: what a clock ahead has ended of these has to come back.
        left = timedelta(seconds=40 * (number % 7 + 1)) if number % 2 else timedelta(hours=6)
        self.notices.add(id)
        self._at.append(now + left)
        return {"status": "handled", "handled_at": now + left - kept_after_handling(), "handled_by": "Kari"}

    def come(self, now: datetime) -> bool:
        """Tell whether any has come to its end since the last time."""
        before, self._seen = self._seen, now
        return any(before < at <= now for at in self._at)


def over_at(connection: Connection, scope: str, id: str) -> datetime | None:  # noqa: A002
    """Return when a notice or a claim is over for whoever keeps it, None while that is open."""
    of_claim = scope.startswith("claims:")
    ended = (
        select(claim.c.closed_at).where(claim.c.id == id)
        if of_claim
        else select(notice.c.handled_at).where(notice.c.id == id)
    )
    at = connection.execute(ended).scalar()
    return None if at is None else at + (closed_kept() if of_claim else kept_after_handling())
