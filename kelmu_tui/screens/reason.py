"""Writing why a finding is disputed, or what is to be noted of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import TextArea

from kelmu_tui.actions import Context
from kelmu_tui.screens.base import Dialog
from kelmu_tui.services.invoices import MAX_TEXT
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.chrome import Caption


class ReasonScreen(Dialog[None]):
    """A box to write in; what was typed is told to `typed` all along, so that leaving loses nothing."""

    CONTEXT: ClassVar[Context] = Context.NOTE

    def __init__(
        self,
        title: str,
        about: str,
        text: str,
        *,
        needed: bool,
        typed: Callable[[str], None],
        save: Callable[[str], Awaitable[str]],
    ) -> None:
        """Ask for a text, beginning with `text`.

        `save` gets it and returns what hinders it, empty when nothing; an empty text is given only unless `needed`.
        """
        super().__init__()
        self._title = title
        self._about = about
        self._text = text
        self._needed = needed
        self._typed = typed
        self._save = save

    def compose(self) -> ComposeResult:
        """Put the box together."""
        yield self.box(
            self._title,
            BlockField(self._text, limit=MAX_TEXT, breaks=True, id="text"),
            Caption(self._about, id="effect"),
            Caption(self.hint_line("dialog.save", "dialog.cancel", "dialog.clear"), id="foot"),
        )

    def on_mount(self) -> None:
        """Begin to write, or go on."""
        field = self.query_one(BlockField)
        field.move_cursor(field.document.end)
        self.set_focus(field)
        self._count_letters()

    @on(TextArea.Changed)
    def _changed(self) -> None:
        self._typed(self.query_one(BlockField).text)
        self._count_letters()

    def _count_letters(self) -> None:
        number = self.face.t.formats.number
        length = len(self.query_one(BlockField).text)
        self.query_one("#foot", Caption).show(right=f"{number(length)}/{number(MAX_TEXT)}")

    async def action_dialog_save(self) -> None:
        """Save the text."""
        text, effect = self.query_one(BlockField).text.strip(), self.query_one("#effect", Caption)
        if self._needed and not text:
            effect.show(self.face.t("invoice_view.reason_needed"), role="warn")
        elif problem := await self.give(self._save, text):
            effect.show(problem, role="alarm")
