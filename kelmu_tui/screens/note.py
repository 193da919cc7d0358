"""Writing a note for the team."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import TextArea

from kelmu_tui.actions import Context
from kelmu_tui.domain.notices import MAX_NOTE
from kelmu_tui.screens.drafting import DraftDialog, Typing
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.chrome import Caption


class NoteScreen(DraftDialog):
    """A box to write in; the text stays in it until it is saved."""

    CONTEXT: ClassVar[Context] = Context.NOTE

    def __init__(self, typing: Typing, save: Callable[[str], Awaitable[str]]) -> None:
        """Ask for a note to the notices of `typing`.

        `save` gets the text and returns what hinders it, empty when nothing.
        """
        super().__init__(typing)
        self._save = save

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t, found = self.face.t, self._typing.found
        hints = ("dialog.save", "dialog.cancel", *(("dialog.clear",) if found else ()))
        yield self.box(
            self.draft_title(t("inbox.note_title", count=len(self._typing.ids))),
            BlockField(str(found.get("text", "")), limit=MAX_NOTE, breaks=True, id="text"),
            Caption(t("inbox.note_stays"), id="effect"),
            Caption(self.hint_line(*hints), id="foot"),
        )

    def on_mount(self) -> None:
        """Begin to write, or go on."""
        field = self.query_one(BlockField)
        field.move_cursor(field.document.end)
        self.set_focus(field)
        self._count_letters()

    def fields(self) -> Mapping[str, str]:
        """Return the text."""
        return {"text": self.query_one(BlockField).text}

    def _count_letters(self) -> None:
        number = self.face.t.formats.number
        length = len(self.query_one(BlockField).text)
        self.query_one("#foot", Caption).show(right=f"{number(length)}/{number(MAX_NOTE)}")

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._count_letters()
        self.keep_typed()

    async def action_dialog_save(self) -> None:
        """Save the text."""
        text, effect = self.query_one(BlockField).text.strip(), self.query_one("#effect", Caption)
        if not text:
            effect.show(self.face.t("inbox.note_empty"), role="warn")
        elif problem := await self.give(self._save, text):
            effect.show(problem, role="alarm")
