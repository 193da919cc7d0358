"""The window of a list over rows that live elsewhere: pure state, no screen and no waiting.

A list holds a contiguous piece of a sorted result, never all of it. Rows are known by key, so that the cursor, the
scroll offset and the marks survive when rows change, come and go around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

Row = TypeVar("Row")
RowInvariant = TypeVar("RowInvariant")

MOST: Final = 1200
"""Rows held at the most; the far end is let go when the window grows beyond."""


class RowSource(Protocol[RowInvariant]):
    """A sorted result that can be read in pieces. Every method is one short read; none is called for a repaint."""

    def key(self, row: RowInvariant) -> str:
        """Return the identity of `row`; it never changes while the row lives."""
        ...

    async def page(
        self, limit: int, *, after: RowInvariant | None = None, before: RowInvariant | None = None, last: bool = False
    ) -> Sequence[RowInvariant]:
        """Return up to `limit` rows in order: those after or before a row, the last ones, or else the first ones."""
        ...

    async def find(self, keys: Sequence[str]) -> Sequence[RowInvariant]:
        """Return those of the rows with `keys` that belong to the result now, in any order."""
        ...

    async def count(self) -> int:
        """Return how many rows the result has."""
        ...


@dataclass
class Reading(Generic[Row]):
    """What one reading of the source brought: a contiguous piece and how it lies in the whole."""

    rows: list[Row]
    at_start: bool
    at_end: bool
    count: int


@dataclass
class Window(Generic[Row]):
    """The rows at hand, the cursor and the first visible row (indexes), and the marks (keys)."""

    key: Callable[[Row], str]
    rows: list[Row] = field(default_factory=list)
    at_start: bool = True
    at_end: bool = True
    cursor: int = 0
    top: int = 0
    height: int = 1
    marks: set[str] = field(default_factory=set)
    count: int = 0
    fresh: int = 0
    """Rows that came since the user last asked to see all; they are counted, not shown."""
    owed: int = 0
    """Steps asked for beyond the rows at hand; they are taken when the next piece arrives."""
    expected: set[str] = field(default_factory=set)
    """Keys of rows that the user's own doing brings: they are shown in their place when they come, not counted."""

    # --- reading ----------------------------------------------------------------------------------------------------

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    @property
    def current_key(self) -> str | None:
        """Key of the row under the cursor."""
        row = self.current
        return None if row is None else self.key(row)

    @property
    def visible(self) -> Sequence[Row]:
        """The rows on the screen."""
        return self.rows[self.top : self.top + self.height]

    def candidates(self) -> list[str]:
        """Return keys in the order in which they may inherit the cursor: itself, those below, those above."""
        keys = [self.key(row) for row in self.rows]
        return keys[self.cursor : self.cursor + 200] + keys[max(0, self.cursor - 50) : self.cursor][::-1]

    # --- moving -----------------------------------------------------------------------------------------------------

    def move(self, steps: int) -> None:
        """Move the cursor; what lies beyond the rows at hand is owed."""
        if not self.rows:
            return
        wanted = self.cursor + steps
        reached = min(max(wanted, 0), len(self.rows) - 1)
        beyond = wanted - reached
        self.owed = beyond if (beyond > 0 and not self.at_end) or (beyond < 0 and not self.at_start) else 0
        self.cursor = reached
        self.follow()

    def turn(self, pages: int) -> None:
        """Move by whole screens; the cursor keeps its line on the screen when it can."""
        step = max(1, self.height - 1) * pages
        line = self.cursor - self.top
        self.move(step)
        self.top = self._legal_top(self.cursor - line)
        self.follow()

    def follow(self) -> None:
        """Scroll as little as needed to show the cursor."""
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + self.height:
            self.top = self.cursor - self.height + 1
        self.top = self._legal_top(self.top)

    def resize(self, height: int) -> None:
        """Take a new height in rows; the cursor stays in sight."""
        self.height = max(1, height)
        self.follow()

    def _legal_top(self, top: int) -> int:
        return min(max(top, 0), max(0, len(self.rows) - self.height))

    # --- marks ------------------------------------------------------------------------------------------------------

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or unmark it."""
        key = self.current_key
        if key is not None:
            self.marks ^= {key}

    def mark_range(self, start: str | None) -> None:
        """Mark everything from the row with key `start` to the cursor; only the cursor row when it is not at hand."""
        keys = [self.key(row) for row in self.rows]
        if not keys:
            return
        other = keys.index(start) if start in keys else self.cursor
        low, high = sorted((other, self.cursor))
        self.marks.update(keys[low : high + 1])

    # --- taking what was read ---------------------------------------------------------------------------------------

    def replace(self, reading: Reading[Row], anchor: str | None) -> None:
        """Show a new reading with the cursor on `anchor`, on the same line of the screen as before."""
        line = self.cursor - self.top
        keys = [self.key(row) for row in reading.rows]
        self.rows = list(reading.rows)
        self.at_start, self.at_end, self.count = reading.at_start, reading.at_end, reading.count
        self.cursor = keys.index(anchor) if anchor in keys else 0
        self.top = self._legal_top(self.cursor - line)
        self.fresh = 0
        self.owed = 0
        self.expected.difference_update(keys)
        self.follow()

    def update(self, reading: Reading[Row], anchor: str | None) -> None:
        """Take a reading of the same result: known rows change or go, unknown ones among them are only counted."""
        known = {self.key(row) for row in self.rows}
        if not known:
            self.replace(reading, anchor)
            return
        keys = [self.key(row) for row in reading.rows]
        inside = [index for index, key in enumerate(keys) if key in known]
        if not inside:
            self.replace(reading, anchor)
            return
        first = 0 if self.at_start else inside[0]
        last = len(keys) - 1 if self.at_end else inside[-1]
        wanted = known | self.expected
        kept = [row for index, row in enumerate(reading.rows) if keys[index] in wanted or not first <= index <= last]
        hidden = len(reading.rows) - len(kept)
        brought = len(self.expected.intersection(keys[first : last + 1]) - known)
        shown = self.count - self.fresh - self._gone(reading, keys) + brought
        self.replace(Reading(kept, reading.at_start, reading.at_end, reading.count), anchor)
        self.fresh = min(max(hidden, reading.count - shown), reading.count)

    def _gone(self, reading: Reading[Row], keys: Iterable[str]) -> int:
        """Count rows that left the piece which was read again; its rims may just not have been read."""
        present = set(keys)
        stays = [self.key(row) in present for row in self.rows]
        first = stays.index(True) if True in stays else len(stays)
        last = len(stays) - stays[::-1].index(True) if True in stays else 0
        inside = stays[first:last].count(False)
        above = first if self.at_start and reading.at_start else 0
        below = len(stays) - max(last, first) if self.at_end and reading.at_end else 0
        return inside + above + below

    def leap(self, rows: Sequence[Row], *, whole: bool, last: bool) -> None:
        """Take the first or last piece of the result and put the cursor at its far end."""
        self.rows = list(rows)
        self.at_start, self.at_end = (whole, True) if last else (True, whole)
        self.owed = 0
        self.cursor = max(0, len(self.rows) - 1) if last else 0
        self.top = 0
        self.follow()

    def extend(self, rows: Sequence[Row], *, below: bool, asked: int) -> None:
        """Add the next piece below or above; fewer rows than asked for means that the end is reached."""
        known = {self.key(row) for row in self.rows}
        new = [row for row in rows if self.key(row) not in known]
        if below:
            self.rows.extend(new)
            self.at_end = len(rows) < asked
        else:
            self.rows[:0] = new
            self.cursor += len(new)
            self.top += len(new)
            self.at_start = len(rows) < asked
        self._let_go(below)
        owed, self.owed = self.owed, 0
        if owed:
            self.move(owed)

    def _let_go(self, below: bool) -> None:
        excess = len(self.rows) - MOST
        if excess <= 0:
            return
        if below:
            excess = min(excess, self.top)
            if excess > 0:
                del self.rows[:excess]
                self.cursor -= excess
                self.top -= excess
                self.at_start = False
        else:
            keep = max(len(self.rows) - excess, self.top + self.height + 1, self.cursor + 1)
            if keep < len(self.rows):
                del self.rows[keep:]
                self.at_end = False
