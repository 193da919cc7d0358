"""What benefits a person lives on, from when to when; what is a household's goes to one of its adults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Final

from kelmu_backend.population.lives.calendar import last_of, month_after
from kelmu_backend.population.lives.model import ANCHOR, Customer, Ending, Spell, drawn, home_of
from kelmu_tui.domain.organisations import ALAND_COUNTY, municipalities

SUBSIDY_END: Final = date(2026, 4, 30)
SUPPLEMENT_START: Final = date(2025, 8, 1)
FIRST_YEAR: Final = 2022
"""The year before which only long pensions and child benefits began."""
SHARED: Final = {
    "general_housing_allowance": "housing",
    "pensioners_housing_allowance": "housing",
    "basic_social_assistance": "assistance",
}
"""Benefits of a household, by what they are for: one adult gets each."""
_STOPPABLE: Final = (*SHARED, "general_support")
_STOPPED: Final = (Ending.INCOME, Ending.NOT_ENTITLED, Ending.DOCUMENTS)
_PARENTHOOD: Final = range(16, 56)
"""Ages at which somebody has a child; in a household of three generations the middle one has them."""
_LONG: Final = 500
"""One in so many people who are old enough has been retired for twenty years and more."""


def age(person: Customer) -> int:
    """Return how old somebody becomes in the year that decides what they live on."""
    return ANCHOR - person.born.year


def spells_of(person: Customer, household: Sequence[Customer], today: date) -> list[Spell]:
    """Return the spells of a person until the year after `today`, in the order of their first days."""
    first = _first_adults(person, household)
    found = [spell for spell in _own(person) if first.get(SHARED.get(spell.benefit, ""), person.id) == person.id]
    found += _child_benefit(person, household)
    found += _sickness(person, found, today)
    cut = [cut for spell in found if (cut := _until_death(spell, person.died)) is not None]
    return sorted(cut, key=lambda spell: (spell.start, spell.benefit))


def _first_adults(person: Customer, household: Sequence[Customer]) -> dict[str, str]:
    """Return which of the people of a household gets each benefit that is the household's."""
    found: dict[str, str] = {}
    for one in sorted((person, *household), key=_order):
        for spell in _own(one):
            if spell.benefit in SHARED:
                found.setdefault(SHARED[spell.benefit], one.id)
    return found


def _order(person: Customer) -> tuple[bool, str]:
    """Return by what the one is chosen who gets something: the living first."""
    return person.died is not None, person.id


def _own(person: Customer) -> list[Spell]:
    random = drawn(person, "spells")
    years = age(person)
    start = date(random.randrange(FIRST_YEAR, ANCHOR + 1), random.randrange(1, 13), 1)
    found: list[Spell] = []
    if person.pension_since is not None:
        found = _long_pension(person, person.pension_since)
    elif years >= 66:
        found = _pensions(person, start, random)
    elif 18 <= years < 27 and random.random() < 0.5:
        start = max(start, _adult(person))
        found = [Spell("study_grant", start, None), *_student_housing(start)]
    elif years >= 19 and random.random() < 0.55:
        on_aland = municipalities()[home_of(person)].county == ALAND_COUNTY
        found = _unemployment(max(start, _adult(person)), random, on_aland)
    return [part for spell in found for part in _stopped(person, spell)]


def _adult(person: Customer) -> date:
    return date(person.born.year + 19, 1, 1)


def _pensions(person: Customer, start: date, random: Random) -> list[Spell]:
    retired = date(max(2017, person.born.year + 66), 1, 1)
    if person.seed % _LONG == 0 and person.born.year + 65 <= ANCHOR - 20:
        retired = month_after(date(person.born.year + 65, person.born.month, 1), 1)
    found = [Spell("national_pension_old_age", retired, None)]
    if random.random() < 0.4:
        found.append(Spell("pensioners_housing_allowance", max(start, retired), None))
    if age(person) >= 75 and random.random() < 0.2:
        found.append(Spell("care_allowance_pensioners_basic", max(start, retired), None))
    return found


def _long_pension(person: Customer, since: date) -> list[Spell]:
    """Return a pension for disability, and the one for old age that follows it at 65."""
    old = month_after(date(person.born.year + 65, person.born.month, 1), 1)
    if old <= since:
        return [Spell("national_pension_old_age", since, None)]
    return [
        Spell("national_pension_disability", since, old - timedelta(days=1), Ending.REPLACED),
        Spell("national_pension_old_age", old, None, applied=False),
    ]


