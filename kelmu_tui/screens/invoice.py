"""One invoice: what is billed, what its review found, and what the user says of each finding.

The review begins by itself when the rows are here. What it found belongs to the copy and the invoices that were
reviewed: when either is withdrawn or comes anew, nothing of it is shown any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from textual.widget import Widget

from kelmu_tui.actions import Context
from kelmu_tui.domain.capabilities import Allowed
from kelmu_tui.domain.lists import Invoice
from kelmu_tui.domain.review import Finding
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.screens.billed import why_no_rows
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.findings import OPEN, FindingSource, Line, Wanted, select, state_of
from kelmu_tui.screens.invoice_acts import InvoiceActs
from kelmu_tui.screens.invoice_words import (
    facts_blocks,
    finding_blocks,
    head_line,
    nothing_found_text,
    state_role,
)
from kelmu_tui.screens.list_words import period_text
from kelmu_tui.screens.reviews import is_of
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.invoices import Billing
from kelmu_tui.services.lists import NotHere
from kelmu_tui.services.review_text import rule_text
from kelmu_tui.services.reviewing import Found, Reviewed
from kelmu_tui.store.database import Changed
from kelmu_tui.store.judgements import Judgement
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.chrome import Caption, ViewLine
from kelmu_tui.widgets.list_source import ListSource
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.sheet import Block

TABLES: Final = frozenset({"list", "scope", "invoice"})
"""What changes when an invoice or its rows do."""


class InvoiceScreen(InvoiceActs):
    """The head, the findings, and what is to be said of the one under the cursor."""

    CONTEXT: ClassVar[Context] = Context.INVOICE
    SECTION: ClassVar[str] = "main.invoices"

    def __init__(self, desk: Desk, kind: Invoice, period: str) -> None:
        super().__init__(desk, kind, period)
        self._barred = False
        self._looked = False
        self._looking = False
        self._look_again = False
        self._turn = 0

    def body(self) -> Iterable[Widget]:
        """Return the head, how far the review is, and the list."""
        view, *rest = super().body()
        yield view
        yield Caption("", role="", id="facts")
        yield Caption("", id="standing")
        yield from rest

    def mounted(self) -> None:
        """Look what there is, and review it."""
        super().mounted()
        self._listen()

    def reload(self) -> None:
        """Look anew what there is."""
        if self._looking:
            self._look_again = True
        else:
            self._looking = True
            self.face.spawn("invoice.look", self._look())

    def _listen(self) -> None:
        self.fetches.told = self.reviews.told = self._told

    def _told(self, over: bool) -> None:
        if self.alive and over:
            self.reload()
        elif self.alive:
            self._show_standing()

    def on_screen_resume(self) -> None:
        """The screen is on top again: what is fetched and reviewed is heard here."""
        super().on_screen_resume()
        if self.ready and self.is_current:
            self._listen()
            self.reload()

    def store_changed(self, change: Changed) -> None:
        """The invoice, its rows or the mandate may have changed, or something was said of a finding."""
        if not self.alive:
            return
        if not change.tables or change.tables & TABLES:
            self.reload()
        elif "judgement" in change.tables:
            self.face.spawn("invoice.judged", self.read_judged())

    # --- what there is ----------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        try:
            self._look_again = True
            while self._look_again and self.alive:
                self._look_again = False
                await self._look_once()
        finally:
            self._looking = False

    async def _look_once(self) -> None:
        def read() -> tuple[bool, Billing | None, Mapping[str, Judgement]]:
            invoices = self.desk.invoices
            opened = any(one.kind.id == self.kind.id and isinstance(one.verdict, Allowed) for one in invoices.offers())
            found = (one for one in invoices.calendar() if (one.kind.id, one.period) == self.which)
            return opened, next(found, None), invoices.judgements(*self.which)

        opened, self.billing, self.judged = await self.desk.run(read)
        if not self.alive:
            return
        self._looked, self._barred = True, not opened
        if self.reviewed is not None and not is_of(self.reviewed, self.billing):
            self._drop()
        last = None if self.billing is None else self.reviews.last(self.billing)
        if last is not None and last is not self.reviewed:
            await self._take(last)
        self._review_wanted()
        self._show_all()

    async def _take(self, reviewed: Reviewed) -> None:
        """Show what a review found."""
        self.by_key = await asyncio.to_thread(lambda: {one.key: one for one in reviewed.found})
        self.reviewed = reviewed
        if self.alive:
            self._narrow(keep=True)

    def _drop(self) -> None:
        """Show nothing any more of what was reviewed: it is not here now."""
        self._turn += 1
        self.reviewed, self.by_key = None, {}
        self.rows.show(ListSource[Line]((), lambda line: line.found.key))
        entry = None if self.billing is None else self.billing.entry
        if not self._barred and entry is not None and entry.copy is not None:
            self.say(self.face.t("invoice_view.changed"), role="warn")

    def _review_wanted(self) -> None:
        """Begin to review when there is something to, and the user did not stop that."""
        copy = self.copy
        if self.reviewed is None and copy is not None and not self.reviews.stopped(self.which):
            self.reviews.begin(self.which, copy.rows)

    def _lose(self, problem: NotHere | NotAllowed) -> None:
        """What is read is not here any more: look what is."""
        del problem
        if self.alive:
            self.reload()

    async def read_judged(self) -> None:
        """Read what was said of the findings."""
        judged = await self.desk.run(self.desk.invoices.judgements, *self.which)
        if self.alive and judged != self.judged:
            self.judged = judged
            if self.wanted.state is not None:
                self._narrow(keep=True)
            self.rows.refresh()
            self._show_standing()
            self._explain()

    def _narrow(self, *, keep: bool, at: str | None = None) -> None:
        """List the findings that are wanted; choosing them waits for no key."""
        self.wanted = self.wanted._replace(text=self._text)
        if self.reviewed is not None:
            self._turn += 1
            self.face.spawn("invoice.select", self._select(self.reviewed, self._turn, keep, at))

    async def _select(self, reviewed: Reviewed, turn: int, keep: bool, at: str | None) -> None:
        t, wanted, judged = self.face.t, self.wanted, self.judged

        def sentence(finding: Finding) -> str:
            return rule_text(finding, self.kind.id, t)

        def choose() -> tuple[Found, ...]:
            return select(reviewed.found, wanted, judged, sentence, lambda: turn != self._turn)

        chosen = await asyncio.to_thread(choose)
        if self.alive and turn == self._turn:
            source = FindingSource(self.desk.run, self.desk.invoices, reviewed, chosen, self._lose)
            self.rows.show(source, keep=keep, at=at)
            self._say_empty()

    # --- the head ---------------------------------------------------------------------------------------------------

    def _show_all(self) -> None:
        t, billing = self.face.t, self.billing
        text = "" if billing is None else head_line(billing, self.reviewed, t, self.face.today(), self.face.glyphs)
        negative = billing is not None and billing.total is not None and billing.total < 0
        self.set_class(self.reviewed is None or not self.reviewed.found, "-empty")
        self.query_one("#facts", Caption).show(text, role="warn" if negative else "")
        self._show_standing()
        self._say_empty()
        self._update_view()
        self._explain()
        self.update_hints()

    def _show_standing(self) -> None:
        text, role = self._standing()
        self.query_one("#standing", Caption).show(text, role=role)

    def _standing(self) -> tuple[str, str]:
        """Return how far the invoice is, and in which role that is said."""
        t, billing, review = self.face.t, self.billing, self.key_text("invoice.review")
        if self._barred:
            return t("invoice_view.not_any_more"), "warn"
        if billing is None:
            return (t("invoice_view.gone"), "warn") if self._looked else (t("common.loading"), "dim")
        number, percent = t.formats.number, t.formats.percent
        if (fetching := self.fetches.progress(self.rows_of)) is not None:
            done, total = number(fetching.done), number(fetching.total)
            stop = self.key_text("invoices.fetch")
            share = percent(fetching.percent)
            return t("invoice_view.fetching", done=done, total=total, percent=share, key=stop), "accent"
        if (reviewing := self.reviews.progress(self.which)) is not None:
            done, total, stop = number(reviewing.done), number(reviewing.total), self.key_text("app.back")
            share = percent(reviewing.percent)
            return t("invoice_view.reviewing", done=done, total=total, percent=share, key=stop), "accent"
        if self.copy is None:
            return why_no_rows(billing, t, self.key_text("invoices.fetch"), self.key_text("main.sync")), "warn"
        if self.reviewed is None:
            return t("invoice_view.stopped", key=review), "warn"
        if billing.entry is not None and billing.entry.outdated:
            return t("invoice_view.outdated", key=self.key_text("invoices.fetch")), "warn"
        return self._said(self.reviewed)

    def _said(self, reviewed: Reviewed) -> tuple[str, str]:
        """Return what the review found, how much of that is judged, and what it could not look at."""
        t = self.face.t
        missing = [t.choice("invoice_view.missing", one) for one in sorted(reviewed.without)]
        without = t("invoice_view.without", what=", ".join(missing)) if missing else ""
        if not reviewed.found:
            return f"{nothing_found_text(reviewed, t)} {without}".strip(), "good"
        counts = dict.fromkeys(Verdict, 0)
        for key, one in self.judged.items():
            if key in self.by_key:
                counts[one.verdict] += 1
        still = len(reviewed.found) - sum(counts.values())
        parts = [t("invoice_view.findings", count=len(reviewed.found))]
        parts.append(t("invoice_view.open", count=still) if still else t("invoice_view.all_judged"))
        parts += [t.choice("invoice_view.counted", verdict, count=count) for verdict, count in counts.items() if count]
        said = f" {self.face.glyphs.dot} ".join(parts)
        return f"{said}. {without}".strip(), "" if still else "good"

    def _update_view(self) -> None:
        t, wanted, rows = self.face.t, self.wanted, self.rows
        left: list[Piece] = [(f"{period_text(self.period, t)}  ", ""), (self.kind.name.get(t.language), "strong")]
        right: list[Piece] = []
        if wanted.state is not None:
            right.append((f"  {t.choice('invoice_view.state', wanted.state)}", "accent"))
        if wanted.rule is not None:
            right.append((f"  {t.choice('invoice_view.rule', wanted.rule, wanted.rule)}", "accent"))
        if self._text and not self.filtering:
            right.append((f"  /{self._text}", "accent"))
        if wanted.narrowed and self.reviewed is not None:
            number = t.formats.number
            right.append((f"  {number(rows.count)}/{number(len(self.reviewed.found))}", ""))
        if rows.marks:
            right.append((f"  {t('inbox.marked', count=len(rows.marks))}", "marked"))
        self.query_one(ViewLine).show(left, right)

    def _say_empty(self) -> None:
        t = self.face.t
        empty = t("invoice_view.nothing_fits") if self.reviewed is not None and self.wanted.narrowed else ""
        self.rows.set_texts(loading="", empty=empty, failed=t("common.reading_failed"))

    def retranslate(self) -> None:
        """Render everything in the language of now."""
        super().retranslate()
        self._show_all()
        if self._text:
            self._narrow(keep=True)

    # --- rows -------------------------------------------------------------------------------------------------------

    def key(self, row: Line) -> str:
        """Return the finding's key."""
        return row.found.key

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("state", t("lists.column_state"), 10, good=11, most=12, drop=2),
            Column("what", t("invoice_view.column_what"), 34, good=50, most=120),
            Column("who", t("invoice_view.column_who"), 16, good=22, most=30, drop=3),
            Column("rows", t("lists.column_rows"), 6, align="right", drop=4),
            Column("sum", t("invoice_view.column_sum"), 11, most=14, align="right", drop=1),
        )

    def cells(self, row: Line) -> Mapping[str, Cell]:
        """Return the cells of a finding."""
        t, state = self.face.t, state_of(row.found, self.judged)
        concerned = row.sum(self.kind.id)
        return {
            "state": Cell(t.choice("invoice_view.state", state), state_role(state)),
            "what": Cell(rule_text(row.found.finding, self.kind.id, t), "" if state == OPEN else "dim"),
            "who": Cell(self.who(row), "warn" if any(one.non_disclosure for one in row.rows) else "dim"),
            "rows": Cell(t.formats.number(len(row.found.finding.rows)) if row.found.finding.rows else "", "dim"),
            "sum": Cell("" if concerned is None else t.formats.euros(concerned)),
        }

    def flag(self, row: Line) -> Cell:
        """Return the sign of what was said, for where its column has no room."""
        glyphs, state = self.face.glyphs, state_of(row.found, self.judged)
        signs = {Verdict.ACCEPTED: glyphs.online, Verdict.DISPUTED: glyphs.conflict, Verdict.NOTED: glyphs.new}
        return Cell(signs[Verdict(state)], state_role(state)) if state != OPEN else Cell(" ")

    # --- the explanation --------------------------------------------------------------------------------------------

    def explanation_title(self, row: Line) -> str:
        """Return who and how much it is about."""
        concerned = row.sum(self.kind.id)
        parts = [self.who(row), "" if concerned is None else self.face.t.formats.euros(concerned)]
        return "  ".join(part for part in parts if part)

    def explain(self, row: Line) -> Iterable[Block]:
        """Say what was found, what is said of it, and what stands in the rows."""
        now, glyphs = self.face.now(), self.face.glyphs
        return finding_blocks(row, self.judged.get(row.found.key), self.kind.id, self.face.t, now=now, glyphs=glyphs)

    def explain_nothing(self) -> Iterable[Block]:
        """Tell the invoice's facts where there is no finding."""
        if self.billing is None:
            return ()
        return facts_blocks(self.billing, self.reviewed, self.face.t, self.face.today(), self.key_text("invoice.own"))

    def change_wanted(self, wanted: Wanted) -> None:
        """List other findings, or in another order; the cursor stays on its finding when that is among them."""
        if wanted != self.wanted:
            self.wanted = wanted
            self._narrow(keep=True)
            self._update_view()
            self._say_empty()
