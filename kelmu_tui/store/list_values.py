"""Values of lists as they stand in the columns of `list_row`, and as they are handed out.

A column of the table takes any list's values, in a form that SQLite compares, sorts and adds up by itself: euros are
cents, flags 0 or 1, periods one text of both days, persons JSON. Which column of a list stands where is kept with each
copy, so that a catalogue with other columns reads the copies of before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.lists import ColumnType, Event, KelaList, Period, lists
from kelmu_tui.store.words import folded, municipality_ranks, sort_key

PLACES: Final = 16
"""Columns that a row can have."""
_LAST: Final = 10**6
_SUM: Final = re.compile(r"-?[0-9]+(\.[0-9]{1,2})?")
_EVENTS: Final = frozenset(Event)
_WHERE: Final = frozenset({ColumnType.ADDRESS, ColumnType.MUNICIPALITY})
_WORDED: Final = frozenset({ColumnType.TEXT, ColumnType.CODE, ColumnType.PERSONS})
"""Columns whose words are searched. Where a person lives is never among them."""
_ALPHABETICAL: Final = frozenset({ColumnType.TEXT, ColumnType.ADDRESS, ColumnType.PERSONS})
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Named(NamedTuple):
    """A person in a row."""

    name: str
    identity_code: str


Value = str | int | bool | date | Decimal | Period | Event | tuple[Named, ...] | None


class ListRow(NamedTuple):
    """A row of a list.

    Attributes:
        place: in the order that was asked for, from 1.
        values: by the ids of the list's columns. Euros are `Decimal`, days `date`, periods
            `domain.lists.Period`, events `Event` where the program knows them, persons `Named`.
    """

    id: str
    place: int
    non_disclosure: bool
    values: Mapping[str, Value]


class Layout:
    """Where the columns of a list stand in the rows of one copy."""

    def __init__(self, list_: KelaList, columns: Sequence[str]) -> None:
        known = {column.id: column.type for column in list_.columns}
        self.columns = tuple(columns)
        self.types = {id_: known[id_] for id_ in self.columns if id_ in known}
        """Columns of the copy that the catalogue still has, in their order."""
        self._at = {id_: place for place, id_ in enumerate(self.columns) if id_ in known}
        self._code = next(iter(self.of(ColumnType.CODE)), None)
        self._worded = self.of(*_WORDED)
        placed = list(enumerate(self.types.values()))
        self._writers = [(place, _WRITE[type_]) for place, type_ in placed if type_ in _WRITE]
        # The municipality tells of a home only where it stands beside an address.
        homes = _WHERE if self.of(ColumnType.ADDRESS) else frozenset[ColumnType]()
        self._hidden = [place for place, type_ in placed if type_ in homes]
        # The places that a list does not need are not named: binding a None takes as long as ten texts.
        named = ", ".join(("row", "copy", "id", "person", "words", "non_disclosure", *map(self.place, self.types)))
        self._into = f"INSERT INTO replica.list_row ({named}) VALUES "  # noqa: S608
        self._marks = f"({','.join('?' * (6 + len(self.types)))})"

    def of(self, *types: ColumnType) -> tuple[str, ...]:
        """Return the columns of these types."""
        return tuple(id_ for id_, type_ in self.types.items() if type_ in types)

    @property
    def name(self) -> str:
        """The column by which the list is opened."""
        return self.of(ColumnType.TEXT)[0]

    def place(self, column: str) -> str:
        """Return the column of the table that holds a column of the list: `v0` and so on.

        Raises:
            KeyError: the copy has no such column.
        """
        return f"v{self._at[column]}"

    def key(self, column: str) -> str:
        """Return the expression that a column is sorted by; its functions are those of `teach`."""
        place, type_ = self.place(column), self.types[column]
        if type_ in _ALPHABETICAL:
            return f"list_key({place})"
        return f"list_municipality({place})" if type_ is ColumnType.MUNICIPALITY else place

    def order(self, *keys: tuple[str, bool]) -> str:
        """Return the expressions of an order: by columns, each down when True, then by name, then as the rows came.

        What is empty stands last, whichever way.
        """
        parts = []
        for column, down in keys:
            parts += [f"{self.place(column)} IS NULL", f"{self.key(column)} DESC" if down else self.key(column)]
        return ", ".join((*parts, self.key(self.name), "row"))

    def put(self, count: int) -> str:
        """Return the statement that takes the values of `count` rows, one behind the other, as `record` returns them.

        One statement is one step of the database, in which other threads have the interpreter to themselves; a step
        for each row would let them wait for it and it for them, row by row.
        """
        return self._into + ",".join([self._marks] * count)

    def record(self, number: int, copy: int, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return a row of the wire as the values of a whole row of `list_row`."""
        values = [row.get(id_) for id_ in self.types]
        for place, write in self._writers:
            if values[place] is not None:
                values[place] = write(values[place])
        hidden = 1 if row.get("non_disclosure") else 0
        if hidden:
            for place in self._hidden:
                values[place] = None
        words = " ".join(["", *folded(" ".join(self._texts(row)))])
        person = row["id"] if self._code is None else row.get(self._code) or row["id"]
        return (number, copy, row["id"], person, words, hidden, *values)

    def _texts(self, row: Mapping[str, Any]) -> list[str]:
        found: list[str] = []
        for id_ in self._worded:
            value = row.get(id_)
            if isinstance(value, str):
                found.append(value)
            elif value:
                found += [f"{one['name']} {one['identity_code']}" for one in value]
        return found

    def read(self, place: int, record: Sequence[Any]) -> ListRow:
        """Return the row of `id`, `non_disclosure` and the values."""
        id_, hidden, *values = record
        given = {name: _given(type_, values[self._at[name]]) for name, type_ in self.types.items()}
        return ListRow(id_, place, bool(hidden), given)


