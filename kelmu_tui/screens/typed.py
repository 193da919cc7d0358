"""A question whose answer is a word to type: for what is gone for good."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.text_field import LineField


class TypedScreen(Dialog[bool]):
    """Answers True when the word was typed."""

    CONTEXT: ClassVar[Context] = Context.CONFIRM

    def __init__(self, title: str, warning: str, word: str) -> None:
        super().__init__()
        self._title = title
        self._warning = warning
        self._word = word

    def compose(self) -> ComposeResult:
        """Put the box together."""
        yield self.box(
            self._title,
            Caption(self._warning, role=""),
            LineField(id="field", max_length=40),
            Caption(self.face.t("common.type_word", word=self._word), role="warn", id="effect"),
            Caption(self.hint_line("dialog.accept", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Begin to type."""
        self.set_focus(self.query_one(LineField))

    def action_dialog_accept(self) -> None:
        """Answer when the word is right."""
        if self.query_one(LineField).value.strip().casefold() == self._word.casefold():
            self.dismiss(True)
