"""The log of looks at claims: written before what is looked at is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.customers import SITTING
from kelmu_tui.store import chain, views
from kelmu_tui.store.database import Store
from kelmu_tui.store.details import data_at
from kelmu_tui.store.rows import ActiveSession

LIST: Final = "claim_list"
"""What the log calls a list of claims."""
FILE: Final = "claim"
"""What the log calls a claim whole."""


class Looks:
    """The looks of one user who works for an organisation."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._session = session
        self._clock = clock
        self._ids = ids
        self._open: dict[str, tuple[datetime, int]] = {}

    def log(self, view: str, subject: str | None, rows: int) -> None:
        """Log a look.

        Raises:
            StoreError: it is not logged; nothing may be shown.
        """
        organisation = self._session.organisation.business_id
        with self._store.write() as db:
            at = data_at(db) if self._store.organisation == organisation else None
            chain.ensure(db, self._ids)
            views.log(
                db,
                views.ViewEvent(self._clock.now(), self._session.user_id, organisation, view, subject, rows, at),
            )
            self._store.changed("view_event", keys=(view,))

    def open(self, claim: str, version: int) -> None:
        """Log a look at a claim whole; again within a sitting, of the same version, it is the same look.

        Raises:
            StoreError: as `log`.
        """
        now = self._clock.now()
        at, seen = self._open.get(claim, (None, 0))
        if at is None or seen != version or not timedelta(0) <= now - at < SITTING:
            self.log(FILE, claim, 1)
            self._open[claim] = (now, version)

    def forget(self, claim: str) -> None:
        """Let the next look at a claim be a new one."""
        self._open.pop(claim, None)
