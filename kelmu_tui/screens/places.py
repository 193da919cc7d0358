"""The app as it goes from place to place: sections above the inbox, and a customer's file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from textual.screen import Screen

from kelmu_tui.actions import Action
from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP, DOCUMENTS_SEND, PAYMENT_CLAIMS_REGISTER, Denied
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.screens.curtain import Curtain
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.one_by_one import OneByOne

if TYPE_CHECKING:
    from kelmu_tui.screens.base import KeyedScreen
    from kelmu_tui.screens.claim_work import ClaimWork
    from kelmu_tui.screens.customer import CustomerScreen
    from kelmu_tui.screens.customer_find import Whom
    from kelmu_tui.screens.exports import Exports
    from kelmu_tui.screens.face import Face
    from kelmu_tui.screens.fetches import Fetches
    from kelmu_tui.screens.reserve import Reserve
    from kelmu_tui.screens.reviews import Reviews
    from kelmu_tui.screens.sending_work import SendingWork

EXPLAINED: Final = {
    CUSTOMER_LOOKUP: "main.customer",
    PAYMENT_CLAIMS_REGISTER: "main.claims",
    DOCUMENTS_SEND: "main.documents",
}
"""Capabilities whose lack is explained on a page of its own, and the section that the page stands for."""


class Places(OneByOne, inherit_bindings=False):
    """Where the user can go; `desk` is None while nobody works."""

    desk: Desk | None
    curtain: Curtain
    tasks: Tasks
    _reserve: Reserve[CustomerScreen] | None = None
    _fetches: Fetches | None = None
    _exports: Exports | None = None
    _reviews: Reviews | None = None
    _claim_work: ClaimWork | None = None
    _sending_work: SendingWork | None = None

    def spawn(self, name: str, work: Any) -> None:
        """Start a task of the app."""
        self.tasks.spawn(name, work)

    def _to_section(self, make: Callable[[Desk], Screen[Any]]) -> None:
        """Show a section above the first screen, unless it is that; another section in between goes."""
        if self.desk is None:
            return
        while len(self.screen_stack) > 2:
            self.pop_screen()
        section = make(self.desk)
        if type(section) is not type(self.screen):
            self.push_screen(section)

    def action_main_inbox(self) -> None:
        """Go to the inbox."""
        while len(self.screen_stack) > 2:
            self.pop_screen()

    def action_main_customer(self) -> None:
        """Look a customer up."""
        self.find_customer()

    def explain_closed(self, action: Action) -> bool:
        """Show why an action is closed to the user and whom to ask; False where a sentence says it."""
        capability = action.capability
        if capability not in EXPLAINED or self.desk is None:
            return False
        self.spawn("part.closed", self._explain_part(self.desk, capability))
        return True

    async def _explain_part(self, desk: Desk, capability: str) -> None:
        from kelmu_tui.screens.closed import ClosedPartScreen

        found = await desk.run(desk.customers.explain_capability, capability)
        if isinstance(found, Denied):
            await self.push_screen(ClosedPartScreen(found, capability, EXPLAINED[capability]))

    def find_customer(self, whom: Whom | None = None, purpose: str = "") -> None:
        """Ask for whom and for what a customer is looked up, and show what comes; `purpose` stands there at first."""
        if self.desk is not None:
            from kelmu_tui.screens.customer_find import FindScreen

            self.push_screen(FindScreen(self.desk, whom, purpose), self.show_customer)

    def show_customer(self, customer: str | None) -> None:
        """Show a customer's file in place of another's."""
        if self.desk is None or customer is None:
            return
        from kelmu_tui.screens.customer import CustomerScreen

        self.curtain.lower()
        if isinstance(self.screen, CustomerScreen):
            self.pop_screen()
        screen = self._customers_reserve().take()
        screen.begin(customer)
        self.push_screen(screen)

    def prepare_customer(self) -> None:
        """Put a screen together for the customer who will be shown next."""
        if self.desk is not None and CUSTOMER_LOOKUP in self.desk.session.capabilities:
            self._customers_reserve().prepare()

    def drop_reserve(self) -> None:
        """The desk goes: nothing made for it stays."""
        if self._reserve is not None:
            self._reserve.drop()

    def _customers_reserve(self) -> Reserve[CustomerScreen]:
        if self._reserve is None:
            from kelmu_tui.screens.customer import CustomerScreen
            from kelmu_tui.screens.reserve import Reserve

            def make() -> CustomerScreen:
                assert self.desk is not None
                screen = CustomerScreen(self.desk)
                self.fit(screen)
                return screen

            self._reserve = Reserve(self, make, lambda: (self.desk, *self.look))
        return self._reserve

    def fit(self, screen: KeyedScreen[Any]) -> None:
        """Give a screen the classes of the terminal's size before it is styled."""
        raise NotImplementedError

    @property
    def look(self) -> tuple[object, ...]:
        """What a screen is put together for: when it changes, screens have to be made anew or told."""
        raise NotImplementedError

    def action_main_sync(self) -> None:
        """Ask the backend now."""
        if self.desk is not None:
            self.desk.poke()

    def action_main_history(self) -> None:
        """Go to the user's own look-ups."""
        from kelmu_tui.screens.history import HistoryScreen

        self._to_section(HistoryScreen)

    def action_main_supervision(self) -> None:
        """Go to the look-ups of the organisation."""
        from kelmu_tui.screens.supervision import SupervisionScreen

        self._to_section(SupervisionScreen)

    def action_main_claims(self) -> None:
        """Go to the payment claims."""
        from kelmu_tui.screens.claims import ClaimsScreen

        self._to_section(ClaimsScreen)

    def show_claim(self, claim: str) -> None:
        """Show one claim above what is shown."""
        if self.desk is not None:
            from kelmu_tui.screens.claim import ClaimScreen

            self.push_screen(ClaimScreen(self.desk, claim))

    def claim_work(self, desk: Desk) -> ClaimWork:
        """Return what was done with claims at a desk."""
        if self._claim_work is None or self._claim_work.desk is not desk:
            from kelmu_tui.screens.claim_work import ClaimWork

            self._claim_work = ClaimWork(cast("Face", self), desk)
        return self._claim_work

    def action_main_documents(self) -> None:
        """Go to the documents that are sent to Kela."""
        from kelmu_tui.screens.documents import DocumentsScreen

        self._to_section(DocumentsScreen)

    def show_sending(self, sending: str) -> None:
        """Show one sending above what is shown."""
        if self.desk is not None:
            from kelmu_tui.screens.sending import SendingScreen

            self.push_screen(SendingScreen(self.desk, sending))

    def sending_work(self, desk: Desk) -> SendingWork:
        """Return what was sent at a desk."""
        if self._sending_work is None or self._sending_work.desk is not desk:
            from kelmu_tui.screens.sending_work import SendingWork

            self._sending_work = SendingWork(cast("Face", self), desk)
        return self._sending_work

    def action_main_outbox(self) -> None:
        """Go to the commands."""
        from kelmu_tui.screens.outbox import OutboxScreen

        self._to_section(OutboxScreen)

    def action_main_announcements(self) -> None:
        """Go to the announcements."""
        from kelmu_tui.screens.announcements import AnnouncementsScreen

        self._to_section(AnnouncementsScreen)

    def action_main_followed(self) -> None:
        """Go to the customers who are followed."""
        self.show_followed()

    def show_followed(self, follow: str | None = None) -> None:
        """Show the customers who are followed, one of them under the cursor."""
        from kelmu_tui.screens.followed import FollowedScreen

        self._to_section(lambda desk: FollowedScreen(desk, follow))

    def fetches(self, desk: Desk) -> Fetches:
        """Return what is being fetched at a desk."""
        if self._fetches is None or self._fetches.desk is not desk:
            from kelmu_tui.screens.fetches import Fetches

            self._fetches = Fetches(cast("Face", self), desk)
        return self._fetches

    def exports(self, desk: Desk) -> Exports:
        """Return what is being exported at a desk."""
        if self._exports is None or self._exports.desk is not desk:
            from kelmu_tui.screens.exports import Exports

            self._exports = Exports(cast("Face", self), desk)
        return self._exports

    def reviews(self, desk: Desk) -> Reviews:
        """Return what is being reviewed at a desk."""
        if self._reviews is None or self._reviews.desk is not desk:
            from kelmu_tui.screens.reviews import Reviews

            self._reviews = Reviews(cast("Face", self), desk)
        return self._reviews

    def action_main_lists(self) -> None:
        """Go to the lists."""
        from kelmu_tui.screens.list_shelf import ListsScreen

        self._to_section(ListsScreen)

    def action_main_invoices(self) -> None:
        """Go to Kela's invoices."""
        from kelmu_tui.screens.invoices import InvoicesScreen

        self._to_section(InvoicesScreen)

    def action_app_about(self) -> None:
        """Show versions, places and the connection."""
        from kelmu_tui.screens.about import AboutScreen

        if not isinstance(self.screen, AboutScreen):
            self.push_screen(AboutScreen())
