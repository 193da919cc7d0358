"""A whole life, planned without a look at the day: `today` says only how far ahead the plan has to reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from kelmu_backend.population.lives.calendar import after, banking, last_of, month_after, months
from kelmu_backend.population.lives.courses import course_of
from kelmu_backend.population.lives.model import (
    Appeal,
    Claim,
    Course,
    Customer,
    Debt,
    Distraint,
    Ending,
    Fate,
    Life,
    Part,
    Spell,
    drawn,
    named_percent,
    percent,
)
from kelmu_backend.population.lives.payments import payment_day, taxed
from kelmu_backend.population.lives.spells import FIRST_YEAR, age, children_of, spells_of
from kelmu_tui.api.contract.customers import DecisionOutcome
from kelmu_tui.domain.benefits import benefits

_REFUSED: Final = {
    "young": ("general_housing_allowance", "sickness_allowance", "mobility_allowance", "rehabilitation_allowance"),
    "working": (
        "general_housing_allowance",
        "sickness_allowance",
        "rehabilitation_allowance",
        "disability_allowance_adult",
    ),
    "old": ("pensioners_housing_allowance", "guarantee_pension", "care_allowance_pensioners_middle"),
}
_REASONS: Final = (Ending.INCOME, Ending.NOT_ENTITLED, Ending.DOCUMENTS)
_APPEALED: Final = {
    DecisionOutcome.REJECTED: 0.2,
    DecisionOutcome.DISCONTINUED: 0.08,
    DecisionOutcome.GRANTED: 0.03,
}
_GIVEN_BACK: Final = frozenset({"basic_social_assistance", "child_benefit"})
"""Benefits of which no later payment gives an overpayment back."""


def planned(person: Customer, household: Sequence[Customer], today: date) -> Life:
    """Return the life of a person until the year after `today`."""
    spells = spells_of(person, household, today)
    children = children_of(person, household)
    courses = tuple(course_of(person, spell, children, today) for spell in spells)
    refused = tuple(part for part in _refused(person, spells, today) if not _too_late(person, part.decided))
    debt = _debt(person, courses)
    appeals = tuple(_appeals(person, [*(part for one in courses for part in one.parts), *refused], debt))
    claims = tuple(claim for course in courses for claim in _claims(person, course))
    return Life(person, courses, refused, appeals, debt, claims, _distraint(person, debt))


def _too_late(person: Customer, day: date) -> bool:
    return person.died is not None and day > person.died


# --- applications that are refused, and appeals ---------------------------------------------------------------------


def _refused(person: Customer, spells: Sequence[Spell], today: date) -> Iterator[Part]:
    running = {spell.benefit for spell in spells}
    years = age(person)
    kinds = _REFUSED["old" if years >= 66 else "working" if years >= 27 else "young"]
    free = [name for name in kinds if name not in running]
    for year in range(max(FIRST_YEAR, person.born.year + 18), today.year + 2):
        random = drawn(person, f"refused/{year}")
        if free and random.random() < 0.2:
            received = date(year, 1, 1) + timedelta(days=random.randrange(365))
            yield _refusal(random.choice(free), received, received.replace(day=1), random.randrange(15, 75), random)
    for spell, following in zip(spells, _next_of_same(spells), strict=True):
        random = drawn(person, f"renewal/{spell.benefit}/{spell.start}")
        if spell.why in _REASONS and spell.end is not None and following is None and random.random() < 0.5:
            received = spell.end + timedelta(days=random.randrange(3, 25))
            yield _refusal(spell.benefit, received, received, random.randrange(15, 60), random)


def _next_of_same(spells: Sequence[Spell]) -> Iterator[Spell | None]:
    for index, spell in enumerate(spells):
        yield next((later for later in spells[index + 1 :] if later.benefit == spell.benefit), None)


def _refusal(benefit: str, received: date, start: date, days: int, random: Random) -> Part:
    reason = random.choice(_REASONS)
    return Part(benefit, start, None, None, DecisionOutcome.REJECTED, after(received, days), reason, received)


def _appeals(person: Customer, parts: Sequence[Part], debt: Debt | None) -> Iterator[Appeal]:
    if debt is not None and debt.appeal is not None:
        yield debt.appeal
    for part in parts:
        if part.reason == Ending.DIED or (debt is not None and debt.appeal is not None and debt.appeal.against == part):
            continue
        random = drawn(person, f"appeal/{part.benefit}/{part.start}/{part.outcome}")
        if random.random() < _APPEALED.get(part.outcome, 0):
            received = part.decided + timedelta(days=random.randrange(3, 31))
            if not _too_late(person, received):
                yield Appeal(part, received, after(received, random.randrange(90, 300)))


# --- debts, and what the enforcement authority takes ----------------------------------------------------------------


def _debt(person: Customer, courses: Sequence[Course]) -> Debt | None:
    random = drawn(person, "debt")
    owed = [course for course in courses if course.spell.benefit not in _GIVEN_BACK]
    if not owed or random.random() > 0.25:
        return None
    part = random.choice(owed).parts[0]
    assert part.amount is not None
    decided = banking(month_after(part.start, 2) + timedelta(days=9))
    if _too_late(person, decided):
        return None
    appeal = None
    fate = random.choices(list(Fate), weights=(80, 10, 10))[0]
    since = decided + timedelta(days=random.randrange(25, 90))
    if fate is Fate.INSTALMENTS and random.random() < 0.15:
        received = decided + timedelta(days=random.randrange(5, 30))
        if not _too_late(person, received):
            appeal = Appeal(part, received, after(received, random.randrange(90, 300)))
            since = appeal.until + timedelta(days=random.randrange(10, 40))
    amount = percent(part.amount, random.randrange(20, 100))
    instalment = named_percent(part.amount, "instalment_percent")
    return Debt(part.benefit, part.start, amount, instalment, decided, since, fate, appeal)


def _distraint(person: Customer, debt: Debt | None) -> Distraint | None:
    random = drawn(person, "distraint")
    length = random.randrange(8, 36)
    start = date(random.randrange(FIRST_YEAR, FIRST_YEAR + 5), random.randrange(1, 13), 1)
    if debt is not None and debt.fate is Fate.ENFORCED:
        start = month_after(debt.since, 2)
    elif random.random() >= 0.04 or age(person) < 18:
        return None
    return Distraint(start, last_of(month_after(start, length)))


# --- claims of counties ---------------------------------------------------------------------------------------------


def _claims(person: Customer, course: Course) -> Iterator[Claim]:
    spell = course.spell
    benefit = benefits()[spell.benefit]
    bases = [
        name
        for name, allowed in (("social_assistance_23", benefit.claim_s23), ("client_fees_14", benefit.claim_s14))
        if allowed
    ]
    random = drawn(person, f"claim/{spell.benefit}/{spell.start}")
    if not bases or random.random() >= 0.1:
        return
    start = month_after(spell.start, random.randrange(1, 40))
    if spell.end is not None and start > spell.end:
        return
    basis = random.choice(bases)
    assistance = basis == "social_assistance_23"
    length = random.randrange(1, 5) if assistance else random.randrange(3, 24)
    end = last_of(month_after(start, length - 1)) if assistance or random.random() < 0.7 else None
    if benefit.valid_to is not None:
        # Nobody claims a benefit for days on which it is no longer there.
        end = min(end or date.max, benefit.valid_to)
        length = sum(1 for _ in months(start, end))
    decided = banking(payment_day(person, spell.benefit, start) - timedelta(days=random.randrange(2, 10)))
    received = decided - timedelta(days=random.randrange(13, 26))
    paid = _paid(course, start)
    if _too_late(person, decided) or not paid:
        return
    share = percent(taxed(spell.benefit, paid)[0], random.choice((30, 50, 80, 100)))
    amount = share * length if assistance else None
    closes = min(end or date.max, spell.end or date.max)
    accepted = random.random() >= 0.15
    yield Claim(spell.benefit, basis, start, end, closes, amount, share, received, decided, accepted)


def _paid(course: Course, month: date) -> Decimal:
    for part in course.parts:
        if part.start <= month and (part.end is None or month <= part.end):
            return part.amount or Decimal(0)
    return Decimal(0)
