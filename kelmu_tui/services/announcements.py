"""Service announcements: planned breaks, disturbances and information, from the local store."""

from __future__ import annotations

from kelmu_tui.platform.clock import Clock
from kelmu_tui.store import announcements
from kelmu_tui.store.database import Store
from kelmu_tui.store.rows import AnnouncementLine


class Announcements:
    """The announcements of the service."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def lines(self) -> list[AnnouncementLine]:
        """Return the announcements that have not ended, by the instant they begin."""
        now = self._clock.now()
        return [line for line in self.all() if line.ends is None or line.ends > now]

    def current(self) -> list[AnnouncementLine]:
        """Return the announcements in force now."""
        now = self._clock.now()
        return [line for line in self.lines() if line.starts <= now]

    def all(self) -> list[AnnouncementLine]:
        """Return every announcement, ended ones too."""
        with self._store.read() as db:
            return announcements.announcements(db)
