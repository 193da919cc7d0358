"""The lists of those who get the front-veterans' supplement and the highest care allowance for pensioners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from kelmu_backend.population.issued.drafts import Draft, draft
from kelmu_backend.population.issued.roll import WAR, Resident, Roll
from kelmu_backend.population.issued.unemployment import Made
from kelmu_backend.population.lists import chance
from kelmu_tui.domain.lists import Period

VETERANS_LIST: Final = "list_front_veterans_supplement"
CARE_LIST: Final = "list_highest_care_allowance"

_OLD: Final = 66
"""Age from which on some need so much care (assumption)."""


def veterans(roll: Roll, seed: int, periods: Sequence[Period]) -> Made:
    """Return who of the war generation gets the supplement: those alive at the end of the period."""
    old = [resident for resident in roll.residents if resident.born.year <= WAR]
    return {period: [_veteran(seed, one) for one in old if _alive(one, period)] for period in periods}


def _veteran(seed: int, resident: Resident) -> Draft:
    random = chance(f"veteran/{seed}/{resident.id}")
    granted = date(random.randrange(1978, 1996), random.randrange(1, 13), 1)
    additional = random.random() < 0.45
    values = {"born": resident.born, "granted_from": granted, "additional": additional, "language": resident.language}
    return draft(resident, "", **values)


def in_much_care(roll: Roll, seed: int, periods: Sequence[Period]) -> Made:
    """Return who gets the highest care allowance at some time of the period."""
    made: Made = {period: [] for period in periods}
    for resident in roll.residents:
        granted = _granted(seed, resident)
        if granted is None:
            continue
        begins, until = granted
        for period, rows in made.items():
            if begins <= period.last and (until is None or until >= period.first) and _alive(resident, period):
                rows.append(draft(resident, "", granted_from=begins, until=until))
    return made


def _granted(seed: int, resident: Resident) -> tuple[date, date | None] | None:
    random = chance(f"care/{seed}/{resident.id}")
    if random.random() > 0.45:
        return None
    begins = date(resident.born.year + _OLD + random.randrange(0, 20), random.randrange(1, 13), 1)
    months = random.choice((None, None, 12, 24))
    return begins, None if months is None else begins + timedelta(days=months * 365 // 12)


def _alive(resident: Resident, period: Period) -> bool:
    return resident.died is None or resident.died > period.last
