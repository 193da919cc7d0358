"""The app as it listens: to commits of the store, to the sync, and to mandates that change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kelmu_tui.domain.capabilities import CUSTOMER_LOOKUP, DOCUMENTS_SEND, PAYMENT_CLAIMS_REGISTER
from kelmu_tui.screens.base import KeyedScreen
from kelmu_tui.screens.commands import Commands
from kelmu_tui.screens.drafting import CLAIM
from kelmu_tui.screens.entrance import Entrance
from kelmu_tui.screens.sending_typing import DOCUMENTS, SendingTyping
from kelmu_tui.services.context import Context, activate
from kelmu_tui.services.known import OPENERS, SHUT_OUT
from kelmu_tui.services.session import SessionProblem, end_if_lost
from kelmu_tui.store.database import Changed, Store
from kelmu_tui.store.errors import StoreError, ViewsBarred
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync.status import Connection as Link
from kelmu_tui.sync.status import SyncStatus

if TYPE_CHECKING:
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.drafting import Typing
    from kelmu_tui.services.context import Connection
    from kelmu_tui.services.diagnostics import Diagnostics
    from kelmu_tui.services.following import Following
    from kelmu_tui.store.rows import View

CHANGE_SECONDS: Final = 0.03
"""Changes of the store that come closer together than this are told to the screens at once."""
QUIET: Final = frozenset({"view_event", "trouble", "state"})
"""Tables that no list shows: looking at a notice writes one of them, which must not make it be looked at again."""


class Watching(Entrance):
    """The part of the app that follows what happens below it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Make the app; the arguments are those of `Entrance`."""
        super().__init__(*arguments, **options)
        self._store: Store | None = None
        self._thread: StoreThread | None = None
        self._working: Context | None = None
        self._link: Connection | None = None
        self._status = SyncStatus()
        self._pending: list[Changed] = []
        self._revision: int | None = None
        self._renewing = False
        self._signed_out = False
        self._aside: Typing | None = None

    async def open_desk(self, context: Context) -> None:
        """Let the user work in `context`."""
        raise NotImplementedError

    async def stop_engine(self) -> None:
        """Stop talking to the backend."""
        raise NotImplementedError

    # --- what is being typed ----------------------------------------------------------------------------------------

    async def put_aside(self) -> None:
        """Keep what is being typed, since its dialog goes now; `take_up` brings it back."""
        typing, self.typing = self.typing, None
        if typing is None:
            return
        typing.close()
        self._aside = typing
        try:
            await typing.flush()
        except StoreError as error:
            self.report(error)

    async def take_up(self) -> None:
        """Go on with what was being typed when the desk before went, or say that it is kept."""
        aside, self._aside = self._aside, None
        desk, screen = self.desk, self.screen
        if aside is None or desk is None or aside.user != desk.session.user_id:
            return
        if not aside.text and not self._changing:
            return  # somebody has signed in meanwhile: an empty dialog is not what they wait for
        own = desk.session.organisation.business_id
        if aside.verb == CLAIM:
            await self._take_up_claim(aside, desk)
            return
        if isinstance(aside, SendingTyping):
            self._take_up_sending(aside, desk)
            return
        if aside.organisation == own and isinstance(screen, Commands) and await screen.take_up(aside.verb, aside.ids):
            return
        self.forget_keys()
        if aside.text:
            # From the app's own queue, as in `ask`: the screen at work now may be one that has gone.
            self.call_later(self._tell_kept)

    async def _take_up_claim(self, aside: Typing, desk: Desk) -> None:
        own = aside.organisation == desk.session.organisation.business_id
        if own and PAYMENT_CLAIMS_REGISTER in desk.session.capabilities:
            from kelmu_tui.screens.claim_acts import open_claim_form
            from kelmu_tui.screens.claim_begin import Begin

            await open_claim_form(self, desk, Begin.of_draft(aside.ids[0]) if aside.ids else Begin.new())
            return
        self.forget_keys()
        if aside.text:
            text, role = ("claim_form.lost", "alarm") if own else ("claim_form.draft_kept_there", "")
            self.call_later(self.say, self.t(text), role=role)

    def _take_up_sending(self, aside: SendingTyping, desk: Desk) -> None:
        if aside.given:
            self.call_later(self.say, self.t("sending_view.given"), role="good")
            return
        own = aside.organisation == desk.session.organisation.business_id
        if own and DOCUMENTS_SEND in desk.session.capabilities:
            from kelmu_tui.screens.sending_acts import open_sending_form

            open_sending_form(self, desk, aside.held)
            return
        self.forget_keys()
        if aside.text:
            self.call_later(self.say, self.t("sending_view.lost" if own else "sending_view.left"), role="alarm")

    async def _tell_kept(self) -> None:
        """A box, since whoever types on must not give commands with it."""
        from kelmu_tui.screens.confirm import ConfirmScreen

        def answered(show: bool | None) -> None:
            if show:
                self.action_main_outbox()

        t = self.t
        warning, deed, stay = t("inbox.draft_aside"), t("inbox.draft_show"), t("inbox.draft_go_on")
        self.forget_keys()
        await self.push_screen(ConfirmScreen(t("inbox.draft_aside_title"), warning, deed, stay), answered)

    # --- what comes from below --------------------------------------------------------------------------------------

    def _poke(self) -> None:
        if self._link is not None:
            self._link.engine.poke()

    def _upload_rate(self) -> float | None:
        return None if self._link is None else self._link.engine.upload_rate()

    def _heard(self, change: Changed) -> None:
        """The store changed; changes of the same moment are told together."""
        self._pending.append(change)
        if len(self._pending) == 1:
            self.set_timer(CHANGE_SECONDS, self._tell_changes)

    def _tell_changes(self) -> None:
        pending, self._pending = self._pending, []
        tables = frozenset().union(*(change.tables for change in pending))
        every = any(not change.keys for change in pending)
        keys = frozenset() if every else frozenset().union(*(change.keys for change in pending))
        if self.desk is None:
            return
        if tables - QUIET:
            self.store_changed(Changed(tables, keys))
            self.spawn("app.counts", self._count())
        else:
            self._tell_noted(Changed(tables, keys))

    def _tell_noted(self, change: Changed) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, KeyedScreen):
                screen.store_noted(change)

    async def _count(self) -> None:
        desk = self.desk
        if desk is None:
            return
        following = desk.following if CUSTOMER_LOOKUP in desk.session.capabilities else None
        # One unit: between two the user may sign out, and the store of the second would be gone.
        views, announcements, followed = await desk.run(_figures, desk, following)
        if desk is not self.desk:
            return  # another desk was opened meanwhile, over another replica
        self.counts.views, self.counts.announcements, self.counts.followed = views, announcements, followed
        self.update_frames()

    def _status_changed(self, status: SyncStatus) -> None:
        before, self._status = self._status, status
        known_as_ended = self._signed_out
        self.counts.outbox = status.queued + status.conflicts
        self.update_frames()
        if status.state is not Link.CONNECTING:  # another try, after a command for one, is no sign-in yet
            self._signed_out = status.state is Link.SIGNED_OUT
        if status.state is not before.state and not (known_as_ended and self._signed_out):
            self._tell_state(status)  # told once: what is done meanwhile has its own message
        if status.barred and not before.barred:
            self.shut(ViewsBarred())
        if status.conflicts > before.conflicts:
            text = self.t("outbox.new_conflict", count=status.conflicts - before.conflicts)
            self.say(text, role="alarm", hint=self.key_text("main.outbox"))
        shut_out = status.state is Link.PAUSED and status.problem in SHUT_OUT
        if (shut_out or status.session_revision != self._revision) and not self._renewing:
            self._renewing = True
            self.spawn("app.renew", self._renew(status.session_revision, shut_out=shut_out))

    def _tell_state(self, status: SyncStatus) -> None:
        if status.state is Link.SIGNED_OUT:
            self.say(self.t("sign_in.ended", key=self.key_text("main.sync")), role="alarm")
        elif status.state is Link.UPDATE_NEEDED:
            self.say(self.t.choice("errors.api", "schema_unknown"), role="alarm")

    async def _renew(self, revision: int | None, *, shut_out: bool) -> None:
        """The mandates changed: ask what is open now, and open the desk anew if that differs."""
        from kelmu_tui.api.errors import ApiError
        from kelmu_tui.services.network import renew_session

        connection, context, thread = self._link, self._working, self._thread
        try:
            if connection is None or context is None or thread is None:
                return
            client = connection.client
            asked = await renew_session(context.store, client, revision, shut_out=shut_out, run=thread.run)
            self._revision = revision
            if asked:
                await self._reopen_if_changed(context, thread)
        except ApiError:
            return  # the next status asks again
        finally:
            self._renewing = False

    async def _reopen_if_changed(self, context: Context, thread: StoreThread) -> None:
        own = context.active.organisation.business_id
        with self.keys_held():
            try:
                fresh = await thread.run(activate, self.where, context.store, own, self.ids, OPENERS)
            except SessionProblem:
                leading = self._link is not None and self._link.engine.leading
                await self.stop_engine()
                await self.enter(context.store)
                if leading:  # what another terminal leads is that one's to end
                    await thread.run(end_if_lost, context.store, own)
                aside, self._aside = self._aside, None
                self.say(self.t(_ended_text(aside)), role="alarm")
                self.forget_keys()
                return
            before, after = context.active, fresh.active
            if (after.capabilities, after.supervisor) != (before.capabilities, before.supervisor):
                await self.stop_engine()
                await self.open_desk(fresh)
                self.say(self.t("organisations.changed"), role="warn")

    # --- diagnostics ------------------------------------------------------------------------------------------------

    async def diagnose(self) -> Diagnostics | None:
        """Read the diagnostics of the store that is open; None when nobody is at work."""
        from kelmu_tui.services.diagnostics import examine

        context, thread = self._working, self._thread
        if context is None or thread is None:
            return None
        leading = self._link is not None and self._link.engine.leading
        return await thread.run(examine, context.store, context.session, leading=leading)

    def action_main_diagnostics(self) -> None:
        """Show where the sync stands and what went wrong."""
        from kelmu_tui.screens.diagnostics import DiagnosticsScreen

        if self._working is None:
            self.say(self.t("diagnostics.closed"), role="warn")
        elif not isinstance(self.screen, DiagnosticsScreen):
            self.push_screen(DiagnosticsScreen(self.diagnose))


def _ended_text(aside: Typing | None) -> str:
    """Return what is said when nothing is open any more that could show a text: that of a claim goes as well."""
    if aside is None or not aside.text:
        return "organisations.ended"
    texts = {CLAIM: "organisations.ended_claim", DOCUMENTS: "organisations.ended_documents"}
    return texts.get(aside.verb, "organisations.ended_typed")


def _figures(desk: Desk, following: Following | None) -> tuple[dict[View, int], int, int]:
    """Return what the tabs show: notices of each view, announcements, and news of those who are followed."""
    return desk.inbox.counts(), len(desk.announcements.current()), following.news() if following is not None else 0
