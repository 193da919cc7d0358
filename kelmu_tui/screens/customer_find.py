"""Looking a customer up: by identity code or among those fetched today, for what, for which case, and if asked why."""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Input

from kelmu_tui.actions import Context
from kelmu_tui.api.errors import ApiError
from kelmu_tui.domain.identifiers import IdentityCode
from kelmu_tui.domain.sections import MAX_CASE, purposes
from kelmu_tui.screens.base import Dialog
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.looking_up import LookingUp, problem_text
from kelmu_tui.services.code_typing import Typed, examine
from kelmu_tui.services.customer_text import purpose_name
from kelmu_tui.services.customers import InvalidCase, LookUp
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.customer_rows import Recent
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption, Labelled
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField

MOST_TYPED: Final = 80
MAX_REASON: Final = 500
AWAY: Final = frozenset({"unreachable", "timeout", "bad_answer", "service_break"})
"""Problems with which a file fetched today is shown in place of a new one."""


class Whom(NamedTuple):
    """Somebody who is known already: what stands for them in the dialog, and a code or an id."""

    label: str
    code: IdentityCode | None = None
    customer: str | None = None


class FindScreen(Dialog[str]):
    """Answers the customer's id as soon as the person is known; the sections come while they are read."""

    CONTEXT: ClassVar[Context] = Context.LOOK_UP
    LEADS_TO_CUSTOMER = True

    def __init__(self, desk: Desk, whom: Whom | None = None, purpose: str = "") -> None:
        """Ask about anybody, or about `whom`; `purpose` (id) stands there at first where that is plain."""
        super().__init__()
        self.desk = desk
        self._whom = whom
        self._typed = Typed("")
        self._purpose = purpose
        self._case_asked = False
        self._busy = False
        self._searches = 0
        self._offered = ""

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t, whom = self.face.t, self._whom
        columns = (
            Column("name", "", 16, good=30, most=44),
            Column("code", "", 11, drop=1),
            Column("at", "", 6, align="right", drop=2),
        )
        if whom is None:
            code: Labelled = Labelled(
                t("customer_view.find_code"),
                LineField(id="code", max_length=MOST_TYPED, placeholder=t("customer_view.find_hint")),
            )
        else:
            code = Labelled(t("customer_view.find_customer"), Caption(whom.label, role="strong", id="whom"))
        yield self.box(
            t("customer_view.find_title"),
            code,
            Caption("", id="told"),
            Labelled(t("customer_view.find_purpose"), LineField(id="purpose", max_length=MOST_TYPED)),
            Labelled(
                t("customer_view.find_case"),
                LineField(id="case", max_length=2 * MAX_CASE, placeholder=t("customer_view.find_case_hint")),
            ),
            Container(
                Labelled(t("customer_view.find_reason"), BlockField("", limit=MAX_REASON, breaks=False, id="reason")),
                id="why",
            ),
            PickList(columns, glyphs=self.face.glyphs, empty="", id="picks"),
            Caption(t("customer_view.find_logged"), id="effect"),
            Caption(
                self.hint_line("dialog.accept", "dialog.next", "dialog.cancel", accept=t("customer_view.find_accept"))
            ),
        )

    def on_mount(self) -> None:
        """Begin with what is missing; purpose and case of the sitting are there."""
        case = self.desk.customers.last_case()
        if case is not None and self._purpose in ("", case.purpose):
            self._purpose = case.purpose
            self._field("case").value = case.case_reference or ""
            self._case_asked = True
        offered = self.desk.customers.purposes()
        if not self._purpose and len(offered) == 1:
            self._purpose = offered[0].id
        self._show_purpose()
        if self._whom is None:
            self._begin_at("code")
        else:
            self._begin_at("case" if self._purpose else "purpose")

    def _field(self, name: str) -> LineField:
        return self.query_one(f"#{name}", LineField)

    def _begin_at(self, name: str) -> None:
        field = self.query_one(f"#{name}")
        self.set_focus(field)
        if isinstance(field, LineField):
            field.cursor_position = len(field.value)
        self._offer(name)

    @property
    def _here(self) -> str:
        return "" if self.focused is None else self.focused.id or ""

    # --- what is offered --------------------------------------------------------------------------------------------

    def on_descendant_focus(self) -> None:
        """Offer what belongs to the field."""
        if self._here == "case":
            self._case_asked = True
        if self._here != "purpose":
            self._show_purpose()
        self._offer(self._here)

    def _offer(self, name: str) -> None:
        picks = self.query_one(PickList)
        before, self._offered = self._offered, name
        if name == "purpose":
            picks.offer(
                [
                    Choice(one.id, (one.name.get(self.face.t.language), "", ""), one.name.fi)
                    for one in self.desk.customers.purposes()
                ]
            )
            picks.search("")
            picks.point(self._purpose)
        elif name == "code":
            if before != name:  # whoever opens the dialog and the focus itself both ask; it is one look at a list
                self._search()
        else:
            picks.offer(())

    def _show_purpose(self) -> None:
        self._field("purpose").value = purpose_name(self._purpose, self.face.t) if self._purpose else ""

    def _search(self) -> None:
        """Offer those fetched today whose names begin so; while a code is typed, nobody."""
        self._searches += 1
        text = self._field("code").value.strip()
        if text[:1].isdigit():
            picks = self.query_one(PickList)
            if picks.matches:  # painted anew with each key otherwise
                picks.offer(())
        else:
            self.face.spawn("customer.recents", self._read(text, self._searches))

    async def _read(self, text: str, number: int) -> None:
        customers = self.desk.customers

        def read() -> tuple[Recent, ...]:
            found = customers.search(text) if text else customers.recents()
            if found:
                customers.log_list(len(found), filtered=bool(text))  # names are shown: that is a look
            return found

        try:
            found = await self.desk.run(read)
        except NotAllowed:
            found = ()
        if self.alive and number == self._searches and self._here == "code":
            t, now = self.face.t, self.face.now()
            picks = self.query_one(PickList)
            picks.search("")
            picks.offer(
                [
                    Choice(one.customer, (one.name, one.masked_code, t.formats.moment(one.fetched_at, now)))
                    for one in found
                ]
            )
            if not text:
                self._tell(t("customer_view.find_recent") if found else t("customer_view.find_nobody"), "dim")
            elif not found:
                self._tell(t("common.nothing_matches"), "warn")

    # --- what is typed ----------------------------------------------------------------------------------------------

    @on(Input.Changed, "#code")
    def _code_typed(self, event: Input.Changed) -> None:
        text = event.value.strip()
        if text and not text[:1].isalpha():
            self._typed = examine(text, self.face.today(), self.desk.customers.clean_code)
            self._say_typed()
        else:
            self._typed = Typed("")
            self._tell("", "dim")
        self._search()

    def _say_typed(self) -> None:
        t, typed = self.face.t, self._typed
        if typed.wrong is not None:
            self._tell(t.choice("customer_view.wrong", typed.wrong, at=typed.at), "alarm")
        elif typed.code is not None:
            self._tell(t("customer_view.find_right", day=t.formats.date(typed.code.born)), "good")
        else:
            self._tell(t("customer_view.find_missing", count=typed.missing), "dim")

    @on(Input.Changed, "#purpose")
    def _purpose_typed(self, event: Input.Changed) -> None:
        if self._here == "purpose":
            known = purpose_name(self._purpose, self.face.t) if self._purpose else ""
            self.query_one(PickList).search("" if event.value == known else event.value)

    def _tell(self, text: str, role: str) -> None:
        self.query_one("#told", Caption).show(text, role=role)

    def _effect(self, text: str, role: str) -> None:
        self.query_one("#effect", Caption).show(text, role=role)

    # --- keys -------------------------------------------------------------------------------------------------------

    def action_dialog_down(self) -> None:
        """Point at the next choice."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the choice before."""
        self.query_one(PickList).move(-1)

    @on(PickList.Picked)
    def _picked(self) -> None:
        self.face.spawn("customer.accept", self.action_dialog_accept())

    async def action_dialog_accept(self) -> None:
        """Open whom the cursor is on, go on to what is missing, or look up."""
        here, choice = self._here, self.query_one(PickList).current
        if self._busy:
            return
        if here == "purpose" and choice is not None:
            self._purpose = choice.key
        if here == "code" and choice is not None and not self._typed.text:
            self.dismiss(choice.key)
            return
        missing = self._missing()
        if missing:
            self._begin_at(missing)
        else:
            await self._go()

    def _missing(self) -> str:
        """Return the field that has to be filled in next, empty when all are; say what is wrong with it."""
        t = self.face.t
        if self._whom is None and self._typed.code is None:
            if self._typed.wrong is None and self._typed.text:
                self._tell(t("customer_view.find_missing", count=self._typed.missing), "warn")
            return "code"
        if self._purpose not in purposes():
            self._effect(t("customer_view.find_choose_purpose"), "warn")
            return "purpose"
        try:
            self.desk.customers.clean_case(self._field("case").value)
        except InvalidCase:
            self._effect(t("customer_view.find_case_wrong"), "alarm")
            return "case"
        self._effect(t("customer_view.find_logged"), "dim")
        return "" if self._case_asked else "case"

    async def _go(self) -> None:
        customers, t = self.desk.customers, self.face.t
        who = self._who()
        case = customers.clean_case(self._field("case").value)
        reason = self.query_one("#reason", BlockField).text.strip() or None
        try:
            why = await self.desk.run(customers.why_reason, who, self._purpose)
        except NotAllowed as problem:
            self._effect(problem_text(problem, t), "alarm")
            return
        if why is not None and reason is None:
            self._ask_reason(t.choice("customer_view.reason_why", why))
            return
        code, customer = (who, None) if isinstance(who, IdentityCode) else (None, who)
        self._busy = True
        self._effect(t("customer_view.fetching"), "accent")
        query = LookUp(self._purpose, code, customer, case, reason)
        self.face.spawn("customer.find", self._look_up(query))

    def _who(self) -> IdentityCode | str:
        found = self._typed.code if self._whom is None else self._whom.code or self._whom.customer
        assert found is not None  # `_missing` has seen to it
        return found

    def _ask_reason(self, text: str) -> None:
        self.add_class("-reasoned")
        self._effect(text, "warn")
        self.call_after_refresh(self._begin_at, "reason")

    async def _look_up(self, query: LookUp) -> None:
        found = await LookingUp(self.face, self.desk, query).first()
        self._busy = False
        if not self.alive:
            return
        if isinstance(found, str):
            self.desk.customers.keep_case(query.purpose, query.case_reference)
            self.leave_with(found)
        elif found is not None:
            await self._hindered(query, found)

    async def _hindered(self, query: LookUp, problem: ApiError | NotAllowed) -> None:
        """Show what was fetched today when nobody answers, ask for a reason, or say what is wrong."""
        t = self.face.t
        code = "" if isinstance(problem, NotAllowed) else problem.code
        held = await self._held(query) if code in AWAY else None
        if not self.children or self._pruning:  # left meanwhile
            return
        if held is not None:
            self.leave_with(held, t("customer_view.find_held"), role="warn")
        elif code == "reason_needed":
            self._ask_reason(problem_text(problem, t))
        else:
            self._effect(problem_text(problem, t), "alarm")

    async def _held(self, query: LookUp) -> str | None:
        """Return the customer whose file of today is at hand."""
        customers = self.desk.customers
        try:
            if query.code is not None:
                held: str | None = await self.desk.run(customers.held, query.code)
                return held
            recents: tuple[Recent, ...] = await self.desk.run(customers.recents)
        except NotAllowed:
            return None
        return next((one.customer for one in recents if one.customer == query.customer), None)
