"""Lists and invoices of the unemployment benefits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from kelmu_backend.population.issued.courses import BASIC, EARNINGS, LMS, Payment, benefit_of, payments
from kelmu_backend.population.issued.drafts import Draft, Values, draft
from kelmu_backend.population.issued.roll import Resident, Roll
from kelmu_backend.population.issued.shares import NEW, OLD, percent, share
from kelmu_backend.population.lists import chance, table
from kelmu_tui.domain.lists import Event, Period, Rhythm, period_of

Made = Mapping[Period, list[Draft]]
"""The rows of each period."""

BILLED: Final = {
    "list_lms_invoice_persons": (LMS, OLD),
    "list_lms_invoice_persons_2025": (LMS, NEW),
    "list_basic_allowance_invoice_persons": (BASIC, NEW),
    "list_earnings_related_invoice_persons": (EARNINGS, NEW),
}
"""Benefit and law of the lists behind the invoices."""

_AT_RISK: Final = range(60, 300)
"""Accumulated days at which unemployment is at risk of becoming long."""


def billed_rows(list_id: str, roll: Roll, seed: int, periods: Sequence[Period]) -> Made:
    """Return the rows of a list behind an invoice: what was paid, returned and corrected in each period."""
    benefit, model = BILLED[list_id]
    made: Made = {period: [] for period in periods}
    for resident, found in _paid(roll, seed, benefit, periods, old=model == OLD):
        for one in found:
            rows = made.get(period_of(Rhythm.MONTH, one.paid_on))
            if rows is None or one.model != model:
                continue
            row = billed_row(seed, resident, benefit, one)
            # What the municipality has no part in does not stand on its invoice.
            if row.values["municipal_share_eur"]:
                rows.append(row)
    return made


def billed_row(seed: int, resident: Resident, benefit: str, one: Payment) -> Draft:
    """Return the row of a payment."""
    values: Values = {
        "period": one.period,
        "paid_on": one.paid_on,
        "days_paid": one.days,
        "days_accumulated": one.accumulated,
        "amount_eur": one.cents,
        "share_percent": percent(one.model, one.accumulated),
        "municipal_share_eur": share(one.model, one.cents, one.days, one.accumulated),
        "event": one.event,
    }
    if benefit == EARNINGS:
        values["fund"] = chance(f"fund/{seed}/{resident.id}").choice(table("issued")["funds"])
    return draft(resident, f"{one.period.first}/{one.paid_on}/{one.event}", **values)


def _paid(
    roll: Roll, seed: int, benefit: str, periods: Sequence[Period], *, old: bool
) -> Iterable[tuple[Resident, list[Payment]]]:
    since, until = periods[0].first, periods[-1].last
    for resident in roll.residents:
        if benefit_of(seed, resident) == benefit:
            yield resident, list(payments(seed, resident, benefit, since, until, old=old))


def recipients(list_id: str, roll: Roll, seed: int, periods: Sequence[Period]) -> Made:
    """Return the rows of a list of recipients: of whom the list is about, by what was last paid in each period."""
    values = _RECIPIENTS[list_id]
    made: Made = {period: [] for period in periods}
    for resident, found in _paid(roll, seed, LMS, periods, old=False):
        newest: dict[Period, Payment] = {}
        for one in found:
            month = period_of(Rhythm.MONTH, one.paid_on)
            if one.event is Event.PAID and (month not in newest or newest[month].period < one.period):
                newest[month] = one
        for period, rows in made.items():
            if period in newest and (told := values(newest[period])) is not None:
                rows.append(draft(resident, "", **told))
    return made


def _received(one: Payment) -> Values:
    return {"days_accumulated": one.accumulated, "last_paid_until": one.period.last}


def _long_received(one: Payment) -> Values | None:
    return _received(one) | {"reached_on": one.reached} if one.accumulated >= 300 else None


def _at_risk(one: Payment) -> Values | None:
    if one.accumulated not in _AT_RISK:
        return None
    return {
        "days_accumulated": one.accumulated,
        "days_to_share": max(0, _share_begins() - one.accumulated),
        "service": one.service,
    }


@cache
def _share_begins() -> int:
    """Return the first accumulated day of which the municipality pays a part."""
    return next(day for day in range(1, 1000) if percent(NEW, day))


_RECIPIENTS: Final[Mapping[str, Callable[[Payment], Values | None]]] = {
    "list_lms_300_days": _long_received,
    "list_lms_recipients_municipality": _received,
    "list_lms_prolonged_unemployment": _at_risk,
}
