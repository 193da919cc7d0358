"""Payments of a life: what each month of a benefit pays, what is taken off it, and to whom it goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple

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


class _Off(NamedTuple):
    """What is taken off a payment.

    Attributes:
        claim: the claim that takes `claimed`; `whole` when nothing is left, so that the payment goes to the county.
    """

    recovery: Decimal
    claim: Claim | None
    claimed: Decimal
    whole: bool
    seized: Decimal

    @property
    def lines(self) -> list[wire.Deduction]:
        """The deductions as a payment names them."""
        kinds: list[tuple[Literal["recovery", "claim", "enforcement"], Decimal]] = [
            ("recovery", self.recovery),
            ("claim", NOTHING if self.whole else self.claimed),
            ("enforcement", self.seized),
        ]
        return [wire.Deduction(kind=kind, amount=amount) for kind, amount in kinds if amount]


def pay(life: Life, today: date) -> Paid:
    """Return the payments up to the next planned one of each spell."""
    found = Paid()
    for course in life.courses:
        payee = _payee(life.person, course)
        last = course.parts[0].decided
        for month, part in _paid_months(course, today):
            day = payment_day(life.person, part.benefit, month)
            off = _off(life, part, month, day, today, found)
            row = _payment(life, part, month, day, off, wire.Payee.COUNTY if off.whole else payee, today)
            known = max(last, part.decided, month_after(month, -1), off.claim.decided if off.claim else last)
            changed = day if day <= today else known
            found.rows.append(row_of(life.person, Section.PAYMENTS, row, day, part.benefit, changed))
            if day > today:
                break
            _book(found, life.debt, off, day)
            last = day
    return found


def _off(life: Life, part: Part, month: date, day: date, today: date, found: Paid) -> _Off:
    assert part.amount is not None
    rest, tax = taxed(part.benefit, part.amount)
    recovery = _instalment(life.debt, part.benefit, day, found.recovered)
    rest -= recovery
    claim = next((one for one in life.claims if one.covers(part.benefit, month) and one.decided <= today), None)
    claimed = _claimed(claim, rest, found.claimed)
    seized = NOTHING
    if claim is None and life.distraint and life.distraint.covers(month) and tax:
        seized = min(named_percent(part.amount, "distraint_percent"), rest)
    return _Off(recovery, claim, claimed, claim is not None and claimed == rest, seized)


def _payment(
    life: Life, part: Part, month: date, day: date, off: _Off, payee: wire.Payee, today: date
) -> wire.PaymentRow:
    assert part.amount is not None
    rest, tax = taxed(part.benefit, part.amount)
    lines = off.lines
    return wire.PaymentRow(
        id=id_of(life.person, "p", part.benefit, month),
        benefit=part.benefit,
        paid_on=day,
        period_from=month,
        period_to=last_of(month),
        gross=part.amount,
        tax=tax,
        deductions=lines,
        net=rest - sum((one.amount for one in lines), NOTHING),
        payee=payee,
        account=_account(life, payee, part.benefit),
        incomes_register=benefits()[part.benefit].incomes_register,
        status="paid" if day <= today else "planned",
    )


def _paid_months(course: Course, today: date) -> Iterator[tuple[date, Part]]:
    """Yield the months of a spell that pay something, until the month after `today`."""
    if course.parts[0].decided > today:
        return
    last = min(course.spell.end or date.max, month_after(today, 1))
    for part in course.parts:
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


def _instalment(debt: Debt | None, benefit: str, day: date, recovered: Decimal) -> Decimal:
    if debt is None or debt.benefit != benefit or debt.fate is not Fate.INSTALMENTS or day <= debt.since:
        return NOTHING
    return min(debt.amount - recovered, debt.instalment)


def _claimed(claim: Claim | None, rest: Decimal, claimed: dict[Claim, Decimal]) -> Decimal:
    """Return what a claim takes of a payment of which `rest` is left."""
    if claim is None or claim.amount is None:
        return rest if claim else NOTHING
    return min(claim.share, rest, claim.amount - claimed.get(claim, NOTHING))


def _book(found: Paid, debt: Debt | None, off: _Off, day: date) -> None:
    if debt is not None and off.recovery:
        found.recovered += off.recovery
        found.moved[debt] = max(day, found.moved.get(debt, day))
    if off.claim is not None and off.claimed:
        found.claimed[off.claim] = found.claimed.get(off.claim, NOTHING) + off.claimed
        found.moved[off.claim] = day
