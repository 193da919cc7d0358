"""What can be done with a customer's file: fetch it again, copy, explain, sort, and look up the household."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.sections import Section
from kelmu_tui.screens.listing import ListScreen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store.customer_rows import SectionRow
from kelmu_tui.terminal.clipboard import TooLong
from kelmu_tui.widgets.picker import Choice

if TYPE_CHECKING:
    from kelmu_tui.screens.customer_find import Whom
    from kelmu_tui.screens.customer_overview import Look
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.services.customers import LookUp
    from kelmu_tui.store.claim_rows import ClaimLine
    from kelmu_tui.store.customer_rows import File

CODE_SECONDS: Final = 10.0
"""How long an identity code is shown whole."""
ORDERS: Final = ("day", "benefit", "net")
EVERYBODY: Final = "*"


class CustomerActs(ListScreen[SectionRow, None]):
    """The actions of the screen of a file."""

    desk: Desk
    customer: str
    file: File | None
    part: Section | None
    order: str
    own_claims: Sequence[ClaimLine] = ()

    if TYPE_CHECKING:

        @property
        def look(self) -> Look:
            """How the overview looks."""
            ...

        def show_part(self, part: Section | None) -> None:
            """Show another part."""

        def show_code(self, seconds: float) -> None:
            """Show the identity code whole for some seconds."""

        def change_look(self, look: Look) -> None:
            """Show the overview otherwise."""

    # --- parts ------------------------------------------------------------------------------------------------------

    def _turn(self, steps: int) -> None:
        parts = (None, *Section)
        self.show_part(parts[(parts.index(self.part) + steps) % len(parts)])

    def action_customer_next(self) -> None:
        """Go to the next part."""
        self._turn(1)

    def action_customer_previous(self) -> None:
        """Go to the part before."""
        self._turn(-1)

    def action_customer_overview(self) -> None:
        """Show the overview."""
        self.show_part(None)

    def action_customer_pending(self) -> None:
        """Show the pending matters."""
        self.show_part(Section.PENDING)

    def action_customer_decisions(self) -> None:
        """Show the decisions."""
        self.show_part(Section.DECISIONS)

    def action_customer_payments(self) -> None:
        """Show the payments."""
        self.show_part(Section.PAYMENTS)

    def action_customer_claims(self) -> None:
        """Show the payment claims."""
        self.show_part(Section.CLAIMS)

    def action_customer_insurance(self) -> None:
        """Show the insurance affiliation."""
        self.show_part(Section.INSURANCE)

    def action_customer_recovery(self) -> None:
        """Show the recovery of overpayments."""
        self.show_part(Section.RECOVERY)

    def action_customer_medicine(self) -> None:
        """Show the medicine annual cap."""
        self.show_part(Section.MEDICINE)

    def action_customer_passed_on(self) -> None:
        """Show the data that others have passed on to Kela."""
        self.show_part(Section.PASSED_ON)

    def action_list_open(self) -> None:
        """Open an own claim, or give what the row says room and the moving keys, or the list again."""
        row = self.rows.current
        if row is not None and self.is_own(row):
            self.face.show_claim(row.id)
        elif self.part is not None:
            self.toggle_class("-reading")

    def is_own(self, row: SectionRow) -> bool:
        """Tell whether a row is a claim of the organisation that can be opened."""
        return self.part is Section.CLAIMS and any(line.id == row.id for line in self.own_claims)

    def action_customer_claim(self) -> None:
        """Begin a claim on the customer's benefits."""
        from kelmu_tui.screens.customer_claims import begin_claim

        if self.file is not None:
            begin_claim(self, self.file)

    def action_customer_documents(self) -> None:
        """Begin to send documents of the customer."""
        from kelmu_tui.screens.sending_acts import open_sending_form
        from kelmu_tui.screens.sending_form import Begin

        if self.file is not None:
            person = self.file.person
            name = f"{person.family_name}, {person.given_names}"
            open_sending_form(self.face, self.desk, Begin(person.identity_code, name))

    # --- how it looks -----------------------------------------------------------------------------------------------

    def action_customer_numbers(self) -> None:
        """Show the charts as numbers, or as charts again; elsewhere go to them."""
        if self.part is not None:
            self.show_part(None)
            return
        self.change_look(self.look._replace(numbers=not self.look.numbers))

    def action_customer_sort(self) -> None:
        """Choose the order of the payments."""
        from kelmu_tui.screens.choose import ChooseScreen

        t = self.face.t
        if self.part is not Section.PAYMENTS:
            self.say(t("customer_view.sort_payments"), role="warn")
            return

        def chosen(order: str | None) -> None:
            if order is not None:
                self.order = order
                self.reload()

        choices = [Choice(order, (t.choice("customer_view.sort", order), "")) for order in ORDERS]
        self.face.push_screen(ChooseScreen(t("customer_view.choose_sort"), choices, self.order), chosen)

    async def action_customer_code(self) -> None:
        """Show the identity code whole for a while; that is logged before."""
        try:
            held = await self.desk.run(self.desk.customers.revealed, self.customer)
        except NotAllowed:
            held = False
        if held and self.alive:
            self.show_code(CODE_SECONDS)

    # --- explanations -----------------------------------------------------------------------------------------------

    def action_customer_explain(self) -> None:
        """Explain what stands in the row, or in the section when there is no row."""
        from kelmu_tui.screens.customer_pages import ExplainScreen

        row = self.rows.current if self.part is not None else None
        shown = None if self.file is None or self.part is None else self.file.sections.get(self.part)
        self.face.push_screen(ExplainScreen(row, self.part, shown))

    # --- what leaves ------------------------------------------------------------------------------------------------

    def action_customer_copy(self) -> None:
        """Choose a field of the row, or of the person, and hand it to the terminal's clipboard."""
        from kelmu_tui.screens.choose import ChooseScreen
        from kelmu_tui.services.customer_text import person_fields, row_fields

        t, file = self.face.t, self.file
        if file is None:
            return
        row = self.rows.current if self.part is not None else None
        if row is not None:
            fields = list(row_fields(row, t))
        else:
            person = file.person
            fields = [
                (t("customer_view.name"), f"{person.family_name}, {person.given_names}"),
                (t("customer_view.code"), mask(person.identity_code)),
                *person_fields(person, t),
            ]
        choices = [Choice(str(number), (label, text), text) for number, (label, text) in enumerate(fields)]

        def chosen(key: str | None) -> None:
            if key is not None:
                whole = row is None and int(key) == 1
                text = file.person.identity_code if whole else fields[int(key)][1]
                # As a task: the action that opened the dialog has ended, and the disk may not take the log.
                self.face.spawn("customer.copy", self._copy(text))

        self.face.push_screen(ChooseScreen(t("customer_view.choose_field"), choices, wide=True), chosen)

    async def _copy(self, text: str) -> None:
        try:
            held = await self.desk.run(self.desk.customers.copied, self.customer)
        except NotAllowed:
            held = False
        if held:
            self.send(text)
        else:
            self.say(self.face.t("customer_view.gone"), role="warn")

    def send(self, text: str) -> None:
        """Hand a text to the terminal's clipboard, and say honestly what is known of that."""
        try:
            self.face.send_copy(text)
        except TooLong:
            self.say(self.face.t("customer_view.too_long"), role="warn")
        else:
            self.say(self.face.t("customer_view.sent"), role="good")

    def action_customer_text(self) -> None:
        """Show the section, or from the overview the whole file, as text for the case file."""
        from kelmu_tui.screens.customer_pages import TextScreen

        self.face.push_screen(TextScreen(self.desk, self.customer, self.part))

    def action_customer_save(self) -> None:
        """Ask where to save the section, or from the overview the whole file."""
        from kelmu_tui.screens.customer_pages import ask_where

        if self.file is not None:
            ask_where(self, self.desk, self.customer, self.part)

    async def action_customer_follow(self) -> None:
        """Follow the customer for the case, or show that this is done already."""
        from kelmu_tui.screens.follow import begin_follow

        if self.file is not None:
            await begin_follow(self, self.desk, self.file)

    # --- looking up -------------------------------------------------------------------------------------------------

    def action_customer_another(self) -> None:
        """Look up another customer."""
        self.face.find_customer()

    def _query(self) -> LookUp | None:
        from kelmu_tui.services.customers import LookUp

        file = self.file
        if file is not None:
            return LookUp(file.purpose, customer=self.customer, case_reference=file.case_reference)
        case = self.desk.customers.last_case()
        if case is None:
            return None
        return LookUp(case.purpose, customer=self.customer, case_reference=case.case_reference)

    async def action_customer_fetch(self) -> None:
        """Fetch the file again, for the same purpose."""
        query = self._query()
        if query is None:
            self.face.find_customer(self._whom())
            return
        self.say(self.face.t("customer_view.fetching"))
        self.face.spawn("customer.fetch", self._fetch(query))

    async def _fetch(self, query: LookUp) -> None:
        from kelmu_tui.screens.looking_up import LookingUp, problem_text

        found = await LookingUp(self.face, self.desk, query).first()
        if not isinstance(found, str) and found is not None and self.alive:
            if not isinstance(found, NotAllowed) and found.code == "reason_needed":
                self.face.find_customer(self._whom())
            self.say(problem_text(found, self.face.t), role="alarm")

    def _whom(self) -> Whom:
        from kelmu_tui.screens.customer_find import Whom

        if self.file is None:
            return Whom(self.face.t("customer_view.same_customer"), customer=self.customer)
        person = self.file.person
        label = f"{person.family_name}, {person.given_names} {mask(person.identity_code)}"
        return Whom(label, customer=self.customer)

    async def action_customer_household(self) -> None:
        """Choose somebody in the household to look up, or all of them."""
        from kelmu_tui.screens.choose import ChooseScreen

        t, file, query = self.face.t, self.file, self._query()
        if file is None or query is None:
            return
        if not file.person.household:
            self.say(t("customer_view.nobody_else"), role="warn")
            return
        queries = self.desk.customers.household(query, file)
        if not queries:
            self.say(t("customer_view.household_closed"), role="warn")
            return
        everybody = Choice(EVERYBODY, (t("customer_view.everybody", count=len(queries)), ""))
        choices = [everybody] + [
            Choice(one.customer, (one.name, t.choice("kinds.relation", one.relation, one.relation)), one.masked_code)
            for one in file.person.household
        ]

        def chosen(key: str | None) -> None:
            wanted = [one for one in queries if key in (EVERYBODY, one.customer)]
            if wanted:
                self.say(t("customer_view.fetching"))
                self.face.spawn("customer.household", self._look_up_all(wanted))

        self.face.push_screen(ChooseScreen(t("customer_view.household_title"), choices, wide=True), chosen)

    async def _look_up_all(self, queries: list[LookUp]) -> None:
        """Look each up by a query of its own; one alone is shown, of several it is said how many came."""
        from kelmu_tui.api.errors import ApiError
        from kelmu_tui.screens.looking_up import LookingUp, problem_text

        t, found, hindered = self.face.t, list[str](), ""
        for query in queries:
            one = await LookingUp(self.face, self.desk, query).first()
            if isinstance(one, str):
                found.append(one)
            elif one is not None:
                hindered = problem_text(one, t)
                if not isinstance(one, ApiError) or one.retryable:
                    break  # the others would fare the same
        if len(queries) == 1 and found and self.face.screen is self:
            self.face.show_customer(found[0])
        elif hindered:
            self.say(hindered, role="alarm")
        else:
            self.say(t("customer_view.household_fetched", count=len(found), key=self.key_text("customer.another")))
