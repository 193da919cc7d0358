"""What can be done with sendings: make, take back, let go on, explain, and have the receipt as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kelmu_tui.screens.base import FramedScreen
from kelmu_tui.screens.sending_cells import Way
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.sendings import NotPossible
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.sendings import SendingLine
from kelmu_tui.terminal.clipboard import TooLong

if TYPE_CHECKING:
    from collections.abc import Callable

    from kelmu_tui.actions import State
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.face import Face
    from kelmu_tui.screens.sending_form import Begin
    from kelmu_tui.screens.sending_work import SendingWork


class SendingActs(FramedScreen[None]):
    """The actions of the screens of sendings."""

    desk: Desk

    @property
    def chosen(self) -> SendingLine | None:
        """The sending under the cursor or on the page."""
        raise NotImplementedError

    def acted(self) -> None:
        """Something was done: what is shown is read anew."""
        raise NotImplementedError

    @property
    def sending_work(self) -> SendingWork:
        """What was sent at this desk."""
        return self.face.sending_work(self.desk)

    @property
    def way(self) -> Way:
        """How it is with what documents go up on."""
        return Way(self.face.online, self.desk.upload_rate())

    def sendings_state(self, selected: int) -> State:
        """Return what decides over the actions."""
        return self.face.state(selected=selected, can_undo=self.sending_work.can_undo)

    # --- commands ---------------------------------------------------------------------------------------------------

    def action_documents_new(self) -> None:
        """Send documents."""
        open_sending_form(self.face, self.desk, done=self.acted)

    def action_documents_cancel(self) -> None:
        """Ask before a sending is taken back."""
        from kelmu_tui.screens.confirm import ConfirmScreen

        line, t = self.chosen, self.face.t
        if line is None:
            return
        if line.receipt is not None:
            self.say(t("sending_view.too_late"), role="warn")
            return

        async def answered(deed: bool | None) -> None:
            if deed:
                await self._cancel(line.id)

        self.face.push_screen(
            ConfirmScreen(
                t("sending_view.cancel_title"),
                t("sending_view.cancel_warning", count=len(line.documents)),
                t("sending_view.cancel_deed"),
                t("sending_view.cancel_stay"),
            ),
            answered,
        )

    async def _cancel(self, sending: str) -> None:
        if await self._do(self.desk.sendings.cancel, sending):
            self.sending_work.ended(sending)
            self.say(self.face.t("sending_view.cancelled"), role="good")

    async def action_documents_retry(self) -> None:
        """Let a sending go on now, or give it again."""
        line, t = self.chosen, self.face.t
        if line is None:
            return
        if line.receipt is not None:
            self.say(t("sending_view.received_already"), role="warn")
        elif await self._do(self.desk.sendings.retry, line.id):
            self.say(t("sending_view.retried") if self.face.online else t("sending_view.retried_offline"), role="good")

    async def _do(self, deed: Callable[[str], None], sending: str) -> bool:
        """Do something with a sending, and tell whether it was possible; say why when it was not."""
        t = self.face.t
        try:
            await self.desk.run(deed, sending)
        except NotPossible as failure:
            self.say(t.choice("sending_view.not_possible", failure.reason), role="warn")
            return False
        except NotAllowed:
            self.say(t("sending_view.closed"), role="warn")
            return False
        except StoreError as failure:  # a dialog may have asked for this, after the action that opened it has ended
            self.face.store_failed(failure)
            return False
        finally:
            self.acted()
        self.desk.poke()
        return True

    async def action_main_undo(self) -> None:
        """Take back what was sent last."""
        await self.sending_work.undo()
        self.acted()

    # --- looking ----------------------------------------------------------------------------------------------------

    def action_documents_copy(self) -> None:
        """Hand the receipt, or how it stands, to the terminal's clipboard as text."""
        line = self.chosen
        if line is not None:
            self.face.spawn("documents.copy", self._copy(line.id))

    async def _copy(self, sending: str) -> None:
        from kelmu_tui.services.sending_text import sending_text

        t = self.face.t
        try:
            line: SendingLine | None = await self.desk.run(self.desk.sendings.leaving, sending)
        except NotAllowed:
            line = None
        if line is None:
            self.say(t("sending_view.gone"), role="warn")
            return
        try:
            self.face.send_copy(sending_text(line, self.desk.session, t, self.face.now()))
        except TooLong:
            self.say(t("customer_view.too_long"), role="warn")
        else:
            self.say(t("customer_view.sent"), role="good")

    def action_documents_explain(self) -> None:
        """Explain states, limits, and what becomes of the documents."""
        from kelmu_tui.screens.sending_explain import SendingExplainScreen

        line = self.chosen
        self.face.push_screen(SendingExplainScreen(None if line is None else line.state))


def open_sending_form(
    face: Face, desk: Desk, begin: Begin | None = None, done: Callable[[], None] | None = None
) -> None:
    """Show the form of a sending; what it sent can be taken back."""
    from kelmu_tui.screens.sending_form import Begin, SendingFormScreen

    def formed(sending: str | None) -> None:
        if sending is not None:
            face.sending_work(desk).gave(sending)
        if done is not None:
            done()

    face.push_screen(SendingFormScreen(desk, begin or Begin()), formed)