@cache
def layout(list_: str, columns: str) -> Layout:
    """Return the layout of a list's copy; `columns` is the JSON that is kept with it."""
    return Layout(lists()[list_], json.loads(columns))


def fresh_columns(list_: str) -> str:
    """Return the columns of a new copy as JSON."""
    return _ENCODER.encode([column.id for column in lists()[list_].columns])


def columns(table: str = "", places: int = PLACES) -> str:
    """Return the columns of the table that `Layout.read` takes, as SQL."""
    dot = f"{table}." if table else ""
    return ", ".join(f"{dot}{name}" for name in ("id", "non_disclosure", *(f"v{place}" for place in range(places))))


def cents(text: str) -> int:
    """Return a sum of the wire (`123.45`) in cents.

    Raises:
        ValueError: it is none.
    """
    if _SUM.fullmatch(text) is None:
        raise ValueError("not a sum")
    if text[-3:-2] == ".":
        return int(text[:-3] + text[-2:])
    whole, _, rest = text.partition(".")
    return int(whole + rest.ljust(2, "0"))


def euros(cents_: int) -> Decimal:
    """Return cents as euros with two decimals."""
    return Decimal(cents_).scaleb(-2)


def teach(db: Any) -> None:
    """Let a connection know the functions of `Layout.key`."""
    ranks = municipality_ranks()
    db.create_function("list_key", 1, lambda text: None if text is None else sort_key(text), deterministic=True)
    db.create_function(
        "list_municipality", 1, lambda code: None if code is None else ranks.get(code, _LAST), deterministic=True
    )


def _period(value: Mapping[str, str]) -> str:
    return f"{value['from']}/{value['to']}"


_WRITE: Final[dict[ColumnType, Callable[[Any], str | int]]] = {
    ColumnType.EUROS: cents,
    ColumnType.FLAG: int,
    ColumnType.PERIOD: _period,
    ColumnType.PERSONS: _ENCODER.encode,
}


def _given(type_: ColumnType, value: Any) -> Value:
    if value is None:
        return None
    match type_:
        case ColumnType.EUROS:
            return euros(value)
        case ColumnType.FLAG:
            return bool(value)
        case ColumnType.DATE:
            return date.fromisoformat(value)
        case ColumnType.PERIOD:
            first, last = value.split("/")
            return Period(date.fromisoformat(first), date.fromisoformat(last))
        case ColumnType.EVENT:
            return Event(value) if value in _EVENTS else str(value)
        case ColumnType.PERSONS:
            return tuple(Named(one["name"], one["identity_code"]) for one in json.loads(value))
        case _:
            return value  # type: ignore[no-any-return]
