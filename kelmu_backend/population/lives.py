"""What Kela's systems know of a person: rows of every section, made from the person's seed alone.

A life is a set of spells, each a benefit over whole calendar months; decisions, payments, recovery and claims follow
from the spells, so that they agree with each other. Another day cuts the same life at another place: ids stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any, Final, Literal, NamedTuple

from kelmu_backend.population.lists import chance, table
from kelmu_backend.population.rows import Row
from kelmu_tui.api.contract import customers as wire
from kelmu_tui.domain.benefits import benefits, has_deductible, medicine_limits, payment_day_of
from kelmu_tui.domain.deadlines import is_working_day
from kelmu_tui.domain.sections import Section

CENT: Final = Decimal("0.01")
SUBSIDY_END: Final = date(2026, 4, 30)
SUPPLEMENT_START: Final = date(2025, 8, 1)
_ANCHOR: Final = 2026
"""The year in which the ages count that decide what somebody lives on."""


class Customer(NamedTuple):
    """What a life needs of a row of `person`; `pension_since` is the first day of a month, for some."""

    id: str
    family_name: str
    born: date
    died: date | None
    seed: int
    pension_since: date | None = None


class Spell(NamedTuple):
    """A benefit from the first day of a month to the last day of one, or still running."""

    benefit: str
    start: date
    end: date | None


def rows_of(person: Customer, household: Sequence[Customer], today: date) -> list[Row]:
    """Return the rows of `customer_row` of a person as they stand on the Finnish day `today`.

    Args:
        household: the others in it; children bring child benefit to the adult with the smallest id.
    """
    random = chance(f"life/{person.seed}")
    spells = [spell for spell in _spells(person, household, random) if spell.start <= today]
    debt = _debt(spells, random)
    payments, recovered = _payments(person, spells, debt, today)
    found = [*_decisions(person, spells, today, random), *payments, *_insurance(person, today)]
    found += _recovery(person, debt, recovered, today)
    found += _medicine(person, today, random)
    return [
        {**row, "changed": datetime.combine(min(row["day"], today), time(), UTC)}
        for row in found
        if row["day"] <= today or row["section"] == Section.PAYMENTS.value
    ]


# --- spells ---------------------------------------------------------------------------------------------------------


def _spells(person: Customer, household: Sequence[Customer], random: Random) -> list[Spell]:
    age = _ANCHOR - person.born.year
    start = date(random.randrange(2022, 2026), random.randrange(1, 13), 1)
    found: list[Spell] = []
    if person.pension_since is not None:
        found = _long_pension(person, person.pension_since)
    elif age >= 66:
        found = [Spell("national_pension_old_age", date(max(2017, person.born.year + 66), 1, 1), None)]
        if random.random() < 0.4:
            found.append(Spell("pensioners_housing_allowance", max(start, found[0].start), None))
    elif 18 <= age < 27 and random.random() < 0.5:
        found = [Spell("study_grant", max(start, _adult(person)), None), *_student_housing(max(start, _adult(person)))]
    elif age >= 19 and random.random() < 0.55:
        found = _unemployment(max(start, _adult(person)), random)
    found += _child_benefit(person, household)
    return [cut for spell in found if (cut := _until_death(spell, person.died)) is not None]


def _long_pension(person: Customer, since: date) -> list[Spell]:
    """Return a pension for disability, and the one for old age that follows it at 65."""
    old = _month_after(date(person.born.year + 65, person.born.month, 1), 1)
    if old <= since:
        return [Spell("national_pension_old_age", since, None)]
    return [
        Spell("national_pension_disability", since, old - timedelta(days=1)),
        Spell("national_pension_old_age", old, None),
    ]


def _adult(person: Customer) -> date:
    return date(person.born.year + 19, 1, 1)


def _student_housing(start: date) -> list[Spell]:
    after = Spell("student_housing_supplement", max(start, SUPPLEMENT_START), None)
    if start >= SUPPLEMENT_START:
        return [after]
    return [Spell("general_housing_allowance", start, SUPPLEMENT_START - timedelta(days=1)), after]


def _unemployment(start: date, random: Random) -> list[Spell]:
    """Return the subsidy until it ends, general support after it, and what goes with them; some work in between."""
    subsidy = random.choice(("labour_market_subsidy", "basic_unemployment_allowance"))
    found = []
    if start <= SUBSIDY_END:
        gap = _month_after(start, random.randrange(3, 9))
        back = _month_after(gap, random.randrange(1, 5))
        if random.random() < 0.4 and back < SUBSIDY_END:
            found += [Spell(subsidy, start, gap - timedelta(days=1)), Spell(subsidy, back, SUBSIDY_END)]
        else:
            found.append(Spell(subsidy, start, SUBSIDY_END))
    found.append(Spell("general_support", max(start, SUBSIDY_END + timedelta(days=1)), None))
    found.append(Spell("general_housing_allowance", start, None))
    if random.random() < 0.5:
        found.append(Spell("basic_social_assistance", start, None))
    return found


def _child_benefit(person: Customer, household: Sequence[Customer]) -> list[Spell]:
    adults = [one.id for one in (person, *household) if one.born.year <= _ANCHOR - 18]
    children = [one for one in household if one.born.year > _ANCHOR - 17]
    if not children or person.id != min(adults, default=None):
        return []
    oldest = max(min(one.born for one in children), date(2020, 1, 1))
    youngest = max(one.born for one in children)
    end = date(youngest.year + 17, youngest.month, 1) + timedelta(days=-1)
    return [Spell("child_benefit", _month_after(oldest, 1), end)]


def _until_death(spell: Spell, died: date | None) -> Spell | None:
    if died is None or (spell.end is not None and spell.end <= died):
        return spell
    if spell.start > died:
        return None
    return spell._replace(end=_last_of(died))


# --- sums -----------------------------------------------------------------------------------------------------------


@cache
def amount_on(benefit: str, day: date) -> Decimal:
    """Return the euros of a month of `benefit` that begins on `day`."""
    known = [row for row in table("amounts")["amount"] if row["benefit"] == benefit and row["from"] <= day]
    return Decimal(max(known, key=lambda row: row["from"])["euros"]) if known else benefits()[benefit].typical


def _share(sum_: Decimal, name: str) -> Decimal:
    return (sum_ * int(table("amounts")[name]) / 100).quantize(CENT)


class Debt(NamedTuple):
    """An overpayment of one benefit that its own later payments give back."""

    benefit: str
    month: date
    amount: Decimal
    decided: date


def _debt(spells: list[Spell], random: Random) -> Debt | None:
    long = [spell for spell in spells if spell.benefit != "basic_social_assistance"]
    if not long or random.random() > 0.25:
        return None
    spell = random.choice(long)
    amount = (amount_on(spell.benefit, spell.start) * random.randrange(20, 100) / 100).quantize(CENT)
    return Debt(spell.benefit, spell.start, amount, _banking(_month_after(spell.start, 2) + timedelta(days=9)))


# --- rows -----------------------------------------------------------------------------------------------------------


def _decisions(person: Customer, spells: list[Spell], today: date, random: Random) -> Iterator[Row]:
    for spell in spells:
        appealed = random.random() < 0.04
        for number, (start, end, amount) in enumerate(_steps(spell, today)):
            row = wire.DecisionRow(
                id=_id(person, "d", spell.benefit, start),
                benefit=spell.benefit,
                decided=_decided(spell, start),
                outcome=wire.DecisionOutcome.ADJUSTED if number else wire.DecisionOutcome.GRANTED,
                valid_from=start,
                valid_to=end,
                amount=amount,
                appealed=appealed and number == 0,
            )
            yield _row(person, Section.DECISIONS, row, row.decided, spell.benefit)


def _steps(spell: Spell, today: date) -> list[tuple[date, date | None, Decimal]]:
    """Return the parts of a spell over which the sum is the same."""
    changes = {row["from"] for row in table("amounts")["amount"] if row["benefit"] == spell.benefit}
    within = sorted(day for day in changes if spell.start < day and (spell.end is None or day <= spell.end))
    starts = [spell.start, *(day for day in within if _decided(spell, day) <= today)]
    ends = [day - timedelta(days=1) for day in starts[1:]]
    return [
        (start, end, amount_on(spell.benefit, start)) for start, end in zip(starts, [*ends, spell.end], strict=True)
    ]


def _decided(spell: Spell, start: date) -> date:
    """Return when the sum from `start` on was decided: a change early enough for the planned payment to know it."""
    granted = _banking(spell.start - timedelta(days=5))
    return granted if start == spell.start else max(granted, _banking(start - timedelta(days=40)))


def _payments(person: Customer, spells: list[Spell], debt: Debt | None, today: date) -> tuple[list[Row], Decimal]:
    """Return the payments up to the next planned one of each spell, and what they have given back of the debt."""
    rows, recovered = [], Decimal(0)
    left = debt.amount if debt else Decimal(0)
    account = f"FI** **** **** **** {person.seed % 100:02d}"
    for spell in sorted(spells, key=lambda one: one.start):
        benefit = benefits()[spell.benefit]
        for month in _months(spell, today):
            day = payment_day_of(benefit, month.year, month.month, person.family_name) or _banking(_last_of(month))
            gross = amount_on(spell.benefit, month)
            tax = _share(gross, "tax_percent") if benefit.taxable else Decimal("0.00")
            off = Decimal(0)
            if debt and spell.benefit == debt.benefit and day > debt.decided:
                off = min(left, _share(gross, "instalment_percent"))
                left -= off
                recovered += off if day <= today else 0
            row = wire.PaymentRow(
                id=_id(person, "p", spell.benefit, month),
                benefit=spell.benefit,
                paid_on=day,
                period_from=month,
                period_to=_last_of(month),
                gross=gross,
                tax=tax,
                deductions=[wire.Deduction(kind="recovery", amount=off)] if off else [],
                net=gross - tax - off,
                payee=wire.Payee.CUSTOMER,
                account=account,
                incomes_register=benefit.incomes_register,
                status="paid" if day <= today else "planned",
            )
            rows.append(_row(person, Section.PAYMENTS, row, day, spell.benefit))
            if day > today:
                break
    return rows, recovered


def _months(spell: Spell, today: date) -> Iterator[date]:
    month = spell.start
    while month <= (spell.end or _month_after(today, 1)):
        yield month
        month = _month_after(month, 1)


def _recovery(person: Customer, debt: Debt | None, recovered: Decimal, today: date) -> Iterator[Row]:
    if debt is None or debt.decided > today:
        return
    balance = debt.amount - recovered
    status: Literal["in_instalments", "paid", "open"] = (
        "paid" if not balance else "in_instalments" if recovered else "open"
    )
    row = wire.RecoveryRow(
        id=_id(person, "r", debt.benefit, debt.month),
        benefit=debt.benefit,
        period_from=debt.month,
        period_to=_last_of(debt.month),
        amount=debt.amount,
        balance=balance,
        instalment=_share(amount_on(debt.benefit, debt.month), "instalment_percent"),
        status=status,
        decided=debt.decided,
    )
    yield _row(person, Section.RECOVERY, row, debt.decided, debt.benefit)


def _insurance(person: Customer, today: date) -> Iterator[Row]:
    row = wire.InsuranceRow(
        id=_id(person, "i", "residence", person.born),
        covered=True,
        ground="residence",
        valid_from=person.born,
        valid_to=person.died if person.died is not None and person.died <= today else None,
    )
    yield _row(person, Section.INSURANCE, row, row.valid_from, None)


def _medicine(person: Customer, today: date, random: Random) -> Iterator[Row]:
    for year, limits in medicine_limits().items():
        daily = Decimal(random.randrange(1, 300)) / 100
        end = min(today, date(year, 12, 31), person.died or today)
        if end < max(date(year, 1, 1), person.born):
            continue
        begin = max(date(year, 1, 1), person.born)
        bought = (daily * ((end - begin).days + 1)).quantize(CENT)
        applies = has_deductible(person.born, year)
        days = int(-(-limits.cap // daily)) - 1
        row = wire.MedicineRow(
            id=_id(person, "m", "medicine", date(year, 1, 1)),
            year=year,
            accrued=min(bought, limits.cap),
            cap=limits.cap,
            deductible=limits.deductible if applies else None,
            deductible_used=min(bought, limits.deductible) if applies else None,
            reached_on=begin + timedelta(days=days) if bought >= limits.cap else None,
        )
        yield _row(person, Section.MEDICINE, row, begin, "medicine_reimbursement")


def _row(person: Customer, section: Section, body: Any, day: date, benefit: str | None) -> Row:
    return {
        "person": person.id,
        "section": section.value,
        "id": body.id,
        "benefit": benefit,
        "day": day,
        "body": body.model_dump(mode="json"),
    }


def _id(person: Customer, kind: str, benefit: str, day: date) -> str:
    return f"{kind}-{hashlib.sha256(f'{person.id}/{kind}/{benefit}/{day}'.encode()).hexdigest()[:24]}"


def _month_after(day: date, count: int) -> date:
    months = day.year * 12 + day.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def _last_of(day: date) -> date:
    return _month_after(day, 1) - timedelta(days=1)


def _banking(day: date) -> date:
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day
