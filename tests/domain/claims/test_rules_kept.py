"""Each rule of claims kept by a hair: what is still allowed, and of what nothing is said."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from kelmu_tui.domain.organisations import OrganisationType
from tests.domain.claims.making import (
    ASSISTANCE,
    GOOD_ASSISTANCE,
    GOOD_CARE,
    TODAY,
    Claim,
    decision,
    other,
    payment,
    recovered,
    wages,
)

KEPT: list[tuple[str, Claim]] = [
    ("two_weeks", GOOD_CARE._replace(today=date(2026, 12, 8))),
    ("two_weeks", GOOD_CARE.with_content(last=None)._replace(today=date(2026, 12, 8))),
    ("s23_period", GOOD_ASSISTANCE.with_content(first=date(2026, 12, 1), last=date(2026, 12, 1))),
    ("s23_period", GOOD_CARE.with_content(assistance=ASSISTANCE.assistance, first=date(2026, 9, 1))),
    ("s23_before_decision", GOOD_ASSISTANCE.with_facts(decisions=(decision(date(2026, 11, 2)),))),
    ("s23_before_decision", GOOD_ASSISTANCE.with_facts(decisions=(decision(date(2026, 11, 1), "rejected"),))),
    (
        "s23_before_decision",
        GOOD_ASSISTANCE.with_facts(decisions=(decision(date(2026, 11, 1), benefit="child_benefit"),)),
    ),
    (
        "s23_before_decision",
        GOOD_ASSISTANCE.with_facts(decisions=(decision(date(2026, 11, 1))._replace(last=date(2026, 11, 30)),)),
    ),
    ("s23_before_decision", GOOD_CARE.with_facts(decisions=(decision(date(2026, 11, 1)),))),
    ("s23_amount_cap", GOOD_ASSISTANCE.with_content(amount=Decimal("600.00"))),
    (
        "s23_sum_together",
        GOOD_ASSISTANCE.with_content(amount=Decimal("500.00")).with_facts(claims=(recovered("100.00"),)),
    ),
    ("s23_sum_together", GOOD_ASSISTANCE.with_facts(claims=(recovered("100.00")._replace(own=False),))),
    ("s23_sum_together", GOOD_ASSISTANCE.with_facts(claims=(recovered("100.00")._replace(basis="client_fees_14"),))),
    ("s23_sum_together", GOOD_ASSISTANCE.with_facts(claims=(recovered("100.00")._replace(amount=None),))),
    (
        "s23_sum_together",
        GOOD_ASSISTANCE.with_facts(claims=(recovered("9.00")._replace(first=date(2027, 2, 1), last=None),)),
    ),
    ("s23_sum_together", GOOD_CARE.with_facts(claims=(recovered("100.00"),))),
    ("housing_s23_only", GOOD_ASSISTANCE.with_content(benefit="general_housing_allowance")),
    (
        "child_benefit_in_payment",
        GOOD_CARE.with_content(benefit="child_benefit").with_facts(
            payments=(payment("child_benefit", date(2026, 10, 26)),)
        ),
    ),
    (
        "child_benefit_in_payment",
        GOOD_CARE.with_content(benefit="child_benefit").with_facts(
            payments=(payment("child_benefit", date(2026, 11, 26), "planned"),)
        ),
    ),
    (
        # It was discontinued once, and granted again.
        "child_benefit_in_payment",
        GOOD_CARE.with_content(benefit="child_benefit").with_facts(
            payments=(payment("child_benefit", date(2026, 10, 26)),),
            decisions=(
                decision(date(2025, 10, 28), "discontinued", "child_benefit"),
                decision(date(2026, 1, 5), benefit="child_benefit"),
            ),
        ),
    ),
    (
        # A second application was rejected; what had been granted goes on.
        "child_benefit_in_payment",
        GOOD_CARE.with_content(benefit="child_benefit").with_facts(
            payments=(payment("child_benefit", date(2026, 10, 26)),),
            decisions=(
                decision(date(2026, 1, 5), benefit="child_benefit"),
                decision(date(2026, 10, 9), "rejected", "child_benefit"),
            ),
        ),
    ),
    (
        # What was known in October tells that it was in payment then; nothing newer is known.
        "child_benefit_in_payment",
        GOOD_CARE.with_content(benefit="child_benefit").with_facts(
            payments=(payment("child_benefit", date(2026, 9, 25)),), as_of=date(2026, 10, 5)
        ),
    ),
    (
        "parental_employer",
        GOOD_CARE.with_content(benefit="parental_allowance").with_facts(
            wages=wages(date(2026, 1, 1), date(2026, 11, 30))
        ),
    ),
    ("parental_employer", GOOD_CARE.with_facts(wages=wages(date(2026, 1, 1)))),
    (
        "home_care_three_months",
        GOOD_CARE.with_content(benefit="child_home_care_allowance", care_first=date(2026, 10, 31)),
    ),
    ("home_care_three_months", GOOD_ASSISTANCE.with_content(benefit="child_home_care_allowance")),
    ("overlap", GOOD_CARE.with_facts(claims=(other("child_benefit"), other()._replace(first=date(2027, 2, 1))))),
    ("dates_in_order", GOOD_CARE.with_content(first=date(2026, 12, 1), last=date(2026, 12, 1))),
    ("decided_past", GOOD_ASSISTANCE.with_assistance(decided_on=TODAY)),
    ("no_consent", GOOD_CARE.with_content(basis="agreement")),
    ("benefit_claimable", GOOD_CARE.with_content(benefit="basic_social_assistance")),
    ("benefit_claimable", GOOD_CARE.with_content(benefit="adoption_grant")),
    ("benefit_claimable", GOOD_CARE.with_content(benefit="general_housing_allowance")),
    ("benefit_exists", GOOD_CARE.with_content(benefit="general_support", first=date(2026, 5, 1))),
    (
        "benefit_exists",
        GOOD_CARE.with_content(benefit="labour_market_subsidy", first=date(2026, 4, 1), last=date(2026, 4, 30)),
    ),
    ("care_period", GOOD_CARE.with_content(last=None)),
    ("amount_limit", GOOD_CARE.with_content(amount=Decimal("9999999.99"))),
    ("amount_exact", GOOD_CARE.with_content(amount=Decimal("1E+3"))),
    ("text_length", GOOD_CARE.with_content(reference="1" * 30, grounds="ä" * 2000)),
    ("payee_died", GOOD_CARE.with_facts(died=date(2026, 12, 1))),
    ("payee_died_within", GOOD_CARE.with_facts(died=date(2027, 1, 31))),
    ("only_counties", GOOD_CARE._replace(organisation_type=OrganisationType.HELSINKI)),
    ("only_counties", GOOD_CARE._replace(organisation_type=OrganisationType.ALAND_MUNICIPALITY)),
    ("only_counties", GOOD_CARE._replace(organisation_type=OrganisationType.ALAND_JOINT_AUTHORITY)),
]


@pytest.mark.parametrize(("rule", "claim"), KEPT)
def test_what_keeps_a_rule_by_a_hair_is_not_found(rule: str, claim: Claim) -> None:
    assert claim.found(rule) == ()
    assert rule not in claim.checked.unchecked


def test_of_other_organisations_claims_nothing_is_said_where_they_are_not_known() -> None:
    beside = GOOD_CARE.with_facts(claims=(other("child_benefit", own=True),), own_claims_only=True)
    assert (beside.found("overlap"), "overlap" in beside.checked.unchecked) == ((), True)
    own = GOOD_CARE.with_facts(claims=(other(own=True),), own_claims_only=True)
    assert (len(own.found("overlap")), "overlap" in own.checked.unchecked) == (1, False)
