"""The form of a sending as it is sent or left: what hinders it, sealing beside the screen, queueing."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from kelmu_tui.domain.documents import limits
from kelmu_tui.screens.base import FramedScreen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.sealing import Request, Sealed, SendRefused
from kelmu_tui.services.sending_typing import ReadRequest, SendField
from kelmu_tui.services.sendings import FileRefused
from kelmu_tui.store.errors import NotShown, StoreError, StoreLocked

if TYPE_CHECKING:
    from kelmu_tui.actions import Action
    from kelmu_tui.screens.desk import Desk
    from kelmu_tui.screens.sending_files import Attachments
    from kelmu_tui.screens.sending_typing import SendingTyping
    from kelmu_tui.services.code_typing import Typed

FILES: Final = "files"
"""Id of the list of files."""
WHILE_SEALING: Final = frozenset({"sending_form.leave", "app.lock", "app.quit"})
"""What can be done while copies are sealed; to leave says what to wait for."""


class SendingFormGiving(FramedScreen[str]):
    """The end of the form.

    Attributes:
        sealing: how many files are sealed and how many there are, while they are.
        barred: the mandate has ended meanwhile.
    """

    desk: Desk
    values: dict[str, str]
    files: Attachments
    visited: set[SendField]
    code: Typed
    who: str
    barred: bool
    typing: SendingTyping
    sealing: tuple[int, int] | None = None

    if TYPE_CHECKING:

        def read(self) -> ReadRequest:
            """Read the fields."""
            ...

        def go_to(self, where: SendField | str) -> None:
            """Give a field or the list of files the focus."""

        def point(self, key: str) -> None:
            """Put the cursor on a file."""

        def show_all(self) -> None:
            """Show files and notes anew."""

        def show_told(self) -> None:
            """Tell what is to be told."""

    # --- sending ----------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether it is being sent or has been: what would change it comes too late."""
        return self.sealing is not None or self.parting

    async def perform(self, action: Action) -> None:
        """While it is sealed nothing is changed any more, and no dialog is put over it."""
        if self.sealing is not None and action.id not in WHILE_SEALING:
            self.say(self.face.t("sending_view.wait_for_seal"), role="warn")
        else:
            await super().perform(action)

    def hindrance(self, read: ReadRequest) -> tuple[SendField | str, str] | None:
        """Return where the first thing stands that hinders the sending, and what it is; None when nothing does."""
        from kelmu_tui.screens.sending_form import fault_text

        t, files = self.face.t, self.files.all
        if self.code.code is None:
            return SendField.CUSTOMER, t("sending_view.customer_missing")
        for where, fault in read.faults.items():
            return where, fault_text(where, fault, t)
        if not files:
            return FILES, t("sending_view.no_files_yet", key=self.key_text("sending_form.add"))
        most = limits().files
        if len(files) > most:
            return FILES, t("sending_view.too_many", count=len(files) - most, most=most)
        for one in files:
            if one.waits:
                said = t("sending_view.still_checked")
            elif not one.ready:
                said = t("sending_view.file_hinders", file=one.short, key=self.key_text("sending_form.look"))
            elif not one.kind:
                said = t("sending_view.kind_missing", file=one.short, key=self.key_text("sending_form.kind"))
            else:
                continue
            self.point(one.key)
            return FILES, said
        return None

    def action_sending_form_preview(self) -> None:
        """Show what goes to Kela, or say what hinders it."""
        from kelmu_tui.screens.sending_preview import SendingPreviewScreen

        if self.busy:
            return
        self.visited.update(SendField)
        self.show_told()
        read = self.read()
        hindered = self.hindrance(read)
        if hindered is not None:
            where, said = hindered
            self.go_to(where)
            self.say(said, role="alarm")
            return
        request = self._request(read)

        def answered(send: bool | None) -> None:
            if send and not self.busy:
                self.sealing = (0, len(request.files))
                self.show_told()
                self.face.spawn("sending.send", self._send(request))

        self.face.push_screen(SendingPreviewScreen(request, list(self.files.all)), answered)

    def _request(self, read: ReadRequest) -> Request:
        assert self.code.code is not None
        assert read.asked_on is not None
        files = [one.file(self.face.t) for one in self.files.all]
        return Request(self.code.code, self.who, read.asked_by, read.asked_on, read.way, read.case, files)

    async def _send(self, request: Request) -> None:
        try:
            sending = await self._seal_and_commit(request)
        finally:
            self.sealing = None
            if self.alive:
                self.show_all()
        if sending is None or not self.alive:
            return
        said, role = ("sent_now", "good") if self.face.online else ("sent_later", "warn")
        self.leave_with(sending, self.face.t.choice("sending_view.done", said), role=role)

    async def _seal_and_commit(self, request: Request) -> str | None:
        """Return the id of the sending, None when it came to nothing, which has been said."""
        from kelmu_tui.services.sending_words import why_sending

        t, sendings = self.face.t, self.desk.sendings
        loop = asyncio.get_running_loop()

        def hear(done: int, whole: int) -> None:
            loop.call_soon_threadsafe(self._sealed, done, whole)

        try:
            await self.desk.run(sendings.hold)
            made: Sealed = await asyncio.to_thread(sendings.seal, request, hear)
            if not self.alive:
                made.discard()
                return None
            # From now on the form is not offered again, whoever takes it away meanwhile: it must not go twice.
            self.typing.given = True
            sending: str = await self.desk.run(partial(sendings.commit, made))
        except SendRefused as refused:
            self.say(why_sending(refused, t), role="alarm")
        except FileRefused as refused:
            self.files.refuse(refused)
            for one in self.files.all:
                if one.path == refused.path:
                    self.point(one.key)
                    key = self.key_text("sending_form.look")
                    self.say(t("sending_view.file_hinders", file=one.short, key=key), role="alarm")
        except NotAllowed:
            self.barred = True
            self.say(t("sending_view.closed"), role="alarm")
        except NotShown:
            self.barred = True
        except StoreLocked:  # the screen was locked meanwhile; it is all still there
            self.say(t("sending_view.locked_meanwhile"), role="warn")
        except StoreError as failure:
            self.face.store_failed(failure)
        else:
            return sending
        self.typing.given = False
        return None

    def _sealed(self, done: int, whole: int) -> None:
        if self.alive and self.sealing is not None:
            self.sealing = (done, whole)
            self.show_told()

    # --- leaving ----------------------------------------------------------------------------------------------------

    def action_sending_form_leave(self) -> None:
        """Leave; when there is something to lose, after asking. The files stay where they are on the disk."""
        from kelmu_tui.screens.confirm import ConfirmScreen

        t = self.face.t
        if self.sealing is not None:
            self.say(t("sending_view.wait_for_seal"), role="warn")
            return
        if not self.files.all:
            self.leave_with(None)
            return

        def answered(leave: bool | None) -> None:
            if leave:
                self.leave_with(None)

        title, warning = t("sending_view.leave_title"), t("sending_view.leave_warning")
        self.face.push_screen(
            ConfirmScreen(title, warning, t("sending_view.leave_deed"), t("sending_view.leave_stay")), answered
        )
