"""Rows of lists while they are made: values in types that can be reckoned with, and their form on the wire.

Sums are whole cents, days are dates, periods are `domain.lists.Period`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kelmu_backend.lists.publishing import IssuedRow
from kelmu_backend.population.issued.roll import Resident
from kelmu_tui.domain.lists import ColumnType, KelaList

Values = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """A row: whom it is about and its values by column.

    Attributes:
        key: what tells it from other rows of the same list and period; its id comes from it.
        hidden: the person is under a non-disclosure order.
    """

    person: str | None
    key: str
    values: Values
    hidden: bool = False


def draft(resident: Resident, key: str, **values: Any) -> Draft:
    """Return a row about somebody, with the columns that all lists have."""
    own = {
        "name": resident.name,
        "identity_code": resident.identity_code,
        "municipality": resident.municipality,
        "address": resident.address,
    }
    return Draft(resident.id, f"{resident.id}/{key}", own | values, resident.non_disclosure)


def issued(one: KelaList, period: str, row: Draft) -> IssuedRow:
    """Return a row as it is published: its columns in their form on the wire."""
    identifier = row_id(one, period, row)
    content: dict[str, Any] = {"id": identifier}
    if row.hidden:
        content["non_disclosure"] = True
    hides_place = row.hidden and one.column("address") is not None
    for column in one.columns:
        value = row.values.get(column.id)
        if hides_place and column.id in ("municipality", "address"):
            value = None
        content[column.id] = None if value is None else _FORMS.get(column.type, _as_is)(value)
    return IssuedRow(identifier, row.person, content)


def row_id(one: KelaList, period: str, row: Draft) -> str:
    """Return the id of a row: the same whenever the list is made, and nothing that tells of the person."""
    return hashlib.blake2b(f"{one.id}/{period}/{row.key}".encode(), digest_size=10).hexdigest()


def _as_is(value: Any) -> Any:
    return value


def euros(cents: int) -> str:
    """Return a sum as the wire writes it."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


_FORMS: Final[Mapping[ColumnType, Callable[[Any], Any]]] = {
    ColumnType.DATE: lambda day: day.isoformat(),
    ColumnType.PERIOD: lambda period: {"from": period.first.isoformat(), "to": period.last.isoformat()},
    ColumnType.EUROS: euros,
    ColumnType.EVENT: lambda event: event.value,
    ColumnType.PERSONS: lambda people: [{"name": one.name, "identity_code": one.identity_code} for one in people],
}
