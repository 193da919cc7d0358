"""What can be done in the form of a payment claim: moving, choosing, looking up, seeing the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kelmu_tui.screens.claim_begin import PURPOSE
from kelmu_tui.screens.claim_form_giving import FormGiving
from kelmu_tui.services.claim_typing import CHOSEN, Field

if TYPE_CHECKING:
    from kelmu_tui.screens.claim_fields import FieldRow
    from kelmu_tui.services.code_typing import Typed


class FormActs(FormGiving):
    """The actions of the form."""

    code: Typed
    payee: str

    if TYPE_CHECKING:

        def row(self, field: Field) -> FieldRow:
            """Return the row of a field."""
            ...

        def put(self, field: Field, text: str) -> None:
            """Let a field say something else."""

        def _keep_in_sight(self) -> None:
            """Let the field that has the focus be seen."""

    # --- moving -----------------------------------------------------------------------------------------------------

    @property
    def here(self) -> Field | None:
        """The field that has the focus."""
        name = "" if self.focused is None else self.focused.id or ""
        return Field(name) if name in Field._value2member_map_ else None

    def go_to(self, field: Field) -> None:
        """Give a field the focus; where nothing can be typed, the next one that takes keys."""
        wanted = self.query_one(f"#{field.value}")
        if wanted.display and wanted.can_focus:
            self.set_focus(wanted)
        elif self.focused is None:
            self.focus_next()
        self.call_after_refresh(self._keep_in_sight)

    def action_claim_form_next(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_claim_form_previous(self) -> None:
        """Go to the field before."""
        self.focus_previous()

    def action_claim_form_down(self) -> None:
        """Go a field down."""
        self.focus_next()

    def action_claim_form_up(self) -> None:
        """Go a field up."""
        self.focus_previous()

    def action_claim_form_clear(self) -> None:
        """Empty the field."""
        here = self.here
        if here is not None:
            self.put(here, "")

    def action_claim_form_next_blocking(self) -> None:
        """Go to the next field that hinders the claim."""
        self.visited.update(Field)
        self.show_told()
        blocking = self.judging.last.blocking
        if not blocking:
            self.say(self.face.t("claim_form.nothing_blocks", key=self.key_text("claim_form.register")), role="good")
            return
        order = list(Field)
        at = -1 if self.here is None else order.index(self.here)
        self.go_to(next((field for field in blocking if order.index(field) > at), blocking[0]))

    def action_claim_form_help(self) -> None:
        """Show the keys."""
        self.face.action_app_help()

    # --- choosing ---------------------------------------------------------------------------------------------------

    def action_claim_form_choose(self) -> None:
        """Open the list of the field, or go on to the next."""
        here = self.here
        if here in CHOSEN and here is not None:
            self.choose(here)
        else:
            self.focus_next()

    def choose(self, field: Field, typed: str = "") -> None:
        """Offer what can be chosen in a field."""
        from kelmu_tui.screens import claim_choosing as offers

        t, judge = self.face.t, None
        if field is Field.BASIS:
            choices = list(offers.basis_choices(self.values.get(Field.BENEFIT, ""), t))
        elif field is Field.BENEFIT:
            choices = list(offers.benefit_choices(self.values.get(Field.BASIS, ""), self.face.today(), t))
        elif not self.filled.accounts:
            self.say(t("claim_form.no_accounts"), role="warn")
            return
        else:
            choices = list(offers.account_choices(self.filled.accounts))
            judge = offers.judge_account(self.filled.accounts, t)

        def chosen(key: str | None) -> None:
            if key is None:
                return
            if key.startswith(offers.LETTER):
                self.face.spawn("claim.letter", self._show_letter(key.removeprefix(offers.LETTER)))
                return
            self.put(field, key)
            self.visited.add(field)
            self.focus_next()

        self.face.push_screen(offers.PickScreen(field, choices, self.values.get(field, ""), typed, judge=judge), chosen)

    async def _show_letter(self, basis: str) -> None:
        from kelmu_tui.screens.claim_letter import DraftLetterScreen

        await self.typing.flush()
        said, subject = self.judging.said, self.typing.draft or self.filled.claim
        if said is None or subject is None:
            self.say(self.face.t("claim_form.no_letter_yet"), role="warn")
            return
        name = self.typing.name or self.filled.name
        await self.face.push_screen(DraftLetterScreen(self.desk, subject, said.partial, basis, name))

    # --- who it is --------------------------------------------------------------------------------------------------

    def action_claim_form_customer(self) -> None:
        """Look the payee up and come back."""
        from kelmu_tui.domain.identifiers import mask, parse_identity_code
        from kelmu_tui.screens.customer_find import FindScreen, Whom

        if not self.payee:
            self.say(self.face.t("claim_form.code_first"), role="warn")
            self.go_to(Field.PAYEE)
            return
        label = f"{self.typing.name or self.filled.name} {mask(self.payee)}".strip()
        whom = Whom(label, code=parse_identity_code(self.payee, today=self.face.today()))

        def found(customer: str | None) -> None:
            if customer is not None:
                self.judging.ask()
                self.say(self.face.t("claim_form.looked_up"), role="good")

        self.face.push_screen(FindScreen(self.desk, whom, PURPOSE), found)

    # --- what is told -----------------------------------------------------------------------------------------------

    def action_claim_form_told(self) -> None:
        """Show everything that is told, with its sources."""
        from kelmu_tui.screens.claim_told import LOOKED_UP, ToldScreen, remarks

        told = list(remarks(self.judging.last, self.face.t, self.key_text("claim_form.customer")))
        here = self.here

        def answered(name: str | None) -> None:
            if name == LOOKED_UP:
                self.action_claim_form_customer()
            elif name is not None:
                self.visited.add(Field(name))
                self.go_to(Field(name))
                self.show_told()

        self.face.push_screen(ToldScreen(told, here), answered)

    # --- giving it --------------------------------------------------------------------------------------------------

    def action_claim_form_preview(self) -> None:
        """Show what Kela gets."""
        from kelmu_tui.screens.claim_preview import PreviewScreen

        read = self.judging.said
        if read is None:
            return
        name = self.typing.name or self.filled.name

        async def answered(register: bool | None) -> None:
            if register:
                await self._register()

        self.face.push_screen(PreviewScreen(read.partial, name, self.judging.last), answered)
