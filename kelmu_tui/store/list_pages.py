"""A whole copy of a list as it is read: pages in any order and filter, counts, sums, places.

An order is a sequence of row numbers. The one in which a list is opened is kept with the copy, so that a page of
100 000 rows costs what a page of 100 costs; any other is computed once into a temporary table and serves until two
others were asked for: what is written to a file and what is being read do not undo each other. A whole copy never
changes, so nothing but its number and the question has to be remembered.

Functions run inside `Store.read`, and who calls them has committed before that the list is looked at (`store.views`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.lists import ColumnType
from kelmu_tui.store.list_values import Layout, ListRow, columns, euros, layout, teach
from kelmu_tui.store.lists import Copy, span
from kelmu_tui.store.words import asked

_MEMO: Final = "list_order"
_TABLES: Final = ("list_shown", "list_aside")
CHUNK: Final = 500
"""Rows that are read at a time when all are wanted."""


class SortKey(NamedTuple):
    """A column to sort by; what is empty stands last, whichever way."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which rows of a copy, in which order.

    Attributes:
        sort: the first key counts most; ties are settled by name, and then as the rows came.
        text: words that are beginnings of words of the row's names, codes and texts.
        municipality: three digits; None for all.
    """

    sort: tuple[SortKey, ...] = ()
    text: str = ""
    municipality: str | None = None

    @property
    def filtered(self) -> bool:
        """Whether it leaves rows out."""
        return bool(asked(self.text)) or self.municipality is not None


class Totals(NamedTuple):
    """Rows and, by the ids of its columns, sums in euros."""

    rows: int
    sums: dict[str, Decimal]


class Group(NamedTuple):
    """The rows of one municipality (three digits, None where the rows name none)."""

    municipality: str | None
    rows: int
    sums: dict[str, Decimal]


class _Order(NamedTuple):
    """Where the row numbers of a result stand: a table, what it must fulfil, and how many there are."""

    source: str
    where: str
    values: tuple[int, ...]
    rows: int


def form(db: Any, copy: Copy) -> Layout:
    """Return where the columns of a copy stand."""
    return layout(
        copy.list, db.execute("SELECT columns FROM replica.list_copy WHERE number = ?", copy[:1]).fetchone()[0]
    )


def _order(db: Any, copy: Copy, query: ListQuery) -> _Order:
    """Return the order of a question, computed if it is another one than before."""
    if not query.filtered and query.sort in ((), (SortKey(form(db, copy).name),)):
        return _Order("replica.list_order", "o.copy = ?", (copy.number,), copy.rows)
    words = tuple(asked(query.text))
    stamp = (copy.number, query.sort, words, query.municipality)
    kept: dict[Any, tuple[str, int]] = db.memo.setdefault(_MEMO, {})
    known = kept.pop(stamp, None)
    if known is None:
        if len(kept) == len(_TABLES):
            del kept[next(iter(kept))]
        taken = {table for table, _ in kept.values()}
        table = next(name for name in _TABLES if name not in taken)
        known = table, _compute(db, copy, query, table)
    kept[stamp] = known  # what was asked for last stands last
    return _Order(f"temp.{known[0]}", "1", (), known[1])


def _compute(db: Any, copy: Copy, query: ListQuery, table: str) -> int:
    known = form(db, copy)
    where, values = _conditions(known, copy, query)
    teach(db)
    db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (place INTEGER PRIMARY KEY, row INTEGER NOT NULL)")
    db.execute(f"DELETE FROM temp.{table}")  # noqa: S608
    found = f"SELECT row FROM replica.list_row WHERE {where}"  # noqa: S608
    if query.sort:
        wanted = f"{found} ORDER BY {known.order(*query.sort)}"
    else:
        # The rows that fit are met in their order; sorting them by name again would cost more.
        wanted = f"SELECT row FROM replica.list_order WHERE copy = ? AND row IN ({found}) ORDER BY place"  # noqa: S608
        values.insert(0, copy.number)
    # Places are given in the order of the rows, from 1.
    return int(db.execute(f"INSERT INTO temp.{table} (row) {wanted}", values).rowcount)


def _conditions(known: Layout, copy: Copy, query: ListQuery) -> tuple[str, list[Any]]:
    where, values = fitting(known, query.text, query.municipality)
    return " AND ".join(["row >= ?", "row < ?", *where]), [*span(copy.number), *values]


def fitting(known: Layout, text: str, municipality: str | None) -> tuple[list[str], list[Any]]:
    """Return what a row of `list_row` must fulfil to fit words and a municipality, and the values for it."""
    words = asked(text)
    where, values = ["instr(words, ?)"] * len(words), [f" {word}" for word in words]
    if municipality is not None:
        places = [known.place(column) for column in known.of(ColumnType.MUNICIPALITY)]
        where.append(f"({' OR '.join(f'{place} = ?' for place in places) or '0'})")
        values += [municipality] * len(places)
    return where, values


# --- what a screen asks ---------------------------------------------------------------------------------------------


def page(
    db: Any, copy: Copy, query: ListQuery, *, after: int | None = None, before: int | None = None, limit: int = 50
) -> list[ListRow]:
    """Return up to `limit` rows behind or before a place, or from the beginning; always in order."""
    order = _order(db, copy, query)
    first, end = (1 if after is None else after + 1), order.rows + 1
    if before is not None:
        first, end = max(first, before - limit), min(end, before)
    return _read(db, copy, order, "o.place >= ? AND o.place < ?", (first, min(end, first + limit)))


def find(db: Any, copy: Copy, query: ListQuery, ids: Iterable[str]) -> list[ListRow]:
    """Return those of `ids` that are rows of the result, in its order."""
    rows = db.execute(
        "SELECT row FROM replica.list_row WHERE copy = ? AND id IN (SELECT value FROM json_each(?))",
        (copy.number, json.dumps(list(ids))),
    ).fetchall()
    wanted = json.dumps([row[0] for row in rows])
    order = _order(db, copy, query)
    return _read(db, copy, order, "o.row IN (SELECT value FROM json_each(?))", (wanted,))


def rank(db: Any, copy: Copy, query: ListQuery, id: str) -> int | None:  # noqa: A002
    """Return how many rows of the result stand before one; None when it is not among them."""
    found = find(db, copy, query, [id])
    return found[0].place - 1 if found else None


def count(db: Any, copy: Copy, query: ListQuery) -> int:
    """Return how many rows the result has."""
    return _order(db, copy, query).rows


def every(db: Any, copy: Copy, query: ListQuery) -> Iterator[ListRow]:
    """Yield all rows of the result, some read at a time; inside one transaction."""
    rows = page(db, copy, query, limit=CHUNK)
    while rows:
        yield from rows
        rows = page(db, copy, query, after=rows[-1].place, limit=CHUNK)


def _read(db: Any, copy: Copy, order: _Order, where: str, values: Iterable[Any]) -> list[ListRow]:
    known = form(db, copy)
    # CROSS JOIN keeps the order: the places are walked, and each row is looked up.
    found = db.execute(
        f"SELECT o.place, {columns('r', len(known.columns))} FROM {order.source} AS o"  # noqa: S608
        f" CROSS JOIN replica.list_row AS r ON r.row = o.row WHERE {order.where} AND {where} ORDER BY o.place",
        (*order.values, *values),
    )
    return [known.read(place, record) for place, *record in found]


# --- sums -----------------------------------------------------------------------------------------------------------


def totals(db: Any, copy: Copy, query: ListQuery) -> Totals:
    """Return rows and sums of the result; those of a whole list are kept with it."""
    if not query.filtered:
        sums = json.loads(db.execute("SELECT sums FROM replica.list_copy WHERE number = ?", copy[:1]).fetchone()[0])
        return Totals(copy.rows, {column: euros(sums.get(column, 0)) for column in _summed(db, copy)})
    wanted = _summed(db, copy)
    (row,) = _sums(db, copy, query, "")
    return Totals(row[0], {column: euros(cents) for column, cents in zip(wanted, row[1:], strict=True)})


def groups(db: Any, copy: Copy, query: ListQuery) -> list[Group]:
    """Return rows and sums by municipality, the most rows first; none in a list that knows no municipalities."""
    known = form(db, copy)
    places = known.of(ColumnType.MUNICIPALITY)
    if not places:
        return []
    wanted = _summed(db, copy)
    found = [
        Group(code, rows, {column: euros(cents) for column, cents in zip(wanted, sums, strict=True)})
        for code, rows, *sums in _sums(db, copy, query, known.place(places[0]))
    ]
    return sorted(found, key=lambda group: (-group.rows, group.municipality or "~"))


def _summed(db: Any, copy: Copy) -> tuple[str, ...]:
    return form(db, copy).of(ColumnType.EUROS)


def _sums(db: Any, copy: Copy, query: ListQuery, by: str) -> list[tuple[Any, ...]]:
    known = form(db, copy)
    where, values = _conditions(known, copy, query)
    sums = [f"coalesce(sum({known.place(column)}), 0)" for column in known.of(ColumnType.EUROS)]
    parts = ", ".join([*([by] if by else []), "count(*)", *sums])
    grouped = f" GROUP BY {by}" if by else ""
    rows: list[tuple[Any, ...]] = db.execute(
        f"SELECT {parts} FROM replica.list_row WHERE {where}{grouped}",  # noqa: S608
        values,
    ).fetchall()
    return rows
