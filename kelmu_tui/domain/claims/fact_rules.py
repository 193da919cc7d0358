"""The rules that take what is known of the payee to judge a claim.

Each gives None, which is neither good nor bad, when what it needs is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from kelmu_tui.domain.claims.catalogue import SOCIAL_ASSISTANCE, rules
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.claims.days import first_day_reached, has_payment_day, latest_arrival, payment_days
from kelmu_tui.domain.claims.facts import Days, DecisionFact, PaymentFact
from kelmu_tui.domain.claims.findings import NOTHING, Findings, Judge, Setting, common, found, period_of

_REJECTED: Final = "rejected"
_NOTHING_GRANTED: Final = frozenset({_REJECTED, "discontinued", "suspended"})
"""Outcomes after which no benefit comes that assistance could have been paid against."""
_PLANNED: Final = "planned"
_RETURNED: Final = "returned"


def _two_weeks(draft: Partial, setting: Setting) -> Findings | None:
    """Judge whether a claim of today is early enough for the first payment day of its time.

    A benefit without a day of the month is judged by the payments that are planned. Where no payment day lies in the
    time of the claim, none can be missed and none can be promised: it stays unjudged. Nor has a claim missed the days
    of a benefit that social assistance was paid against and that Kela has not decided on yet: what those days would
    have brought is paid after the decision (assumption).
    """
    period, benefit = period_of(draft), draft.benefit
    if period is None or not benefit:
        return NOTHING
    meant: date | None
    if has_payment_day(benefit, setting.facts.surname):
        surname = setting.facts.surname
        meant = next(payment_days(benefit, surname, *period), None)
        if draft.basis == SOCIAL_ASSISTANCE and meant is not None and meant < setting.today:
            granted = _granted(benefit, period, setting.facts.decisions)
            if granted is None:
                return None
            if not granted:
                meant = next(payment_days(benefit, surname, setting.today, period.last), None)
        reached = first_day_reached(benefit, surname, *period, setting.today)
    elif has_payment_day(benefit, setting.facts.surname) is None:
        return None
    else:
        planned = sorted(
            payment.paid_on
            for payment in setting.facts.payments or ()
            if payment.benefit == benefit
            and payment.status == _PLANNED
            and common(period, payment.first, payment.last) is not None
        )
        meant = planned[0] if planned else None
        reached = next((day for day in planned if setting.today <= latest_arrival(day)), None)
    if meant is None:
        return None
    if setting.today <= latest_arrival(meant):
        return NOTHING
    return found("two_weeks", "first", payment_day=meant, latest=latest_arrival(meant), next=reached)


def _s23_before_decision(draft: Partial, setting: Setting) -> Findings | None:
    """Judge whether the assistance was decided on before Kela's decision on the benefit for days of the claim."""
    period, decided = period_of(draft), draft.assistance_decided_on
    if draft.basis != SOCIAL_ASSISTANCE or period is None or decided is None or not draft.benefit:
        return NOTHING
    granted = _granted(draft.benefit, period, setting.facts.decisions)
    if granted is None:
        return None
    earlier = [decision.decided for decision in granted if decision.decided < decided]
    if not earlier:
        return NOTHING
    return found("s23_before_decision", "assistance_decided_on", decided=min(earlier), assistance=decided)


def _s23_sum_together(draft: Partial, setting: Setting) -> Findings | None:
    """Judge whether the organisation's claims on assistance of the same time claim more together than was paid.

    What others have paid and claim is assistance of their own. Which claims mean which assistance no row says: those
    for days of it are taken to.
    """
    amount, most = draft.amount, draft.assistance_amount
    first, last = draft.assistance_first, draft.assistance_last
    if draft.basis != SOCIAL_ASSISTANCE or amount is None or most is None or first is None or last is None:
        return NOTHING
    if not (amount.is_finite() and most.is_finite()) or amount > most or last < first:
        return NOTHING  # other rules say so
    claims = setting.facts.claims
    if claims is None:
        return None
    others = [
        one.amount
        for one in claims
        if one.own
        and one.basis == SOCIAL_ASSISTANCE
        and one.amount is not None
        and common(Days(first, last), one.first, one.last) is not None
    ]
    total = sum(others, amount)
    return found("s23_sum_together", "amount", total=total, most=most) if total > most else NOTHING


