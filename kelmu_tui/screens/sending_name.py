"""What a document is called for Kela."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.domain.text import clean
from kelmu_tui.screens.base import Dialog
from kelmu_tui.services.sealing import MAX_NAME
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.text_field import LineField


class SendingNameScreen(Dialog[str]):
    """Answers the name; an empty one stands for that of the kind."""

    CONTEXT: ClassVar[Context] = Context.CONFIRM

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name_now = name

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        yield self.box(
            t("sending_view.name_title"),
            Caption(t("sending_view.name_about"), role=""),
            LineField(self._name_now, id="field", max_length=MAX_NAME),
            Caption(self.hint_line("dialog.accept", "dialog.clear", "dialog.cancel")),
        )

    def on_mount(self) -> None:
        """Begin behind the name."""
        field = self.query_one(LineField)
        self.set_focus(field)
        field.cursor_position = len(field.value)

    def action_dialog_accept(self) -> None:
        """Answer."""
        self.dismiss(" ".join(clean(self.query_one(LineField).value).split()))
