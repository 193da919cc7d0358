"""Lists of recipients and the person lists behind Kela's invoices, as the catalogue has them, and when they come.

Periods are Finnish calendar days, both ends included. Facts and their sources stand in `catalogue/lists.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.capabilities import Allowed, Capabilities, Denied, Reason
from kelmu_tui.domain.deadlines import is_working_day
from kelmu_tui.domain.organisations import Names, OrganisationType


class ListKind(StrEnum):
    """What a list is for."""

    RECIPIENTS = "recipients"
    INVOICE = "invoice"


class ColumnType(StrEnum):
    """How the values of a column are written on the wire, shown, sorted and summed."""

    TEXT = "text"
    CODE = "code"
    MUNICIPALITY = "municipality"
    ADDRESS = "address"
    INTEGER = "integer"
    DATE = "date"
    FLAG = "flag"
    LANGUAGE = "language"
    PERIOD = "period"
    EUROS = "euros"
    PERCENT = "percent"
    EVENT = "event"
    PERSONS = "persons"
    SUPPORT_TYPE = "support_type"
    COUNTRY = "country"


class Event(StrEnum):
    """What a row of an invoice tells: money that was paid, came back, or was billed otherwise before."""

    PAID = "paid"
    RETURNED = "returned"
    CORRECTED = "corrected"


class Rhythm(StrEnum):
    """How long the period of a list or an invoice is."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"

    @property
    def months(self) -> int:
        """Its length."""
        return {Rhythm.MONTH: 1, Rhythm.QUARTER: 3, Rhythm.HALF_YEAR: 6, Rhythm.YEAR: 12}[self]


class Period(NamedTuple):
    """A period: its first and its last day."""

    first: date
    last: date

    @property
    def key(self) -> str:
        """How it is named everywhere: `2026-11`, `2026-Q4`, `2026-H2` or `2026`."""
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        year, number = self.first.year, (self.first.month - 1) // months + 1
        return {1: f"{year}-{self.first.month:02d}", 3: f"{year}-Q{number}", 6: f"{year}-H{number}"}.get(
            months, f"{year}"
        )

    def next(self, by: int = 1) -> Period:
        """Return the period of the same length `by` after this one, before it when negative."""
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        first = _month(self.first, by * months)
        return Period(first, _month(first, months) - timedelta(days=1))


class Published(NamedTuple):
    """When something comes: months after the last month of its period, and the day of that month at the earliest."""

    months: int
    day: int

    def on(self, period: Period) -> date:
        """Return the day on which it comes for a period: a working day."""
        day = _month(period.last.replace(day=1), self.months).replace(day=self.day)
        while not is_working_day(day):
            day += timedelta(days=1)
        return day


class ListColumn(NamedTuple):
    """A column of a list."""

    id: str
    name: Names
    type: ColumnType


class KelaList(NamedTuple):
    """A list of the catalogue; its id is the capability that opens it, too.

    Attributes:
        invoice: id of the kind of invoice to which it belongs, None without one.
        billed: id of the column whose sum is that invoice's total, None when the list bills nothing.
    """

    id: str
    kind: ListKind
    name: Names
    organisation_types: frozenset[OrganisationType]
    mandate: str
    invoice: str | None
    billed: str | None
    rhythm: Rhythm
    published: Published
    columns: tuple[ListColumn, ...]

    def column(self, id: str) -> ListColumn | None:  # noqa: A002
        """Return a column, None when the list has no such."""
        return next((column for column in self.columns if column.id == id), None)


class Invoice(NamedTuple):
    """A kind of invoice of the catalogue.

    Attributes:
        due_day: day of the month in which it is sent on which it has to be paid.
        steps: model of the municipality's share (`shares.steps`), None where none is computed.
        valid_from, valid_to: first and last day for which benefits are billed so, None without an end.
    """

    id: str
    name: Names
    payer: OrganisationType
    rhythm: Rhythm
    sent: Published
    due_day: int
    steps: str | None
    valid_from: date | None
    valid_to: date | None

    def due(self, period: Period) -> date:
        """Return the day on which the invoice of a period has to be paid: a working day, as banks need it."""
        day = self.sent.on(period).replace(day=self.due_day)
        while not is_working_day(day):
            day += timedelta(days=1)
        return day


