"""Asking until when claims last, or when and why their ground has ended; what that means is said before enter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from kelmu_tui.actions import Context
from kelmu_tui.domain.claims.catalogue import end_reasons
from kelmu_tui.domain.claims.days import months_after
from kelmu_tui.screens.base import Dialog
from kelmu_tui.services.claim_days import InvalidDay, end_of_month, parse_day
from kelmu_tui.services.claim_words import end_reason_name
from kelmu_tui.store.claim_rows import ClaimLine
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption, Labelled
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField

MONTHS: Final = (1, 2, 3, 6, 12)
MOST_TYPED: Final = 40
BESIDE: Final = 7
"""Lines of the box that are no choices: its border, the field, two of what it means, up to three of hints."""


class DayScreen(Dialog[None]):
    """A day to type and something to choose; stays with both until it is saved."""

    CONTEXT: ClassVar[Context] = Context.CONFIRM

    def __init__(self, lines: Sequence[ClaimLine], left: int) -> None:
        """Ask about the claims `lines`; `left` others were marked for which it is not possible."""
        super().__init__()
        self._lines = tuple(lines)
        self._left = left
        self._choices: tuple[Choice, ...] = ()
        self._doubted: tuple[date | None, str] | None = None

    # --- what subclasses say ----------------------------------------------------------------------------------------

    def title_text(self) -> str:
        """Return the title of the box."""
        raise NotImplementedError

    def label(self) -> str:
        """Return what the day is called."""
        raise NotImplementedError

    def accept(self) -> str:
        """Return what enter does."""
        raise NotImplementedError

    def choices(self) -> Sequence[Choice]:
        """Return what can be chosen."""
        raise NotImplementedError

    def first_value(self) -> str:
        """Return what stands in the field at first."""
        return ""

    def meaning(self, day: date | None, key: str) -> tuple[str, str]:
        """Return what the answer means, or what is missing or wrong, and its role; a fault has the role `alarm`."""
        raise NotImplementedError

    async def save(self, day: date | None, key: str) -> str:
        """Save the answer; return what hinders it, empty when nothing does."""
        raise NotImplementedError

    async def doubts(self, day: date | None, key: str) -> tuple[str, str]:  # noqa: ARG002
        """Return what speaks against the answer, empty for nothing, and its role.

        What has the role `alarm` forbids it, anything else is told once before it is saved.
        """
        return "", ""

    # --- the box ----------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        picks = PickList((Column("name", "", 20, most=60),), glyphs=self.face.glyphs, empty="", id="picks")
        self._choices = tuple(self.choices())
        yield self.box(
            self.title_text(),
            Labelled(
                self.label(),
                LineField(self.first_value(), id="field", max_length=MOST_TYPED, placeholder=t("claim_view.day_hint")),
            ),
            picks,
            Caption("", id="effect"),
            Caption(self.hint_line("dialog.accept", "dialog.cancel", "dialog.clear", accept=self.accept()), id="foot"),
        )

    def on_mount(self) -> None:
        """Begin in the field."""
        self.query_one(PickList).offer(self._choices)
        field = self.query_one(LineField)
        field.cursor_position = len(field.value)
        self.set_focus(field)
        self._say()

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        self.fit_picks(len(self._choices), beside=BESIDE)

    def typed(self) -> date | None:
        """Return the day that is typed, None for an empty field.

        Raises:
            InvalidDay: there is no such day.
        """
        text = self.query_one(LineField).value
        return parse_day(text, self.face.today()) if text.strip() else None

    @property
    def chosen(self) -> str:
        """Key of what is chosen."""
        choice = self.query_one(PickList).current
        return "" if choice is None else choice.key

    @on(Input.Changed)
    @on(PickList.Pointed)
    def _say(self) -> None:
        text, role = self._told()
        if self._left and role != "alarm":
            text = f"{text} {self.face.t('claim_view.left_out', count=self._left)}"
        self.query_one("#effect", Caption).show(text, role=role)

    def _told(self) -> tuple[str, str]:
        try:
            day = self.typed()
        except InvalidDay as failure:
            return self.face.t.choice("claim_form.day_fault", failure.fault), "alarm"
        return self.meaning(day, self.chosen)

    async def action_dialog_accept(self) -> None:
        """Save, unless something is missing or wrong."""
        text, role = self._told()
        effect = self.query_one("#effect", Caption)
        if role == "alarm":
            effect.show(text, role=role)
            return
        day, key = self.typed(), self.chosen
        role = "alarm"

        async def save() -> str:
            nonlocal role
            if (day, key) == self._doubted:
                return await self.save(day, key)
            doubt, role = await self.doubts(day, key)
            if not doubt:
                role = "alarm"
                return await self.save(day, key)
            if role == "alarm":
                return doubt
            self._doubted = day, key
            return self.face.t("claim_view.still", doubt=doubt, key=self.key_text("dialog.accept"))

        if problem := await self.give(save):
            effect.show(problem, role=role)

    def action_dialog_down(self) -> None:
        """Point at the next choice."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the choice before."""
        self.query_one(PickList).move(-1)


