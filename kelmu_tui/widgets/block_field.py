"""Several lines to type in, with a limit; imported by the dialogs that need it, since it is heavy."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.widgets import TextArea

from kelmu_tui.domain.text import clean


class BlockField(TextArea):
    """Wrapping text of at most `limit` characters; enter breaks the line only where `breaks` says so."""

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS = """
    BlockField, BlockField:focus, BlockField:ansi {
        border: none; padding: 0; background: transparent; color: $foreground; height: 3; width: 1fr;
        scrollbar-size-vertical: 0;
    }
    BlockField .text-area--cursor, BlockField:ansi .text-area--cursor {
        text-style: reverse; color: $foreground; background: transparent;
    }
    BlockField .text-area--cursor-line { background: transparent; }
    """

    def __init__(
        self,
        text: str = "",
        *,
        limit: int,
        breaks: bool,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(
            text,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            compact=True,
            id=id,
        )
        self.cursor_blink = False
        self.limit = limit
        self._breaks = breaks

    @property
    def left(self) -> int:
        """Characters that still fit."""
        return self.limit - len(self.text)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter" and not self._breaks:
            event.prevent_default()  # the screen's business
        elif (event.is_printable or event.key == "enter") and self.left <= 0 and not self.selected_text:
            event.prevent_default()
            event.stop()
            self.app.bell()

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        text = clean(event.text, multiline=True).replace("\t", " ")
        start, end = self.selection
        self.replace(text[: max(0, self.left + len(self.selected_text))], *sorted((start, end)))
