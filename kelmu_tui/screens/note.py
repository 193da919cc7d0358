"""Writing a note for the team."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import TextArea

from kelmu_tui.actions import Context
from kelmu_tui.domain.notices import MAX_NOTE
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.chrome import Caption


class NoteScreen(Dialog[None]):
    """A box to write in; the text stays in it until it is saved."""

    CONTEXT: ClassVar[Context] = Context.NOTE

    def __init__(self, count: int, save: Callable[[str], Awaitable[str]]) -> None:
        """Ask for a note to `count` notices; `save` gets the text and returns what hinders it, empty when nothing."""
        super().__init__()
        self._count = count
        self._save = save

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        yield self.box(
            t("inbox.note_title", count=self._count),
            BlockField(limit=MAX_NOTE, breaks=True, id="text"),
            Caption(t("inbox.note_stays"), id="effect"),
            Caption(self.hint_line("dialog.save", "dialog.cancel"), right=f"0/{t.formats.number(MAX_NOTE)}", id="foot"),
        )

    def on_mount(self) -> None:
        """Begin to write."""
        self.set_focus(self.query_one(BlockField))

    @on(TextArea.Changed)
    def _typed(self) -> None:
        number = self.face.t.formats.number
        length = len(self.query_one(BlockField).text)
        self.query_one("#foot", Caption).show(right=f"{number(length)}/{number(MAX_NOTE)}")

    async def action_dialog_save(self) -> None:
        """Save the text."""
        text, effect = self.query_one(BlockField).text.strip(), self.query_one("#effect", Caption)
        if not text:
            effect.show(self.face.t("inbox.note_empty"), role="warn")
        elif problem := await self.give(self._save, text):
            effect.show(problem, role="alarm")
