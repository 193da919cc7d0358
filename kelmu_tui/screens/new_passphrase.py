"""Choosing what opens the encrypted files from now on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.screens.base import Dialog
from kelmu_tui.screens.passphrase import MAX_PASSPHRASE
from kelmu_tui.widgets.chrome import Caption, Labelled
from kelmu_tui.widgets.text_field import LineField


class NewPassphraseScreen(Dialog[None]):
    """Asks for the passphrase of now, if there is one, and twice for the new one."""

    CONTEXT: ClassVar[Context] = Context.CONFIRM

    def __init__(self, save: Callable[[str, str], Awaitable[str]], *, asks_old: bool) -> None:
        """Ask; `save` gets the old and the new one and returns what hinders it, empty when nothing does."""
        super().__init__()
        self._save = save
        self._asks_old = asks_old
        self._saving = False

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        labels = {"new": t("lock.new"), "again": t("common.passphrase_again")}
        if self._asks_old:
            labels = {"old": t("lock.old"), **labels}
        fields = [
            Labelled(label, LineField(id=name, secret=True, max_length=MAX_PASSPHRASE))
            for name, label in labels.items()
        ]
        yield self.box(
            t("lock.change_title"),
            Caption(t("lock.change" if self._asks_old else "lock.from_keyring"), role="", id="about"),
            *fields,
            Caption(t("lock.rules"), id="effect"),
            Caption(self.hint_line("dialog.accept", "dialog.next", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Begin to type."""
        self.set_focus(self._fields()[0])

    def _fields(self) -> list[LineField]:
        return list(self.query(LineField))

    def action_dialog_accept(self) -> None:
        """Go to the first field that is empty, then save."""
        fields = self._fields()
        empty = next((field for field in fields if not field.value), None)
        if empty is not None:
            self.set_focus(empty)
            return
        *before, new, again = fields
        if new.value != again.value:
            self._hindered(self.face.t("common.passphrase_differs"))
        elif not self._saving:
            self._saving = True
            self.query_one("#effect", Caption).show(self.face.t("lock.changing"), role="dim")
            self.face.spawn("passphrase.save", self._try(before[0].value if before else "", new.value))

    async def _try(self, old: str, new: str) -> None:
        try:
            problem = await self._save(old, new)
        finally:
            self._saving = False
        if not self.alive:
            return
        if problem:
            self._hindered(problem)
        else:
            self.leave_with(None)

    def _hindered(self, problem: str) -> None:
        """Say what hinders it; secrets are typed anew."""
        self.query_one("#effect", Caption).show(problem, role="alarm")
        for field in self._fields():
            field.value = ""
        self.set_focus(self._fields()[0])
