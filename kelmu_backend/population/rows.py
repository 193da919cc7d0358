"""What a population is made of: plain rows for the tables of the record, and the bundle of one notice."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

Row = dict[str, Any]
"""One row: column name to value, as `kelmu_backend.database.tables` names and types them."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A notice with what belongs to it.

    `notice` has every column of the table but `published`, which depends on the minute and not on the day. `people`
    and `codes` are rows of `person` and `person_code` of whom the record does not hold yet.
    """

    notice: Row
    notes: tuple[Row, ...] = ()
    traces: tuple[Row, ...] = ()
    people: tuple[Row, ...] = ()
    codes: tuple[Row, ...] = ()


class Reading(Protocol):
    """A database to read from."""

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection in a snapshot."""
        ...


class Writing(Protocol):
    """A database to write to."""

    def write(self) -> AbstractContextManager[Connection]:
        """Give a connection in a transaction that commits at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Worker:
    """A user who handles notices for an organisation."""

    id: str
    name: str
