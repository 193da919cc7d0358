"""Kela's invoices: what has come and what comes next, when it is due, how far its review is, and what is closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final

from textual import on

from kelmu_tui.actions import Context
from kelmu_tui.domain.capabilities import Denied, mandates
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.screens.billed import Billed, Standing, begin_fetch, calendar, why_no_rows
from kelmu_tui.screens.closed import ADDRESSES
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.fetches import Fetches
from kelmu_tui.screens.invoice_words import due_cell, head_fields, is_soon
from kelmu_tui.screens.list_words import period_text
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.invoices import Billing
from kelmu_tui.store.database import Changed
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block, Field, Gap, Paragraph

TABLES: Final = frozenset({"list", "scope", "invoice", "judgement"})
"""What changes when an invoice, its rows, or what is said of them do."""


class InvoicesScreen(ListScreen[Billed, None]):
    """One row for each kind and period; nobody's name stands here, so nothing of it is a look at people."""

    CONTEXT: ClassVar[Context] = Context.INVOICES
    SECTION: ClassVar[str] = "main.invoices"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.known_at: datetime | None = None
        self._read = self._asked = False

    async def fetch(self) -> Sequence[Billed]:
        """Read what has come and what comes, how far it is reviewed, what is closed, and since when that is known."""
        invoices, reviews = self.desk.invoices, self.face.reviews(self.desk)

        def read() -> tuple[Sequence[Billed], datetime | None]:
            return calendar(invoices, reviews), invoices.told()

        found: Sequence[Billed]
        try:
            found, self.known_at = await self.desk.run(read)
        except NotAllowed:
            return ()  # another organisation is at work by now, and this screen on its way out
        return found

    def mounted(self) -> None:
        """Show what is known, and ask the backend for what is new."""
        super().mounted()
        self._fetches.told = self._told

    async def _reload(self) -> None:
        await super()._reload()
        self._read = True
        self._freshen()

    def _freshen(self) -> None:
        """Ask what has come as soon as there is a connection, unless that was done a moment ago."""
        # Once: from the clock's ticks an idle screen would go on asking for as long as it is open.
        if not self._asked and self._read and self.alive and self.face.online:
            self._asked = True
            # The lists may have been asked about alone, and a file of invoices is small.
            self._fetches.freshen()

    @property
    def _fetches(self) -> Fetches:
        return self.face.fetches(self.desk)

    def _told(self, over: bool) -> None:
        if self.alive and over:
            self.reload()
        elif self.alive:
            self.rows.update()

    def on_screen_resume(self) -> None:
        """The screen is on top again: a review may have ended meanwhile, and fetches are heard here."""
        super().on_screen_resume()
        if self.ready and self.is_current:
            self._fetches.told = self._told
            self.reload()

    def store_changed(self, change: Changed) -> None:
        """An invoice came or went, its rows did, or something in it was judged."""
        # Under another screen nobody sees it; it is read when it comes up again.
        if self.face.screen is self and (not change.tables or change.tables & TABLES):
            self.reload()

    def update_frame(self) -> None:
        """Show whether the backend answers, as far as it concerns the list."""
        super().update_frame()
        if self.alive:
            self._update_view()
            self._freshen()

    def key(self, row: Billed) -> str:
        """Return kind and period."""
        return f"{row.kind.id}/{row.which[1]}"

    def heading(self) -> str:
        """Return what the screen is called."""
        return self.face.t("invoice_view.heading")

    def empty_text(self) -> str:
        """Say that there are none."""
        return self.face.t("invoice_view.empty")

    def remarks(self) -> Sequence[Piece]:
        """Say of when it is known what has come."""
        t, fetches = self.face.t, self._fetches
        if fetches.refreshing:
            return ((t("invoice_view.asking"), "accent"),)
        at = None if self.known_at is None else t.formats.moment(self.known_at, self.face.now())
        if self.face.online:
            return () if at is None else ((t("lists.known_at", at=at), "dim"),)
        return ((t("invoice_view.offline_never") if at is None else t("invoice_view.offline_at", at=at), "warn"),)

    # --- rows -------------------------------------------------------------------------------------------------------

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("kind", t("invoice_view.column_kind"), 22, good=34, most=48),
            Column("period", t("lists.column_period"), 7, good=9, most=22),
            Column("sent", t("invoice_view.column_sent"), 8, good=10, most=12, align="right", drop=3),
            Column("due", t("invoice_view.column_due"), 13, good=15, most=20),
            Column("total", t("invoice_view.column_total"), 11, good=14, most=16, align="right", drop=1),
            Column("corrections", t("invoice_view.column_corrections"), 9, align="right", drop=4),
            Column("rows", t("lists.column_rows"), 7, most=10, align="right", drop=2),
            Column("state", t("lists.column_state"), 15, good=26, most=40),
        )

    def cells(self, row: Billed) -> Mapping[str, Cell]:
        """Return the cells of a row."""
        t, billing, today = self.face.t, row.billing, self.face.today()
        role = "dim" if billing is None or billing.expected else ""
        name = row.kind.name.get(t.language)
        short = t.choice("invoice_view.kind", row.kind.id, name)
        cells = {"kind": Cell(name, role, short), "state": self._state(row)}
        if billing is None:
            return cells
        cells["period"] = Cell(period_text(billing.period, t), role, billing.period)
        cells["sent"] = Cell(t.formats.relative_date(billing.sent_on, today), "dim")
        cells["due"] = due_cell(billing, today, t)
        if billing.total is not None:
            cells["total"] = Cell(t.formats.euros(billing.total), "warn" if billing.total < 0 else "")
            cells["rows"] = Cell(t.formats.number(sum(head.rows for head in billing.heads)), "dim")
        if len(billing.heads) > 1:
            cells["corrections"] = Cell(t.formats.number(len(billing.heads) - 1), "accent")
        return cells

    def _state(self, row: Billed) -> Cell:
        t, billing = self.face.t, row.billing
        if row.denied is not None or billing is None:
            return Cell(t("lists.closed"), "dim")
        if billing.expected:
            return Cell(t("invoice_view.to_come"), "dim")
        reviewing = self.face.reviews(self.desk).progress((row.kind.id, billing.period))
        if reviewing is not None:
            return Cell(t("invoice_view.reviewing_short", percent=t.formats.percent(reviewing.percent)), "accent")
        return self._rows_state(row, billing) or self._review_state(row.standing)

    def _rows_state(self, row: Billed, billing: Billing) -> Cell | None:
        """Return what is to be said of the rows before a review can be; None when they are here as they should be."""
        t, entry = self.face.t, billing.entry
        progress = self._fetches.progress(row.which)
        if progress is not None:
            number, percent = t.formats.number, t.formats.percent(progress.percent)
            rows = t("lists.progress", done=number(progress.done), total=number(progress.total))
            return Cell(f"{percent}  {rows}", "accent", percent)
        if entry is not None and entry.copy is not None:
            return Cell(t("lists.anew"), "warn") if entry.outdated else None
        if entry is None or entry.publication is None:
            return Cell(t("invoice_view.no_rows_published"), "dim")
        if entry.publication.withdrawn:
            return Cell(t("lists.withdrawn"), "warn")
        if self._fetches.problem(row.which):
            return Cell(t("lists.failed"), "alarm")
        if entry.staged:
            return Cell(t("lists.part_here", count=entry.staged), "warn")
        return Cell(t("lists.not_here"), "dim")

    def _review_state(self, standing: Standing | None) -> Cell:
        t = self.face.t
        if standing is None or standing.found is None:
            if standing is not None and standing.judged:
                return Cell(t("invoice_view.judged_before", count=standing.judged), "dim")
            return Cell(t("invoice_view.not_reviewed"), "dim")
        if not standing.found:
            return Cell(t("invoice_view.nothing_found"), "good")
        disputed = t.choice("invoice_view.counted", Verdict.DISPUTED, count=standing.disputed)
        if not standing.open:
            done = t("invoice_view.all_judged")
            return Cell(f"{done}, {disputed}" if standing.disputed else done, "good", done)
        still = t("invoice_view.open", count=standing.open)
        return Cell(f"{still}, {disputed}" if standing.disputed else still, "warn", still)

    def flag(self, row: Billed) -> Cell:
        """Return the sign of what is under way, published anew, or due soon and not judged."""
        glyphs, billing = self.face.glyphs, row.billing
        if billing is None:
            return Cell(" ")
        if self._fetches.progress(row.which) is not None:
            return Cell(glyphs.busy, "accent")
        if billing.entry is not None and billing.entry.outdated:
            return Cell(glyphs.new, "accent")
        done = row.standing is not None and row.standing.found is not None and not row.standing.open
        return Cell(glyphs.urgent, "warn") if is_soon(billing, self.face.today()) and not done else Cell(" ")

    # --- the explanation --------------------------------------------------------------------------------------------

    def explanation_title(self, row: Billed) -> str:
        """Return kind and period."""
        name, period = row.kind.name.get(self.face.t.language), row.which[1]
        return f"{name}  {period_text(period, self.face.t)}" if period else name

    def explain(self, row: Billed) -> Iterable[Block]:
        """Say what is known of the invoice, what can be done, or why its kind is closed."""
        if row.denied is not None:
            yield from self._explain_closed(row.denied)
        elif row.billing is not None:
            yield from self._explain_state(row, row.billing)
            yield from head_fields(row.billing, self.face.t, self.face.today())

    def _explain_state(self, row: Billed, billing: Billing) -> Iterable[Block]:
        t, entry, fetch = self.face.t, billing.entry, self.key_text("invoices.fetch")
        if billing.expected:
            yield Paragraph(t("invoice_view.to_come_text"), "dim")
        elif self._fetches.progress(row.which) is not None:
            yield Paragraph(t("lists.fetching_text", key=fetch), "accent")
        elif entry is not None and entry.copy is not None:
            if entry.outdated:
                yield Paragraph(t("lists.anew_text", key=fetch), "warn")
            yield Paragraph(t("invoice_view.here_text", key=self.key_text("list.open")), "dim")
        elif code := self._fetches.problem(row.which):
            if code != "store":
                yield Paragraph(t.choice("errors.api", code, t("errors.api.internal")), "alarm")
            yield Paragraph(t("lists.again_text", key=fetch), "dim")
        else:
            yield Paragraph(self._why_no_rows(billing), "dim")

    def _why_no_rows(self, billing: Billing) -> str:
        return why_no_rows(billing, self.face.t, self.key_text("invoices.fetch"), self.key_text("main.sync"))

    def _explain_closed(self, denied: Denied) -> Iterable[Block]:
        t = self.face.t
        yield Paragraph(t.choice("errors.reason", denied.reason), "warn")
        yield Gap()
        if denied.mandates:
            names = "\n".join(mandates()[name].name.get(t.language) for name in denied.mandates)
            yield Field(t("organisations.needed"), names)
        yield Field(t("organisations.addresses"), "\n".join(ADDRESSES))

    # --- actions ----------------------------------------------------------------------------------------------------

    @on(RowList.Opened)
    def _opened(self) -> None:
        row: Billed | None = self.rows.current
        if row is None:
            return
        if row.billing is None or row.billing.expected:
            self.say(self._why_not(row), role="warn")
            return
        from kelmu_tui.screens.invoice import InvoiceScreen

        self.face.push_screen(InvoiceScreen(self.desk, row.kind, row.billing.period))

    def _why_not(self, row: Billed) -> str:
        t = self.face.t
        if row.denied is not None:
            return t.choice("errors.reason", row.denied.reason)
        if row.billing is None or row.billing.expected:
            return t("invoice_view.not_come_yet")
        return self._why_no_rows(row.billing)

    def action_invoices_fetch(self) -> None:
        """Fetch the rows of the invoice under the cursor, or stop fetching them."""
        row: Billed | None = self.rows.current
        if row is None or self._cancel():
            return
        if row.billing is None or row.billing.expected:
            self.say(self._why_not(row), role="warn")
        elif problem := begin_fetch(self._fetches, row.billing, online=self.face.online):
            self.say(self.face.t.choice("invoice_view.fetch", problem), role="warn")

    def _cancel(self) -> bool:
        """Stop the fetch under the cursor; False when there is none."""
        row: Billed | None = self.rows.current
        if row is None or not self._fetches.cancel(row.which):
            return False
        self.say(self.face.t("lists.stopped", key=self.key_text("invoices.fetch")))
        return True

    def action_main_sync(self) -> None:
        """Ask the backend what has come, besides all else."""
        if self.face.online:
            self._fetches.refresh()
        self.face.action_main_sync()

    def action_app_back(self) -> None:
        """Stop the fetch under the cursor, then leave as every list is left."""
        if not self._cancel():
            super().action_app_back()
