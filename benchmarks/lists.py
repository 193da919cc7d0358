"""Lists of 100 000 rows in the local store: opened against one of 100 rows, compared against the bare SQL.

Opening is what a screen reads before it can paint: the copy, a page of rows, their count and their sums. The bare SQL
counts who is new, who left and whose values changed in the same encrypted file, and keeps nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.ratios import Row, alternate
from kelmu_tui.store import lease, list_compare, list_pages, lists
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_compare import Pair
from kelmu_tui.store.list_pages import ListQuery
from kelmu_tui.store.lists import Copy, span
from tests.store.build import NOW, OWN, open_store
from tests.store.list_rows import LIST, PERIOD, fetch, row

ROWS: Final = 100_000
SHORT: Final = "2026-08"
BEFORE: Final = "2026-09"
_VALUES: Final = (0, 2, 3, 4, 5, 6)
"""Places of the columns that are compared: all but the identity code."""


def measured(folder: Path, rounds: int) -> Iterator[Row]:
    """Fill a store and measure both."""
    store = open_store(folder / "lists" / "one")
    try:
        store.attach(OWN)
        draw = random.Random(1)
        month = [row(number, name=f"{draw.choice(_NAMES)}, Aino {draw.randrange(ROWS)}") for number in range(ROWS)]
        before, after = fetch(store, month, period=BEFORE), fetch(store, _a_month_later(month, draw))
        fetch(store, month[:100], period=SHORT)
        yield _opening(store, rounds * 5)
        yield _comparing(store, before, after, rounds)
    finally:
        store.close()


_NAMES: Final = ("Virtanen", "Korhonen", "Åberg", "Nieminen", "Öhman", "Mäkelä", "Laine", "Heikkinen")


def _a_month_later(month: list[dict[str, Any]], draw: random.Random) -> list[dict[str, Any]]:
    """Let one in twenty leave and as many come, and the days of three in ten grow."""
    stayed = [
        one | {"days_accumulated": one["days_accumulated"] + (draw.random() < 0.3)} for one in month[ROWS // 20 :]
    ]
    return stayed + [row(number) for number in range(ROWS, ROWS + ROWS // 20)]


def _opening(store: Store, rounds: int) -> Row:
    def opened(period: str) -> float:
        start = time.perf_counter()
        with lease.within(store) as db:
            copy = lists.copy(db, LIST, period, NOW)
            assert copy is not None
            list_pages.page(db, copy, ListQuery(), limit=60)
            list_pages.count(db, copy, ListQuery())
            list_pages.totals(db, copy, ListQuery())
        return time.perf_counter() - start

    ours, theirs = alternate(lambda: opened(PERIOD), lambda: opened(SHORT), rounds)
    detail = f"{ours * 1000:.2f} ms ÷ {theirs * 1000:.2f} ms"
    return Row("list of 100 000 rows opened ÷ one of 100", ours / theirs, 1.2, detail=detail)


def _comparing(store: Store, before: Copy, after: Copy, rounds: int) -> Row:
    pairs = [Pair(before, after), Pair(after, before)]

    def compared() -> float:
        pairs.reverse()  # the same once more would be remembered
        start = time.perf_counter()
        with lease.within(store) as db:
            list_compare.compare(db, pairs[0])
            list_compare.page(db, pairs[0], list_compare.Kind.CHANGED)
        return time.perf_counter() - start

    def bare() -> float:
        start = time.perf_counter()
        with store.read() as db:
            for statement, copies in _bare(*pairs[0][:2]):
                db.execute(statement, [value for copy in copies for value in span(copy.number)]).fetchone()
        return time.perf_counter() - start

    ours, theirs = alternate(compared, bare, rounds)
    detail = f"{ours * 1000:.0f} ms ÷ {theirs * 1000:.0f} ms"
    return Row("two lists of 100 000 rows compared ÷ the bare SQL", ours / theirs, 2.0, detail=detail)


def _bare(before: Copy, after: Copy) -> Iterator[tuple[str, tuple[Copy, Copy]]]:
    one = "FROM replica.list_row WHERE row >= ? AND row < ?"
    alone = f"SELECT count(*) {one} AND person NOT IN (SELECT person {one})"
    yield alone, (after, before)
    yield alone, (before, after)
    kept = ", ".join(f"v{place}" for place in _VALUES)
    differs = " OR ".join(f"o.v{place} IS NOT n.v{place}" for place in _VALUES)
    statement = (
        f"WITH o AS MATERIALIZED (SELECT person, {kept} {one}), n AS MATERIALIZED (SELECT person, {kept} {one})"
        f" SELECT count(*) FROM n JOIN o ON o.person = n.person WHERE {differs}"
    )
    yield statement, (before, after)
