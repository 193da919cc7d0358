"""How a spell goes: what is decided on its months, by whose wish, and how much it pays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final, NamedTuple

from kelmu_backend.population.lists import table
from kelmu_backend.population.lives.calendar import after, before, month_after, months
from kelmu_backend.population.lives.model import (
    NOTHING,
    Course,
    Customer,
    Ending,
    Part,
    Spell,
    amount_on,
    drawn,
    percent,
)
from kelmu_backend.population.lives.spells import children_at
from kelmu_tui.api.contract.customers import DecisionOutcome

AHEAD: Final = 40
"""Days before a month by which a change of it is decided, so that the planned payment knows it."""
_PERSONAL: Final = frozenset(
    {
        "general_housing_allowance",
        "pensioners_housing_allowance",
        "student_housing_supplement",
        "national_pension_old_age",
        "basic_social_assistance",
    }
)
"""Benefits whose sum depends on the person's or the household's circumstances."""
_REVIEWED: Final = frozenset({"general_housing_allowance", "pensioners_housing_allowance", "basic_social_assistance"})
"""Benefits that are reviewed once a year."""


class _Step(NamedTuple):
    """Why something new is decided from a month on."""

    outcome: DecisionOutcome = DecisionOutcome.ADJUSTED
    reason: str | None = None
    review: bool = False


def course_of(person: Customer, spell: Spell, children: Sequence[date], today: date) -> Course:
    """Return the decisions on a spell until the year after `today`.

    Args:
        children: the days of birth of those for whom the person gets child benefit.
    """
    random = drawn(person, f"course/{spell.benefit}/{spell.start}")
    share = random.randrange(55, 101) if spell.benefit in _PERSONAL else 100
    granted = before(spell.start, 5)
    received = granted - timedelta(days=random.randrange(8, 46)) if spell.applied else None
    steps = _steps(spell, children, random, today)
    starts = [spell.start, *sorted(steps)]
    parts = []
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        end = following - timedelta(days=1) if following else spell.end
        step = steps.get(start, _Step(DecisionOutcome.GRANTED))
        decided = granted if start == spell.start else max(granted, before(start, AHEAD))
        if step.review:
            own = drawn(person, f"review/{spell.benefit}/{start}")
            received, share = decided - timedelta(days=own.randrange(20, 90)), own.randrange(55, 101)
        paid = None if step.outcome is DecisionOutcome.SUSPENDED else _euros(spell, start, share, children)
        reason = step.reason
        parts.append(Part(spell.benefit, start, end, paid, step.outcome, decided, reason, received))
        received = None
    if spell.why is not None and spell.end is not None:
        parts.append(_ending(person, spell, spell.end, spell.why, granted))
    return Course(spell, tuple(parts))


def _steps(spell: Spell, children: Sequence[date], random: Random, today: date) -> dict[date, _Step]:
    last = min(spell.end or date.max, date(today.year + 1, 12, 1))
    found: dict[date, _Step] = {}
    if spell.benefit in _REVIEWED:
        yearly = (month_after(spell.start, count) for count in range(12, 12 * (last.year - spell.start.year + 2), 12))
        found |= {day: _Step(review=True, reason=Ending.INCOME) for day in yearly if day <= last}
    if spell.benefit == "child_benefit":
        every = list(months(spell.start, last))
        counts = [children_at(children, month) for month in every]
        changes = zip(every[1:], counts, counts[1:], strict=False)
        found |= {month: _Step() for month, earlier, now in changes if earlier != now}
    indexed = {row["from"] for row in table("amounts")["amount"] if row["benefit"] == spell.benefit}
    found |= {day: _Step() for day in indexed if spell.start < day <= last}
    return found | _suspension(spell, random, set(found))


def _suspension(spell: Spell, random: Random, taken: set[date]) -> dict[date, _Step]:
    """Return a suspension and the grant after it, unless something else is decided on its months."""
    start = month_after(spell.start, random.randrange(3, 40))
    again = month_after(start, random.randrange(2, 4))
    if random.random() >= 0.06 or any(start <= day <= again for day in taken):
        return {}
    if spell.end is not None and again > spell.end:
        return {}
    return {
        start: _Step(DecisionOutcome.SUSPENDED, Ending.DOCUMENTS),
        again: _Step(DecisionOutcome.GRANTED),
    }


def _ending(person: Customer, spell: Spell, end: date, why: Ending, granted: date) -> Part:
    start = end + timedelta(days=1)
    decided = max(granted, before(start, AHEAD))
    if why is Ending.DIED and person.died is not None:
        decided = after(person.died, 7)
    return Part(spell.benefit, start, None, None, DecisionOutcome.DISCONTINUED, decided, why)


def _euros(spell: Spell, month: date, share: int, children: Sequence[date]) -> Decimal:
    if spell.benefit != "child_benefit":
        return percent(amount_on(spell.benefit, month), share)
    sums = [Decimal(text) for text in table("amounts")["child_benefit"]]
    count = children_at(children, month)
    return sum((sums[min(number, len(sums) - 1)] for number in range(count)), NOTHING)
