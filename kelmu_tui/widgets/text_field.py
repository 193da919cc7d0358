"""A line to type in: it does not blink, takes no control characters, and cuts what is too long instead of losing it."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.widgets import Input

from kelmu_tui.domain.text import clean


class LineField(Input):
    """One line of text. Moving and deleting work as everywhere; enter and the like belong to the screen."""

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS = """
    LineField, LineField:focus, LineField:ansi {
        border: none; height: 1; padding: 0; width: 1fr;
        background: transparent; background-tint: transparent; color: $foreground;
    }
    LineField > .input--cursor, LineField:ansi > .input--cursor {
        text-style: reverse; color: $foreground; background: transparent;
    }
    """

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        max_length: int = 0,
        secret: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(
            value,
            placeholder,
            password=secret,
            max_length=max_length,
            select_on_focus=False,
            id=id,
            compact=True,
            validate_on=(),
        )
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        text = clean(event.text)
        start, end = sorted(self.selection)
        if self.max_length:
            text = text[: max(0, self.max_length - len(self.value) + (end - start))]
        self.replace(text, start, end)
