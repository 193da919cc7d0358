"""Pages that belong to an invoice: a finding explained, all that is known of the invoice, and the dispute to send."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from kelmu_tui.actions import Context
from kelmu_tui.domain.lists import Invoice
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.findings import Line
from kelmu_tui.screens.invoice_words import facts_blocks, finding_blocks
from kelmu_tui.screens.list_words import period_text
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.screens.text_out import print_text_of, save_text
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.invoices import Billing
from kelmu_tui.services.lists import NotHere
from kelmu_tui.store.database import Changed
from kelmu_tui.widgets.sheet import Gap, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kelmu_tui.services.reviewing import Found, Reviewed
    from kelmu_tui.store.judgements import Judgement
    from kelmu_tui.store.list_values import ListRow
    from kelmu_tui.widgets.sheet import Block

MOST_LINES: Final = 1000
"""Lines of a dispute that are shown; whoever disputes more reads the rest in the file."""
MOST_INDENT: Final = 8
"""Blanks before a line; page numbers at the right end would not fit narrow terminals."""


class FindingScreen(PageScreen[None]):
    """The whole explanation of a finding, with what stands in its rows while these are here."""

    CONTEXT: ClassVar[Context] = Context.ABOUT
    SECTION: ClassVar[str] = "main.invoices"

    def __init__(self, desk: Desk, reviewed: Reviewed, found: Found, judgement: Judgement | None) -> None:
        super().__init__()
        self.desk = desk
        self._reviewed = reviewed
        self._found = found
        self._judgement = judgement
        self._line: Line | None = None
        self._lost = False

    def mounted(self) -> None:
        """Read the rows."""
        super().mounted()
        self._read()

    def _read(self) -> None:
        self.face.spawn("finding.explain", self._read_rows())

    async def _read_rows(self) -> None:
        try:
            rows: Mapping[str, ListRow] = await self.desk.run(self.desk.invoices.rows, self._reviewed, [self._found])
        except (NotHere, NotAllowed):
            self._lost = True
        else:
            here = tuple(rows[id_] for id_ in self._found.finding.rows if id_ in rows)
            self._line = Line(self._found, here)
        if self.alive:
            self._show()

    def store_changed(self, change: Changed) -> None:
        """Lists changed: see whether the rows are still here."""
        if self.alive and (not change.tables or change.tables & {"list", "scope"}):
            self._read()

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        self._show()

    def _show(self) -> None:
        t = self.face.t
        title = t("invoice_view.finding_title")
        if self._lost:
            self.sheet.show([Paragraph(t("lists.gone"), "warn")], title=title)
        elif self._line is not None:
            blocks = finding_blocks(self._line, self._judgement, self._reviewed.billing.kind.id, t, now=self.face.now())
            self.sheet.show(blocks, title=title, keep=True)


class FactsScreen(PageScreen[None]):
    """All that is known of an invoice; nobody's name stands here."""

    CONTEXT: ClassVar[Context] = Context.ABOUT
    SECTION: ClassVar[str] = "main.invoices"

    def __init__(self, kind: Invoice, billing: Billing, reviewed: Reviewed | None) -> None:
        super().__init__()
        self._kind = kind
        self._billing = billing
        self._reviewed = reviewed

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        t = self.face.t
        title = f"{self._kind.name.get(t.language)}  {period_text(self._billing.period, t)}"
        blocks = facts_blocks(self._billing, self._reviewed, t, self.face.today(), self.key_text("invoice.own"))
        self.sheet.show(blocks, title=title, keep=True)


class DisputeScreen(PageScreen[None]):
    """The dispute as it will be sent. Identity codes are whole in it: showing it is logged as what leaves is."""

    CONTEXT: ClassVar[Context] = Context.DISPUTE
    SECTION: ClassVar[str] = "main.invoices"

    def __init__(self, desk: Desk, reviewed: Reviewed, found: Sequence[Found]) -> None:
        super().__init__()
        self.desk = desk
        self._reviewed = reviewed
        self._found = found
        self._text: str | None = None
        self._lost = False

    def mounted(self) -> None:
        """Put the document together."""
        super().mounted()
        self.face.spawn("dispute.read", self._read())

    async def _read(self) -> None:
        self._text = await self._document()
        self._lost = self._text is None
        if self.alive:
            self._show()

    async def _document(self) -> str | None:
        """Return the document in the language of the screen, after it was logged that its rows leave.

        None when they cannot be read any more.

        Raises:
            StoreError: it cannot be logged.
        """
        from kelmu_tui.services.dispute import document

        try:
            leaving = await self.desk.run(self.desk.invoices.leaving, self._reviewed, self._found)
            return await asyncio.to_thread(document, self._reviewed, self._found, self.face.t, leaving)
        except (NotHere, NotAllowed):
            return None

    def store_changed(self, change: Changed) -> None:
        """Lists changed: see whether the rows are still here."""
        if self.alive and (not change.tables or change.tables & {"list", "scope"}):
            self.face.spawn("dispute.read", self._read())

    def retranslate(self) -> None:
        """Show the document; it stays in the language in which it was made."""
        super().retranslate()
        self._show()

    def _show(self) -> None:
        t = self.face.t
        title = t("invoice_view.dispute_title", count=len(self._found))
        if self._lost:
            self.sheet.show([Paragraph(t("lists.gone"), "warn")], title=title)
        elif self._text is not None:
            self.sheet.show(self._blocks(self._text), title=title, keep=True)

    def _blocks(self, text: str) -> Iterator[Block]:
        lines = text.replace("\f", "").splitlines()
        for line in lines[:MOST_LINES]:
            bare = line.lstrip()
            yield Paragraph(bare, indent=min(len(line) - len(bare), MOST_INDENT)) if bare else Gap()
        if len(lines) > MOST_LINES:
            left, key = len(lines) - MOST_LINES, self.key_text("dispute.save")
            yield Gap()
            yield Paragraph(self.face.t("invoice_view.more_lines", count=left, key=key), "accent")

    def action_dispute_save(self) -> None:
        """Ask where to save it."""
        about, only = self.face.t("invoice_view.dispute_about"), "invoice_view.pages_only"
        save_text(self, "dispute", lambda _: self._document(), gone="lists.gone", about=about, pages_only=only)

    def action_dispute_print(self) -> None:
        """Print it, without waiting for the printer."""
        printed = print_text_of(self, self._document, gone="lists.gone", save_key="dispute.save")
        self.face.spawn("dispute.print", printed)
