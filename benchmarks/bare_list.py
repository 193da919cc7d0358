"""The yardstick of a row move: the smallest line-API list, with its rows in memory."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

ROWS = 100_000
REVERSE = Style(reverse=True)


class BareList(ScrollView, can_focus=True):
    """A cursor over numbered lines."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("j", "move(1)"), Binding("k", "move(-1)")]

    def __init__(self) -> None:
        super().__init__()
        self.virtual_size = Size(60, ROWS)
        self.row = 0

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        style = REVERSE if index == self.row else Style.null()
        return Strip([Segment(f"row-{index:06d} of the bare list".ljust(self.size.width), style)])

    def action_move(self, step: int) -> None:
        """Move the cursor by `step` rows and repaint the two rows that changed."""
        old, self.row = self.row, max(0, min(ROWS - 1, self.row + step))
        top = self.scroll_offset.y
        if not top <= self.row < top + self.size.height:
            self.scroll_to(y=self.row - self.size.height + 1 if step > 0 else self.row, animate=False, force=True)
        for index in (old, self.row):
            self.refresh(Region(0, index - self.scroll_offset.y, self.size.width, 1))


class BareListApp(App[None]):
    """The list and nothing else."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield BareList()


if __name__ == "__main__":
    BareListApp(ansi_color=True).run()
