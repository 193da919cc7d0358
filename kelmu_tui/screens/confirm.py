"""A question with a warning before something that cannot be taken back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.screens.base import Dialog
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList


class ConfirmScreen(Dialog[bool]):
    """Answers True only when the user picks the deed; the cursor begins on leaving things as they are."""

    CONTEXT: ClassVar[Context] = Context.CONFIRM

    def __init__(self, title: str, warning: str, deed: str, stay: str) -> None:
        super().__init__()
        self._title = title
        self._warning = warning
        self._choices = (Choice("stay", (stay,)), Choice("deed", (deed,)))

    def compose(self) -> ComposeResult:
        """Put the box together."""
        picks = PickList((Column("name", "", 12, most=60),), glyphs=self.face.glyphs, id="picks")
        yield self.box(
            self._title,
            Caption(self._warning, role=""),
            picks,
            Caption(self.hint_line("dialog.accept", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Offer the two answers."""
        self.query_one(PickList).offer(self._choices)

    def action_dialog_accept(self) -> None:
        """Answer."""
        choice = self.query_one(PickList).current
        self.dismiss(choice is not None and choice.key == "deed")

    def action_dialog_down(self) -> None:
        """Point at the other answer."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the other answer."""
        self.query_one(PickList).move(-1)

    def action_dialog_next(self) -> None:
        """Point at the other answer."""
        self.query_one(PickList).move(1)

    def action_dialog_previous(self) -> None:
        """Point at the other answer."""
        self.query_one(PickList).move(-1)
