"""What can be done with an invoice: judge its findings, take that back, see rows, fetch, review, and dispute."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from textual import on

from kelmu_tui.actions import State
from kelmu_tui.domain.lists import ColumnType, Invoice, KelaList
from kelmu_tui.domain.own_files import ABROAD
from kelmu_tui.domain.own_files import Wanted as Own
from kelmu_tui.domain.review.billing import billed_list
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.screens.billed import begin_fetch
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.fetches import Fetches
from kelmu_tui.screens.findings import ORDERS, STATES, Line, Wanted, state_of
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.screens.reviews import Reviews
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.invoices import NeedsReason, TooLong
from kelmu_tui.store.judgements import Judgement
from kelmu_tui.widgets.picker import Choice
from kelmu_tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from kelmu_tui.services.invoices import Billing
    from kelmu_tui.services.reviewing import Found, Reviewed
    from kelmu_tui.store.lists import Copy

MOST_UNDO: Final = 100


class InvoiceActs(ListScreen[Line, None]):
    """The actions of the screen of an invoice.

    Attributes:
        which, rows_of: the invoice by its kind and period, and its rows by their list and period.
        billing: the invoice as it is known now, None when there is none (any more).
        reviewed: what its review found, None while it is not reviewed as it is now.
        by_key: the same findings by their keys.
        judged: what is said of the findings, by their keys.
        wanted: which findings are listed, in which order.
    """

    def __init__(self, desk: Desk, kind: Invoice, period: str) -> None:
        super().__init__()
        self.desk = desk
        self.kind = kind
        self.period = period
        self.which = (kind.id, period)
        self.rows_of = (self.list.id, period)
        self.billing: Billing | None = None
        self.reviewed: Reviewed | None = None
        self.by_key: Mapping[str, Found] = {}
        self.judged: Mapping[str, Judgement] = {}
        self.wanted = Wanted()
        self._undo: list[list[tuple[Found, Judgement | None]]] = []
        self._last: tuple[Verdict, str] | None = None
        self._unsaved: dict[tuple[str, frozenset[str]], str] = {}

    async def read_judged(self) -> None:
        """Read what was said of the findings."""
        raise NotImplementedError

    def change_wanted(self, wanted: Wanted) -> None:
        """List other findings, or in another order."""
        raise NotImplementedError

    @cached_property
    def list(self) -> KelaList:
        """The list with the invoice's rows."""
        return billed_list(self.kind.id)

    @property
    def fetches(self) -> Fetches:
        """What is being fetched."""
        return self.face.fetches(self.desk)

    @property
    def reviews(self) -> Reviews:
        """What is being reviewed."""
        return self.face.reviews(self.desk)

    @property
    def copy(self) -> Copy | None:
        """The rows that are here."""
        return None if self.billing is None or self.billing.entry is None else self.billing.entry.copy

    def who(self, line: Line) -> str:
        """Return the name in the first row of a finding."""
        names = [column.id for column in self.list.columns if column.type is ColumnType.TEXT][:1]
        return next((str(row.values[name]) for row in line.rows for name in names if row.values.get(name)), "")

    def state(self) -> State:
        """Return what decides over the actions: the marked findings, and whether there is something to take back."""
        selected = len(self.rows.targets) if self.alive else 0
        return self.face.state(selected=selected, can_undo=bool(self._undo), can_repeat=self._last is not None)

    @property
    def targets(self) -> Sequence[Found]:
        """The marked findings, or the one under the cursor."""
        return [self.by_key[key] for key in self.rows.targets if key in self.by_key]

    # --- judging ----------------------------------------------------------------------------------------------------

    async def action_invoice_accept(self) -> None:
        """Accept what the findings are about, or take that back."""
        found = self.targets
        if found and not await self._taken_back(found, Verdict.ACCEPTED):
            await self._say_problem(found, Verdict.ACCEPTED)

    async def action_invoice_dispute(self) -> None:
        """Ask why the findings are disputed, or take it back."""
        found = self.targets
        if found and not await self._taken_back(found, Verdict.DISPUTED):
            self._ask(found, Verdict.DISPUTED)

    async def action_invoice_note(self) -> None:
        """Ask what is to be noted of the findings, or take it back."""
        found = self.targets
        if found and not await self._taken_back(found, Verdict.NOTED):
            self._ask(found, Verdict.NOTED)

    def action_invoice_edit(self) -> None:
        """Change what was written to the findings."""
        found = self.targets
        said = {one.verdict for one in map(self.judged.get, [one.key for one in found]) if one is not None}
        if len(said) == 1:
            self._ask(found, said.pop())
        else:
            self.say(self.face.t("invoice_view.nothing_to_edit"), role="warn")

    async def _taken_back(self, found: Sequence[Found], verdict: Verdict) -> bool:
        """Take a verdict back when all the findings have it; False when they don't."""
        if any(state_of(one, self.judged) != verdict for one in found):
            return False
        await self._say_problem(found, None)
        return True

    async def _say_problem(self, found: Sequence[Found], verdict: Verdict | None, text: str = "") -> None:
        if problem := await self.judge(found, verdict, text):
            self.say(problem, role="warn")

    def _ask(self, found: Sequence[Found], verdict: Verdict) -> None:
        """Ask for the text of a verdict, beginning with what was typed before, or with what all of them have."""
        from kelmu_tui.screens.reason import ReasonScreen

        t, draft = self.face.t, (verdict.value, frozenset(one.key for one in found))
        texts = {one.text for one in map(self.judged.get, draft[1]) if one is not None}
        before = texts.pop() if len(texts) == 1 else ""

        async def save(text: str) -> str:
            problem = await self.judge(found, verdict, text)
            if not problem:
                self._unsaved.pop(draft, None)
            return problem

        self.face.push_screen(
            ReasonScreen(
                t.choice("invoice_view.ask", verdict, count=len(found)),
                t.choice("invoice_view.about", verdict),
                self._unsaved.get(draft, before),
                needed=verdict is Verdict.DISPUTED,
                typed=lambda text: self._unsaved.update({draft: text}),
                save=save,
            )
        )

    async def judge(self, found: Sequence[Found], verdict: Verdict | None, text: str = "") -> str:
        """Say something of findings, to be undone and repeated; return what hinders it, empty when nothing does.

        Raises:
            StoreError: the disk does not take it.
        """
        before = [(one, self.judged.get(one.key)) for one in found]
        if problem := await self._keep(found, verdict, text):
            return problem
        self._undo.append(before)
        del self._undo[:-MOST_UNDO]
        if verdict is not None:
            self._last = (verdict, text)
        t, key = self.face.t, self.key_text("main.undo")
        hint = f"{key} {t('actions.main.undo.label')}" if key else ""
        if verdict is None:
            self.say(t("invoice_view.taken_back", count=len(found)), role="good", hint=hint)
        else:
            self.say(t.choice("invoice_view.judged", verdict, count=len(found)), role="good", hint=hint)
        await self._judged_now()
        return ""

    async def _keep(self, found: Sequence[Found], verdict: Verdict | None, text: str) -> str:
        t = self.face.t
        try:
            await self.desk.run(self.desk.invoices.judge, *self.which, found, verdict, text)
        except NeedsReason:
            return t("invoice_view.reason_needed")
        except TooLong:
            return t("invoice_view.reason_too_long")
        except NotAllowed:
            self.reload()
            return t("invoice_view.not_any_more")
        return ""

    async def _judged_now(self) -> None:
        if self.alive:
            self.rows.clear_marks()
            await self.read_judged()
            self.update_hints()

    async def action_main_undo(self) -> None:
        """Give the findings that were judged last what was said of them before."""
        last = self._undo[-1]
        earlier: dict[tuple[Verdict | None, str], list[Found]] = {}
        for found, said in last:
            earlier.setdefault((None, "") if said is None else (said.verdict, said.text), []).append(found)
        for (verdict, text), some in earlier.items():
            if problem := await self._keep(some, verdict, text):
                self.say(problem, role="warn")
                return
        self._undo.pop()
        self.say(self.face.t("invoice_view.undone", count=len(last)))
        await self._judged_now()

    async def action_main_repeat(self) -> None:
        """Say the same of other findings, with the same text."""
        found = self.targets
        if found and self._last is not None:
            await self._say_problem(found, *self._last)

    # --- looking ----------------------------------------------------------------------------------------------------

    @on(RowList.Opened)
    def _opened(self) -> None:
        line: Line | None = self.rows.current
        if line is None or self.reviewed is None:
            return
        if not line.found.finding.rows:
            self.action_invoice_rows()
            return
        from kelmu_tui.screens.finding_rows import FindingRowsScreen

        self.face.push_screen(FindingRowsScreen(self.desk, self.list, self.reviewed, line.found))

    def action_invoice_rows(self) -> None:
        """Open all rows of the invoice."""
        if self.copy is None:
            self.say(self.face.t("invoice_view.no_rows"), role="warn")
            return
        from kelmu_tui.screens.list_rows import ListRowsScreen

        self.face.push_screen(ListRowsScreen(self.desk, self.list, self.period))

    def action_invoice_explain(self) -> None:
        """Show the whole explanation of the finding, with what stands in its rows."""
        line: Line | None = self.rows.current
        if line is not None and self.reviewed is not None:
            from kelmu_tui.screens.invoice_pages import FindingScreen

            judgement = self.judged.get(line.found.key)
            self.face.push_screen(FindingScreen(self.desk, self.reviewed, line.found, judgement))

    def action_invoice_facts(self) -> None:
        """Show all that is known of the invoice."""
        if self.billing is not None:
            from kelmu_tui.screens.invoice_pages import FactsScreen

            self.face.push_screen(FactsScreen(self.kind, self.billing, self.reviewed))

    def action_invoice_states(self) -> None:
        """Choose which findings are listed."""
        if self.reviewed is not None:
            self.face.spawn("invoice.states", self._choose_states(self.reviewed))

    async def _choose_states(self, reviewed: Reviewed) -> None:
        from kelmu_tui.screens.choose import ChooseScreen

        judged = self.judged

        def count() -> tuple[Counter[str], Counter[str]]:
            return (
                Counter(state_of(one, judged) for one in reviewed.found),
                Counter(one.finding.rule for one in reviewed.found),
            )

        states, ruled = await asyncio.to_thread(count)
        if not self.alive or not self.is_current:
            return
        t = self.face.t
        number = t.formats.number
        choices = [Choice("", (t("invoice_view.all_findings"), number(len(reviewed.found))))]
        choices += [Choice(one, (t.choice("invoice_view.state", one), number(states[one]))) for one in STATES]
        choices += [Choice(one, (t.choice("invoice_view.rule", one, one), number(ruled[one]))) for one in ruled]

        def chosen(key: str | None) -> None:
            if key is not None:
                state, rule = (key, None) if key in STATES else (None, key or None)
                self.change_wanted(self.wanted._replace(state=state, rule=rule))

        current = self.wanted.rule or self.wanted.state or ""
        self.face.push_screen(ChooseScreen(t("invoice_view.choose_view"), choices, current), chosen)

    def action_invoice_sort(self) -> None:
        """Choose the order of the findings."""
        from kelmu_tui.screens.choose import ChooseScreen

        t = self.face.t

        def chosen(order: str | None) -> None:
            if order is not None:
                self.change_wanted(self.wanted._replace(order=order))

        choices = [Choice(order, (t.choice("invoice_view.order", order), "")) for order in ORDERS]
        self.face.push_screen(ChooseScreen(t("invoice_view.choose_sort"), choices, self.wanted.order), chosen)

    # --- fetching, reviewing, disputing -----------------------------------------------------------------------------

    def action_invoices_fetch(self) -> None:
        """Fetch the rows, or stop fetching them."""
        t, key = self.face.t, self.key_text("invoices.fetch")
        if self.fetches.cancel(self.rows_of):
            self.say(t("lists.stopped", key=key))
        elif self.billing is not None and (problem := begin_fetch(self.fetches, self.billing, online=self.face.online)):
            self.say(t.choice("invoice_view.fetch", problem), role="warn")

    def action_invoice_review(self) -> None:
        """Review the invoice anew."""
        if self.copy is None:
            self.say(self.face.t("invoice_view.no_rows"), role="warn")
        else:
            self.review_anew()

    def review_anew(self) -> None:
        """Review the invoice with what is at hand now; what was found before stays until that is over."""
        if self.copy is not None:
            self.reviews.begin(self.which, self.copy.rows)

    def action_invoice_own(self) -> None:
        """Read what the organisation itself knows from a file, and review the invoice against it."""
        from kelmu_tui.screens.own_file import OwnFileScreen

        wanted = Own.ANSWERS if billed_list(self.kind.id).id == ABROAD else Own.RESIDENTS
        self.face.push_screen(OwnFileScreen(self.desk, wanted, self._own_taken))

    def _own_taken(self, taken: object) -> None:
        if isinstance(taken, frozenset):  # answers are kept, residents are held for this sitting alone
            self.reviews.residents = taken
        self.review_anew()

    def action_invoice_write(self) -> None:
        """Show the document that disputes what the user disputes."""
        if self.reviewed is None:
            self.say(self.face.t("invoice_view.not_reviewed_yet"), role="warn")
            return
        disputed = {key for key, one in self.judged.items() if one.verdict is Verdict.DISPUTED}
        found = [one._replace(judgement=self.judged[one.key]) for one in self.reviewed.found if one.key in disputed]
        if not found:
            self.say(self.face.t("invoice_view.nothing_disputed", key=self.key_text("invoice.dispute")), role="warn")
            return
        from kelmu_tui.screens.invoice_pages import DisputeScreen

        self.face.push_screen(DisputeScreen(self.desk, self.reviewed, found))

    def action_main_sync(self) -> None:
        """Ask the backend what has come, besides all else."""
        if self.face.online:
            self.fetches.refresh()
        self.face.action_main_sync()

    def action_app_back(self) -> None:
        """Stop the review, then undo step by step: the marks, the filter, the view; then leave."""
        if self.reviews.cancel(self.which):
            self.say(self.face.t("invoice_view.stopped", key=self.key_text("invoice.review")), role="warn")
        elif not self.rows.marks and not self.filter_text() and self.wanted.narrowed:
            self.change_wanted(self.wanted._replace(state=None, rule=None))
        else:
            super().action_app_back()
