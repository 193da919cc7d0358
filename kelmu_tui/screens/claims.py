"""The organisation's payment claims: drafts, states, by when they have to arrive, what is paid, who is at which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import on

from kelmu_tui.actions import Context, State
from kelmu_tui.screens.claim_acts import ClaimActs
from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_blocks import line_blocks
from kelmu_tui.screens.claim_cells import cells, columns, flag
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.looked_list import LookedList
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.claim_views import ClaimOrder, ClaimView, Wanted, is_draft, select, totals
from kelmu_tui.store.claim_rows import ClaimLine
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.picker import Choice
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block

BESIDE: Final = 14
"""Cells of the line above the list that stand between the name of the view and what the claims come to."""


class ClaimsScreen(ClaimActs, LookedList[ClaimLine]):
    """The claims; a list of names is a look, which is logged before."""

    CONTEXT: ClassVar[Context] = Context.CLAIMS
    LEADS_TO_CUSTOMER = True
    SECTION: ClassVar[str] = "main.claims"
    TABLES: ClassVar[frozenset[str]] = frozenset({"claim", "claim_draft", "account", "command", "conflict", "scope"})

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.wanted = Wanted()
        self._known: tuple[ClaimLine, ...] = ()
        self._totals = totals(())
        self._before: frozenset[str] | None = None
        self._read_on: date | None = None

    # --- what there is ----------------------------------------------------------------------------------------------

    def reading(self) -> tuple[Callable[[], Sequence[ClaimLine]], Callable[[int], None]]:
        """Return what reads all claims and drafts, and what logs that they are shown."""
        return self.desk.claims.lines, self.desk.claims.log_list

    async def fetch(self) -> Sequence[ClaimLine]:
        """Read the claims of the view."""
        self._read_on = self.face.today()
        self._known = tuple(await self.look())
        return self._select()

    def _select(self) -> Sequence[ClaimLine]:
        return select(self._known, self.wanted, self.face.today(), lambda name: benefit_name(name, self.face.t))

    def _narrow(self, *, keep: bool, at: str | None = None) -> None:
        super()._narrow(keep=keep, at=at)
        self._totals = totals(self._matching)  # and not with each move of the cursor

    def reloaded(self) -> None:
        """Go to what came of the form: the claim that was made, or the draft that was kept."""
        if self._before is None:
            return
        before = self._before  # what a colleague makes meanwhile is new as well, but no command of one's own
        new = next((one.id for one in self._all if one.id not in before and (one.pending or is_draft(one))), None)
        if self.face.screen is self:  # the form is gone: what comes from now on is not of it
            self._before = None
        if new is not None:
            self._narrow(keep=False, at=new)

    def open_form(self, begin: Begin) -> None:
        """Show the form, and afterwards what came of it."""
        self._before = frozenset(line.id for line in self._known)
        super().open_form(begin)

    def update_frame(self) -> None:
        """The connection changed, or a minute has gone: who was at a claim may be so no more, days are nearer."""
        super().update_frame()
        if self.alive and self._read and self.face.screen is self:
            if self._read_on != self.face.today() or any(line.editing is not None for line in self._known):
                self.reload()
            else:
                self.rows.update()
                self._say_empty()
                self._update_view()
                self._explain()

    def resized(self) -> None:
        """What the claims come to may have room, or none any more."""
        super().resized()
        if self.alive:
            self._update_view()

    def key(self, row: ClaimLine) -> str:
        """Return the id of the claim or draft."""
        return row.id

    def change_wanted(self, wanted: Wanted) -> None:
        """List other claims, or in another order."""
        if wanted != self.wanted:
            self.wanted = wanted
            self._all = tuple(self._select())
            self._narrow(keep=True)
            self._say_empty()
            self._update_view()

    # --- above the list ---------------------------------------------------------------------------------------------

    def heading(self) -> str:
        """Return the name of the view."""
        return self.face.t.choice("claim_view.view", self.wanted.view)

    def remarks(self) -> Sequence[Piece]:
        """Say what the claims come to, and how they are sorted when that is not by need; as much as has room."""
        t, found = self.face.t, self._totals
        sums = []
        if found.claimed:
            sums.append(t.formats.euros(found.claimed))
        if found.monthly:
            sums.append(t("claim_view.a_month_short", amount=t.formats.euros(found.monthly)))
        pieces: list[Piece] = []
        if sums:
            pieces.append((t("claim_view.claimed_sum", amount=" + ".join(sums)), "strong"))
        if self.wanted.order is not ClaimOrder.NEED:
            what = t.choice("claim_view.order", self.wanted.order)
            pieces.append((t("inbox.sorted_by", what=what), "dim"))
        if found.paid:
            pieces.append((t("claim_view.paid_sum", amount=t.formats.euros(found.paid)), "good"))
        # The name of the view and the number of claims are worth more.
        room, shown = self.size.width - cell_len(self.heading()) - BESIDE, list[Piece]()
        for text, role in pieces:
            room -= cell_len(text) + 2
            if room < 0:
                break
            shown += [("  ", ""), (text, role)]
        return shown[1:]

    def empty_text(self) -> str:
        """Say in a line why there is nothing: closed, not here yet, none at all, none in this view."""
        t = self.face.t
        if self._barred:
            return t("claim_view.closed")
        if self.filter_text():
            return t("common.nothing_matches")
        if self._known:
            return t("claim_view.none_in_view", key=self.key_text("claims.views"))
        status = self.desk.status()
        if status.synced_at is None or status.filled < status.expected:
            return t("claim_view.not_here_yet")
        return t("claim_view.none", key=self.key_text("claims.new"))

    # --- rows -------------------------------------------------------------------------------------------------------

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        return columns(self.face.t)

    def cells(self, row: ClaimLine) -> Mapping[str, Cell]:
        """Return the cells of a claim."""
        return cells(row, self.face.t, self.face.today())

    def flag(self, row: ClaimLine) -> Cell:
        """Return the sign that matters most."""
        return flag(row, self.face.glyphs, self.face.today())

    def explanation_title(self, row: ClaimLine) -> str:
        """Return who it is about."""
        return f"{row.name or self.face.t('claim_view.nobody')}  {row.masked_code}".strip()

    def explain(self, row: ClaimLine) -> Iterable[Block]:
        """Say how it stands, what comes next, and what it says in short."""
        return line_blocks(row, self.face)

    def about(self) -> str:
        """Say what claims are."""
        return self.face.t("claim_view.about")

    def closed_text(self) -> str:
        """Say why the claims are closed."""
        return self.face.t("claim_view.closed_text", key=self.key_text("app.help"))

    # --- actions ----------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> Sequence[ClaimLine]:
        """The marked claims, or the one under the cursor."""
        wanted = set(self.rows.targets) if self.alive else set()
        return [line for line in self._all if line.id in wanted]

    def acted(self) -> None:
        """Unmark and read anew."""
        if self.alive:
            self.rows.clear_marks()
            self.reload()

    def state(self) -> State:
        """Return what decides over the actions: the marked claims, and what can be taken back or repeated."""
        return self.claims_state(len(self.rows.targets) if self.alive else 0)

    @on(RowList.Opened)
    def _opened(self) -> None:
        row: ClaimLine | None = self.rows.current
        if row is None:
            return
        if is_draft(row):
            self.open_form(Begin.of_draft(row.id))
        else:
            self.face.show_claim(row.id)

    def action_claims_views(self) -> None:
        """Choose which claims are listed."""
        from kelmu_tui.screens.choose import ChooseScreen

        t, today = self.face.t, self.face.today()
        counts = Counter({view: len(select(self._known, Wanted(view), today, lambda name: name)) for view in ClaimView})
        choices = [
            Choice(view, (t.choice("claim_view.view", view), t.formats.number(counts[view]))) for view in ClaimView
        ]

        def chosen(key: str | None) -> None:
            if key is not None:
                self.change_wanted(self.wanted._replace(view=ClaimView(key)))

        self.face.push_screen(ChooseScreen(t("claim_view.choose_view"), choices, self.wanted.view), chosen)

    def action_claims_sort(self) -> None:
        """Choose the order of the claims."""
        from kelmu_tui.screens.choose import ChooseScreen

        t = self.face.t

        def chosen(key: str | None) -> None:
            if key is not None:
                self.change_wanted(self.wanted._replace(order=ClaimOrder(key)))

        choices = [Choice(order, (t.choice("claim_view.order", order), "")) for order in ClaimOrder]
        self.face.push_screen(ChooseScreen(t("claim_view.choose_order"), choices, self.wanted.order), chosen)

    def action_app_back(self) -> None:
        """Unmark, drop the filter, go back to the open ones, or leave."""
        narrowed = self.wanted.view is not ClaimView.OPEN
        if not self.rows.marks and not self.filter_text() and narrowed:
            self.change_wanted(self.wanted._replace(view=ClaimView.OPEN))
        else:
            super().action_app_back()
