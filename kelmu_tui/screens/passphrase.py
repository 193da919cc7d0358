"""The passphrase that opens the encrypted files where no keyring does."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.chrome import Caption, Labelled
from kelmu_tui.widgets.text_field import LineField

MAX_PASSPHRASE = 200


class PassphraseScreen(Dialog[str]):
    """Answers the passphrase; a new one is typed twice."""

    CONTEXT: ClassVar[Context] = Context.CONFIRM

    def __init__(self, *, new: bool, problem: str = "") -> None:
        super().__init__()
        self._new = new
        self._problem = problem

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        fields = [Labelled(t("common.passphrase"), LineField(id="first", secret=True, max_length=MAX_PASSPHRASE))]
        if self._new:
            again = LineField(id="second", secret=True, max_length=MAX_PASSPHRASE)
            fields.append(Labelled(t("common.passphrase_again"), again))
        text = t("common.passphrase_new") if self._new else t("common.passphrase_open")
        yield self.box(
            t("common.passphrase"),
            Caption(text, role=""),
            *fields,
            Caption(self._problem, role="warn", id="effect"),
            Caption(self.hint_line("dialog.accept", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Begin to type."""
        self.set_focus(self.query_one("#first", LineField))

    def action_dialog_accept(self) -> None:
        """Answer, when both are the same."""
        first = self.query_one("#first", LineField)
        if self._new:
            second = self.query_one("#second", LineField)
            if first.has_focus and not second.value:
                self.set_focus(second)
                return
            if first.value != second.value:
                self.query_one("#effect", Caption).show(self.face.t("common.passphrase_differs"))
                return
        if first.value:
            self.dismiss(first.value)
