"""Reimbursements for treatment that people sought abroad, and what the county had answered to Kela before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Final

from kelmu_backend.population.issued.drafts import Draft, draft
from kelmu_backend.population.issued.roll import Resident, Roll
from kelmu_backend.population.issued.unemployment import Made
from kelmu_backend.population.lists import Weighted, chance, table
from kelmu_tui.domain.deadlines import is_working_day
from kelmu_tui.domain.lists import Period

LIST: Final = "list_treatment_abroad_reimbursements"

_SHARE: Final = 0.035
"""Part of the people who are treated abroad in half a year; far more than in life, for the demo (assumption)."""


def rows(roll: Roll, seed: int, periods: Sequence[Period]) -> Made:
    """Return what was reimbursed in each half-year."""
    return {period: list(_of(roll, seed, period)) for period in periods}


def _of(roll: Roll, seed: int, period: Period) -> Iterator[Draft]:
    for resident in roll.residents:
        random = chance(f"abroad/{seed}/{resident.id}/{period.key}")
        if random.random() < _SHARE and (resident.died is None or resident.died > period.last):
            yield _treated(random, resident, period)


def _treated(random: Random, resident: Resident, period: Period) -> Draft:
    countries: Sequence[str] = table("issued")["countries"]
    likely = Weighted.of([(country, 1 / (place + 1)) for place, country in enumerate(countries)])
    paid_on = _working(period.first + timedelta(days=random.randrange(3, 170)))
    ended = paid_on - timedelta(days=random.randrange(30, 150))
    cost = random.randrange(9_000, 900_000)
    fee = min(cost, random.choice((0, 2_830, 4_180, 5_670, 9_980)))
    # What was paid abroad is less now and then.
    reimbursed = cost - fee if random.random() < 0.7 else int((cost - fee) * random.uniform(0.4, 0.99))
    return draft(
        resident,
        str(ended),
        country=likely.draw(random),
        treated=Period(ended - timedelta(days=random.choice((0, 0, 1, 4, 9))), ended),
        prior_authorisation=random.random() < 0.4,
        request_ref=f"TP-{ended.year}-{random.randrange(10**8):08d}",
        comparable_cost_eur=cost,
        client_fee_eur=fee,
        reimbursed_eur=reimbursed,
        paid_on=paid_on,
    )


def _working(day: date) -> date:
    while not is_working_day(day):
        day += timedelta(days=1)
    return day
