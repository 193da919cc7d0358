"""Childcare support: who gets it in a month, what was paid, and what came back because care at home ended early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from kelmu_backend.population.issued.drafts import Draft, draft
from kelmu_backend.population.issued.roll import Child, Resident, Roll
from kelmu_backend.population.issued.unemployment import Made
from kelmu_backend.population.lists import chance, table
from kelmu_tui.domain.deadlines import is_working_day
from kelmu_tui.domain.lists import Event, Period

RECIPIENTS: Final = "list_childcare_recipients"
PAYMENTS: Final = "list_childcare_payments"

HOME: Final = "child_home_care_allowance"
PRIVATE: Final = "private_day_care_allowance"
FLEXIBLE: Final = "flexible_care_allowance"

_FROM_MONTHS: Final = 10
"""Age at which support begins, after the parental allowance (assumption)."""
_SMALL: Final = 3
"""Age up to which there is care at home."""
_SCHOOL: Final = 7
"""Age up to which there is care at all."""


class Support(NamedTuple):
    """What a family gets in a month; sums are cents, `supplement` is in `cents`."""

    type: str
    children: tuple[Child, ...]
    valid: Period
    cents: int
    supplement: int


def recipient_rows(roll: Roll, seed: int, periods: Sequence[Period]) -> Made:
    """Return the families that get support in each month."""
    supplement = _supplement(roll, seed)
    made: Made = {period: [] for period in periods}
    for resident in _parents(roll):
        for period, rows in made.items():
            found = support(seed, resident, period, supplement)
            if found is not None:
                values = {
                    "children": found.children,
                    "support_type": found.type,
                    "valid": found.valid,
                    "monthly_eur": found.cents,
                }
                rows.append(draft(resident, "", **values))
    return made


def payment_rows(roll: Roll, seed: int, periods: Sequence[Period]) -> Made:
    """Return what was paid in each month, and what came back of the month before."""
    supplement = _supplement(roll, seed)
    made: Made = {period: [] for period in periods}
    for resident in _parents(roll):
        for period, rows in made.items():
            rows.extend(_payments(seed, resident, period, supplement))
    return made


def _payments(seed: int, resident: Resident, period: Period, supplement: int) -> Iterator[Draft]:
    found = support(seed, resident, period, supplement)
    if found is not None:
        yield _row(resident, found, period, _working(period.last, -1), Event.PAID)
    before = support(seed, resident, period.next(-1), supplement)
    if before is not None and chance(f"return/{seed}/{resident.id}/{period.key}").random() < 0.04:
        yield _row(resident, before, period.next(-1), _working(period.first + timedelta(days=9), 1), Event.RETURNED)


def _row(resident: Resident, found: Support, paid_for: Period, paid_on: date, event: Event) -> Draft:
    sign = 1 if event is Event.PAID else -1
    return draft(
        resident,
        f"{paid_for.key}/{event}",
        support_type=found.type,
        period=paid_for,
        paid_on=paid_on,
        amount_eur=sign * found.cents,
        municipal_supplement_eur=sign * found.supplement,
        event=event,
    )


def support(seed: int, resident: Resident, month: Period, supplement: int) -> Support | None:
    """Return what a family gets in a month, None when it gets nothing."""
    if resident.died is not None and resident.died <= month.last:
        return None
    random = chance(f"childcare/{seed}/{resident.id}")
    choice, stays = random.random(), random.randrange(_FROM_MONTHS + 4, 36)
    ages = [(child, _months(child.born, month.first)) for child in resident.children]
    small = [child for child, age in ages if _FROM_MONTHS <= age < _SMALL * 12]
    bigger = [child for child, age in ages if _SMALL * 12 <= age < _SCHOOL * 12]
    youngest = min((age for _, age in ages if age >= _FROM_MONTHS), default=None)
    sums = table("issued")
    if small and choice < 0.7 and youngest is not None and youngest < stays:
        first, further, third = (_cents(text) for text in sums["home_care"])
        cents = first + further * (len(small) - 1) + third * len(bigger) + supplement
        return Support(HOME, tuple(small + bigger), _valid(small[-1], stays), cents, supplement)
    if small and choice < 0.85:
        return Support(FLEXIBLE, (small[-1],), _valid(small[-1], 36), _cents(sums["flexible_care"]), 0)
    if (small or bigger) and choice > 0.75:
        child = (small + bigger)[0]
        cents = _cents(sums["private_day_care"]) + supplement
        return Support(PRIVATE, (child,), _valid(child, _SCHOOL * 12), cents, supplement)
    return None


def _parents(roll: Roll) -> list[Resident]:
    return [resident for resident in roll.residents if resident.children]


def _supplement(roll: Roll, seed: int) -> int:
    """Return what the municipality adds for a family, in cents."""
    return _cents(chance(f"supplement/{seed}/{roll.organisation.business_id}").choice(table("issued")["supplements"]))


def _valid(child: Child, months: int) -> Period:
    return Period(_later(child.born, _FROM_MONTHS), _later(child.born, months) - timedelta(days=1))


def _later(day: date, months: int) -> date:
    """Return the first day of the month that is so many months later."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _months(born: date, day: date) -> int:
    return (day.year - born.year) * 12 + day.month - born.month


def _working(day: date, step: int) -> date:
    while not is_working_day(day):
        day += timedelta(days=step)
    return day


def _cents(text: str) -> int:
    return int(text.replace(".", ""))
