"""What is known here of a payee, in the form in which the rules of claims ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from kelmu_tui.domain.claims.facts import Days, DecisionFact, Facts, OtherClaim, PaymentFact
from kelmu_tui.domain.claims.life import OPEN
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.sections import Section
from kelmu_tui.store.claim_rows import DRAFT, ClaimLine
from kelmu_tui.store.customer_rows import Claim, Decision, File, PassedOn, Payment, SectionRow

_TOLD: Final = frozenset({"shown", "none", "stale"})
"""States of a section in which its source has told all that there is."""
_WAGES: Final = frozenset({"wage", "income"})
"""Kinds of what others pass on that say that somebody was paid for work."""
_OPEN: Final = frozenset({"received", "in_force"})
"""States of a claim in a customer's file in which something is still to come."""


def facts_of(
    file: File | None, own: Iterable[ClaimLine], organisation: str, surname: str, but: str | None = None
) -> Facts:
    """Return what file and own claims tell; of a section that is hidden, down or narrowed nothing is known.

    Args:
        own: the organisation's claims on benefits of the payee.
        organisation: its business ID.
        surname: of the payee, as it is known without a file.
        but: id of the claim that is judged: it is no other one.
    """
    mine = [one for one in own if one.status != DRAFT and one.first is not None]
    others = None if file is None else _others(file, organisation)
    # How an own one stands is known from the feed; what the file says of it is as old as the file.
    known = {one.id for one in mine}
    found = [one for one in others or () if one.id not in known] + [_own(one) for one in mine if one.status in OPEN]
    claims = tuple(one for one in found if one.id != but)
    if file is None:
        return Facts(surname=surname, claims=claims, own_claims_only=True)
    return Facts(
        surname=file.person.family_name,
        payments=_payments(file),
        decisions=_decisions(file),
        wages=_wages(file),
        claims=claims,
        died=file.person.died,
        as_of=_as_of(file),
        own_claims_only=others is None,
    )


def _rows(file: File, section: Section) -> tuple[SectionRow, ...] | None:
    found = file.sections.get(section)
    return None if found is None or found.state not in _TOLD or found.narrowed else found.rows


def _payments(file: File) -> tuple[PaymentFact, ...] | None:
    rows = _rows(file, Section.PAYMENTS)
    if rows is None:
        return None
    return tuple(
        PaymentFact(one.benefit, one.paid_on, one.period_from, one.period_to, one.net, one.status, one.payee)
        for one in rows
        if isinstance(one, Payment)
    )


def _decisions(file: File) -> tuple[DecisionFact, ...] | None:
    rows = _rows(file, Section.DECISIONS)
    if rows is None:
        return None
    return tuple(
        DecisionFact(one.benefit, one.decided, one.outcome, one.valid_from, one.valid_to)
        for one in rows
        if isinstance(one, Decision)
    )


def _wages(file: File) -> tuple[Days, ...] | None:
    rows = _rows(file, Section.PASSED_ON)
    if rows is None:
        return None
    return tuple(
        Days(one.period_from, one.period_to) for one in rows if isinstance(one, PassedOn) and one.kind in _WAGES
    )


def _others(file: File, organisation: str) -> tuple[OtherClaim, ...] | None:
    rows = _rows(file, Section.CLAIMS)
    return None if rows is None else tuple(_claims(rows, organisation))


def _claims(rows: Iterable[SectionRow], organisation: str) -> Iterator[OtherClaim]:
    for one in rows:
        if isinstance(one, Claim) and one.status in _OPEN:
            own = one.claimant_id == organisation
            yield OtherClaim(one.id, one.benefit, one.period_from, one.period_to, own, one.basis, one.amount)


def _own(line: ClaimLine) -> OtherClaim:
    assert line.first is not None
    return OtherClaim(line.id, line.benefit, line.first, line.until, own=True, basis=line.basis, amount=line.amount)


def _as_of(file: File) -> date:
    """Return the day of the oldest answer of a source: nothing here is known better than that."""
    ages = [one.source_at for one in file.sections.values() if one.source_at is not None]
    return local_date(min(ages, default=file.fetched_at))
