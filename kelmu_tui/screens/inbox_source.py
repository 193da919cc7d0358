"""The inbox as a source for a RowList: pages by keyset on the store's thread."""

from __future__ import annotations

from collections.abc import Sequence

from kelmu_tui.screens.desk import Desk, InboxLine
from kelmu_tui.store.rows import Query


class InboxSource:
    """The rows of one query. Its first page is logged before it is shown: a list of names is a look at people."""

    def __init__(self, desk: Desk, query: Query) -> None:
        self.query = query
        self._desk = desk
        self._reverse = query._replace(descending=not query.descending)
        self._logged = False

    def key(self, row: InboxLine) -> str:
        """Return the notice's id."""
        return row.id

    async def page(
        self, limit: int, *, after: InboxLine | None = None, before: InboxLine | None = None, last: bool = False
    ) -> Sequence[InboxLine]:
        """Return a page in the order of the query."""
        rows: Sequence[InboxLine] = await self._desk.run(self._page, limit, after, before, last)
        return rows

    def _page(self, limit: int, after: InboxLine | None, before: InboxLine | None, last: bool) -> Sequence[InboxLine]:
        inbox, query = self._desk.inbox, self.query
        if last:
            # The last rows are the first ones of the opposite order.
            return inbox.page(self._reverse, limit=limit)[::-1]
        rows = inbox.page(
            query,
            after=None if after is None else inbox.key(query, after),
            before=None if before is None else inbox.key(query, before),
            limit=limit,
        )
        if not self._logged:
            inbox.log_list(query, len(rows))
            self._logged = True
        return rows

    async def find(self, keys: Sequence[str]) -> Sequence[InboxLine]:
        """Return those of the rows that are in the list now."""
        rows: Sequence[InboxLine] = await self._desk.run(self._desk.inbox.lines, self.query, keys)
        return rows

    async def count(self) -> int:
        """Return how many rows the list has."""
        found: int = await self._desk.run(self._desk.inbox.count, self.query)
        return found
