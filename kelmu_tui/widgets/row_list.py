"""RowList: a list over a result of any size that paints a window of it line by line.

A move of the cursor repaints two lines and reads nothing; the source is read beside the screen, well before the
window's rim is reached. Cells come from a callback as plain text with named roles; nothing is parsed as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from kelmu_tui.platform.tasks import OnFailure
from kelmu_tui.widgets.cells import Cell, Column, fit, gap_of, join, place
from kelmu_tui.widgets.glyphs import UNICODE, Glyphs
from kelmu_tui.widgets.painted import Roled
from kelmu_tui.widgets.row_reader import MOST_MARKS, ListState, RowReader
from kelmu_tui.widgets.row_window import RowSource

Row = TypeVar("Row")

BLANK: Final = Cell("")
GUTTER: Final = 4
"""Cells before the first column: cursor, mark, flag, and one that parts them from the text."""


class RowList(Roled, Generic[Row], can_focus=True):
    """A keyboard-driven list of rows; see the messages for what it tells."""

    DEFAULT_CSS = """
    RowList { height: 1fr; }
    """

    @dataclass
    class Moved(Message):
        """The cursor stands on another row, or on none."""

        rows: RowList[Any]
        key: str | None

    @dataclass
    class Opened(Message):
        """The user asked to open the row under the cursor."""

        rows: RowList[Any]
        key: str

    @dataclass
    class Changed(Message):
        """Counts, marks, new rows or the state changed; read them from the list."""

        rows: RowList[Any]

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Callable[[Row], Mapping[str, Cell]],
        *,
        flag: Callable[[Row], Cell] | None = None,
        glyphs: Glyphs = UNICODE,
        on_failure: OnFailure,
        id: str | None = None,  # noqa: A002 - Textual's name for it
        classes: str | None = None,
    ) -> None:
        """Make an empty list; `show` gives it a source.

        Args:
            cells: returns cells by the column's id; called for visible rows only.
            flag: returns the one-cell sign before the row.
            on_failure: takes what a reading raises.
        """
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self._cells = cells
        self._flag = flag
        self._glyphs = glyphs
        self._reader: RowReader[Row] = RowReader(self._reread, on_failure)
        self._window = self._reader.window
        self._texts = {ListState.LOADING: "", ListState.READY: "", ListState.FAILED: ""}
        self._mark_start: str | None = None
        self._told: str | None = None
        self._painted: dict[int, Strip] = {}

    # --- what others may know ---------------------------------------------------------------------------------------

    @property
    def state(self) -> ListState:
        """Whether the rows are there."""
        return self._reader.state

    @property
    def count(self) -> int:
        """Rows of the result."""
        return self._window.count

    @property
    def fresh(self) -> int:
        """New rows that are counted but not shown yet."""
        return self._window.fresh

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._window.current

    @property
    def current_key(self) -> str | None:
        """Key of the row under the cursor."""
        return self._window.current_key

    @property
    def marks(self) -> frozenset[str]:
        """Keys of the marked rows."""
        return frozenset(self._window.marks)

    @property
    def rows(self) -> Sequence[Row]:
        """The rows at hand, visible or near."""
        return self._window.rows

    @property
    def visible_rows(self) -> Sequence[Row]:
        """The rows on the screen now."""
        return self._window.visible

    @property
    def targets(self) -> tuple[str, ...]:
        """Keys a bulk command is about: the marked rows in the order of the list, else the one under the cursor."""
        if self._window.marks:
            order = {self._reader.key(row): index for index, row in enumerate(self._window.rows)}
            return tuple(sorted(self._window.marks, key=lambda key: (order.get(key, len(order)), key)))
        key = self.current_key
        return () if key is None else (key,)

    @property
    def fitting(self) -> int:
        """How many columns there is room for; 0 before the list has a size."""
        return len(place(self._columns, self.size.width - GUTTER)) if self.size.width > GUTTER else 0

    @property
    def busy(self) -> bool:
        """Whether something is still being read."""
        return self._reader.busy

    # --- what others may ask for ------------------------------------------------------------------------------------

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Take other columns, for another language."""
        self._columns = tuple(columns)
        self.refresh()

    def set_texts(self, *, loading: str, empty: str, failed: str) -> None:
        """Say what stands in place of rows."""
        self._texts = {ListState.LOADING: loading, ListState.READY: empty, ListState.FAILED: failed}
        if not self._window.rows:
            self.refresh()

    def show(self, source: RowSource[Row], *, keep: bool = False, at: str | None = None) -> None:
        """Show another result: from its first row, with `keep` around the row under the cursor, or at the row `at`."""
        if not keep:
            self._window.cursor = self._window.top = 0
            self._window.marks.clear()
            self._mark_start = None
        self._reader.show(source, keep=keep, at=at)

    def update(self) -> None:
        """Something in the store changed: read the window again, counting new rows without showing them."""
        self._reader.read(reveal=False, keep=True)

    def reveal(self) -> None:
        """Show everything there is now, new rows included; the cursor stays on its row."""
        self._reader.read(reveal=True, keep=True)

    def expect(self, keys: Iterable[str]) -> None:
        """Show these rows in their place when they come, however late: the user's own doing brings them."""
        self._window.expected.update(keys)

    def clear_marks(self) -> None:
        """Unmark everything."""
        if self._window.marks:
            self._window.marks.clear()
            self._mark_start = None
            self.refresh()
            self._changed()

    def keep_marks(self, keys: Iterable[str]) -> None:
        """Leave only the marks of `keys`."""
        gone = self._window.marks.difference(keys)
        if gone:
            self._window.marks -= gone
            self.refresh()
            self._changed()

    def step(self, steps: int) -> None:
        """Move the cursor by rows."""
        self._go(lambda: self._window.move(steps))

    def jump(self, key: str) -> None:
        """Put the cursor on a row that is at hand."""
        keys = [self._reader.key(row) for row in self._window.rows]
        if key in keys:
            steps = keys.index(key) - self._window.cursor
            self._go(lambda: self._window.move(steps))

    # --- actions, bound by the registry -----------------------------------------------------------------------------

    def action_list_down(self) -> None:
        """Move to the next row."""
        self._go(lambda: self._window.move(1))

    def action_list_up(self) -> None:
        """Move to the previous row."""
        self._go(lambda: self._window.move(-1))

    def action_list_page_down(self) -> None:
        """Move one screen down."""
        self._go(lambda: self._window.turn(1))

    def action_list_page_up(self) -> None:
        """Move one screen up."""
        self._go(lambda: self._window.turn(-1))

    def action_list_top(self) -> None:
        """Go to the first row."""
        if self._window.at_start:
            self._go(lambda: self._window.move(-len(self._window.rows)))
        else:
            self._reader.leap(last=False)

    def action_list_bottom(self) -> None:
        """Go to the last row."""
        if self._window.at_end:
            self._go(lambda: self._window.move(len(self._window.rows)))
        else:
            self._reader.leap(last=True)

    def action_list_open(self) -> None:
        """Open the row under the cursor."""
        key = self.current_key
        if key is not None:
            self.post_message(self.Opened(self, key))

    def action_list_mark(self) -> None:
        """Mark or unmark the row and go on to the next one."""
        self._mark_start = self.current_key
        self._window.toggle_mark()
        self._line(self._window.cursor)
        self._go(lambda: self._window.move(1))
        self._changed()

    def action_list_mark_range(self) -> None:
        """Mark from the row marked last to the cursor."""
        self._window.mark_range(self._mark_start)
        self.refresh()
        self._changed()

    def action_list_mark_all(self) -> None:
        """Mark every row of the result, or unmark all when all are marked."""
        if self._window.marks and len(self._window.marks) >= min(self._window.count, MOST_MARKS):
            self.clear_marks()
        else:
            self._reader.mark_all()

    # --- painting ---------------------------------------------------------------------------------------------------

    def _go(self, change: Callable[[], None]) -> None:
        """Change the cursor and repaint as little as that needs."""
        window = self._window
        cursor, top = window.cursor, window.top
        change()
        if window.top != top:
            self.refresh(Region(0, 1, self.size.width, self.size.height - 1))
        elif window.cursor != cursor:
            self._line(cursor)
            self._line(window.cursor)
        self._tell()
        self._reader.prefetch()

    def _line(self, index: int) -> None:
        y = index - self._window.top + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _reread(self) -> None:
        """The reader brought something: paint the lines that look different now, and say so."""
        width = self.size.width
        for y in range(1, self.size.height):
            if self._paint(y, width) != self._painted.get(y):
                self.refresh(Region(0, y, width, 1))
        self._tell()
        self._changed()

    def _tell(self) -> None:
        key = self.current_key
        if key != self._told:
            self._told = key
            self.post_message(self.Moved(self, key))

    def _changed(self) -> None:
        self.post_message(self.Changed(self))

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in sight when the height changes."""
        self._window.resize(event.size.height - 1)
        self.refresh()
        self._reader.prefetch()

    async def on_unmount(self) -> None:
        """Stop reading."""
        await self._reader.close()

    def render_line(self, y: int) -> Strip:
        """Paint one line, and remember how it looks."""
        strip = self._painted[y] = self._paint(y, self.size.width)
        return strip

    def _paint(self, y: int, width: int) -> Strip:
        """Return one line: the header, a row, or a message in place of rows."""
        if y == 0:
            return self._header(width)
        index = self._window.top + y - 1
        if index < len(self._window.rows):
            return self._row(index, width)
        if y == 2 and not self._window.rows:
            text = " " * GUTTER + self._texts[self._reader.state]
            return join([(fit(text, width), self.role("dim"))], width, self.role("plain"))
        return Strip.blank(width, self.role("plain"))

    def _header(self, width: int) -> Strip:
        style = self.role("header")
        placed = place(self._columns, width - GUTTER)
        gap = " " * gap_of(width - GUTTER)
        labels = gap.join(fit(p.column.label, p.width, p.column.align) for p in placed)
        return join([(" " * GUTTER + labels, style)], width, style)

    def _row(self, index: int, width: int) -> Strip:
        row = self._window.rows[index]
        marked = self._reader.key(row) in self._window.marks
        chosen = index == self._window.cursor
        ground = self.role("cursor" if chosen else "marked" if marked else "plain")
        flag = self._flag(row) if self._flag is not None else Cell(" ")
        pieces = [
            # Not on the reversed ground: half a block would be the wrong half there.
            (self._glyphs.cursor, self.role("accent")) if chosen else (" ", ground),
            (self._glyphs.mark if marked else " ", ground),
            (fit(flag.text, 1), ground if chosen or not flag.role else self.role(flag.role)),
            (" ", ground),
        ]
        cells = self._cells(row)
        gap = " " * gap_of(width - GUTTER)
        for number, placed in enumerate(place(self._columns, width - GUTTER)):
            cell = cells.get(placed.column.id, BLANK)
            # The cursor's row keeps one style: colours of cells would not be readable on its ground.
            style = ground if chosen or marked or not cell.role else self.role(cell.role)
            pieces.append(((gap if number else "") + cell.fitted(placed.width, placed.column.align), style))
        return join(pieces, width, ground)

    # --- mouse, where it is on --------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row; open it when it was there already."""
        index = self._window.top + event.y - 1
        if event.y >= 1 and index < len(self._window.rows):
            if event.chain > 1:
                self.action_list_open()
            else:
                self._go(lambda: self._window.move(index - self._window.cursor))

    def on_mouse_scroll_down(self) -> None:
        """Move three rows down."""
        self._go(lambda: self._window.move(3))

    def on_mouse_scroll_up(self) -> None:
        """Move three rows up."""
        self._go(lambda: self._window.move(-3))