def _granted(benefit: str, period: Days, decisions: Iterable[DecisionFact] | None) -> tuple[DecisionFact, ...] | None:
    """Return the decisions by which a benefit comes for days of a time, None when decisions are not known."""
    if decisions is None:
        return None
    return tuple(
        decision
        for decision in decisions
        if decision.benefit == benefit
        and decision.outcome not in _NOTHING_GRANTED
        and common(period, decision.first, decision.last) is not None
    )


def _child_benefit_in_payment(draft: Partial, setting: Setting) -> Findings | None:
    """Judge whether the payee gets child benefit: a payment is planned, or was paid since the month before.

    The day that counts is that of the facts: what has been paid since then, they cannot tell. A family carer who got
    the benefit for the child is another payee, so nothing is in payment with the guardian's code.
    """
    if draft.benefit not in rules()["child_benefit_in_payment"].benefits:
        return NOTHING
    payments = setting.facts.payments
    if payments is None:
        return None
    own = [one for one in payments if one.benefit == draft.benefit and one.status != _RETURNED]
    known_on = setting.facts.as_of or setting.today
    if any(_is_running(payment, known_on) for payment in own) and not _has_stopped(draft, setting.facts.decisions):
        return NOTHING
    last_paid = max((one.paid_on for one in own if one.paid_on <= known_on), default=None)
    return found("child_benefit_in_payment", "benefit", last_paid=last_paid, as_of=known_on)


def _is_running(payment: PaymentFact, known_on: date) -> bool:
    """Tell whether a payment was due since the month before, or is still to come."""
    months = (known_on.year - payment.paid_on.year) * 12 + known_on.month - payment.paid_on.month
    return months <= 1


def _has_stopped(draft: Partial, decisions: Iterable[DecisionFact] | None) -> bool:
    """Tell whether the newest decision on the benefit ends it before the claim begins.

    A rejected application takes nothing away from what had been granted before.
    """
    own = [one for one in decisions or () if one.benefit == draft.benefit and one.outcome != _REJECTED]
    if not own:
        return False
    newest = max(own, key=lambda one: one.decided)
    begins = newest.first or newest.decided
    return newest.outcome in _NOTHING_GRANTED and (draft.first is None or begins <= draft.first)


def _parental_employer(draft: Partial, setting: Setting) -> Findings | None:
    """Judge whether an employer pays wages during the claim, and so has the right to the allowance."""
    period, wages = period_of(draft), setting.facts.wages
    if draft.benefit not in rules()["parental_employer"].benefits or period is None:
        return NOTHING
    if wages is None:
        return None
    both = [days for one in wages if (days := common(period, one.first, one.last)) is not None]
    if not both:
        return NOTHING
    last = None if any(days.last is None for days in both) else max(days.last for days in both if days.last is not None)
    return found("parental_employer", "first", first=min(days.first for days in both), last=last)


def _overlap(draft: Partial, setting: Setting) -> Findings | None:
    """Find every other claim on the benefit for days of this one."""
    period, claims = period_of(draft), setting.facts.claims
    if period is None or not draft.benefit:
        return NOTHING
    if claims is None:
        return None
    others = tuple(
        finding
        for other in claims
        if other.benefit == draft.benefit and common(period, other.first, other.last) is not None
        for finding in found("overlap", "benefit", id=other.id, first=other.first, last=other.last, own=other.own)
    )
    return None if not others and setting.facts.own_claims_only else others


def _payee_died(draft: Partial, setting: Setting) -> Findings | None:
    """Judge whether the claim begins after the payee's death."""
    died, first = setting.facts.died, draft.first
    if first is None:
        return NOTHING
    if died is None:
        return NOTHING if setting.facts.as_of is not None else None
    return found("payee_died", "first", died=died) if died < first else NOTHING


def _payee_died_within(draft: Partial, setting: Setting) -> Findings | None:
    """Judge whether the claim goes on after the payee's death."""
    died, period = setting.facts.died, period_of(draft)
    if period is None:
        return NOTHING
    if died is None:
        return NOTHING if setting.facts.as_of is not None else None
    within = period.first <= died and (period.last is None or died < period.last)
    return found("payee_died_within", "last", died=died) if within else NOTHING


FACT_RULES: Final[Mapping[str, Judge]] = MappingProxyType(
    {
        "two_weeks": _two_weeks,
        "s23_before_decision": _s23_before_decision,
        "s23_sum_together": _s23_sum_together,
        "child_benefit_in_payment": _child_benefit_in_payment,
        "parental_employer": _parental_employer,
        "overlap": _overlap,
        "payee_died": _payee_died,
        "payee_died_within": _payee_died_within,
    }
)
"""The rules by their ids."""
