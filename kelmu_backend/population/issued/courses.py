"""Unemployment of one person over the years: payments of four weeks each, what came back of them and was corrected.

The draws follow one another in the order of time, so whoever asks about a later month hears the same of those before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Final, NamedTuple

from kelmu_backend.population.issued.roll import Resident
from kelmu_backend.population.issued.shares import NEW, OLD
from kelmu_backend.population.lists import chance, table
from kelmu_tui.domain.deadlines import is_working_day
from kelmu_tui.domain.lists import Event, Period

LMS: Final = "labour_market_subsidy"
BASIC: Final = "basic_allowance"
EARNINGS: Final = "earnings_related"

REFORM: Final = date(2025, 1, 1)
"""First day of the new law."""
_START: Final = date(2023, 1, 2)
"""Monday on which the first courses begin."""
_WEEK: Final = timedelta(days=7)
_SETTLED: Final = timedelta(days=130)
"""Time after which a payment under the new law, and what comes back of it, is over."""
_DAYS: Final = 20
"""Days that one payment is for: four weeks of five."""
_AGAIN: Final = 13
"""Payments' time without the benefit after which the days are counted from the beginning."""
_PENSION: Final = 65
_MOST_DAYS: Final = 400
"""Days after which another benefit than labour market subsidy ends."""
_SPELLS: Final = {LMS: ((3, 8), (10, 30), (40, 70)), BASIC: ((3, 8), (8, 20)), EARNINGS: ((3, 8), (8, 20))}


class Payment(NamedTuple):
    """A payment, or what came back of one.

    Attributes:
        days: days that were paid, also of a return.
        accumulated: the count after them.
        cents: what was paid, negative when it came back.
        reached: the day on which the count reached 300, None while it has not.
    """

    period: Period
    days: int
    accumulated: int
    model: str
    service: bool
    cents: int
    paid_on: date
    event: Event
    reached: date | None


class _Block(NamedTuple):
    """Four weeks: the first Monday, the counts before them under both laws, and what chance says of them."""

    first: date
    new: int
    old: int
    service: bool
    factor: float
    fate: float
    delay: float


def benefit_of(seed: int, resident: Resident) -> str | None:
    """Return the benefit that somebody is unemployed on now and then, None for most."""
    drawn = chance(f"benefit/{seed}/{resident.id}").random() * 100
    for benefit in (LMS, BASIC, EARNINGS):
        drawn -= table("issued")[benefit]
        if drawn < 0:
            return benefit
    return None


def payments(seed: int, resident: Resident, benefit: str, since: date, until: date, *, old: bool) -> Iterator[Payment]:
    """Yield what was paid on a benefit from `since` to `until` and what came back, and some of what was before.

    Args:
        old: also what is paid under the old law, of which much is put right years after.
    """
    random = chance(f"{benefit}/{seed}/{resident.id}")
    reached: date | None = None
    for block in _blocks(random, resident, benefit, until):
        if block.new < _DAYS:
            reached = None
        if block.new < 300 <= block.new + _DAYS:
            reached = _day_of(block.first, 299 - block.new)
        elif reached is None and block.new >= 300:
            reached = block.first - timedelta(days=(block.new - 300) * 7 // 5 + 1)
        if block.first + _SETTLED < since and not (old and block.first < REFORM):
            continue  # whatever became of it was before
        for first, last in _by_law(block.first):
            yield from _of_block(block, first, last, reached)


def _blocks(random: Random, resident: Resident, benefit: str, until: date) -> Iterator[_Block]:
    first = _START + random.randrange(4) * _WEEK
    new = old = random.randrange(_DAYS) + (random.choice((0, 0, 60, 180, 280, 440, 700, 980)) if benefit == LMS else 0)
    if random.random() < 0.3:
        first += random.randrange(1, 10) * 4 * _WEEK
    grown, pension = resident.born.year + 18, resident.born.year + _PENSION
    while first <= until:
        length = random.randint(*random.choice(_SPELLS[benefit]))
        for _ in range(length):
            service = benefit == LMS and random.random() < 0.12
            factor = random.choice((0.35, 0.5, 0.8)) if random.random() < 0.15 else 1.0
            block = _Block(first, new, old, service, factor, random.random(), random.random())
            alive = resident.died is None or first + 4 * _WEEK < resident.died
            if first > until:
                return
            if alive and grown < first.year < pension:
                yield block
                new += _DAYS
                old += 0 if service else _DAYS
            first += 4 * _WEEK
            if benefit != LMS and new >= _MOST_DAYS:
                break
        gap = random.randint(2, 10) if random.random() < 0.7 else random.randint(_AGAIN + 1, 24)
        if benefit != LMS and new >= _MOST_DAYS:
            gap += _AGAIN
        if gap > _AGAIN:
            new = old = random.randrange(_DAYS)
        first += gap * 4 * _WEEK


def _by_law(first: date) -> Iterator[tuple[int, int]]:
    """Yield the first and the last day (counted from 0) of the parts of a block that are under one law."""
    under_old = 0
    if first < REFORM:
        days = (_day_of(first, n) for n in range(_DAYS))
        under_old = _DAYS if _day_of(first, _DAYS - 1) < REFORM else sum(day < REFORM for day in days)
    if under_old:
        yield 0, under_old - 1
    if under_old < _DAYS:
        yield under_old, _DAYS - 1


def _of_block(block: _Block, first: int, last: int, reached: date | None) -> Iterator[Payment]:
    period = Period(_day_of(block.first, first), _day_of(block.first, last))
    under_old = period.last < REFORM
    if under_old and block.service:
        return  # such days do not count under the old law, and nothing of them is billed
    days = last - first + 1
    cents = int(days * daily() * block.factor)
    paid_on = _working(_day_of(block.first, _DAYS - 1) + timedelta(days=4))
    later = _working(paid_on + timedelta(days=_delay(block, under_old=under_old)))
    count = (block.old if under_old else block.new) + last + 1
    model = OLD if under_old else NEW
    one = Payment(period, days, count, model, block.service, cents, paid_on, Event.PAID, reached)
    if block.fate > (0.8 if under_old else 0.985):
        yield one._replace(paid_on=later)
        return
    yield one
    if block.fate < 0.025:
        yield one._replace(cents=-cents, paid_on=later, event=Event.RETURNED)
    elif block.fate < 0.05:
        yield one._replace(cents=-cents, paid_on=later, event=Event.CORRECTED)
        yield one._replace(cents=int(cents * (0.5 + block.delay / 3)), paid_on=later)


def _delay(block: _Block, *, under_old: bool) -> int:
    """Return after how many days something of a payment is put right; of the old law long after."""
    return 250 + int(block.delay * 900) if under_old else 15 + int(block.delay * 60)


@cache
def daily() -> int:
    """Return the daily allowance in cents."""
    return int(table("issued")["daily_allowance"].replace(".", ""))


def _day_of(first: date, number: int) -> date:
    """Return the day with a number, counted from 0, among the days from Monday to Friday."""
    return first + timedelta(days=number // 5 * 7 + number % 5)


def _working(day: date) -> date:
    while not is_working_day(day):
        day += timedelta(days=1)
    return day
