"""The customers who are followed: what happened to each, until when, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on

from kelmu_tui.actions import Context
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.screens.customer_find import Whom
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.looked_list import LookedList
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.customer_text import purpose_name
from kelmu_tui.services.following import SOON, NotFollowed
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.follows import Change, Follow
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.painted import Piece
from kelmu_tui.widgets.row_list import RowList
from kelmu_tui.widgets.sheet import Block, Field, Heading, Paragraph, Spans


class FollowedScreen(LookedList[Follow]):
    """Who is followed, those to whom something happened last first; a list of names is a look, logged before."""

    CONTEXT: ClassVar[Context] = Context.FOLLOWED
    LEADS_TO_CUSTOMER = True
    SECTION: ClassVar[str] = "main.followed"
    TABLES: ClassVar[frozenset[str]] = frozenset({"follow", "command", "scope"})

    def __init__(self, desk: Desk, at: str | None = None) -> None:
        """Show the list; `at` is the follow under the cursor."""
        super().__init__(desk)
        self._at = at
        self._on: str | None = None

    def reading(self) -> tuple[Callable[[], Sequence[Follow]], Callable[[int], None]]:
        """Return what reads the follows, and what logs that they are shown."""
        return self.desk.following.lines, self.desk.following.log_list

    def reloaded(self) -> None:
        """Go to the follow for which the list was opened."""
        at, self._at = self._at, None
        if at is not None:
            self._narrow(keep=False, at=at)

    def key(self, row: Follow) -> str:
        """Return the follow's id."""
        return row.id

    def heading(self) -> str:
        """Return what the list is called."""
        return self.face.t("followed.heading")

    def empty_text(self) -> str:
        """Say that nobody is followed, and how to begin."""
        return self.face.t("followed.empty", key=self.key_text("customer.follow"))

    def remarks(self) -> Sequence[Piece]:
        """Say how many changes are new."""
        new = sum(row.news for row in self._all)
        return ((self.face.t("followed.news", count=new), "accent"),) if new else ()

    # --- rows -------------------------------------------------------------------------------------------------------

    def columns(self) -> Sequence[Column]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("name", t("inbox.column_customer"), 14, good=26, most=44),
            Column("code", t("customer_view.code"), 11, drop=2),
            Column("what", t("followed.column_what"), 16, good=30, most=50),
            Column("at", t("followed.column_at"), 6, good=8, align="right", drop=1),
            Column("case", t("customer_view.find_case"), 8, good=12, most=20, drop=3),
            Column("until", t("followed.column_until"), 10, most=12),
        )

    def cells(self, row: Follow) -> Mapping[str, Cell]:
        """Return the cells of a follow."""
        t, now = self.face.t, self.face.now()
        latest = row.changes[0] if row.changes else None
        role = "dim" if row.ended is not None else ""
        return {
            "name": Cell(row.name, role),
            "code": Cell(row.masked_code, role),
            "what": Cell(self._standing(row) or ("" if latest is None else self._said(latest)), role),
            "at": Cell("" if latest is None else t.formats.moment(latest.at, now), "dim"),
            "case": Cell(row.case_reference or "", "dim"),
            "until": Cell(*self._until(row)),
        }

    def _until(self, row: Follow) -> tuple[str, str]:
        if row.ended is not None:
            return self.face.t("followed.over"), "dim"
        soon = row.until - self.face.now() <= SOON
        return self.face.t.formats.date(local_date(row.until)), "warn" if soon else "dim"

    def _standing(self, row: Follow) -> str:
        """Return what has to be said before anything else: that it has ended, or that a command is on its way."""
        t = self.face.t
        if row.pending is not None:
            return t.choice("followed.pending", row.pending)
        return "" if row.ended is None else t.choice("followed.ended", row.ended, row.ended)

    def _said(self, change: Change) -> str:
        t = self.face.t
        what = t.choice("followed.what", change.what, change.what)
        return what if change.benefit is None else f"{what}: {benefit_name(change.benefit, t)}"

    def flag(self, row: Follow) -> Cell:
        """Return the sign of news, or of a command on its way."""
        glyphs = self.face.glyphs
        if row.news:
            return Cell(glyphs.new, "accent")
        return Cell(glyphs.pending, "accent") if row.pending is not None else Cell(" ")

    # --- the explanation --------------------------------------------------------------------------------------------

    def explanation_title(self, row: Follow) -> str:
        """Return who it is."""
        return f"{row.name}  {row.masked_code}"

    def explain(self, row: Follow) -> Iterable[Block]:
        """Say for what and how long, and everything that happened."""
        t = self.face.t
        standing = self._standing(row)
        if standing:
            yield Paragraph(standing, "warn" if row.pending is None else "accent")
        if not row.changes:
            yield Paragraph(t("followed.nothing"), "dim")
        for change in row.changes:
            mark = f"{self.face.glyphs.new} " if change.new else "  "
            pieces = ((mark, "accent"), (f"{t.formats.date(change.day)}  ", "dim"), (self._said(change), ""))
            yield Spans(pieces)
        if row.changes:
            yield Paragraph(t("followed.look_up", key=self.key_text("list.open")), "dim")
        yield Heading(t("followed.facts"))
        yield Field(t("customer_view.find_purpose"), purpose_name(row.purpose, t))
        if row.case_reference:
            yield Field(t("customer_view.find_case"), row.case_reference)
        yield Field(t("followed.since"), t.formats.instant(row.since))
        if row.ended is None:
            yield Field(t("followed.column_until"), t.formats.instant(row.until))

    def about(self) -> str:
        """Say what following is."""
        return self.face.t("followed.about")

    @on(RowList.Changed)
    @on(RowList.Moved)
    def _went_on(self) -> None:
        """What was explained before has been seen."""
        if not self.alive:
            return
        before, self._on = self._on, self.rows.current_key
        if before is not None and before != self._on:
            self._seen(before)

    def _seen(self, follow: str) -> None:
        self.face.spawn("followed.seen", self.desk.run(self.desk.following.seen, (follow,)))

    # --- actions ----------------------------------------------------------------------------------------------------

    @on(RowList.Opened)
    def _opened(self, message: RowList.Opened) -> None:
        row = next((row for row in self._all if row.id == message.key), None)
        if row is not None:
            self._seen(row.id)
            self.face.spawn("followed.open", self._look_up(row))

    async def _look_up(self, row: Follow) -> None:
        """Ask for the customer anew for the same purpose and case: what was told is only that there is something."""
        customers = self.desk.customers
        customers.keep_case(row.purpose, row.case_reference)
        if self.alive:
            self.face.find_customer(Whom(f"{row.name} {row.masked_code}", customer=row.customer))

    async def action_followed_renew(self) -> None:
        """Follow for the whole time from now on."""
        await self._give(self.desk.following.renew, self.rows.targets, "followed.renewed")

    def action_followed_end(self) -> None:
        """Say that the case is over, after a question: nothing begins the follow again."""
        from kelmu_tui.screens.confirm import ConfirmScreen

        t, ids = self.face.t, self.rows.targets

        async def answered(deed: bool | None) -> None:
            if deed:
                await self._give(self.desk.following.end, ids, "followed.ended_now")

        count = len(ids)
        self.face.push_screen(
            ConfirmScreen(
                t("followed.end_title", count=count),
                t("followed.end_warning"),
                t("followed.end_deed", count=count),
                t("followed.end_stay"),
            ),
            answered,
        )

    async def _give(self, give: Callable[[Sequence[str]], list[str]], ids: Sequence[str], done_text: str) -> None:
        try:
            given: list[str] = await self.desk.run(give, ids)
        except NotFollowed:
            self.say(self.face.t("errors.refusal.follow_ended"), role="warn")
        except NotAllowed:
            self.say(self.face.t("customer_view.gone"), role="warn")
        else:
            self.say(self.face.t(done_text, count=len(given)), role="good")
            self.desk.poke()
        self.rows.clear_marks()
        self.reload()

    def action_app_back(self) -> None:
        """Leave; what was read has been seen."""
        if not self.filter_text() and not self.rows.marks and self.rows.current_key is not None:
            self._seen(self.rows.current_key)
        super().action_app_back()
