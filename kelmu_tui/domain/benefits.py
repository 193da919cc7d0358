"""Kela's benefits as the catalogue has them, their payment days, and the medicine annual cap.

Sums are `Decimal` euros, days are Finnish calendar days. Facts and their sources stand in `catalogue/benefits.toml` and
`catalogue/customers.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.deadlines import is_working_day
from kelmu_tui.domain.organisations import Names


class Benefit(NamedTuple):
    """A benefit of the catalogue.

    Attributes:
        code: three letters of our own, for columns that have no room for a name.
        group: pension, veteran, disability, housing, unemployment, sickness, rehabilitation, family, childcare,
            student, social_assistance, health or other.
        incomes_register: Kela reports its payments to the Incomes Register.
        typical, low, high: euros a month, or of one payment where `basis` says so; for generated people.
        basis: month, one_off, per_purchase, per_trip, per_visit or per_treatment.
        payment_day: day of the month, or a rule (`payment_day_of`).
        valid_from, valid_to: first and last day on which it exists, None without an end.
    """

    id: str
    code: str
    name: Names
    group: str
    taxable: bool
    incomes_register: bool
    typical: Decimal
    low: Decimal
    high: Decimal
    basis: str
    payment_day: str
    valid_from: date | None
    valid_to: date | None
    claim_s23: bool
    claim_s14: bool

    def exists_on(self, day: date) -> bool:
        """Tell whether the benefit can be due for `day`."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class MedicineLimits(NamedTuple):
    """Limits of a calendar year in euros: annual cap, initial deductible, own share of a medicine after the cap."""

    year: int
    cap: Decimal
    deductible: Decimal
    after: Decimal


@cache
def benefits() -> Mapping[str, Benefit]:
    """Return the benefits by id, in the order of the catalogue."""
    return MappingProxyType(
        {
            row["id"]: Benefit(
                row["id"],
                row["code"],
                Names(row["fi"], row["sv"], row["en"]),
                row["group"],
                row["taxable"],
                row["incomes_register"],
                _euros(row["typical_eur"]),
                _euros(row["low_eur"]),
                _euros(row["high_eur"]),
                row["basis"],
                row["payment_day"],
                _day(row.get("valid_from")),
                _day(row.get("valid_to")),
                row["claim_s23"],
                row["claim_s14"],
            )
            for row in catalogue.table("benefits.toml")["benefit"]
        }
    )


@cache
def groups() -> tuple[str, ...]:
    """Return the groups of benefits, in the order of the catalogue."""
    return tuple(dict.fromkeys(benefit.group for benefit in benefits().values()))


@cache
def medicine_limits() -> Mapping[int, MedicineLimits]:
    """Return the limits of each year that the catalogue knows."""
    return MappingProxyType(
        {
            row["year"]: MedicineLimits(
                row["year"], Decimal(row["cap"]), Decimal(row["deductible"]), Decimal(row["after"])
            )
            for row in catalogue.table("customers.toml")["medicine_cap"]
        }
    )


def has_deductible(born: date, year: int) -> bool:
    """Tell whether the initial deductible applies to somebody in `year`: from the year of the 19th birthday."""
    return year >= born.year + 19


def _euros(value: float | str) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def _day(value: str | date | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


# --- payment days ---------------------------------------------------------------------------------------------------

_CHILD_BENEFIT_DAY: Final = 26
_FIRST: Final = "first_banking_day"
_LAST: Final = "last_banking_day"
_BY_SURNAME: Final = "by_surname"
REGULAR: Final = frozenset({_FIRST, _LAST, _BY_SURNAME})
"""Rules that give one day for each month; a number does too. What is paid by period, on decision or in a pharmacy has
no day of the month."""


def payment_day_of(benefit: Benefit, year: int, month: int, surname: str = "") -> date | None:
    """Return the day on which a monthly benefit is paid in a month, None when it has no day of the month.

    A day on which banks are closed gives way to the banking day before it (assumption: banking days are working days);
    the first banking day is the next one. Child benefit moves earlier from Saturday, Sunday, Monday and holidays.

    Args:
        surname: survivors' pensions and child increases are paid by its first letter.
    """
    rule = benefit.payment_day
    if rule == _FIRST:
        return _forward(date(year, month, 1))
    if rule == _LAST:
        return _back(_next_month(year, month) - timedelta(days=1))
    if rule == _BY_SURNAME:
        return _back(date(year, month, _surname_day(surname)))
    if not rule.isdigit():
        return None
    day = date(year, month, int(rule))
    if int(rule) == _CHILD_BENEFIT_DAY and day.weekday() == 0:
        day -= timedelta(days=1)
    return _back(day)


def _surname_day(surname: str) -> int:
    """Return the day for a surname's first letter: A–K the 4th, L–R the 14th, the rest the 20th (assumption)."""
    first = surname[:1].upper()
    return 4 if first <= "K" else 14 if first <= "R" else 20


def _next_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def _back(day: date) -> date:
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day


def _forward(day: date) -> date:
    while not is_working_day(day):
        day += timedelta(days=1)
    return day
