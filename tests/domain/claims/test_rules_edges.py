"""Rules of claims at their edges: the first day refused, the last one allowed, and times of a single day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kelmu_tui.domain.claims.content import Content, Partial
from kelmu_tui.domain.claims.facts import Facts
from kelmu_tui.domain.claims.rules import check_partial
from tests.domain.claims.making import (
    ASSISTANCE,
    CARE,
    COUNTY,
    GOOD_ASSISTANCE,
    GOOD_CARE,
    PAID,
    TODAY,
    Claim,
    decision,
    payment,
    wages,
)

ONE_DAY = GOOD_ASSISTANCE.with_content(
    first=date(2026, 12, 1), last=date(2026, 12, 1), assistance=replace(PAID, last=date(2026, 12, 1))
)
CARED_A_DAY = GOOD_CARE.with_content(
    first=date(2026, 12, 1), last=date(2026, 12, 1), care_first=date(2026, 12, 1), care_last=date(2026, 12, 1)
)


@pytest.mark.parametrize(
    ("claim", "rule", "found"),
    [
        (GOOD_CARE.with_content(care_first=date(1900, 1, 1)), "dates_near", False),
        (GOOD_CARE.with_content(care_first=date(1899, 12, 31)), "dates_near", True),
        (GOOD_CARE.with_content(last=date(2046, 12, 31)), "dates_near", False),
        (GOOD_CARE.with_content(last=date(2047, 1, 1)), "dates_near", True),
        (ONE_DAY, "s23_period", False),
        (ONE_DAY.with_content(last=date(2026, 12, 2)), "s23_period", True),
        (CARED_A_DAY, "care_period", False),
        (CARED_A_DAY.with_content(last=date(2026, 12, 2)), "care_period", True),
        (GOOD_ASSISTANCE.with_content(first=PAID.last), "s23_period", False),
        (GOOD_CARE.with_facts(died=date(2026, 11, 30)), "payee_died", True),
        (GOOD_CARE.with_facts(died=date(2026, 12, 1)), "payee_died_within", True),
        (GOOD_CARE.with_facts(died=date(2027, 1, 30)), "payee_died_within", True),
        (GOOD_CARE.with_content(last=None).with_facts(died=date(2027, 1, 31)), "payee_died_within", True),
        (GOOD_CARE.with_facts(died=date(2026, 11, 30)), "payee_died_within", False),
    ],
)
def test_edges_of_days(claim: Claim, rule: str, found: bool) -> None:
    assert bool(claim.found(rule)) == found


@pytest.mark.parametrize(
    ("known_on", "paid_on", "status", "running"),
    [
        # A payment of the month before tells that it is in payment, one of two months ago does not.
        (date(2026, 11, 1), date(2026, 10, 26), "paid", True),
        (date(2026, 11, 30), date(2026, 10, 1), "paid", True),
        (date(2026, 11, 1), date(2026, 9, 30), "paid", False),
        (date(2027, 1, 10), date(2026, 12, 23), "paid", True),
        (date(2027, 1, 10), date(2026, 11, 26), "paid", False),
        (date(2026, 11, 10), date(2026, 11, 10), "planned", True),
        (date(2026, 11, 10), date(2027, 3, 26), "planned", True),
        (date(2026, 11, 10), date(2026, 9, 25), "planned", False),
        (date(2026, 11, 10), date(2026, 11, 9), "returned", False),
    ],
)
def test_when_child_benefit_is_in_payment(known_on: date, paid_on: date, status: str, running: bool) -> None:
    claim = GOOD_CARE.with_content(benefit="child_benefit")
    claim = claim.with_facts(payments=(payment("child_benefit", paid_on, status),), as_of=known_on)
    assert bool(claim.found("child_benefit_in_payment")) != running


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (date(2026, 11, 1), date(2026, 12, 1), (date(2026, 12, 1), date(2026, 12, 1))),
        (date(2027, 1, 31), None, (date(2027, 1, 31), date(2027, 1, 31))),
        (date(2027, 2, 1), None, None),
        (date(2026, 11, 1), date(2026, 11, 30), None),
    ],
)
def test_wages_count_for_the_days_in_common(first: date, last: date | None, found: tuple[date, date] | None) -> None:
    claim = GOOD_CARE.with_content(benefit="parental_allowance").with_facts(wages=wages(first, last))
    told = [(finding.values["first"], finding.values["last"]) for finding in claim.found("parental_employer")]
    assert told == ([] if found is None else [found])


def test_wages_and_a_claim_without_an_end_have_none_in_common() -> None:
    claim = GOOD_CARE.with_content(benefit="parental_allowance", last=None)
    (finding,) = claim.with_facts(wages=wages(date(2026, 1, 1))).found("parental_employer")
    assert (finding.values["first"], finding.values["last"]) == (date(2026, 12, 1), None)


@pytest.mark.parametrize("day", [date(2026, 12, 1), date(2027, 1, 31)])
def test_a_decision_for_one_day_of_the_claim_counts(day: date) -> None:
    earlier = decision(date(2026, 11, 1))._replace(first=day, last=day)
    assert GOOD_ASSISTANCE.with_facts(decisions=(earlier,)).found("s23_before_decision")
    open_both = earlier._replace(first=None, last=None)
    assert GOOD_ASSISTANCE.with_facts(decisions=(open_both,)).found("s23_before_decision")


@pytest.mark.parametrize("good", [CARE, ASSISTANCE])
@pytest.mark.parametrize(
    "field",
    ["basis", "benefit", "first", "last", "amount", "care_first", "assistance_first", "assistance_last",
     "assistance_amount", "assistance_decided_on"],
)  # fmt: skip
def test_what_is_not_said_yet_is_never_wrong(good: Content, field: str) -> None:
    nothing: dict[str, Any] = {field: None}
    part = check_partial(replace(Partial.of(good), **nothing), Facts(), COUNTY, TODAY)
    assert part.blocking == ()


def test_sums_that_are_none_are_refused_and_compared_with_nothing() -> None:
    for sum_ in (Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")):
        claim = GOOD_ASSISTANCE.with_content(amount=sum_)
        assert [finding.rule for finding in claim.checked.blocking] == ["amount_exact"]
        paid = GOOD_ASSISTANCE.with_assistance(amount=sum_)
        assert [(finding.rule, finding.field) for finding in paid.checked.blocking] == [
            ("amount_exact", "assistance_amount")
        ]


def test_of_planned_payments_the_first_one_is_reached_that_is_two_weeks_away() -> None:
    days = (date(2026, 12, 24), date(2026, 11, 20), date(2026, 11, 24))
    planned = tuple(payment("general_support", day, "planned") for day in days)
    claim = GOOD_CARE.with_content(benefit="general_support", first=date(2026, 11, 1)).with_facts(payments=planned)
    (finding,) = claim.found("two_weeks")
    assert (finding.values["payment_day"], finding.values["next"]) == (date(2026, 11, 20), date(2026, 11, 24))
    (finding,) = claim._replace(today=date(2026, 12, 11)).found("two_weeks")
    assert finding.values["next"] is None
    assert claim._replace(today=date(2026, 11, 6)).found("two_weeks") == ()


def test_of_child_benefit_the_latest_payment_is_told() -> None:
    paid = tuple(payment("child_benefit", date(2026, month, 26)) for month in (6, 8, 5))
    claim = GOOD_CARE.with_content(benefit="child_benefit").with_facts(payments=paid)
    (finding,) = claim.found("child_benefit_in_payment")
    assert finding.values["last_paid"] == date(2026, 8, 26)
