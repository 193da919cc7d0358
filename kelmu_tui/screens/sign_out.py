"""Signing out with something that is not sent yet: it is sent first, kept, or discarded, as the user says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList

SEND, KEEP, DISCARD = "send", "keep", "discard"


class SignOutScreen(Dialog[str]):
    """Answers `SEND` when everything has been sent, `KEEP` or `DISCARD`; the cursor begins on going on to work."""

    CONTEXT: ClassVar[Context] = Context.CONFIRM

    def __init__(self, count: int, send: Callable[[], Awaitable[int]], *, keep: bool) -> None:
        """Ask.

        Args:
            count: commands that have not been sent.
            send: tries to send them and returns how many are left.
            keep: whether they can be kept: not where nothing is.
        """
        super().__init__()
        self._count = count
        self._send = send
        self._keep = keep
        self._sending = False

    def _choices(self) -> Sequence[Choice]:
        t = self.face.t
        choices = [Choice("", (t("sign_in.out_stay"),)), Choice(SEND, (t("sign_in.out_send"),))]
        if self._keep:
            choices.append(Choice(KEEP, (t("sign_in.out_keep"),)))
        return (*choices, Choice(DISCARD, (t("sign_in.out_discard"),)))

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        yield self.box(
            t("sign_in.out_title"),
            Caption(t("sign_in.out_unsent", count=self._count), role=""),
            PickList((Column("name", "", 12, most=60),), glyphs=self.face.glyphs, id="picks"),
            Caption(t("sign_in.out_warning"), id="effect"),
            Caption(self.hint_line("dialog.accept", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Offer the answers."""
        picks = self.query_one(PickList)
        picks.offer(self._choices())
        picks.styles.height = len(self._choices())

    def action_dialog_accept(self) -> None:
        """Answer, or send first."""
        choice = self.query_one(PickList).current
        if self._sending or choice is None:
            return
        if choice.key == SEND:
            self._sending = True
            self.query_one("#effect", Caption).show(self.face.t("sign_in.out_sending"), role="accent")
            self.face.spawn("sign_out.send", self._try_to_send())
        else:
            self.dismiss(choice.key or None)

    async def _try_to_send(self) -> None:
        try:
            left = await self._send()
        finally:
            self._sending = False
        if not self.alive:
            return  # the user thought better of it
        if left:
            self.query_one("#effect", Caption).show(self.face.t("sign_in.out_not_sent", count=left), role="alarm")
        else:
            self.leave_with(SEND)

    def action_dialog_down(self) -> None:
        """Point at the next answer."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the answer before."""
        self.query_one(PickList).move(-1)

    def action_dialog_next(self) -> None:
        """Point at the next answer."""
        self.query_one(PickList).move(1)

    def action_dialog_previous(self) -> None:
        """Point at the answer before."""
        self.query_one(PickList).move(-1)
