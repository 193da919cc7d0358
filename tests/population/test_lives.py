"""Whatever the seed and the day, a life's rows agree with each other and with the contract."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import given

from kelmu_backend.population.lives import Customer, rows_of
from kelmu_tui.api.contract import customers as wire
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.sections import Section
from tests.population.lives_of import GRANTING, MODELS, UNTIMED, Seen, days, households, people

MOVING: Final[dict[str, frozenset[str]]] = {
    "pending": frozenset({"stage", "missing", "office"}),
    "decisions": frozenset({"valid_to", "appealed"}),
    "payments": frozenset(),
    "claims": frozenset({"status", "period_to"}),
    "insurance": frozenset({"valid_to"}),
    "recovery": frozenset({"status", "balance", "instalment"}),
    "medicine": frozenset({"accrued", "deductible_used", "reached_on"}),
    "passed_on": frozenset(),
}
"""What may become different in a row of the past: a state, or what follows from it."""


def total(sums: Iterable[Decimal]) -> Decimal:
    """Return the sum of sums of money, which is money when there are none."""
    return sum(sums, Decimal(0))


@UNTIMED
@given(people, households, days)
def test_the_same_seed_gives_the_same_rows_which_the_contract_takes(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    rows = rows_of(person, household, today)
    assert rows == rows_of(person, household, today)
    assert len({(row["section"], row["id"]) for row in rows}) == len(rows)
    for row in rows:
        assert row["changed"].date() <= today
        assert row["day"] <= today or row["section"] == Section.PAYMENTS.value
        assert MODELS[row["section"]].model_validate(row["body"]).id == row["id"]


@UNTIMED
@given(people, households, days)
def test_payments_add_up_and_are_covered_by_a_decision(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    for paid in seen.payments:
        assert paid.tax is not None
        assert paid.gross is not None
        assert paid.net == paid.gross - paid.tax - total(one.amount for one in paid.deductions or ())
        assert paid.net >= 0
        assert all(one.amount > 0 for one in paid.deductions or ())
        assert benefits()[paid.benefit].exists_on(paid.period_from)
        assert (paid.status == "planned") == (paid.paid_on > today)
        covering = [
            one.amount
            for one in seen.decisions
            if one.outcome in GRANTING
            and one.benefit == paid.benefit
            and one.valid_from is not None
            and one.valid_from <= paid.period_from
            and (one.valid_to is None or paid.period_to <= one.valid_to)
        ]
        assert covering == [paid.gross]


@UNTIMED
@given(people, households, days)
def test_nothing_is_paid_for_months_that_a_decision_stops(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    for stop in seen.decisions:
        if stop.outcome not in (wire.DecisionOutcome.SUSPENDED, wire.DecisionOutcome.DISCONTINUED):
            continue
        assert stop.reason is not None
        assert stop.valid_from is not None
        again = [
            one.valid_from
            for one in seen.decisions
            if one.outcome in GRANTING and one.benefit == stop.benefit and one.valid_from >= stop.valid_from  # type: ignore[operator]
        ]
        end = min((day for day in again if day is not None), default=date.max)
        assert not [
            paid for paid in seen.payments if paid.benefit == stop.benefit and stop.valid_from <= paid.period_from < end
        ]


@UNTIMED
@given(people, households, days)
def test_a_debts_balance_is_what_its_instalments_left(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    taken = {
        benefit: total(
            one.amount
            for paid in seen.payments
            if paid.status == "paid" and paid.benefit == benefit
            for one in paid.deductions or ()
            if one.kind == "recovery"
        )
        for benefit in benefits()
    }
    owed = {debt.benefit: debt for debt in seen.recovery}
    assert {name for name, sum_ in taken.items() if sum_} <= set(owed)
    for debt in seen.recovery:
        given_back = taken[debt.benefit]
        assert debt.balance == (0 if debt.status == "waived" else debt.amount - given_back)
        assert debt.balance >= 0
        assert (debt.status == "paid") == (given_back == debt.amount)
        assert (debt.status == "in_instalments") == (0 < given_back < debt.amount)
        assert (debt.instalment is not None) == (debt.status == "in_instalments")
        assert debt.status != "appealed" or any(
            one.kind is wire.PendingKind.APPEAL and one.benefit == debt.benefit for one in seen.pending
        )


@UNTIMED
@given(people, households, days)
def test_claims_take_exactly_their_part_of_the_payments_of_their_period(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    explained = set()
    for claim in seen.claims:
        facts = benefits()[claim.benefit]
        assert facts.claim_s23 if claim.basis == "social_assistance_23" else facts.claim_s14
        payments = [
            paid
            for paid in seen.payments
            if paid.benefit == claim.benefit
            and claim.period_from <= paid.period_from
            and (claim.period_to is None or paid.period_from <= claim.period_to)
        ]
        if claim.status in ("received", "rejected"):
            continue
        explained |= {paid.id for paid in payments}
        given_ = total(to_county(paid) for paid in payments if paid.status == "paid")
        if claim.amount is None:
            assert all(paid.payee is wire.Payee.COUNTY for paid in payments)
            assert claim.status in ("in_force", "ended")
        else:
            assert given_ <= claim.amount
            assert (claim.status == "paid") == (given_ == claim.amount)
    assert {paid.id for paid in seen.payments if to_county(paid)} <= explained


def to_county(paid: wire.PaymentRow) -> Decimal:
    """Return what of a payment goes to a county."""
    if paid.payee is wire.Payee.COUNTY:
        assert all(one.kind == "recovery" for one in paid.deductions or ())
        return paid.net
    return total(one.amount for one in paid.deductions or () if one.kind == "claim")


@UNTIMED
@given(people, households, days)
def test_an_appeal_is_pending_exactly_where_an_appealed_decision_has_no_answer(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    waiting = []
    for one in seen.decisions:
        answers = [
            later
            for later in seen.decisions
            if later.outcome is wire.DecisionOutcome.REJECTED
            and (later.benefit, later.valid_from) == (one.benefit, one.valid_from)
            and later.decided >= one.decided + timedelta(days=90)
        ]
        if one.appealed and not answers:
            waiting.append(one.benefit)
    appeals = [one for one in seen.pending if one.kind is wire.PendingKind.APPEAL]
    assert sorted(waiting) == sorted(one.benefit for one in appeals)
    assert all(one.office is not None for one in appeals)


@UNTIMED
@given(people, households, days)
def test_a_new_application_has_no_decision_and_a_review_is_of_a_benefit_that_runs(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    for matter in seen.pending:
        assert matter.received <= today
        assert bool(matter.missing) == (matter.stage is wire.PendingStage.ATTACHMENTS_MISSING)
        running = [
            one
            for one in seen.decisions
            if one.benefit == matter.benefit
            and one.outcome in GRANTING
            and one.valid_from is not None
            and one.valid_from <= today
            and (one.valid_to is None or today <= one.valid_to)
        ]
        if matter.kind is wire.PendingKind.REVIEW:
            assert running
        elif matter.kind is wire.PendingKind.APPLICATION:
            assert not [
                one for one in seen.decisions if one.benefit == matter.benefit and one.decided > matter.received
            ]
            assert not [
                one for one in seen.payments if one.benefit == matter.benefit and one.period_from > matter.received
            ]


@UNTIMED
@given(people, households, days)
def test_what_is_past_is_the_same_on_the_next_day(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    before, then = Seen(person, household, today), Seen(person, household, today + timedelta(days=1))
    for section in Section:
        old, new = before.by_id(section), then.by_id(section)
        for id_, row in old.items():
            if section is Section.PENDING and id_ not in new:
                continue
            assert row["day"] > today or _still(new[id_]) == _still(row)
            if new[id_]["body"] != row["body"]:
                assert new[id_]["changed"].date() == today + timedelta(days=1)
            elif section is not Section.MEDICINE:
                assert new[id_]["changed"] == row["changed"]
        assert {id_ for id_, row in new.items() if row["day"] <= today} <= set(old)


def _still(row: dict[str, Any]) -> dict[str, Any]:
    body = {name: value for name, value in row["body"].items() if name not in MOVING[row["section"]]}
    return {**row, "body": body, "changed": None}


@UNTIMED
@given(people, days)
def test_the_medicine_cap_is_reached_on_the_first_day_on_which_the_sum_is_full(person: Customer, today: date) -> None:
    for year in Seen(person, (), today).medicine:
        assert year.accrued <= year.cap
        assert (year.reached_on is not None) == (year.accrued == year.cap)
        if year.reached_on is not None:
            assert year.reached_on <= today
            assert year.reached_on.year == year.year
            full = {
                day: [one.accrued == one.cap for one in Seen(person, (), day).medicine if one.year == year.year]
                for day in (year.reached_on - timedelta(days=1), year.reached_on)
            }
            assert list(full.values()) == [[False], [True]]
