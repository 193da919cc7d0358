"""Documents to Kela: what is on its way and how far, receipts, and what has to be mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on

from kelmu_tui.actions import Context, State
from kelmu_tui.screens.beating import Beating
from kelmu_tui.screens.looked_list import LookedList
from kelmu_tui.screens.sending_acts import SendingActs
from kelmu_tui.screens.sending_blocks import line_blocks
from kelmu_tui.screens.sending_cells import UNDER_WAY, cells, columns, flag, needs_user
from kelmu_tui.store.sendings import UPLOADING, SendingLine
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block


class DocumentsScreen(SendingActs, Beating, LookedList[SendingLine]):
    """The sendings; a list of names is a look, which is logged before."""

    CONTEXT: ClassVar[Context] = Context.DOCUMENTS
    SECTION: ClassVar[str] = "main.documents"
    TABLES: ClassVar[frozenset[str]] = frozenset({"sending", "command", "conflict", "scope"})

    # --- what there is ----------------------------------------------------------------------------------------------

    def reading(self) -> tuple[Callable[[], Sequence[SendingLine]], Callable[[int], None]]:
        """Return what reads the sendings, and what logs that they are shown."""
        return self.desk.sendings.lines, self.desk.sendings.log_list

    def reloaded(self) -> None:
        """Look at the speed while there is one."""
        self.keep_beat()

    def moving(self) -> bool:
        """Tell whether documents go up."""
        return any(line.state == UPLOADING for line in self._all)

    def beat(self) -> None:
        """Show the speed of now in the rows and the explanation."""
        self.rows.update()
        self._explain()

    def update_frame(self) -> None:
        """The connection changed: what is on its way waits for it, or goes on."""
        super().update_frame()
        if self.alive and self._read and self.face.screen is self:
            self.beat()
            self._say_empty()
            self.keep_beat()

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

    def about(self) -> str:
        """Say what sendings are."""
        return self.face.t("sending_view.about")

    def closed_text(self) -> str:
        """Say why documents are closed."""
        return self.face.t("sending_view.closed_text", key=self.key_text("app.help"))

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
