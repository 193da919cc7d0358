"""Decisions: on spells, on applications that were refused, and of the appeal board."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import zip_longest

from kelmu_backend.population.lives.model import Appeal, Course, Customer, Ending, Life, Part, id_of, row_of
from kelmu_backend.population.rows import Row
from kelmu_tui.api.contract.customers import DecisionOutcome, DecisionRow
from kelmu_tui.domain.sections import Section


def decision_rows(life: Life, today: date) -> Iterator[Row]:
    """Yield the decisions that have been made by `today`."""
    appealed = {appeal.against: appeal.received for appeal in life.appeals if appeal.received <= today}
    for course in life.courses:
        decided = [part for part in course.parts if part.decided <= today]
        for part, following in zip_longest(decided, decided[1:]):
            end = following.start - timedelta(days=1) if following else _end(course, part)
            yield _row(life.person, part, end, appealed.get(part), following.decided if following else None)
    for part in life.refused:
        if part.decided <= today:
            yield _row(life.person, part, None, appealed.get(part), None)
    for appeal in life.appeals:
        if appeal.until <= today:
            yield _row(life.person, _dismissal(appeal), None, None, None)


def _end(course: Course, part: Part) -> date | None:
    """Return the last day that the last known decision on a spell names: what ends it may not be decided yet."""
    return course.spell.end if course.spell.why is None and part.amount is not None else None


def _dismissal(appeal: Appeal) -> Part:
    against = appeal.against
    return Part(against.benefit, against.start, None, None, DecisionOutcome.REJECTED, appeal.until, Ending.NOT_ENTITLED)


def _row(person: Customer, part: Part, end: date | None, appealed: date | None, followed: date | None) -> Row:
    row = DecisionRow(
        id=id_of(person, "d", part.benefit, f"{part.start}/{part.decided}"),
        benefit=part.benefit,
        decided=part.decided,
        outcome=part.outcome,
        valid_from=part.start,
        valid_to=end,
        amount=part.amount,
        reason=part.reason,
        appealed=appealed is not None,
    )
    changed = max(day for day in (part.decided, appealed, followed) if day is not None)
    return row_of(person, Section.DECISIONS, row, part.decided, part.benefit, changed)
