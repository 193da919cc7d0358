"""Rows with places as a source for a RowList: pages on the store's thread, from wherever the list needs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.lists import NotHere


class Placed(Protocol):
    """A row that knows its identity and where it stands, from 1."""

    @property
    def id(self) -> str:
        """The identity."""
        ...

    @property
    def place(self) -> int:
        """The place in the order in which it was read."""
        ...


Row = TypeVar("Row", bound=Placed)
Given = TypeVar("Given", bound=Placed, covariant=True)


class Pages(Protocol[Given]):
    """Reads up to `limit` rows behind or before a place, or the first ones."""

    def __call__(self, *, after: int | None = None, before: int | None = None, limit: int = 50) -> Sequence[Given]:
        """Return the rows in order."""
        ...


class PlacedSource(Generic[Row]):
    """A result that does not change: when it is not here any more, `lost` hears it and there are no rows."""

    def __init__(
        self,
        run: Callable[..., Awaitable[Any]],
        pages: Pages[Row],
        find: Callable[[Sequence[str]], Sequence[Row]],
        count: int,
        lost: Callable[[NotHere | NotAllowed], None],
    ) -> None:
        self._run = run
        self._pages = pages
        self._find = find
        self._count = count
        self._lost = lost

    def key(self, row: Row) -> str:
        """Return the row's id."""
        return row.id

    async def page(
        self, limit: int, *, after: Row | None = None, before: Row | None = None, last: bool = False
    ) -> Sequence[Row]:
        """Return a page of the result."""
        if last:
            return await self._read(lambda: self._pages(before=self._count + 1, limit=limit))
        if after is not None:
            return await self._read(lambda: self._behind(after, limit))
        if before is not None:
            return await self._read(lambda: self._ahead(before, limit))
        return await self._read(lambda: self._pages(limit=limit))

    async def find(self, keys: Sequence[str]) -> Sequence[Row]:
        """Return the rows of `keys` that are in the result."""
        return await self._read(lambda: self._find(keys))

    async def count(self) -> int:
        """Return how many rows the result has."""
        return self._count

    def _behind(self, row: Row, limit: int) -> Sequence[Row]:
        # The row may have been read in another order, where it had another place.
        rows = self._pages(after=row.place - 1, limit=limit + 1)
        if rows and rows[0].id == row.id:
            return rows[1:]
        found = self._find([row.id])
        return self._pages(after=found[0].place, limit=limit) if found else []

    def _ahead(self, row: Row, limit: int) -> Sequence[Row]:
        rows = self._pages(before=row.place + 1, limit=limit + 1)
        if rows and rows[-1].id == row.id:
            return rows[:-1]
        found = self._find([row.id])
        return self._pages(before=found[0].place, limit=limit) if found else []

    async def _read(self, read: Callable[[], Sequence[Row]]) -> Sequence[Row]:
        try:
            rows: Sequence[Row] = await self._run(read)
        except (NotHere, NotAllowed) as problem:
            self._lost(problem)
            return []
        return rows