class Retention(NamedTuple):
    """How long a fetched list may be kept, and of how many periods the counts."""

    kept: timedelta
    compared: int


@cache
def lists() -> Mapping[str, KelaList]:
    """Return the lists by id, in the order of the catalogue."""
    return MappingProxyType({row["id"]: _list(row) for row in _table()["list"]})


@cache
def invoices() -> Mapping[str, Invoice]:
    """Return the kinds of invoices by id, in the order of the catalogue."""
    return MappingProxyType({row["id"]: _invoice(row) for row in _table()["invoice"]})


@cache
def retention() -> Retention:
    """Return how long lists are kept."""
    found = _table()["retention"]
    return Retention(timedelta(days=found["days"]), found["compared"])


def period_of(rhythm: Rhythm, day: date) -> Period:
    """Return the period that holds a day."""
    first = date(day.year, (day.month - 1) // rhythm.months * rhythm.months + 1, 1)
    return Period(first, _month(first, rhythm.months) - timedelta(days=1))


def read_period(key: str) -> Period:
    """Return the period of a key.

    Raises:
        ValueError: it is none.
    """
    year, _, rest = key.partition("-")
    if len(year) != 4 or not year.isascii() or not year.isdigit():
        raise ValueError("not a period")
    rhythm = {"": Rhythm.YEAR, "Q": Rhythm.QUARTER, "H": Rhythm.HALF_YEAR}.get(rest[:1], Rhythm.MONTH)
    digits = rest if rhythm is Rhythm.MONTH else rest[1:]
    number = int(digits) if digits.isascii() and digits.isdigit() else 1 if key == year else 0
    if not 1 <= number <= 12 // rhythm.months:
        raise ValueError("not a period")
    found = period_of(rhythm, date(int(year), (number - 1) * rhythm.months + 1, 1))
    if found.key != key:
        raise ValueError("not a period")
    return found


def access_to(one: KelaList, held: Capabilities) -> Allowed | Denied:
    """Say whether a list is open to who holds these capabilities.

    A mandate may open it for fewer types of organisations than it is given to, so ask here and not the capabilities.
    """
    found = held.explain(one.id)
    closed_to_all = isinstance(found, Denied) and found.reason is Reason.NO_AGREEMENT
    if held.organisation.type in one.organisation_types or closed_to_all:
        return found
    return Denied(Reason.ORGANISATION_TYPE, ())


def published_until(one: KelaList | Invoice, today: date) -> Iterator[Period]:
    """Yield the periods of a list or an invoice that have come by a day, the newest first, without an end."""
    comes = one.published if isinstance(one, KelaList) else one.sent
    period = period_of(one.rhythm, _month(today.replace(day=1), 2))
    while comes.on(period) > today:
        period = period.next(-1)
    while True:
        yield period
        period = period.next(-1)


def _month(day: date, by: int) -> date:
    """Return the first day of the month `by` months after that of `day`."""
    count = day.year * 12 + day.month - 1 + by
    return date(count // 12, count % 12 + 1, 1)


@cache
def _table() -> dict[str, Any]:
    return catalogue.table("lists.toml")


def _list(row: dict[str, Any]) -> KelaList:
    return KelaList(
        row["id"],
        ListKind(row["kind"]),
        _names(row),
        frozenset(OrganisationType(name) for name in row["org_types"]),
        row["mandate"],
        row.get("invoice"),
        row.get("billed"),
        Rhythm(row["rhythm"]),
        Published(**row["published"]),
        tuple(ListColumn(column["id"], _names(column), ColumnType(column["type"])) for column in row["columns"]),
    )


def _invoice(row: dict[str, Any]) -> Invoice:
    return Invoice(
        row["id"],
        _names(row),
        OrganisationType(row["payer"]),
        Rhythm(row["rhythm"]),
        Published(**row["sent"]),
        row["due_day"],
        row.get("steps"),
        _day(row.get("from")),
        _day(row.get("until")),
    )


def _names(row: dict[str, Any]) -> Names:
    return Names(row["fi"], row["sv"], row["en"])


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
