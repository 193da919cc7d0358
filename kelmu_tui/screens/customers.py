"""The customers fetched today: the first screen of those whose mandates open no inbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import on

from kelmu_tui.actions import Context
from kelmu_tui.screens.looked_list import LookedList
from kelmu_tui.services.customer_text import purpose_name
from kelmu_tui.store.customer_rows import Recent
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.row_list import RowList


class CustomersScreen(LookedList[Recent]):
    """Whose files are at hand, the newest first; a list of names is a look, which is logged before."""

    CONTEXT: ClassVar[Context] = Context.CUSTOMERS
    LEADS_TO_CUSTOMER = True
    SECTION: ClassVar[str] = "main.customer"
    TABLES: ClassVar[frozenset[str]] = frozenset({"customer"})

    def reading(self) -> tuple[Callable[[], Sequence[Recent]], Callable[[int], None]]:
        """Return what reads the files that can be opened, and what logs that they are shown."""
        return self.desk.customers.recents, self.desk.customers.log_list

    def key(self, row: Recent) -> str:
        """Return the customer's id."""
        return row.customer

    def heading(self) -> str:
        """Return what the list is called."""
        return self.face.t("customer_view.find_recent")

    def empty_text(self) -> str:
        """Say that nobody was fetched, and how to look somebody up."""
        return self.face.t("customer_view.look_up_hint", key=self.key_text("main.customer"))

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("name", t("inbox.column_customer"), 14, good=28, most=48),
            Column("code", t("customer_view.code"), 11),
            Column("purpose", t("customer_view.find_purpose"), 12, good=30, most=48, drop=2),
            Column("case", t("customer_view.find_case"), 8, good=12, most=20, drop=3),
            Column("at", t("customer_view.fetched"), 6, align="right", drop=1),
        )

    def cells(self, row: Recent) -> Mapping[str, Cell]:
        """Return the cells of a file."""
        t = self.face.t
        return {
            "name": Cell(row.name),
            "code": Cell(row.masked_code),
            "purpose": Cell(purpose_name(row.purpose, t), "dim"),
            "case": Cell(row.case_reference or "", "dim"),
            "at": Cell(t.formats.moment(row.fetched_at, self.face.now())),
        }

    def about(self) -> str:
        """Say what is logged."""
        return self.face.t("customer_view.find_logged")

    def action_customers_find(self) -> None:
        """Look a customer up."""
        self.face.find_customer()

    @on(RowList.Opened)
    def _opened(self, message: RowList.Opened) -> None:
        self.face.show_customer(message.key)
