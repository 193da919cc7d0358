"""The user's own look-ups, as the backend has logged them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on

from kelmu_tui.actions import Context
from kelmu_tui.api.contract import LookUpRow
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.paged import Page, PagedScreen
from kelmu_tui.services.customer_text import purpose_name
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.look_up_text import fields, outcome_text
from kelmu_tui.store.database import Changed
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block, Field, Paragraph

DONE = "done"


class HistoryScreen(PagedScreen[LookUpRow]):
    """When, whom, for what and with what outcome; names are those of files held, and showing them is logged before."""

    CONTEXT: ClassVar[Context] = Context.HISTORY
    LEADS_TO_CUSTOMER = True

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._names: Mapping[str, str] = {}
        self._logged = 0

    async def page(self, cursor: str | None) -> Page[LookUpRow]:
        """Read a page, and the names that may be shown with it."""
        found = await self.desk.look_ups.own(cursor)
        before = () if cursor is None else self._all
        await self._read_names([row.customer for row in (*before, *found.look_ups) if row.customer is not None])
        return found.look_ups, found.next

    async def _read_names(self, shown: Iterable[str]) -> None:
        """Read the names of the files that are held; how many names are shown is logged before."""
        customers, wanted = self.desk.customers, frozenset(shown)

        def read() -> Mapping[str, str]:
            try:
                names = {one.customer: one.name for one in customers.recents() if one.customer in wanted}
            except NotAllowed:
                return {}
            if len(names) > self._logged:
                customers.log_list(len(names))
            self._logged = len(names)
            return names

        self._names = await self.desk.run(read)

    def store_changed(self, change: Changed) -> None:
        """A file came or ended: its name is shown, or no more."""
        if self.alive and (not change.tables or "customer" in change.tables):
            self.face.spawn("history.names", self._rename())

    async def _rename(self) -> None:
        await self._read_names([row.customer for row in self._all if row.customer is not None])
        if self.alive:
            self._narrow(keep=True)
            self._explain()

    def key(self, row: LookUpRow) -> str:
        """Return the look-up's id."""
        return row.id

    def heading(self) -> str:
        """Return what the list is called."""
        return self.face.t("look_ups.history")

    def no_rows(self) -> str:
        """Say that nobody was looked up."""
        return self.face.t("look_ups.history_empty")

    def columns(self) -> tuple[Column, ...]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("at", t("look_ups.at"), 12, good=16),
            Column("whom", t("look_ups.customer"), 12, good=24, most=44),
            Column("purpose", t("look_ups.purpose"), 12, good=30, most=48, drop=2),
            Column("case", t("look_ups.case"), 8, good=12, most=20, drop=3),
            Column("outcome", t("look_ups.outcome_of"), 10, good=16, most=24, drop=1),
        )

    def cells(self, row: LookUpRow) -> Mapping[str, Cell]:
        """Return the cells of a look-up."""
        t = self.face.t
        name = self._name_of(row)
        return {
            "at": Cell(t.formats.short_instant(row.at)),
            "whom": Cell(name or row.masked_code or self.face.glyphs.none, "" if name else "dim"),
            "purpose": Cell(purpose_name(row.purpose, t) if row.purpose else "", "dim"),
            "case": Cell(row.case_reference or "", "dim"),
            "outcome": Cell(outcome_text(row.outcome, t), "" if row.outcome == DONE else "warn"),
        }

    def _name_of(self, row: LookUpRow) -> str | None:
        return None if row.customer is None else self._names.get(row.customer)

    def explain(self, row: LookUpRow) -> Iterable[Block]:
        """Say everything that is known of a look-up."""
        for label, text in fields(row, self.face.t, self._name_of(row)):
            yield Field(label, text)

    def explain_nothing(self) -> Iterable[Block]:
        """Say where the history comes from."""
        yield Paragraph(self.face.t("look_ups.history_about"), "dim")

    @on(RowList.Opened)
    def _opened(self, message: RowList.Opened) -> None:
        """Show the customer's file, while it is held."""
        row = next((row for row in self._all if row.id == message.key), None)
        if row is None or row.customer not in self._names:
            self.say(self.face.t("look_ups.not_held", key=self.key_text("main.customer")), role="warn")
        else:
            self.face.show_customer(row.customer)
