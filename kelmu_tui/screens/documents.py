"""Documents to Kela: what is on its way and how far, receipts, and what has to be mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on

from kelmu_tui.actions import Context, State
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.screens.sending_acts import SendingActs
from kelmu_tui.screens.sending_blocks import line_blocks
from kelmu_tui.screens.sending_cells import UNDER_WAY, cells, columns, flag, needs_user
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.database import Changed
from kelmu_tui.store.sendings import UPLOADING, SendingLine
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block, Paragraph

if TYPE_CHECKING:
    from textual.timer import Timer

TABLES: Final = frozenset({"sending", "command", "conflict", "scope"})
"""What changes when a sending, its copies, or what is on its way does."""
BEAT: Final = 1.0
"""Seconds between two looks at the speed, while documents go up."""


class DocumentsScreen(SendingActs, ListScreen[SendingLine, None]):
    """The sendings; a list of names is a look, which is logged before."""

    CONTEXT: ClassVar[Context] = Context.DOCUMENTS
    SECTION: ClassVar[str] = "main.documents"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._read = self._barred = False
        self._logged = 0
        self._beat: Timer | None = None

    # --- what there is ----------------------------------------------------------------------------------------------

    def mounted(self) -> None:
        """Read, and look at the speed from time to time while there is one."""
        super().mounted()
        self._beat = self.set_interval(BEAT, self._look_at_speed, pause=True)

    async def fetch(self) -> Sequence[SendingLine]:
        """Read the sendings."""
        sendings = self.desk.sendings

        def read() -> tuple[SendingLine, ...]:
            found = sendings.lines()
            if len(found) > self._logged:
                sendings.log_list(len(found))
            self._logged = len(found)
            return found

        found: tuple[SendingLine, ...] = ()
        try:
            found = await self.desk.run(read)
            self._barred = False
        except NotAllowed:
            self._barred = True
        self._read = True
        return found

    async def _reload(self) -> None:
        await super()._reload()
        if self.alive:
            self._say_empty()
            self._update_view()
            self._keep_beat()

    def _keep_beat(self) -> None:
        if self._beat is not None:
            moving = any(line.state == UPLOADING for line in self._all) and self.face.online
            (self._beat.resume if moving and self.face.screen is self else self._beat.pause)()

    def _look_at_speed(self) -> None:
        """The speed is another, or none any more: what is on its way is painted anew."""
        if self.alive and self.is_current:
            self.rows.update()
            self._explain()
            self._keep_beat()

    def store_changed(self, change: Changed) -> None:
        """Bytes went up, a receipt came, or a command went on its way."""
        # Under another screen nobody sees it; it is read when it comes up again.
        if self.face.screen is self and (not change.tables or change.tables & TABLES):
            self.reload()

    def on_screen_resume(self) -> None:
        """The screen is on top again: read what changed meanwhile."""
        super().on_screen_resume()
        if self.ready and self.is_current:
            self.reload()

    def update_frame(self) -> None:
        """The connection changed: what is on its way waits for it, or goes on."""
        super().update_frame()
        if self.alive and self._read and self.face.screen is self:
            self.rows.update()
            self._say_empty()
            self._explain()
            self._keep_beat()

    def key(self, row: SendingLine) -> str:
        """Return the id of the sending."""
        return row.id

    # --- above the list ---------------------------------------------------------------------------------------------

    def heading(self) -> str:
        """Return what the sendings are called."""
        return self.face.t("sending_view.heading")

    def remarks(self) -> Sequence[Piece]:
        """Say how many have to be mended, or are on their way."""
        t = self.face.t
        mend = sum(needs_user(line) for line in self._all)
        going = sum(line.receipt is None and line.state in UNDER_WAY for line in self._all)
        pieces: list[Piece] = []
        if mend:
            pieces.append((t("sending_view.to_mend", count=mend), "alarm"))
        if going:
            pieces.append(("  ", ""))
            pieces.append((t("sending_view.on_the_way", count=going), "accent" if self.face.online else "warn"))
        return pieces

    def empty_text(self) -> str:
        """Say in a line why there is nothing: closed, not here yet, none at all, none that matches."""
        t = self.face.t
        if self._barred:
            return t("sending_view.closed")
        if self.filter_text():
            return t("common.nothing_matches")
        if self.desk.status().synced_at is None:
            return t("sending_view.not_here_yet")
        return t("sending_view.none", key=self.key_text("documents.new"))

    def _say_empty(self) -> None:
        t = self.face.t
        self.rows.set_texts(loading=t("common.loading"), empty=self.empty_text(), failed=t("common.reading_failed"))
        if self.rows.current is None:
            self._explain()

    # --- rows -------------------------------------------------------------------------------------------------------

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        return columns(self.face.t)

    def cells(self, row: SendingLine) -> Mapping[str, Cell]:
        """Return the cells of a sending."""
        return cells(row, self.face.t, self.way, self.face.now(), ascii_only=self.face.ascii)

    def flag(self, row: SendingLine) -> Cell:
        """Return the sign that matters most."""
        return flag(row, self.face.glyphs)

    def explanation_title(self, row: SendingLine) -> str:
        """Return who it is about."""
        return f"{row.customer_name or self.face.t('sending_view.nobody')}  {row.masked_code}".strip()

    def explain(self, row: SendingLine) -> Iterable[Block]:
        """Say how it stands, what comes next, and which documents they are."""
        return line_blocks(row, self.face, self.way)

    def explain_nothing(self) -> Iterable[Block]:
        """Say what sendings are, or why they are closed."""
        t = self.face.t
        if self._barred:
            yield Paragraph(t("sending_view.closed_text", key=self.key_text("app.help")), "warn")
        elif self._read:
            yield Paragraph(t("sending_view.about"), "dim")

    # --- actions ----------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> SendingLine | None:
        """The sending under the cursor."""
        row: SendingLine | None = self.rows.current if self.alive else None
        return row

    def acted(self) -> None:
        """Read anew."""
        if self.alive:
            self.reload()

    def state(self) -> State:
        """Return what decides over the actions."""
        return self.sendings_state(0 if self.chosen is None else 1)

    @on(RowList.Opened)
    def _opened(self) -> None:
        row = self.chosen
        if row is not None:
            self.face.show_sending(row.id)
