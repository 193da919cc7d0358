"""How debts and the claims of counties stand, by what the payments have given to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from kelmu_backend.population.lives.calendar import last_of
from kelmu_backend.population.lives.model import NOTHING, Claim, Debt, Fate, Life, home_of, id_of, row_of
from kelmu_backend.population.lives.payments import Paid
from kelmu_backend.population.rows import Row
from kelmu_tui.api.contract import customers as wire
from kelmu_tui.domain.organisations import social_care_organiser
from kelmu_tui.domain.sections import Section

_RecoveryStatus = Literal["open", "in_instalments", "paid", "waived", "at_enforcement", "appealed"]
_ClaimStatus = Literal["received", "in_force", "paid", "rejected", "ended"]


def recovery_rows(life: Life, paid: Paid, today: date) -> Iterator[Row]:
    """Yield the row of the debt, once it has been decided on."""
    debt = life.debt
    if debt is None or debt.decided > today:
        return
    status, moved = _recovery_status(debt, paid, today)
    row = wire.RecoveryRow(
        id=id_of(life.person, "r", debt.benefit, debt.month),
        benefit=debt.benefit,
        period_from=debt.month,
        period_to=last_of(debt.month),
        amount=debt.amount,
        balance=NOTHING if status == "waived" else debt.amount - paid.recovered,
        instalment=debt.instalment if status == "in_instalments" else None,
        status=status,
        decided=debt.decided,
    )
    yield row_of(life.person, Section.RECOVERY, row, debt.decided, debt.benefit, moved)


def _recovery_status(debt: Debt, paid: Paid, today: date) -> tuple[_RecoveryStatus, date]:
    """Return how a debt stands, and since when."""
    if paid.recovered:
        return ("paid" if paid.recovered == debt.amount else "in_instalments"), paid.moved[debt]
    if debt.appeal is not None and debt.appeal.received <= today:
        return ("appealed", debt.appeal.received) if today < debt.appeal.until else ("open", debt.appeal.until)
    if debt.fate is not Fate.INSTALMENTS and debt.since <= today:
        return ("waived" if debt.fate is Fate.WAIVED else "at_enforcement"), debt.since
    return "open", debt.decided


def claim_rows(life: Life, paid: Paid, today: date) -> Iterator[Row]:
    """Yield the rows of the claims that counties have made."""
    for claim in life.claims:
        if claim.received > today:
            continue
        claimant = social_care_organiser(home_of(life.person))
        status, moved = _claim_status(claim, paid, today)
        row = wire.ClaimRow(
            id=id_of(life.person, "c", claim.benefit, claim.start),
            benefit=claim.benefit,
            basis=claim.basis,
            claimant=claimant.name.fi,
            claimant_id=claimant.business_id,
            period_from=claim.start,
            period_to=claim.closes if claim.end is None and today > claim.closes else claim.end,
            amount=claim.amount,
            status=status,
            received=claim.received,
        )
        yield row_of(life.person, Section.CLAIMS, row, claim.received, claim.benefit, moved)


def _claim_status(claim: Claim, paid: Paid, today: date) -> tuple[_ClaimStatus, date]:
    """Return how a claim stands, and since when."""
    if today < claim.decided:
        return "received", claim.received
    if not claim.accepted:
        closed = claim.end is None and today > claim.closes
        return "rejected", claim.closes + timedelta(days=1) if closed else claim.decided
    given = paid.claimed.get(claim, Decimal(0))
    if claim.amount is not None and given == claim.amount:
        return "paid", paid.moved[claim]
    if today > claim.closes:
        return "ended", claim.closes + timedelta(days=1)
    return "in_force", claim.decided
