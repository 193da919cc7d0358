"""The page of one record of the store: it is read as a look, follows the store, and ends with the mandate."""

from __future__ import annotations

from typing import ClassVar

from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.page import ReadPage
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.database import Changed


class RecordPage(ReadPage[None]):
    """A record whole; the service that gives it logs the look and knows which reading is another one."""

    READ_FOR: ClassVar[frozenset[str]]
    """What of the store says something of a record, by its id."""

    def __init__(self, desk: Desk, subject: str) -> None:
        """Show the record whose id is `subject`."""
        super().__init__()
        self.desk = desk
        self.subject = subject
        self._read = self._barred = False

    # --- what subclasses say ----------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Read the record and keep it.

        Raises:
            NotAllowed: it may not be shown.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Keep nothing of the record: it may not be shown any more."""
        raise NotImplementedError

    def show_record(self) -> None:
        """Put the record on the page, or why there is none."""
        raise NotImplementedError

    # --- reading ----------------------------------------------------------------------------------------------------

    def mounted(self) -> None:
        """Read the record."""
        super().mounted()
        self.reload()

    async def load(self) -> None:
        """Read the record and show it."""
        try:
            await self.look()
            self._barred = False
        except NotAllowed:
            self.forget()
            self._barred = True
        self._read = True
        if self.alive:
            self.show_record()
            self.update_hints()

    def acted(self) -> None:
        """Read it anew."""
        if self.alive:
            self.reload()

    def store_changed(self, change: Changed) -> None:
        """The record changed, an own command on it went on its way, or the mandate did."""
        mine = change.tables & self.READ_FOR and (not change.keys or self.subject in change.keys)
        if self.alive and (not change.tables or "scope" in change.tables or mine):
            self.reload()

    def update_frame(self) -> None:
        """The connection changed, or a minute has gone: days are nearer."""
        super().update_frame()
        if self.alive and self._read and self.is_current:
            self.show_record()

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        if self._read:
            self.show_record()
