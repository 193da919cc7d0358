"""Saying for what, of whom and of which days the log of look-ups is read, before anything is asked.

The box stays until there is an answer: without a connection what was typed is still there when it is back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from kelmu_tui.actions import Context
from kelmu_tui.api.contract import AuditedLookUp, AuditPurpose, LookUpFlag
from kelmu_tui.api.errors import ApiError
from kelmu_tui.domain.sections import MAX_CASE
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.base import Dialog
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.paged import supervision_text
from kelmu_tui.services import code_typing
from kelmu_tui.services.audit_typing import Part, Unfit, check_days, clean_day, clean_id, clean_number
from kelmu_tui.services.customers import InvalidCase
from kelmu_tui.services.known import NotSupervisor
from kelmu_tui.services.look_ups import AuditSearch, Found, Kind, Wanted, extract_request, sample_request
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption, Labelled
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField

Typed = dict[Part, str]
"""What was typed or chosen, by part; never a code."""

PARTS: Final[Mapping[Kind, tuple[Part, ...]]] = {
    Kind.SEARCH: (Part.PURPOSE, Part.USER, Part.CUSTOMER, Part.SINCE, Part.UNTIL, Part.FLAG),
    Kind.SAMPLE: (Part.PURPOSE, Part.CASE, Part.SIZE, Part.SINCE, Part.UNTIL, Part.FLAG, Part.SEED),
    Kind.EXTRACT: (Part.PURPOSE, Part.CODE, Part.CASE),
}
CHOSEN: Final = frozenset({Part.PURPOSE, Part.USER, Part.CUSTOMER, Part.FLAG})
"""Parts that are chosen from a list."""
KNOWN: Final = frozenset({Part.USER, Part.CUSTOMER})
"""Parts of them for which an id may be typed too: the list has only those of the rows at hand."""
ANY: Final = "*"
_NAMES: Final = frozenset(part.value for part in Part)
MOST_TYPED: Final = 80
MOST_PICKS: Final = 6
BESIDE: Final = 6
"""Lines of the box that are neither fields nor choices: the border, two of what is said, one or two of hints."""


class AskScreen(Dialog[Found]):
    """Answers what came; `typed` keeps what was typed for the next time."""

    CONTEXT: ClassVar[Context] = Context.LOOK_UP

    def __init__(
        self,
        desk: Desk,
        kind: Kind,
        typed: Typed,
        rows: Sequence[AuditedLookUp],
        users: Mapping[str, str],
    ) -> None:
        """Offer the customers of `rows`, and `users`: names by id."""
        super().__init__()
        self.desk = desk
        self._kind = kind
        self._typed = typed
        self._rows = rows
        self._users = users
        self._code = code_typing.Typed("")
        self._busy = False
        self._at = ""

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        fields = [Labelled(_label(part, t), self._make(part)) for part in PARTS[self._kind]]
        columns = (Column("name", "", 16, good=24, most=34), Column("more", "", 12, most=60, drop=1))
        picks = PickList(columns, glyphs=self.face.glyphs, empty="", id="picks")
        accept = t.choice("look_ups.accept", self._kind)
        yield self.box(
            t.choice("look_ups.asking", self._kind),
            *fields,
            Caption("", id="told"),
            picks,
            Caption(t("look_ups.audit_logged"), id="effect"),
            Caption(self.hint_line("dialog.accept", "dialog.next", "dialog.cancel", accept=accept)),
        )

    def _make(self, part: Part) -> LineField:
        t, text = self.face.t, self._typed.get(part, "")
        hints = {
            Part.USER: t("look_ups.everybody"),
            Part.CUSTOMER: t("look_ups.every_customer"),
            Part.FLAG: t("look_ups.every_look_up"),
            Part.CASE: t("customer_view.find_case_hint"),
            Part.SEED: t("look_ups.seed_hint"),
        }
        longest = 2 * MAX_CASE if part is Part.CASE else MOST_TYPED
        value = self._reads(part, text) if part in CHOSEN else text
        return LineField(value, id=part.value, max_length=longest, placeholder=hints.get(part, ""))

    def on_mount(self) -> None:
        """Begin with the first part that is missing; without a code there is no line that speaks of it."""
        self.query_one("#told").display = self._kind is Kind.EXTRACT
        begin = Part.PURPOSE if not self._typed.get(Part.PURPOSE) else PARTS[self._kind][1]
        self._begin_at(begin)

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        room = self.size.height - BESIDE - len(PARTS[self._kind])
        self.query_one("#picks").styles.height = max(1, min(MOST_PICKS, room))

    def _field(self, part: Part) -> LineField:
        return self.query_one(f"#{part.value}", LineField)

    def _begin_at(self, part: Part) -> None:
        field = self._field(part)
        self.set_focus(field)
        field.cursor_position = len(field.value)

    @property
    def _here(self) -> Part | None:
        name = "" if self.focused is None else self.focused.id or ""
        return Part(name) if name in _NAMES else None

    # --- what is offered --------------------------------------------------------------------------------------------

    def on_descendant_focus(self) -> None:
        """Take what was typed in the field that is left, and offer what belongs to this one."""
        here = self._here
        if self._at and self._at != here:
            self._settle(Part(self._at))
        self._at = here or ""
        picks = self.query_one(PickList)
        picks.search("")
        picks.offer(self._choices(here) if here in CHOSEN else ())
        if here is not None:
            picks.point(self._typed.get(here, ""))

    def _choices(self, part: Part | None) -> list[Choice]:
        t = self.face.t
        match part:
            case Part.PURPOSE:
                return [Choice(one.value, (t.choice("look_ups.audit_purpose", one), "")) for one in AuditPurpose]
            case Part.FLAG:
                every = [Choice("", (t("look_ups.every_look_up"), "")), Choice(ANY, (t("look_ups.any_flag"), ""))]
                return every + [
                    Choice(one.value, (t.choice("look_ups.flag", one), t.choice("look_ups.flag_why", one)))
                    for one in LookUpFlag
                ]
            case Part.USER:
                users = [Choice(user, (name, user), user) for user, name in self._users.items()]
                return [Choice("", (t("look_ups.everybody"), "")), *users]
            case Part.CUSTOMER:
                customers = {
                    row.customer: Choice(row.customer, (row.masked_code or row.customer, row.customer), row.customer)
                    for row in self._rows
                    if row.customer is not None
                }
                return [Choice("", (t("look_ups.every_customer"), "")), *customers.values()]
            case _:
                return []

    def _reads(self, part: Part, key: str) -> str:
        """Return how a chosen key reads; one that is no longer among the choices stands for itself."""
        if not key:
            return ""
        return next((one.cells[0] for one in self._choices(part) if one.key == key), key)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        part = self._here
        if part is None or event.input.id != part.value:
            return
        if part in CHOSEN:
            known = self._reads(part, self._typed.get(part, ""))
            self.query_one(PickList).search("" if event.value == known else event.value)
        elif part is Part.CODE:
            self._code = code_typing.examine(event.value.strip(), self.face.today(), self.desk.customers.clean_code)
            self._say_code()

    def _say_code(self) -> None:
        t, typed = self.face.t, self._code
        told = self.query_one("#told", Caption)
        if typed.wrong is not None:
            told.show(t.choice("customer_view.wrong", typed.wrong, at=typed.at), role="alarm")
        elif typed.code is not None:
            told.show(t("customer_view.find_right", day=t.formats.date(typed.code.born)), role="good")
        elif typed.text:
            told.show(t("customer_view.find_missing", count=typed.missing), role="dim")
        else:
            told.show("")

    def _effect(self, text: str, role: str) -> None:
        self.query_one("#effect", Caption).show(text, role=role)

    # --- what is taken ----------------------------------------------------------------------------------------------

    def _settle(self, part: Part) -> None:
        """Take what stands in a field; the code is kept nowhere."""
        field = self._field(part)
        if part in CHOSEN:
            if field.value != self._reads(part, self._typed.get(part, "")):
                self._choose(part, self._meant(part, field.value.strip()))
        elif part is not Part.CODE:
            self._typed[part] = field.value

    def _meant(self, part: Part, text: str) -> str:
        """Return the key of what was typed: the choice under the cursor, or in some fields an id."""
        current = self.query_one(PickList).current
        here = [] if current is None else [current]
        # Two users may have one name: of those the cursor's is meant.
        exact = next((one for one in (*here, *self._choices(part)) if text in (one.key, one.cells[0])), current)
        if exact is not None:
            return exact.key
        return text if part in KNOWN else self._typed.get(part, "")

    def _choose(self, part: Part, key: str) -> None:
        self._typed[part] = key
        self._field(part).value = self._reads(part, key)

    def action_dialog_down(self) -> None:
        """Point at the next choice."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the choice before."""
        self.query_one(PickList).move(-1)

    @on(PickList.Picked)
    def _picked(self) -> None:
        self.action_dialog_accept()

    def action_dialog_cancel(self) -> None:
        """Leave; what was typed is there the next time."""
        if self._here is not None:
            self._settle(self._here)
        super().action_dialog_cancel()

    def action_dialog_accept(self) -> None:
        """Choose what is under the cursor and go on, or ask when that was chosen before."""
        here, choice = self._here, self.query_one(PickList).current
        if self._busy:
            return
        if here is not None and here in CHOSEN:
            before = self._typed.get(here, "")
            if self._field(here).value != self._reads(here, before):
                self._settle(here)
            elif choice is not None:
                self._choose(here, choice.key)
            if self._typed.get(here, "") != before:
                self.focus_next()
                return
        elif here is not None:
            self._settle(here)
        self._go()

    def _go(self) -> None:
        t = self.face.t
        try:
            wanted = self._wanted()
        except Unfit as unfit:
            self._effect(t.choice("look_ups.unfit", unfit.part), "alarm")
            self._begin_at(unfit.part)
            return
        self._busy = True
        self._effect(t("look_ups.asking_now"), "accent")
        self.face.spawn("supervision.ask", self._ask(wanted))

    async def _ask(self, wanted: Wanted) -> None:
        whom = self._code.code.masked if self._code.code is not None else None
        try:
            found = await self.desk.look_ups.find(wanted, whom)
        except (ApiError, NotSupervisor) as problem:
            self._busy = False
            if self.alive:
                self._effect(supervision_text(problem, self.face.t), "alarm")
            return
        if self.alive:
            self.leave_with(found)

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def _wanted(self) -> Wanted:
        """Return what is asked.

        Raises:
            Unfit: a part is missing or cannot be taken.
        """
        purpose = self._typed.get(Part.PURPOSE, "")
        if not purpose:
            raise Unfit(Part.PURPOSE)
        if self._kind is Kind.EXTRACT:
            if self._code.code is None:
                raise Unfit(Part.CODE)
            return extract_request(AuditPurpose(purpose), self._case(), self._code.code)
        since = clean_day(self._typed.get(Part.SINCE, ""), Part.SINCE)
        until = clean_day(self._typed.get(Part.UNTIL, ""), Part.UNTIL)
        check_days(since, until)
        if self._kind is Kind.SEARCH:
            user = clean_id(self._typed.get(Part.USER, ""), Part.USER)
            customer = clean_id(self._typed.get(Part.CUSTOMER, ""), Part.CUSTOMER)
            return AuditSearch(AuditPurpose(purpose), user, customer, since, until, self._flags())
        size = clean_number(self._typed.get(Part.SIZE, ""), Part.SIZE)
        seed = clean_number(self._typed.get(Part.SEED, ""), Part.SEED)
        if since is None or until is None:
            raise Unfit(Part.SINCE if since is None else Part.UNTIL)
        return sample_request(AuditPurpose(purpose), self._case(), size, seed, since, until, self._flags())

    def _case(self) -> str | None:
        try:
            return self.desk.customers.clean_case(self._typed.get(Part.CASE, ""))
        except InvalidCase:
            raise Unfit(Part.CASE) from None

    def _flags(self) -> tuple[LookUpFlag, ...]:
        chosen = self._typed.get(Part.FLAG, "")
        if chosen == ANY:
            return tuple(LookUpFlag)
        return (LookUpFlag(chosen),) if chosen else ()


def _label(part: Part, t: Translator) -> str:
    return t.choice("look_ups.part", part)