def _student_housing(start: date) -> list[Spell]:
    if start >= SUPPLEMENT_START:
        return [Spell("student_housing_supplement", start, None)]
    end = SUPPLEMENT_START - timedelta(days=1)
    return [
        Spell("general_housing_allowance", start, end, Ending.REPLACED),
        Spell("student_housing_supplement", SUPPLEMENT_START, None, applied=False),
    ]


def _unemployment(start: date, random: Random, on_aland: bool) -> list[Spell]:
    """Return the subsidy until it ends, general support after it, and what goes with them; some work in between.

    On Åland Kela does not pay social assistance.
    """
    subsidy = random.choice(("labour_market_subsidy", "basic_unemployment_allowance"))
    found = []
    if start <= SUBSIDY_END:
        gap = month_after(start, random.randrange(3, 9))
        back = month_after(gap, random.randrange(1, 5))
        if random.random() < 0.4 and back < SUBSIDY_END:
            found.append(Spell(subsidy, start, gap - timedelta(days=1), Ending.NOT_ENTITLED))
            found.append(Spell(subsidy, back, SUBSIDY_END, Ending.REPLACED))
        else:
            found.append(Spell(subsidy, start, SUBSIDY_END, Ending.REPLACED))
    found.append(
        Spell("general_support", max(start, SUBSIDY_END + timedelta(days=1)), None, applied=start > SUBSIDY_END)
    )
    found.append(Spell("general_housing_allowance", start, None))
    if random.random() < 0.5 and not on_aland:
        found.append(Spell("basic_social_assistance", start, None))
    return found


def _stopped(person: Customer, spell: Spell) -> Iterator[Spell]:
    """Yield a spell, or the part of it until it was stopped, and the part after it was granted again."""
    random = drawn(person, f"stop/{spell.benefit}")
    if spell.benefit not in _STOPPABLE or spell.end is not None or random.random() >= 0.2:
        yield spell
        return
    stop = month_after(spell.start, random.randrange(6, 48))
    yield spell._replace(end=stop - timedelta(days=1), why=random.choice(_STOPPED))
    if random.random() < 0.5:
        yield Spell(spell.benefit, month_after(stop, random.randrange(2, 4)), None)


def children_at(children: Sequence[date], month: date) -> int:
    """Return for how many of the children, by their days of birth, child benefit is paid for a month."""
    return sum(
        month_after(born, 1) <= month <= date(born.year + 17, born.month, 1) - timedelta(days=1) for born in children
    )


def children_of(person: Customer, household: Sequence[Customer]) -> list[date]:
    """Return the days of birth of the children whose child benefit a person gets."""
    children = [one.born for one in household if age(one) < 17]
    if age(person) < 18 or not children:
        return []
    adults = [one for one in (person, *household) if age(one) >= 18]
    parents = [one for one in adults if all(born.year - one.born.year in _PARENTHOOD for born in children)]
    return children if min(parents or adults, key=_order).id == person.id else []


def _child_benefit(person: Customer, household: Sequence[Customer]) -> list[Spell]:
    children = children_of(person, household)
    if not children:
        return []
    start = month_after(max(min(children), date(2020, 1, 1), _adult(person)), 1)
    youngest = max(children)
    end = date(youngest.year + 17, youngest.month, 1) - timedelta(days=1)
    return [] if start > end else [Spell("child_benefit", start, end)]


def _sickness(person: Customer, found: Sequence[Spell], today: date) -> Iterator[Spell]:
    """Yield months on sickness allowance of somebody of working age who is not on another benefit for living."""
    if not 20 <= age(person) <= 64 or any(spell.benefit not in (*SHARED, "child_benefit") for spell in found):
        return
    for year in range(FIRST_YEAR, today.year + 2):
        random = drawn(person, f"sickness/{year}")
        if random.random() < 0.2:
            start = date(year, random.randrange(1, 10), 1)
            yield Spell("sickness_allowance", start, month_after(start, random.randrange(1, 4)) - timedelta(days=1))


def _until_death(spell: Spell, died: date | None) -> Spell | None:
    if died is None or (spell.end is not None and spell.end <= died):
        return spell
    return None if spell.start > died else spell._replace(end=last_of(died), why=Ending.DIED)
