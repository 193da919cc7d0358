"""Payments of a life: what each month of a benefit pays, what is taken off it, and to whom it goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from kelmu_backend.population.lives.calendar import banking, last_of, month_after, months
from kelmu_backend.population.lives.model import (
    NOTHING,
    Claim,
    Course,
    Customer,
    Debt,
    Fate,
    Life,
    Part,
    drawn,
    id_of,
    named_percent,
    row_of,
)
from kelmu_backend.population.rows import Row
from kelmu_tui.api.contract import customers as wire
from kelmu_tui.domain.benefits import benefits, payment_day_of
from kelmu_tui.domain.sections import Section

_RENTED: Final = frozenset({"general_housing_allowance", "pensioners_housing_allowance"})


@dataclass(slots=True)
class Paid:
    """The rows of the payments, and what those that are paid gave back of the debt and to the claims of counties.

    Attributes:
        moved: the last day on which something was given back, by what it was given to.
    """

    rows: list[Row] = field(default_factory=list)
    recovered: Decimal = NOTHING
    claimed: dict[Claim, Decimal] = field(default_factory=dict)
    moved: dict[Debt | Claim, date] = field(default_factory=dict)


def payment_day(person: Customer, benefit: str, month: date) -> date:
    """Return the day on which the month of a benefit is paid."""
    day = payment_day_of(benefits()[benefit], month.year, month.month, person.family_name)
    return day or banking(last_of(month))


def taxed(benefit: str, gross: Decimal) -> tuple[Decimal, Decimal]:
    """Return what is left of a sum after tax, and the tax."""
    tax = named_percent(gross, "tax_percent") if benefits()[benefit].taxable else NOTHING
    return gross - tax, tax


def pay(life: Life, today: date) -> Paid:
    """Return the payments up to the next planned one of each spell."""
    found = Paid()
    left = life.debt.amount if life.debt else NOTHING
    for course in life.courses:
        payee = _payee(life.person, course)
        last = course.parts[0].decided
        for month, part in _paid_months(course, today):
            assert part.amount is not None
            day = payment_day(life.person, part.benefit, month)
            rest, tax = taxed(part.benefit, part.amount)
            off = _instalment(life.debt, part.benefit, day, left)
            left -= off
            claim = next((one for one in life.claims if one.covers(part.benefit, month) and one.decided <= today), None)
            taken = _claimed(claim, rest - off, found.claimed)
            whole = claim is not None and taken == rest - off
            seized = NOTHING
            if claim is None and life.distraint and life.distraint.covers(month) and tax:
                seized = min(named_percent(part.amount, "distraint_percent"), rest - off)
            deductions: list[tuple[Literal["recovery", "claim", "enforcement"], Decimal]] = [
                ("recovery", off),
                ("claim", NOTHING if whole else taken),
                ("enforcement", seized),
            ]
            lines = [wire.Deduction(kind=kind, amount=amount) for kind, amount in deductions if amount]
            row = wire.PaymentRow(
                id=id_of(life.person, "p", part.benefit, month),
                benefit=part.benefit,
                paid_on=day,
                period_from=month,
                period_to=last_of(month),
                gross=part.amount,
                tax=tax,
                deductions=lines,
                net=rest - sum((one.amount for one in lines), NOTHING),
                payee=wire.Payee.COUNTY if whole else payee,
                account=_account(life, wire.Payee.COUNTY if whole else payee, part.benefit),
                incomes_register=benefits()[part.benefit].incomes_register,
                status="paid" if day <= today else "planned",
            )
            if day <= today:
                _book(found, life.debt, off, claim, taken, day)
            known = max(last, part.decided, month_after(month, -1), claim.decided if claim else last)
            changed = day if day <= today else known
            found.rows.append(row_of(life.person, Section.PAYMENTS, row, day, part.benefit, changed))
            last = day
            if day > today:
                break
    return found


def _paid_months(course: Course, today: date) -> Iterator[tuple[date, Part]]:
    """Yield the months of a spell that pay something, until the month after `today`."""
    spell = course.spell
    if course.parts[0].decided > today:
        return
    last = min(spell.end or date.max, month_after(today, 1))
    paying = [part for part in course.parts if part.outcome is not wire.DecisionOutcome.DISCONTINUED]
    for part in paying:
        if part.amount:
            for month in months(part.start, min(part.end or date.max, last)):
                yield month, part


def _payee(person: Customer, course: Course) -> wire.Payee:
    if course.spell.benefit in _RENTED and drawn(person, f"landlord/{course.spell.benefit}").random() < 0.2:
        return wire.Payee.LANDLORD
    return wire.Payee.GUARDIAN if person.guardian else wire.Payee.CUSTOMER


def _account(life: Life, payee: wire.Payee, benefit: str) -> str:
    other = {wire.Payee.COUNTY: 37, wire.Payee.GUARDIAN: 53, wire.Payee.LANDLORD: 71 + len(benefit)}.get(payee, 0)
    return f"FI** **** **** **** {(life.person.seed + other) % 100:02d}"


def _instalment(debt: Debt | None, benefit: str, day: date, left: Decimal) -> Decimal:
    if debt is None or debt.benefit != benefit or debt.fate is not Fate.INSTALMENTS or day <= debt.since:
        return NOTHING
    return min(left, debt.instalment)


def _claimed(claim: Claim | None, rest: Decimal, claimed: dict[Claim, Decimal]) -> Decimal:
    """Return what a claim takes of a payment of which `rest` is left."""
    if claim is None or claim.amount is None:
        return rest if claim else NOTHING
    return min(claim.share, rest, claim.amount - claimed.get(claim, NOTHING))


def _book(found: Paid, debt: Debt | None, off: Decimal, claim: Claim | None, taken: Decimal, day: date) -> None:
    if debt is not None and off:
        found.recovered += off
        found.moved[debt] = max(day, found.moved.get(debt, day))
    if claim is not None and taken:
        found.claimed[claim] = found.claimed.get(claim, NOTHING) + taken
        found.moved[claim] = day
