"""A short list in memory as a source for a RowList."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")


class ListSource(Generic[Row]):
    """Rows that are all at hand, in the order in which they are given."""

    def __init__(self, rows: Sequence[Row], key: Callable[[Row], str]) -> None:
        self._rows = tuple(rows)
        self._key = key
        self._places = {key(row): place for place, row in enumerate(self._rows)}

    def key(self, row: Row) -> str:
        """Return the identity of `row`."""
        return self._key(row)

    async def page(
        self, limit: int, *, after: Row | None = None, before: Row | None = None, last: bool = False
    ) -> Sequence[Row]:
        """Return a piece of the rows."""
        if after is not None:
            start = self._places.get(self._key(after), -1) + 1
            return self._rows[start : start + limit]
        if before is not None:
            end = self._places.get(self._key(before), 0)
            return self._rows[max(0, end - limit) : end]
        return self._rows[-limit:] if last else self._rows[:limit]

    async def find(self, keys: Sequence[str]) -> Sequence[Row]:
        """Return the rows of `keys`."""
        return [self._rows[self._places[key]] for key in keys if key in self._places]

    async def count(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)
