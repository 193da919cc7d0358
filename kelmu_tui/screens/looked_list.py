"""A list of people's names: showing it is a look, which is logged before, and it ends with the mandate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeVar

from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.database import Changed
from kelmu_tui.widgets.sheet import Block, Paragraph

Row = TypeVar("Row")


class LookedList(ListScreen[Row, None]):
    """The list of a section; more names than before are another look, the same ones again are not."""

    TABLES: ClassVar[frozenset[str]]
    """What of the store the rows are read from."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._read = self._barred = False
        self._logged = 0

    # --- what subclasses say ----------------------------------------------------------------------------------------

    def reading(self) -> tuple[Callable[[], Sequence[Row]], Callable[[int], None]]:
        """Return what reads the rows and what logs that so many names are shown, both for the store's thread."""
        raise NotImplementedError

    def reloaded(self) -> None:
        """The rows were read anew and are shown."""

    def about(self) -> str:
        """Say what is listed here, while there is nothing."""
        raise NotImplementedError

    def closed_text(self) -> str:
        """Say why nothing may be shown, where that has its own text."""
        return ""

    # --- reading ----------------------------------------------------------------------------------------------------

    async def look(self) -> Sequence[Row]:
        """Read the rows after logging that more of them are shown than before; none when they may not be shown."""
        lines, log_list = self.reading()

        def read() -> Sequence[Row]:
            found = lines()
            if len(found) > self._logged:
                log_list(len(found))
            self._logged = len(found)
            return found

        found: Sequence[Row] = ()
        try:
            found = await self.desk.run(read)
            self._barred = False
        except NotAllowed:
            self._barred = True
        self._read = True
        return found

    async def fetch(self) -> Sequence[Row]:
        """Read the rows."""
        return await self.look()

    async def _reload(self) -> None:
        await super()._reload()
        if self.alive:
            self.reloaded()
            self._say_empty()
            self._update_view()

    def store_changed(self, change: Changed) -> None:
        """What is listed changed, or a command went on its way."""
        # Under another screen nobody sees it; it is read when it comes up again.
        if self.face.screen is self and (not change.tables or change.tables & self.TABLES):
            self.reload()

    def on_screen_resume(self) -> None:
        """The screen is on top again: read what changed meanwhile."""
        super().on_screen_resume()
        if self.ready and self.is_current:
            self.reload()

    def _say_empty(self) -> None:
        t = self.face.t
        self.rows.set_texts(loading=t("common.loading"), empty=self.empty_text(), failed=t("common.reading_failed"))
        if self.rows.current is None:
            self._explain()

    def explain_nothing(self) -> Iterable[Block]:
        """Say what is listed here, or why it is closed."""
        closed = self.closed_text() if self._barred else ""
        if closed:
            yield Paragraph(closed, "warn")
        elif self._read:
            yield Paragraph(self.about(), "dim")
