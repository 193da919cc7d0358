"""PickList: a short local list with a cursor, filtered by a few letters as they are typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip

from kelmu_tui.widgets.cells import Column, fit, gap_of, join, place
from kelmu_tui.widgets.fuzzy import fold, score
from kelmu_tui.widgets.glyphs import UNICODE, Glyphs
from kelmu_tui.widgets.painted import Roled


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose.

    Attributes:
        cells: texts of the columns, in their order; the first is the name.
        search: what the letters are looked for in, besides the name; earlier words do not count more.
        closed: shown dimmed; it can be pointed at, and whoever asks decides what choosing it means.
    """

    key: str
    cells: tuple[str, ...]
    search: str = ""
    closed: bool = False


class PickList(Roled):
    """The choices that match, the best under the cursor."""

    DEFAULT_CSS = """
    PickList { height: 1fr; }
    """

    @dataclass
    class Pointed(Message):
        """The cursor stands on another choice, or on none."""

        choice: Choice | None

    @dataclass
    class Picked(Message):
        """A choice was clicked twice."""

        choice: Choice

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        glyphs: Glyphs = UNICODE,
        empty: str = "",
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._glyphs = glyphs
        self._empty = empty
        self._lit = True
        self._choices: tuple[Choice, ...] = ()
        self._matches: list[Choice] = []
        self._query = ""
        self._cursor = 0
        self._top = 0

    @property
    def current(self) -> Choice | None:
        """The choice under the cursor."""
        return self._matches[self._cursor] if self._matches else None

    @property
    def matches(self) -> Sequence[Choice]:
        """What matches, best first."""
        return tuple(self._matches)

    def offer(self, choices: Sequence[Choice]) -> None:
        """Offer other choices; the cursor stays on the same key."""
        self._choices = tuple(choices)
        current = self.current
        self._match()
        keys = [choice.key for choice in self._matches]
        self._cursor = keys.index(current.key) if current is not None and current.key in keys else 0
        self._shown()

    def search(self, query: str) -> None:
        """Show what matches `query`; the best match gets the cursor."""
        if query != self._query:
            self._query = query
            self._match()
            self._cursor = self._top = 0
            self._shown()

    def point(self, key: str) -> None:
        """Put the cursor on the choice with `key`."""
        keys = [choice.key for choice in self._matches]
        if key in keys:
            self._cursor = keys.index(key)
            self._shown()

    def light(self, lit: bool) -> None:
        """Show the cursor, or hide it while the keys go elsewhere."""
        self._lit = lit
        self.refresh()

    def move(self, steps: int) -> None:
        """Move the cursor, stopping at the ends."""
        if self._matches:
            self._cursor = min(max(self._cursor + steps, 0), len(self._matches) - 1)
            self._shown()

    def _match(self) -> None:
        query = self._query.strip()
        if not query:
            self._matches = list(self._choices)
            return
        found = []
        for order, choice in enumerate(self._choices):
            name = score(query, choice.cells[0])
            # The name counts double: a county of that name must not stand before the municipality.
            points = 2 * name or score(query, f"{choice.cells[0]} {choice.search}")
            if points:
                found.append((-points, len(fold(choice.cells[0])) if name else 0, order, choice))
        self._matches = [choice for _, _, _, choice in sorted(found, key=lambda entry: entry[:3])]

    def _shown(self) -> None:
        height = max(1, self.size.height)
        self._top = min(self._top, self._cursor, max(0, len(self._matches) - height))
        self._top = max(self._top, self._cursor - height + 1)
        self.refresh()
        self.post_message(self.Pointed(self.current))

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual passes it by name
        """Keep the cursor in sight."""
        self._shown()

    def on_click(self, event: events.Click) -> None:
        """Point at a choice; pick it with the second click."""
        index = self._top + event.y
        if index < len(self._matches):
            self._cursor = index
            self._shown()
            if event.chain > 1:
                self.post_message(self.Picked(self._matches[index]))

    def on_mouse_scroll_down(self) -> None:
        """Move three choices down."""
        self.move(3)

    def on_mouse_scroll_up(self) -> None:
        """Move three choices up."""
        self.move(-3)

    def render_line(self, y: int) -> Strip:
        """Return one choice as a line."""
        width = self.size.width
        index = self._top + y
        if index >= len(self._matches):
            text = f"  {self._empty}" if y == 0 and not self._matches else ""
            return join([(fit(text, width), self.role("dim"))], width, self.role("plain"))
        choice = self._matches[index]
        chosen = self._lit and index == self._cursor
        ground = self.role("cursor" if chosen else "closed" if choice.closed else "plain")
        pieces = [(self._glyphs.cursor, self.role("accent")) if chosen else (" ", ground), (" ", ground)]
        by_id = dict(zip((column.id for column in self._columns), choice.cells, strict=True))
        gap = " " * gap_of(width)
        for number, placed in enumerate(place(self._columns, width - 2)):
            text = (gap if number else "") + fit(by_id[placed.column.id], placed.width, placed.column.align)
            pieces.append((text, ground if chosen or number == 0 or choice.closed else self.role("dim")))
        return join(pieces, width, ground)
