"""What others have passed on to Kela: wages before a benefit, incomes, pensions of others, studies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from kelmu_backend.population.lists import table
from kelmu_backend.population.lives.calendar import after, before, last_of, month_after, months
from kelmu_backend.population.lives.model import Course, Customer, Life, drawn, id_of, row_of
from kelmu_backend.population.lives.spells import FIRST_YEAR, age
from kelmu_backend.population.rows import Row
from kelmu_tui.api.contract.customers import PassedOnRow
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.sections import Section

_INSTEAD = frozenset({"unemployment", "pension", "student"})
_WAGED = frozenset({"unemployment", "sickness"})


def passed_on_rows(life: Life, today: date) -> Iterator[Row]:
    """Yield what had been passed on by `today`, and in the person's lifetime."""
    last = min(today, life.person.died or today)
    for row in _all(life, last):
        if row.received <= last:
            yield row_of(life.person, Section.PASSED_ON, row, row.received, None, row.received)


def _all(life: Life, last: date) -> Iterator[PassedOnRow]:
    for course in life.courses:
        group = benefits()[course.spell.benefit].group
        if group in _WAGED and course.spell.applied and _hired(life.person) < course.spell.start:
            yield _wages(life.person, course)
        if course.spell.benefit == "national_pension_old_age":
            yield from _pensions(life.person, course, last)
        if course.spell.benefit == "study_grant":
            yield from _studies(life.person, course, last)
    groups = {benefits()[course.spell.benefit].group for course in life.courses}
    if 20 <= age(life.person) < 66 and groups.isdisjoint(_INSTEAD):
        yield from _incomes(life.person, last)


def _wages(person: Customer, course: Course) -> PassedOnRow:
    """Return the wages of the year before a benefit, which the employer tells while the application is handled."""
    start, decided = course.spell.start, course.parts[0].decided
    wage = _wage(person)
    since = month_after(start, -12)
    if course.spell.benefit == "sickness_allowance":
        since = max(since, _hired(person))
    count = sum(1 for _ in months(since, start - timedelta(days=1)))
    id_ = id_of(person, "w", course.spell.benefit, start)
    return _made(id_, _employer(person), "wage", since, start - timedelta(days=1), wage * count, before(decided, 3))


def _incomes(person: Customer, last: date) -> Iterator[PassedOnRow]:
    """Yield the incomes of each month in a job, as the Incomes Register passes them on in the next month."""
    for month in months(_hired(person), last):
        end = last_of(month)
        id_ = id_of(person, "w", "income", month)
        yield _made(id_, table("lives")["incomes_register"], "income", month, end, _wage(person), after(end, 8))


def _pensions(person: Customer, course: Course, last: date) -> Iterator[PassedOnRow]:
    """Yield the earnings-related pension of each year, which the provider tells when the year begins."""
    random = drawn(person, "earnings_related_pension")
    monthly, sender = Decimal(random.randrange(200, 1900)), random.choice(table("lives")["pension_providers"])
    start = course.spell.start
    for year in range(start.year, last.year + 1):
        since = max(start, date(year, 1, 1))
        count = 13 - since.month
        received = after(since, 10)
        id_ = id_of(person, "w", "pension", since)
        yield _made(id_, sender, "pension", since, date(year, 12, 31), monthly * count, received)


def _studies(person: Customer, course: Course, last: date) -> Iterator[PassedOnRow]:
    school = drawn(person, "school").choice(table("lives")["schools"])
    for year in range(course.spell.start.year, last.year + 1):
        autumn = date(year, 8, 1)
        if autumn >= course.spell.start and (course.spell.end is None or autumn <= course.spell.end):
            id_ = id_of(person, "w", "study", autumn)
            yield _made(id_, school, "study", autumn, date(year + 1, 5, 31), None, date(year, 9, 1))


def _made(
    id_: str, sender: str, kind: str, start: date, end: date, amount: Decimal | None, received: date
) -> PassedOnRow:
    return PassedOnRow(
        id=id_, sender=sender, kind=kind, period_from=start, period_to=end, amount=amount, received=received
    )


def _hired(person: Customer) -> date:
    random = drawn(person, "work")
    start = date(random.randrange(FIRST_YEAR - 3, FIRST_YEAR + 1), random.randrange(1, 13), 1)
    return max(start, date(person.born.year + 19, 1, 1))


def _wage(person: Customer) -> Decimal:
    return Decimal(drawn(person, "wage").randrange(1500, 4200))


def _employer(person: Customer) -> str:
    return str(drawn(person, "employer").choice(table("lives")["employers"]))
