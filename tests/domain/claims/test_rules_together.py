"""Rules of claims broken in pairs, what unknown facts leave unjudged, and claims that are still being written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from kelmu_tui.domain.claims.catalogue import rules
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.claims.facts import Days, Facts
from kelmu_tui.domain.claims.rules import check_partial, missing
from kelmu_tui.domain.organisations import OrganisationType
from tests.domain.claims.making import (
    ASSISTANCE,
    CARE,
    COUNTY,
    GOOD_ASSISTANCE,
    GOOD_CARE,
    PAID,
    TODAY,
    Breaker,
    Claim,
    decision,
)

UNKNOWN = {"two_weeks", "s23_before_decision", "s23_sum_together", "overlap", "payee_died", "payee_died_within"}


# --- in pairs -------------------------------------------------------------------------------------------------------

BLOCKS: dict[str, Breaker] = {
    "only_counties": lambda claim: claim._replace(organisation_type=OrganisationType.MUNICIPALITY),
    "dates_near": lambda claim: claim.with_assistance(decided_on=date(1026, 11, 2)),
    "dates_in_order": lambda claim: claim.with_content(last=date(2026, 11, 1)),
    "s23_period": lambda claim: claim.with_content(first=date(2026, 11, 30)),
    "s23_amount_cap": lambda claim: claim.with_content(amount=Decimal("600.50")),
    "amount_exact": lambda claim: claim.with_assistance(amount=Decimal("300.005")),
    "amount_limit": lambda claim: claim.with_content(amount=Decimal("10000000.00")),
    "amount_positive": lambda claim: claim.with_assistance(amount=Decimal("-1.00")),
    "account_valid": lambda claim: claim.with_content(account="FI4250001510000023"),
    "payee_code": lambda claim: claim.with_content(payee="010190-900Q"),
    "text_length": lambda claim: claim.with_content(reference="1" * 31),
    "fields_needed": lambda claim: claim.with_content(handler=""),
    "no_basic_sa": lambda claim: claim.with_content(benefit="basic_social_assistance"),
    "no_claim_benefits": lambda claim: claim.with_content(benefit="maternity_grant"),
    "benefit_claimable": lambda claim: claim.with_content(benefit="student_loan_guarantee"),
    "benefit_exists": lambda claim: claim.with_content(benefit="labour_market_subsidy"),
    "child_benefit_in_payment": lambda claim: claim.with_content(benefit="child_benefit"),
    "payee_died": lambda claim: claim.with_facts(died=date(2026, 11, 1)),
    "decided_past": lambda claim: claim.with_assistance(decided_on=date(2026, 12, 24)),
}
SAME_PLACE = [
    {"no_basic_sa", "no_claim_benefits", "benefit_claimable", "benefit_exists", "child_benefit_in_payment"},
    {"s23_amount_cap", "amount_limit"},
    {"amount_exact", "amount_positive"},
    {"dates_near", "decided_past"},
]
"""Rules that are broken in one place here: a claim cannot have two benefits."""


@pytest.mark.parametrize("rule", BLOCKS)
def test_one_broken_rule_alone_is_found(rule: str) -> None:
    blocking = {finding.rule for finding in BLOCKS[rule](GOOD_ASSISTANCE).checked.blocking}
    assert rule in blocking
    # A sum over the limit, or assistance below nothing, cannot but be more than the assistance that was paid.
    assert blocking - {rule} <= {"s23_amount_cap"}


PAIRS = [pair for pair in combinations(BLOCKS, 2) if not any(set(pair) <= place for place in SAME_PLACE)]


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_each_pair_of_broken_rules_is_found_in_any_order(one: str, two: str) -> None:
    first = BLOCKS[two](BLOCKS[one](GOOD_ASSISTANCE)).checked
    second = BLOCKS[one](BLOCKS[two](GOOD_ASSISTANCE)).checked
    assert {one, two} <= {finding.rule for finding in first.blocking}
    assert {one, two} <= {finding.rule for finding in second.blocking}
    places = [list(rules()).index(finding.rule) for finding in first.findings]
    assert places == sorted(places)


# --- what is not known ----------------------------------------------------------------------------------------------


def test_what_is_not_known_is_not_judged_and_not_called_good() -> None:
    claim = GOOD_ASSISTANCE.with_content(benefit="survivors_pension_spouse")._replace(facts=Facts())
    assert set(claim.checked.unchecked) == UNKNOWN
    for benefit, rule in (("child_benefit", "child_benefit_in_payment"), ("parental_allowance", "parental_employer")):
        assert rule in claim.with_content(benefit=benefit).checked.unchecked
        assert rule not in claim.with_content(benefit=benefit)._replace(facts=GOOD_CARE.facts).checked.unchecked
    assert claim.checked.blocking == ()


@pytest.mark.parametrize(
    "claim",
    [
        # No payment is planned, so nobody knows which one is meant.
        GOOD_CARE.with_content(benefit="general_support"),
        # No payment day lies in these days: none is missed, and none is promised either.
        GOOD_CARE.with_content(first=date(2026, 12, 1), last=date(2026, 12, 21)),
    ],
)
def test_without_a_payment_day_two_weeks_are_not_judged(claim: Claim) -> None:
    assert claim.checked.unchecked == ("two_weeks",)


PAST = GOOD_ASSISTANCE._replace(today=date(2026, 11, 21)).with_content(
    first=date(2026, 10, 1), last=date(2026, 12, 31), assistance=replace(PAID, first=date(2026, 10, 1))
)


def test_an_awaited_benefit_has_missed_no_day_yet() -> None:
    # In October and November it was not paid, since Kela has not decided: only December is still to be reached.
    assert PAST.found("two_weeks") == ()
    assert "two_weeks" not in PAST.checked.unchecked
    (late,) = PAST._replace(today=date(2026, 12, 9)).found("two_weeks")
    assert late.values["payment_day"] == date(2026, 12, 22)
    assert PAST.with_content(last=date(2026, 10, 31)).checked.unchecked == ("two_weeks",)
    assert "two_weeks" in PAST.with_facts(decisions=None).checked.unchecked
    rejected = PAST.with_facts(decisions=(decision(date(2026, 9, 1), "rejected"),))
    assert rejected.found("two_weeks") == ()
    running = PAST.with_facts(decisions=(decision(date(2026, 9, 1)),))
    (missed,) = running.found("two_weeks")
    assert (missed.values["payment_day"], missed.values["next"]) == (date(2026, 10, 22), date(2026, 12, 22))


# --- what is still being written ------------------------------------------------------------------------------------


def test_an_empty_form_has_nothing_wrong_and_everything_missing() -> None:
    checked = check_partial(Partial(), Facts(), COUNTY, TODAY)
    assert checked.findings == ()
    assert checked.unchecked == ()
    assert missing(Partial()) == (
        "payee", "basis", "benefit", "first", "last", "amount", "account", "handler", "telephone",
    )  # fmt: skip


def test_what_is_missing_depends_on_the_basis() -> None:
    assert missing(replace(Partial.of(CARE), care_first=None)) == ("care_first",)
    paid = replace(Partial.of(ASSISTANCE), assistance_amount=None, assistance_last=None)
    assert missing(paid) == ("assistance_last", "assistance_amount")
    assert missing(replace(Partial.of(CARE), last=None)) == ("last",)
    assert missing(replace(Partial.of(CARE), last=None, until_further_notice=True)) == ()
    assert missing(replace(Partial.of(CARE), basis="livelihood_disability_26")) == ("grounds",)


def test_a_form_says_what_is_wrong_as_soon_as_it_can() -> None:
    def rules_of(**values: Any) -> list[str]:
        return [finding.rule for finding in check_partial(Partial(**values), Facts(), COUNTY, TODAY).blocking]

    assert rules_of(account="FI42") == ["account_valid"]
    assert rules_of(benefit="adoption_grant") == ["no_claim_benefits"]
    assert rules_of(basis="client_fees_14", benefit="general_housing_allowance") == ["housing_s23_only"]
    assert rules_of(basis="client_fees_7") == ["kelmu_two_bases"]
    assert rules_of(last=date(2026, 1, 1)) == []
    assert rules_of(first=date(2026, 1, 2), last=date(2026, 1, 1)) == ["dates_in_order"]
    assistance = {"assistance_first": date(2026, 1, 1), "assistance_last": date(2026, 1, 31)}
    assert rules_of(first=date(2026, 2, 1), **assistance) == []
    assert rules_of(basis="social_assistance_23", first=date(2026, 2, 1), **assistance) == ["s23_period"]


def test_a_claim_holds_only_what_its_basis_asks_for() -> None:
    both = replace(Partial.of(ASSISTANCE), care_first=date(2026, 1, 1))
    assert both.whole() == ASSISTANCE
    assert replace(both, basis="client_fees_14").whole() == replace(
        ASSISTANCE, basis="client_fees_14", assistance=None, care_first=date(2026, 1, 1)
    )
    assert Partial.of(CARE).whole() == CARE
    for field in ("payee", "basis", "benefit", "first", "last", "account"):
        nothing: dict[str, Any] = {field: None}
        assert replace(Partial.of(CARE), **nothing).whole() is None
    assert "010190" not in repr(both) + repr(CARE)


def test_days_that_cannot_be_stop_no_other_rule_and_no_reckoning() -> None:
    for first, last in ((date.min, date.max), (date.max, None), (date.min, None), (date(9999, 12, 1), date.max)):
        for good in (GOOD_CARE, GOOD_ASSISTANCE):
            claim = good.with_content(
                first=first, last=last, care_first=date.min, care_last=date.max, benefit="child_home_care_allowance"
            )
            assert claim.found("dates_near")
    wild = GOOD_CARE.with_facts(wages=(Days(date.min, None),), died=date.min)
    assert wild.found("payee_died")
