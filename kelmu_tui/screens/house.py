"""The full-screen app: who is signed in, for whom they work, and the screens that follow from it.

The inbox is painted from the local store before anything of the network is imported. Whatever changes who works for
whom (a sign-in, another organisation, a mandate that ended) closes the desk and opens another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from contextvars import Context as ContextVars
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, TypeVar

from textual.screen import Screen

from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP, DOCUMENTS_SEND, NOTICES_INBOX, PAYMENT_CLAIMS_REGISTER
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.i18n.failures import incident_text, store_text
from kelmu_tui.screens.asking import Asking
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.work import Work
from kelmu_tui.services.announcements import Announcements
from kelmu_tui.services.context import Context, activate, open_store
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.session import (
    ChooseOrganisation,
    KnownSession,
    NoSuchOrganisation,
    NothingOpens,
    NotSignedIn,
    Session,
    current_folder,
)
from kelmu_tui.store import expiry, lease
from kelmu_tui.store.database import Changed, Store
from kelmu_tui.store.errors import ClockBehind, KeysChanged, NotShown, StoreError, ViewsBarred
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync.leader import is_led
from kelmu_tui.sync.status import Connection as Link
from kelmu_tui.sync.status import SyncStatus, figures

if TYPE_CHECKING:
    from kelmu_tui.screens.about import Fact

Result = TypeVar("Result")

CLOCK_SECONDS: Final = 60.0
"""How often ages and days left are looked at again; nothing is painted when they read the same."""


class KelmuApp(Asking):
    """The app of one profile."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Make the app; the arguments are those of `Entrance`."""
        super().__init__(*arguments, **options)
        self._stack = AsyncExitStack()

    # --- starting ---------------------------------------------------------------------------------------------------

    def on_load(self) -> None:
        """Paint nothing before there is something to be read."""
        self.curtain.lower()

    def on_mount(self) -> None:
        """Open what there is."""
        self.set_interval(CLOCK_SECONDS, self._minute)
        self.watch_idle()
        self.spawn("app.start", self._start())

    async def _start(self) -> None:
        if self._somebody_else():
            await self.sign_in()
            return
        try:
            store = await self.with_passphrase(
                lambda ask: open_store(
                    self.where,
                    user=self.user,
                    backend_url=self.backend_url,
                    ask=ask,
                    clock=self.clock,
                    ids=self.ids,
                )
            )
        except NotSignedIn:
            await self.sign_in()
        except StoreError as error:
            await self.sign_in(store_text(self.t, error))
        else:
            await self.enter(store)
        self._tell_problems()

    def _somebody_else(self) -> bool:
        """Whether this terminal of the demo is for another persona than the one of last time.

        So it is when that one is at work in another terminal, and when the pages of the sign-in are wanted.
        """
        if self.demo is None or self.user is not None:
            return False
        if self.demo.browser:
            return True
        try:
            return is_led(current_folder(self.where))
        except NotSignedIn:
            return False

    def _tell_problems(self) -> None:
        problems = len(self.loaded.problems) + len(self.keymap.problems)
        aside = self._incident_text(self._store)
        if aside:
            self.say(aside, role="alarm")
        elif problems:
            hint = self.key_text("app.about")
            self.say(self.t("common.settings_problems", count=problems, key=hint), role="warn")

    def _incident_text(self, store: Store | None) -> str:
        """Return which files of the store were broken and moved aside, empty when none was."""
        return incident_text(self.t, store.incidents) if store is not None else ""

    def _minute(self) -> None:
        """Look at what only time changes; after the machine's sleep the idle time has come before its timer."""
        self.look_idle()
        self.update_frames()
        context, thread = self._working, self._thread
        if context is not None and thread is not None and not self.locked:
            self.spawn("app.lease", self._look_after(context, thread))

    async def _look_after(self, context: Context, thread: StoreThread) -> None:
        """See that what may not be shown or kept any more goes, also while nothing is heard from the backend."""
        await thread.run(_hold, context)
        while self._working is context and not await thread.run(expiry.step, context.store):
            pass  # one step after the other, and whatever else waits for the store's thread in between

    def shut(self, why: NotShown) -> None:
        """Leave what may not be shown any more and ask for a sign-in, which is a connection as well."""
        if self._working is not None:
            self._working = None
            self.spawn("app.shut", self._shut(why))

    async def _shut(self, why: NotShown) -> None:
        await self.leave()
        await self.sign_in(self._why_shut(why))

    def _why_shut(self, why: NotShown) -> str:
        if isinstance(why, ViewsBarred):
            return self.t.choice("errors.store", why.code)
        return self.t("sign_in.clock_behind" if isinstance(why, ClockBehind) else "sign_in.lease_over")

    # --- the desk ---------------------------------------------------------------------------------------------------

    async def enter(self, store: Store, organisation: str | None = None) -> None:
        """Let the user of `store` work for an organisation, or explain why that is not possible."""
        self._store = store
        if self._thread is None:
            self._thread = StoreThread(store)
            loop = asyncio.get_running_loop()
            # Timers look up the app in the context; the store's thread has none of its own.
            own = copy_context()
            self._stack.callback(store.listen(lambda change: _on_loop(loop, own, self._heard, change)))
        run = self._thread.run
        while True:
            try:
                context = await run(activate, self.where, store, organisation, self.ids, OPENERS)
            except ChooseOrganisation:
                organisation = await self._choose(await run(Session(store).known), None, must_choose=True)
                if organisation is None:
                    return
            except NoSuchOrganisation:
                organisation = None
            except NothingOpens:
                await self._show_closed(await run(Session(store).known))
                return
            except KeysChanged as changed:
                await self.ask_anew(changed)
            except (NotSignedIn, NotShown) as problem:
                # A broken ledger was moved aside: the store that knows of it is closed before anybody signs in.
                aside = self._incident_text(store)
                await self.leave()
                await self.sign_in(self._why_shut(problem) if isinstance(problem, NotShown) else aside)
                return
            else:
                await self.open_desk(context)
                return

    async def open_desk(self, context: Context) -> None:
        self._working = context
        self.backend_url = self.backend_url or context.backend_url
        thread = self._thread
        assert thread is not None
        known = await thread.run(context.session.known)
        if not self._language_chosen and known.language != self.t.language:
            self.set_language(known.language)
        found = await thread.run(figures, context.store)
        self._status = SyncStatus(
            Link.CONNECTING,
            found.synced_at,
            found.queued,
            found.conflicts,
            found.refreshing,
            found.filled,
            found.expected,
            session_revision=found.session_revision,
        )
        self._revision = found.session_revision
        self.desk = Desk(
            context.active,
            thread.run,
            context.inbox,
            context.outbox,
            context.drafts,
            Announcements(context.store, self.clock),
            lambda: self._status,
            self._poke,
            lambda: context.customers,
            self._look_up,
            lambda: context.following,
            lambda: self._look_up_log(context.active),
            lambda: context.lists,
            self._refresh_lists,
            self._fetch_list,
            lambda: context.invoices,
            self._refresh_invoices,
            lambda: context.own_data,
            lambda: context.claims,
            self._tell_editing,
            lambda: context.sendings,
            self._upload_rate,
        )
        self.work = Work(self, self.desk)
        self.curtain.lower(then=self._settle_in)
        await self._show_only(self._first_screen(self.desk))
        await self.take_up()

    @staticmethod
    def _first_screen(desk: Desk) -> Screen[Any]:
        """Return the inbox, or where the mandates open none the first of what they open."""
        opened = desk.session.capabilities
        if NOTICES_INBOX in opened:
            return InboxScreen(desk)
        if CUSTOMER_LOOKUP in opened:
            from kelmu_tui.screens.customers import CustomersScreen

            return CustomersScreen(desk)
        if PAYMENT_CLAIMS_REGISTER in opened:
            from kelmu_tui.screens.claims import ClaimsScreen

            return ClaimsScreen(desk)
        if DOCUMENTS_SEND in opened:
            from kelmu_tui.screens.documents import DocumentsScreen

            return DocumentsScreen(desk)
        from kelmu_tui.domain.lists import ListKind, lists

        if any(one.id in opened and one.kind is ListKind.INVOICE for one in lists().values()):
            from kelmu_tui.screens.invoices import InvoicesScreen

            return InvoicesScreen(desk)
        from kelmu_tui.screens.list_shelf import ListsScreen

        return ListsScreen(desk)

    async def _show_only(self, screen: Screen[Any]) -> None:
        """Put `screen` in place of everything that is shown."""
        await self.put_aside()
        self.drop_reserve()
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        await self.push_screen(screen)

    def _settle_in(self) -> None:
        """Do what the first painting of the rows need not wait for: count, and begin to talk to the backend."""
        self.spawn("app.counts", self._count())
        self.talk()

    async def clear_desk(self) -> None:
        """Take away everything that reads the replica, so that it may go."""
        await self.put_aside()
        self.drop_reserve()
        await self.stop_engine()
        self.desk = self.work = self._working = None
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    async def leave(self) -> None:
        """Close the desk and the store."""
        await self.clear_desk()
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        thread, store, self._thread, self._store = self._thread, self._store, None, None
        if thread is not None:
            await asyncio.to_thread(thread.close)
        if store is not None:
            await asyncio.to_thread(store.close)

    async def on_unmount(self) -> None:
        """Stop everything and close the store."""
        await self.put_aside()
        self.desk = self.work = self._working = None  # what still comes from timers finds nothing to do
        await self.stop_engine()
        await self.tasks.close()
        await self._stack.aclose()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.close)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    # --- places -----------------------------------------------------------------------------------------------------

    def action_main_sync(self) -> None:
        """Ask the backend now; when the session has ended, sign in again first."""
        if self._signed_out:
            self._signed_out = False
            self.spawn("app.sign_in_again", self._sign_in_again())
            return
        self._poke()
        self.say(self.t("common.syncing"))

    async def _sign_in_again(self) -> None:
        await self.leave()
        await self.sign_in()

    def action_main_organisation(self) -> None:
        """Work for another organisation."""
        self.spawn("app.organisation", self._switch())

    async def _switch(self) -> None:
        context, thread = self._working, self._thread
        if context is None or thread is None:
            return
        known = await thread.run(context.session.known)
        current = context.active.organisation.business_id
        chosen = await self._choose(known, current, must_choose=False)
        if chosen is not None and chosen != current:
            await self.clear_desk()
            await self.enter(context.store, chosen)

    async def _choose(self, known: KnownSession, current: str | None, *, must_choose: bool) -> str | None:
        from kelmu_tui.screens.organisations import OrganisationsScreen

        return await self.ask(OrganisationsScreen(known, current, must_choose=must_choose))

    async def _show_closed(self, known: KnownSession) -> None:
        from kelmu_tui.screens.closed import ClosedScreen

        self.desk = self.work = self._working = None
        await self._show_only(ClosedScreen(known))

    # --- small things -----------------------------------------------------------------------------------------------

    def language_chosen(self, language: str) -> None:
        """Remember the language for the next start."""
        self._language_chosen = True
        self.settings = self.settings._replace(language=language)
        if self.where.ephemeral:
            return
        from kelmu_tui.platform.settings_file import write

        with suppress(OSError):
            write(self.where.settings, "language", language)

    async def facts(self) -> list[Fact]:
        """Return versions, places and states for the about screen."""
        from kelmu_tui.screens.facts import collect

        return await collect(self)


def _hold(context: Context) -> None:
    """See whether what is here may still be shown, and let go what a mandate opens no more that has ended by date."""
    lease.check(context.store)
    context.session.hold(context.active.organisation.business_id, local_date(context.clock.now()))


def _on_loop(
    loop: asyncio.AbstractEventLoop, own: ContextVars, function: Callable[[Changed], None], change: Changed
) -> None:
    """Call `function` on the app's loop; the store's thread may outlive it by a moment."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function, change, context=own)
