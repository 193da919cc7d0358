"""The rows that a finding is about, as they stand in the invoice; from a row to the customer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.widget import Widget

from kelmu_tui.actions import Context, State
from kelmu_tui.domain.lists import KelaList
from kelmu_tui.screens.base import FramedScreen
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.list_people import look_up
from kelmu_tui.screens.list_words import copied_text, list_columns, period_text, row_cells
from kelmu_tui.screens.whole_codes import WholeCodes
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.lists import NotHere
from kelmu_tui.services.review_text import rule_text
from kelmu_tui.services.reviewing import Found, Reviewed
from kelmu_tui.store.database import Changed
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.terminal import clipboard
from kelmu_tui.widgets.cells import Cell
from kelmu_tui.widgets.chrome import Caption, ViewLine
from kelmu_tui.widgets.list_source import ListSource
from kelmu_tui.widgets.row_list import RowList


class FindingRowsScreen(FramedScreen[None]):
    """A few rows of a copy that is being read; when the copy is not here any more, neither are they."""

    CONTEXT: ClassVar[Context] = Context.FINDING_ROWS
    SECTION: ClassVar[str] = "main.invoices"
    LEADS_TO_CUSTOMER = True

    def __init__(self, desk: Desk, one: KelaList, reviewed: Reviewed, found: Found) -> None:
        super().__init__()
        self.desk = desk
        self.list = one
        self.reviewed = reviewed
        self.found = found
        self._rows: tuple[ListRow, ...] | None = None
        self._lost: NotHere | NotAllowed | None = None
        self._codes = WholeCodes(self, lambda: self.rows.refresh())

    def body(self) -> Iterable[Widget]:
        """Return the sentence of the rule and the rows."""
        yield ViewLine()
        yield Caption("", role="", id="totals")
        rows: RowList[ListRow] = RowList(
            list_columns(self.list, self.face.t),
            self._cells,
            flag=self._flag,
            glyphs=self.face.glyphs,
            on_failure=self.face.task_failed,
            id="rows",
        )
        yield rows

    @property
    def rows(self) -> RowList[ListRow]:
        """The list."""
        return self.query_one("#rows", RowList)

    def mounted(self) -> None:
        """Read the rows."""
        super().mounted()
        self.set_focus(self.rows)
        self._read()

    def doers(self) -> tuple[object, ...]:
        """Return who knows how to do the actions: the list does the moving and marking."""
        return (self, self.rows, self.face)

    def state(self) -> State:
        """Return what decides over the actions: the marked rows or the one under the cursor."""
        return self.face.state(selected=len(self.rows.targets) if self.alive else 0)

    def _read(self) -> None:
        self.face.spawn("finding.rows", self._read_rows())

    async def _read_rows(self) -> None:
        try:
            by_id = await self.desk.run(self.desk.invoices.rows, self.reviewed, [self.found])
        except (NotHere, NotAllowed) as problem:
            self._lose(problem)
            return
        found = tuple(by_id[id_] for id_ in self.found.finding.rows if id_ in by_id)
        if self.alive and self._lost is None and found != self._rows:
            self._rows = found
            self.rows.show(ListSource(found, lambda row: row.id), keep=True)
            self._say_texts()

    def _lose(self, problem: NotHere | NotAllowed) -> None:
        if self._lost is None and self.alive:
            self._lost, self._rows = problem, ()
            self.rows.show(ListSource[ListRow]((), lambda row: row.id))
            self._say_texts()

    def store_changed(self, change: Changed) -> None:
        """Lists changed: see whether the copy is still here."""
        if self.alive and (not change.tables or change.tables & {"list", "scope"}):
            self._read()

    # --- texts ------------------------------------------------------------------------------------------------------

    def retranslate(self) -> None:
        """Render every text in the language of now."""
        super().retranslate()
        self.rows.set_columns(list_columns(self.list, self.face.t))
        self._say_texts()

    def _say_texts(self) -> None:
        t = self.face.t
        empty = t("invoice_view.rows_elsewhere")
        if self._lost is not None:
            empty = t("lists.not_any_more") if isinstance(self._lost, NotAllowed) else t("lists.gone")
        loading = t("common.loading") if self._rows is None else empty
        self.rows.set_texts(loading=loading, empty=empty, failed=t("common.reading_failed"))
        left = [(f"{period_text(self.reviewed.billing.period, t)}  ", ""), (self.list.name.get(t.language), "strong")]
        count = len(self.rows.marks)
        self.query_one(ViewLine).show(left, [(t("inbox.marked", count=count), "marked")] if count else [])
        parts = [rule_text(self.found.finding, self.reviewed.billing.kind.id, t)]
        elsewhere = len(self.found.finding.rows) - len(self._rows or ())
        if self._rows and elsewhere:
            parts.append(t("invoice_view.more_elsewhere", count=elsewhere))
        self.query_one("#totals", Caption).show(" ".join(parts))

    def _cells(self, row: ListRow) -> dict[str, Cell]:
        return row_cells(self.list, row, self.face.t, codes=self._codes.shown)

    def _flag(self, row: ListRow) -> Cell:
        return Cell(self.face.glyphs.urgent, "warn") if row.non_disclosure else Cell(" ")

    @on(RowList.Changed)
    @on(RowList.Moved)
    def _rows_changed(self) -> None:
        if self.alive:
            self._say_texts()
            self.update_hints()

    @on(RowList.Opened)
    def _opened(self) -> None:
        row = self.rows.current
        if row is not None:
            look_up(self, self.list, row)

    # --- actions ----------------------------------------------------------------------------------------------------

    def action_lists_copy(self) -> None:
        """Hand the marked rows, or the one under the cursor, to the terminal's clipboard."""
        self.face.spawn("finding.copy", self._copy(self.rows.targets))

    async def _copy(self, ids: tuple[str, ...]) -> None:
        t, rows = self.face.t, [row for row in self._rows or () if row.id in ids]
        try:
            text = copied_text(self.list, rows, t)
            clipboard.sequence(text)  # what would not arrive does not leave and is not logged
            await self.desk.run(self._leaving, ids)
        except clipboard.TooLong:
            self.say(t("customer_view.too_long"), role="warn")
        except (NotHere, NotAllowed) as problem:
            self._lose(problem)
        else:
            self.face.send_copy(text)
            self.say(t("customer_view.sent"), role="good")

    def _leaving(self, ids: tuple[str, ...]) -> None:
        """Log what leaves of this invoice and of each one before. One unit of work."""
        lists = self.desk.lists
        for reading in (self.reviewed.reading, *self.reviewed.earlier):
            if found := lists.find(reading, ids):
                lists.leaving(reading, "list_copy", len(found))

    def action_lists_code(self) -> None:
        """Show the identity codes whole for a while, or hide them again."""
        self._codes.toggle()

    def action_app_back(self) -> None:
        """Unmark, then leave."""
        if self.rows.marks:
            self.rows.clear_marks()
        else:
            self.dismiss(None)
