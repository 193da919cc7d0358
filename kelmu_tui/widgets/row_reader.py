"""Reads a source into a window, beside the screen: one reading at a time, and never an answer to an old question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, Generic, NamedTuple, TypeVar

from kelmu_tui.platform.tasks import OnFailure, Tasks
from kelmu_tui.widgets.row_window import Reading, RowSource, Window

Row = TypeVar("Row")

PIECE: Final = 100
"""Rows read at a time on each side of the cursor."""
MOST_MARKS: Final = 1000
"""Rows that "mark all" marks at the most: what one command can carry and a person can still answer for."""


class ListState(StrEnum):
    """What a list can say of itself when it has no rows to show."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class _Wish(NamedTuple):
    """A reading asked for: show new rows too, stay around the cursor, or go to the row with the key `at`."""

    reveal: bool
    keep: bool
    at: str | None = None


class RowReader(Generic[Row]):
    """Keeps a window filled; `told` is called whenever the window or the state changed."""

    def __init__(self, told: Callable[[], None], on_failure: OnFailure) -> None:
        self.window: Window[Row] = Window(self.key)
        self.state = ListState.LOADING
        self.source: RowSource[Row] | None = None
        self._told = told
        self._on_failure = on_failure
        self._tasks = Tasks(self._failed)
        self._generation = 0
        self._reading = False
        self._fetching = False
        self._wish: _Wish | None = None
        self._shown: RowSource[Row] | None = None
        """Source of the rows in the window."""

    @property
    def busy(self) -> bool:
        """Whether something is still being read."""
        return bool(self._tasks.names)

    def key(self, row: Row) -> str:
        """Return the identity of a row of the present source."""
        assert self.source is not None
        return self.source.key(row)

    async def close(self) -> None:
        """Stop reading."""
        await self._tasks.close()

    # --- the window around the cursor -------------------------------------------------------------------------------

    def show(self, source: RowSource[Row], *, keep: bool, at: str | None = None) -> None:
        """Read another result, around the row with the key `at` when it is there."""
        self.source = source
        self._generation += 1
        self.read(reveal=True, keep=keep, at=at)

    def read(self, *, reveal: bool, keep: bool, at: str | None = None) -> None:
        """Read the window again; while a reading runs, remember that another is wanted."""
        if self.source is None:
            return
        if self._wish is not None:
            self._wish = _Wish(reveal or self._wish.reveal, keep and self._wish.keep, at or self._wish.at)
            return
        self._wish = _Wish(reveal, keep, at)
        if not self._reading:
            self._reading = True
            self._tasks.spawn("rows.read", self._run())

    async def _run(self) -> None:
        try:
            while (wish := self._wish) is not None:
                self._wish = None
                await self._read_once(wish)
        finally:
            self._reading = False

    async def _read_once(self, wish: _Wish) -> None:
        source, generation, window = self.source, self._generation, self.window
        assert source is not None
        limit = self._limit
        anchor = await self._anchor(source, wish)
        # When all rows around have gone, the place in the order is left: the cursor goes to who stands there now.
        place = window.current if anchor is None and wish.keep and self._shown is source else anchor
        if place is None:
            rows = list(await source.page(limit))
            at_start, at_end = True, len(rows) < limit
        else:
            before = await source.page(limit, before=place)
            after = await source.page(limit, after=place)
            rows = [*before, *([] if anchor is None else [anchor]), *after]
            at_start, at_end = len(before) < limit, len(after) < limit
            anchor = anchor or next(iter([*after[:1], *before[-1:]]), None)
        if at_start and at_end:
            count = len(rows)
        else:
            if wish.reveal and generation == self._generation:
                # The first screen does not wait for the count of a large result.
                self._take(Reading(rows, at_start, at_end, max(window.count, len(rows))), anchor, wish)
            count = await source.count()
        if generation == self._generation:
            self._take(Reading(rows, at_start, at_end, count), anchor, wish)
            await self._prune_marks(source)

    async def _anchor(self, source: RowSource[Row], wish: _Wish) -> Row | None:
        """Return the row to read around: the one wished for, else the cursor's or the nearest that is still there."""
        around = self.window.candidates() if wish.keep and self.window.rows else []
        wanted = around if wish.at is None else [wish.at, *around]
        found = {source.key(row): row for row in await source.find(wanted)} if wanted else {}
        return next((found[key] for key in wanted if key in found), None)

    def _take(self, reading: Reading[Row], anchor: Row | None, wish: _Wish) -> None:
        key = None if anchor is None else self.key(anchor)
        # Between the reading and now the user may have moved: the cursor's own row wins when it is still there.
        current = self.window.current_key
        if wish.at is None and anchor is not None and any(self.key(row) == current for row in reading.rows):
            key = current
        self._shown = self.source
        if wish.reveal:
            self.window.replace(reading, key)
        else:
            self.window.update(reading, key)
        self.state = ListState.READY
        self._told()
        self.prefetch()

    async def _prune_marks(self, source: RowSource[Row]) -> None:
        """Drop marks of rows that left the result: a bulk command must not reach what is no longer shown."""
        marks = frozenset(self.window.marks)
        if marks:
            there = {source.key(row) for row in await source.find(sorted(marks))}
            if not marks <= there:
                self.window.marks -= marks - there
                self._told()

    # --- further pieces ---------------------------------------------------------------------------------------------

    @property
    def _limit(self) -> int:
        return max(PIECE, 2 * self.window.height)

    def prefetch(self) -> None:
        """Read the next piece when the cursor comes near a rim of the window."""
        window = self.window
        if self._fetching or not window.rows:
            return
        near = self._limit // 2
        if not window.at_end and len(window.rows) - window.cursor <= near:
            self._fetch(below=True)
        elif not window.at_start and window.cursor < near:
            self._fetch(below=False)

    def _fetch(self, *, below: bool) -> None:
        if self.source is not None:
            self._fetching = True
            self._tasks.spawn("rows.fetch", self._run_fetch(self.source, self._generation, below, self._limit))

    async def _run_fetch(self, source: RowSource[Row], generation: int, below: bool, limit: int) -> None:
        window = self.window
        rim = -1 if below else 0
        edge = window.rows[rim]
        try:
            rows = await (source.page(limit, after=edge) if below else source.page(limit, before=edge))
        finally:
            self._fetching = False
        if generation != self._generation or not window.rows or self.key(window.rows[rim]) != source.key(edge):
            return
        owed = window.owed
        window.extend(rows, below=below, asked=limit)
        if owed:
            self._told()
        self.prefetch()

    def leap(self, *, last: bool) -> None:
        """Go to the first or last row of the result, wherever that is."""
        if self.source is not None:
            self._tasks.spawn("rows.leap", self._run_leap(self.source, self._generation, last))

    async def _run_leap(self, source: RowSource[Row], generation: int, last: bool) -> None:
        limit = self._limit
        rows: Sequence[Row] = await source.page(limit, last=last)
        if generation == self._generation:
            self.window.leap(rows, whole=len(rows) < limit, last=last)
            self._told()
            self.prefetch()

    def mark_all(self) -> None:
        """Mark every row of the result, up to `MOST_MARKS`."""
        if self.source is not None:
            self._tasks.spawn("rows.mark", self._run_mark_all(self.source, self._generation))

    async def _run_mark_all(self, source: RowSource[Row], generation: int) -> None:
        rows = await source.page(MOST_MARKS)
        if generation == self._generation:
            self.window.marks = {source.key(row) for row in rows}
            self._told()

    def _failed(self, name: str, failure: BaseException) -> None:
        if not self.window.rows:
            self.state = ListState.FAILED
        self._told()
        self._on_failure(name, failure)