class ProlongScreen(DayScreen):
    """Until when claims last: a day that is typed, or one of those that suggest themselves."""

    def __init__(
        self,
        lines: Sequence[ClaimLine],
        left: int,
        save: Callable[[date], Awaitable[str]],
        doubts: Callable[[date], Awaitable[tuple[str, str]]],
    ) -> None:
        """`save` gets the last day and returns what hinders it, `doubts` what speaks against it, with its role."""
        super().__init__(lines, left)
        self._save = save
        self._doubts = doubts

    def title_text(self) -> str:
        """Return the title of the box."""
        return self.face.t("claim_view.prolong_title", count=len(self._lines))

    def label(self) -> str:
        """Return what the day is called."""
        return self.face.t("claim_view.new_last")

    def accept(self) -> str:
        """Return what enter does."""
        return self.face.t("actions.claims.prolong.label")

    @property
    def _present(self) -> date | None:
        """The latest of the last days there are."""
        return max((line.last for line in self._lines if line.last is not None), default=None)

    def choices(self) -> Sequence[Choice]:
        """Return ends of months to come."""
        t, base = self.face.t, max(self._present or self.face.today(), self.face.today())
        ends = [end_of_month(months_after(base, months)) for months in (0, *MONTHS)]
        later = [day for day in ends if self._present is None or day > self._present]
        return [
            Choice(day.isoformat(), (t("claim_view.until_day", day=t.formats.date(day)),))
            for day in later[: len(MONTHS)]
        ]

    def _day(self, day: date | None, key: str) -> date:
        return date.fromisoformat(key) if day is None else day

    def meaning(self, day: date | None, key: str) -> tuple[str, str]:
        """Say until when they will last, and until when they do now."""
        t, wanted, present = self.face.t, self._day(day, key), self._present
        if present is not None and wanted <= present:
            return t("claim_view.not_later", day=t.formats.date(present)), "alarm"
        now = "" if present is None else t("claim_view.now_until", day=t.formats.date(present))
        told = t("claim_view.will_last", count=len(self._lines), day=t.formats.date(wanted))
        return f"{told} {now}".strip(), ""

    async def save(self, day: date | None, key: str) -> str:
        """Prolong them."""
        return await self._save(self._day(day, key))

    async def doubts(self, day: date | None, key: str) -> tuple[str, str]:
        """Return what the rules forbid or warn of."""
        return await self._doubts(self._day(day, key))


class EndScreen(DayScreen):
    """When and why the ground of claims has ended."""

    def __init__(self, lines: Sequence[ClaimLine], left: int, save: Callable[[date, str], Awaitable[str]]) -> None:
        """`save` gets the last day and the id of the reason, and returns what hinders it."""
        super().__init__(lines, left)
        self._save = save

    def title_text(self) -> str:
        """Return the title of the box."""
        return self.face.t("claim_view.end_title", count=len(self._lines))

    def label(self) -> str:
        """Return what the day is called."""
        return self.face.t("claim_view.last_day")

    def accept(self) -> str:
        """Return what enter does."""
        return self.face.t("actions.claims.end.label")

    def first_value(self) -> str:
        """Begin with today, or with the day of the claims nearest to it."""
        today = self.face.today()
        first, last = self._within(today)
        return self.face.t.formats.date(min(max(today, first), last))

    def _within(self, day: date) -> tuple[date, date]:
        """Return the days within which all of them can end; a side that is open ends at `day`."""
        first = max((line.first for line in self._lines if line.first is not None), default=day)
        last = min((line.until for line in self._lines if line.until is not None), default=max(day, first))
        return first, last

    def choices(self) -> Sequence[Choice]:
        """Return the reasons of the catalogue."""
        return [Choice(name, (end_reason_name(name, self.face.t),)) for name in end_reasons()]

    def meaning(self, day: date | None, key: str) -> tuple[str, str]:
        """Say with what they end, and that Kela is told at once."""
        t = self.face.t
        if day is None:
            return t("claim_view.give_last_day"), "alarm"
        first, last = self._within(day)
        begun = "" if first <= self.face.today() else f" {t('claim_view.not_begun')}"
        if day < first:
            return t("claim_view.before_first", day=t.formats.date(first)) + begun, "alarm"
        if day > last and any(line.ended_on is not None for line in self._lines):
            return t("claim_view.end_told", key=self.key_text("claims.again")), "alarm"
        if day > last:
            return t("claim_view.after_last", day=t.formats.date(last), key=self.key_text("claims.prolong")), "alarm"
        reason = end_reason_name(key, t)
        said = t("claim_view.will_end", count=len(self._lines), day=t.formats.date(day), reason=reason)
        return said + begun, "warn"

    async def save(self, day: date | None, key: str) -> str:
        """End them."""
        assert day is not None  # an answer without a day is a fault
        return await self._save(day, key)
