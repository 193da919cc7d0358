"""Two periods of a list held against each other: who is new, who left, and whose values changed.

Persons are matched by identity code, or by the row's id in a list without codes. Where persons have several rows, as
behind invoices, the rows of one person are matched in the order of their values. Each answer is one statement; what it
finds is kept in a temporary table until other periods are asked for, since whole copies never change.

Functions run inside `Store.read`, and who calls them has committed before that both are looked at (`store.views`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.lists import ColumnType
from kelmu_tui.store.list_pages import Group, fitting, form
from kelmu_tui.store.list_values import Layout, ListRow, columns, teach
from kelmu_tui.store.lists import Copy, span
from kelmu_tui.store.words import asked

_MEMO: Final = "list_compared"
_FIT_MEMO: Final = "list_compared_fit"


class Kind(StrEnum):
    """What became of a person from one period to the next."""

    CAME = "came"
    WENT = "went"
    CHANGED = "changed"


class Number(NamedTuple):
    """How many differ; a person may have several rows."""

    persons: int
    rows: int


class Compared(NamedTuple):
    """How many persons are new, how many left, of how many values changed, and of how many none did."""

    came: Number
    went: Number
    changed: Number
    same: int


def number(found: Compared, kind: Kind) -> Number:
    """Return how many there are of a kind."""
    return {Kind.CAME: found.came, Kind.WENT: found.went, Kind.CHANGED: found.changed}[kind]


class Difference(NamedTuple):
    """A row of one period that has none, or another one, in the other period.

    Attributes:
        place: among the differences of its kind, by name, from 1.
        before: None for who is new, and for a row that somebody has more than before.
        after: None for who left, and for a row that somebody has no more.
        columns: those whose values differ, when there are both rows.
    """

    place: int
    before: ListRow | None
    after: ListRow | None
    columns: tuple[str, ...]

    @property
    def id(self) -> str:
        """The id of the later row, of the earlier one where there is none."""
        row = self.after or self.before
        assert row is not None
        return row.id


class Pair(NamedTuple):
    """Two copies of a list to be compared.

    Attributes:
        columns: the columns of which the values count; None for all but the identity code.
    """

    before: Copy
    after: Copy
    columns: tuple[str, ...] | None = None


class Fit(NamedTuple):
    """Which differences are wanted: one of both rows has to fit, as in `list_pages.ListQuery`."""

    text: str = ""
    municipality: str | None = None

    @property
    def filtered(self) -> bool:
        """Whether it leaves any out."""
        return bool(asked(self.text)) or self.municipality is not None


ALL: Final = Fit()


def compare(db: Any, pair: Pair) -> Compared:
    """Return how the periods differ.

    Raises:
        KeyError: a column to compare is in neither copy.
        ValueError: the copies are of different lists.
    """
    if pair.before.list != pair.after.list:
        raise ValueError("different lists")
    stamp = (pair.before.number, pair.after.number, pair.columns)
    known = db.memo.get(_MEMO)
    if known is None or known[0] != stamp:
        db.memo.pop(_MEMO, None)
        known = db.memo[_MEMO] = (stamp, _compare(db, pair))
    found: Compared = known[1]
    return found


def shown(db: Any, pair: Pair, fit: Fit = ALL) -> Mapping[Kind, Number]:
    """Return how many differences of each kind fit; errors as `compare`."""
    found = compare(db, pair)
    if not fit.filtered:
        return {kind: number(found, kind) for kind in Kind}
    stamp = (pair.before.number, pair.after.number, pair.columns, tuple(asked(fit.text)), fit.municipality)
    known = db.memo.get(_FIT_MEMO)
    if known is None or known[0] != stamp:
        db.memo.pop(_FIT_MEMO, None)
        known = db.memo[_FIT_MEMO] = (stamp, _narrow(db, pair, fit))
    fits: Mapping[Kind, Number] = known[1]
    return fits


def page(
    db: Any,
    pair: Pair,
    kind: Kind,
    fit: Fit = ALL,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Difference]:
    """Return up to `limit` differences behind or before a place, or from the first; always in order."""
    total = shown(db, pair, fit)[kind].rows
    first, end = (1 if after is None else after + 1), total + 1
    if before is not None:
        first, end = max(first, before - limit), min(end, before)
    return _read(db, pair, _table(kind, fit), "p.place >= ? AND p.place < ?", (first, min(end, first + limit)))


def find(db: Any, pair: Pair, kind: Kind, ids: Iterable[str], fit: Fit = ALL) -> list[Difference]:
    """Return the differences whose `id` is among `ids`, in order."""
    shown(db, pair, fit)
    copy = pair.before if kind is Kind.WENT else pair.after
    wanted = json.dumps(list(ids))
    both = "SELECT row FROM replica.list_row WHERE copy IN (?, ?) AND id IN (SELECT value FROM json_each(?))"
    rows = db.execute(both, (copy.number, pair.before.number, wanted)).fetchall()
    numbers = json.dumps([row[0] for row in rows])
    where = "coalesce(p.now, p.was) IN (SELECT value FROM json_each(?))"
    return _read(db, pair, _table(kind, fit), where, (numbers,))


def groups(db: Any, pair: Pair, fit: Fit = ALL) -> list[Group]:
    """Return how many differences of all kinds fit by municipality, the most first; who has moved counts in both."""
    shown(db, pair, fit)
    sides = _sides(db, pair)
    counts: Counter[str | None] = Counter()
    for kind in Kind:
        parts = [
            f"SELECT p.place, r.{known.place(column)} AS code FROM temp.{_table(kind, fit)} AS p"  # noqa: S608
            f" JOIN replica.list_row AS r ON r.row = p.{row}"
            for known, row in ((sides.new, "now"), (sides.old, "was"))
            for column in known.of(ColumnType.MUNICIPALITY)[:1]
        ]
        if parts:
            # The union drops what is the same on both sides.
            by_code = db.execute(f"SELECT code, count(*) FROM ({' UNION '.join(parts)}) GROUP BY code")  # noqa: S608
            counts.update(dict(by_code.fetchall()))
    found = [Group(code, rows, {}) for code, rows in counts.items()]
    return sorted(found, key=lambda group: (-group.rows, group.municipality or "~"))


# --- the statements -------------------------------------------------------------------------------------------------


class _Sides(NamedTuple):
    """Both copies, where their columns stand, and which of these are compared."""

    old: Layout
    new: Layout
    old_span: tuple[int, int]
    new_span: tuple[int, int]
    columns: tuple[str, ...]


def _sides(db: Any, pair: Pair) -> _Sides:
    old, new = form(db, pair.before), form(db, pair.after)
    codes = new.of(ColumnType.CODE)
    both = tuple(id_ for id_ in new.types if id_ in old.types and id_ not in codes)
    wanted = both if pair.columns is None else pair.columns
    if not set(wanted) <= old.types.keys() & new.types.keys():
        raise KeyError(wanted)
    return _Sides(old, new, span(pair.before.number), span(pair.after.number), wanted)


def _compare(db: Any, pair: Pair) -> Compared:
    sides = _sides(db, pair)
    teach(db)
    repeated = _repeated(pair)
    statements = {Kind.CAME: _came(sides), Kind.WENT: _went(sides), Kind.CHANGED: _changed(sides, repeated=repeated)}
    found: dict[Kind, Number] = {}
    for kind, (statement, values) in statements.items():
        found[kind] = _keep(db, _table(kind), statement, values, repeated=repeated)
    same = pair.after.persons - found[Kind.CAME].persons - found[Kind.CHANGED].persons
    return Compared(found[Kind.CAME], found[Kind.WENT], found[Kind.CHANGED], same)


def _keep(db: Any, table: str, statement: str, values: Sequence[Any], *, repeated: bool) -> Number:
    """Fill a table with pairs of rows, given their places in order, and return how many there are."""
    db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (place INTEGER PRIMARY KEY, was INTEGER, now INTEGER)")
    db.execute(f"DELETE FROM temp.{table}")  # noqa: S608
    rows = int(db.execute(f"INSERT INTO temp.{table} (was, now) {statement}", values).rowcount)
    return Number(_persons(db, table) if repeated else rows, rows)


def _table(kind: Kind, fit: Fit = ALL) -> str:
    return f"list_{kind.value}_fit" if fit.filtered else f"list_{kind.value}"


def _narrow(db: Any, pair: Pair, fit: Fit) -> Mapping[Kind, Number]:
    """Put the differences that fit into tables of their own: places without gaps are what pages go by."""
    sides = _sides(db, pair)
    either, values = [], list[Any]()
    for known, row in ((sides.new, "now"), (sides.old, "was")):
        where, wanted = fitting(known, fit.text, fit.municipality)
        either.append(f"EXISTS (SELECT 1 FROM replica.list_row WHERE row = p.{row} AND {' AND '.join(where)})")  # noqa: S608
        values += wanted
    return {
        kind: _keep(
            db,
            _table(kind, fit),
            f"SELECT was, now FROM temp.{_table(kind)} AS p WHERE {' OR '.join(either)} ORDER BY place",  # noqa: S608
            values,
            repeated=_repeated(pair),
        )
        for kind in Kind
    }


def _repeated(pair: Pair) -> bool:
    """Tell whether somebody has several rows in one of the copies."""
    return pair.before.persons < pair.before.rows or pair.after.persons < pair.after.rows


def _persons(db: Any, table: str) -> int:
    row = db.execute(
        f"SELECT count(DISTINCT r.person) FROM temp.{table} AS p"  # noqa: S608
        " JOIN replica.list_row AS r ON r.row = coalesce(p.now, p.was)"
    ).fetchone()
    return int(row[0])


_WITHIN: Final = "row >= ? AND row < ?"


def _came(sides: _Sides) -> tuple[str, tuple[int, ...]]:
    others = f"SELECT person FROM replica.list_row WHERE {_WITHIN}"  # noqa: S608
    statement = (
        f"SELECT NULL, row FROM replica.list_row WHERE {_WITHIN} AND person NOT IN ({others})"  # noqa: S608
        f" ORDER BY {sides.new.order()}"
    )
    return statement, (*sides.new_span, *sides.old_span)


def _went(sides: _Sides) -> tuple[str, tuple[int, ...]]:
    others = f"SELECT person FROM replica.list_row WHERE {_WITHIN}"  # noqa: S608
    statement = (
        f"SELECT row, NULL FROM replica.list_row WHERE {_WITHIN} AND person NOT IN ({others})"  # noqa: S608
        f" ORDER BY {sides.old.order()}"
    )
    return statement, (*sides.old_span, *sides.new_span)


def _changed(sides: _Sides, *, repeated: bool) -> tuple[str, tuple[int, ...]]:
    """Return the statement for the pairs of rows of the same person that differ."""
    old = _side(sides.old, sides, repeated=repeated)
    new = _side(sides.new, sides, repeated=repeated)
    differs = " OR ".join(f"o.c{number} IS NOT n.c{number}" for number in range(len(sides.columns))) or "0"
    match = "o.person = n.person AND o.nth = n.nth" if repeated else "o.person = n.person"
    found = f"SELECT o.row AS was, n.row AS now, n.name FROM new AS n JOIN old AS o ON {match} WHERE {differs}"  # noqa: S608
    if repeated:
        # Rows that somebody who is in both periods has more, or no more.
        found += (
            f" UNION ALL SELECT NULL, n.row, n.name FROM new AS n LEFT JOIN old AS o ON {match}"  # noqa: S608
            " WHERE o.row IS NULL AND n.person IN (SELECT person FROM old)"
            f" UNION ALL SELECT o.row, NULL, o.name FROM old AS o LEFT JOIN new AS n ON {match}"
            " WHERE n.row IS NULL AND o.person IN (SELECT person FROM new)"
        )
    statement = (
        f"WITH old AS MATERIALIZED ({old}), new AS MATERIALIZED ({new})"  # noqa: S608
        f" SELECT was, now FROM ({found}) ORDER BY list_key(name), coalesce(now, was)"
    )
    return statement, (*sides.old_span, *sides.new_span)


def _side(known: Layout, sides: _Sides, *, repeated: bool) -> str:
    places = [known.place(column) for column in sides.columns]
    named = [f"{place} AS c{number}" for number, place in enumerate(places)]
    if repeated:
        named.append(f"row_number() OVER (PARTITION BY person ORDER BY {', '.join([*places, 'row'])}) AS nth")
    chosen = ", ".join(["row", "person", f"{known.place(known.name)} AS name", *named])
    return f"SELECT {chosen} FROM replica.list_row WHERE {_WITHIN}"  # noqa: S608


# --- rows -----------------------------------------------------------------------------------------------------------


def _read(db: Any, pair: Pair, table: str, where: str, values: Iterable[Any]) -> list[Difference]:
    sides = _sides(db, pair)
    found = db.execute(
        f"SELECT p.place, p.was, p.now FROM temp.{table} AS p WHERE {where} ORDER BY p.place",  # noqa: S608
        tuple(values),
    ).fetchall()
    old = _rows(db, sides.old, [was for _, was, _ in found])
    new = _rows(db, sides.new, [now for _, _, now in found])
    return [_difference(place, old.get(was), new.get(now), sides.columns) for place, was, now in found]


def _rows(db: Any, known: Layout, numbers: list[int | None]) -> Mapping[int | None, ListRow]:
    wanted = json.dumps([number for number in numbers if number is not None])
    found = db.execute(
        f"SELECT r.row, {columns('r', len(known.columns))} FROM json_each(?) AS j"  # noqa: S608
        " CROSS JOIN replica.list_row AS r ON r.row = j.value",
        (wanted,),
    )
    return {number: known.read(0, record) for number, *record in found}


def _difference(place: int, old: ListRow | None, new: ListRow | None, compared: tuple[str, ...]) -> Difference:
    differs: tuple[str, ...] = ()
    if old is not None and new is not None:
        differs = tuple(column for column in compared if old.values[column] != new.values[column])
    before = None if old is None else old._replace(place=place)
    after = None if new is None else new._replace(place=place)
    return Difference(place, before, after, differs)
