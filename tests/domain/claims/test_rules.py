"""Each rule of claims broken by itself."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kelmu_tui.domain.claims.catalogue import RuleKind, rules
from kelmu_tui.domain.claims.content import Partial
from kelmu_tui.domain.claims.rules import JUDGES, MISSING, missing
from kelmu_tui.domain.identifiers import CodeFault
from kelmu_tui.domain.organisations import OrganisationType
from tests.domain.claims.making import (
    GOOD_ASSISTANCE,
    GOOD_CARE,
    PAYEE,
    TODAY,
    Claim,
    decision,
    other,
    payment,
    recovered,
    wages,
)

INFORMED = ["no_oral", "no_consent", "hearing", "ending"]


@pytest.mark.parametrize("good", [GOOD_CARE, GOOD_ASSISTANCE])
def test_a_good_claim_has_nothing_but_what_is_told(good: Claim) -> None:
    checked = good.checked
    assert [finding.rule for finding in checked.findings] == INFORMED
    assert {finding.kind for finding in checked.findings} == {RuleKind.INFO}
    assert (checked.blocking, checked.unchecked) == ((), ())
    assert missing(Partial.of(good.content)) == ()


def test_every_rule_of_the_catalogue_is_judged() -> None:
    assert set(JUDGES) | set(MISSING) == set(rules())
    assert not set(JUDGES) & set(MISSING)


CASES: list[tuple[str, str, Claim, dict[str, Any]]] = [
    (
        "two_weeks",
        "first",
        GOOD_CARE._replace(today=date(2026, 12, 9)),
        {"payment_day": date(2026, 12, 22), "latest": date(2026, 12, 8), "next": date(2027, 1, 22)},
    ),
    (
        "two_weeks",
        "first",
        GOOD_CARE._replace(today=date(2027, 1, 9)),
        {"payment_day": date(2026, 12, 22), "latest": date(2026, 12, 8), "next": None},
    ),
    (
        "two_weeks",
        "first",
        GOOD_CARE.with_content(benefit="general_support", first=TODAY).with_facts(
            payments=(
                payment("general_support", date(2026, 12, 20), "planned"),
                payment("general_support", date(2026, 11, 20), "planned"),
                payment("general_support", date(2026, 11, 12)),
                payment("child_benefit", date(2026, 11, 11), "planned"),
            )
        ),
        {"payment_day": date(2026, 11, 20), "latest": date(2026, 11, 6), "next": date(2026, 12, 20)},
    ),
    ("basis_named", "basis", GOOD_CARE.with_content(basis=""), {}),
    ("basis_named", "basis", GOOD_CARE.with_content(basis="some_section"), {}),
    (
        "kelmu_two_bases",
        "basis",
        GOOD_CARE.with_content(basis="livelihood_guarantee_pension_18", grounds="Rahat eivät riitä."),
        {"basis": "livelihood_guarantee_pension_18", "forms": ("EV_241N", "free_form")},
    ),
    (
        "kelmu_two_bases",
        "basis",
        GOOD_CARE.with_content(basis="agreement"),
        {"basis": "agreement", "forms": ()},
    ),
    ("only_counties", "", GOOD_CARE._replace(organisation_type=OrganisationType.MUNICIPALITY), {}),
    ("only_counties", "", GOOD_CARE._replace(organisation_type=OrganisationType.EMPLOYMENT_AREA), {}),
    (
        "s23_period",
        "first",
        GOOD_ASSISTANCE.with_content(first=date(2026, 11, 30)),
        {"first": date(2026, 12, 1), "last": date(2027, 1, 31)},
    ),
    (
        "s23_period",
        "last",
        GOOD_ASSISTANCE.with_content(last=date(2027, 2, 1)),
        {"first": date(2026, 12, 1), "last": date(2027, 1, 31)},
    ),
    (
        "s23_period",
        "last",
        GOOD_ASSISTANCE.with_content(last=None),
        {"first": date(2026, 12, 1), "last": date(2027, 1, 31)},
    ),
    (
        "s23_before_decision",
        "assistance_decided_on",
        GOOD_ASSISTANCE.with_facts(decisions=(decision(date(2026, 11, 1)), decision(date(2026, 10, 1)))),
        {"decided": date(2026, 10, 1), "assistance": date(2026, 11, 2)},
    ),
    (
        "s23_amount_cap",
        "amount",
        GOOD_ASSISTANCE.with_content(amount=Decimal("600.01")),
        {"amount": Decimal("600.01"), "most": Decimal("600.00")},
    ),
    (
        "s23_sum_together",
        "amount",
        GOOD_ASSISTANCE.with_facts(claims=(recovered("40.00"), recovered("60.00", "guarantee_pension"))),
        {"total": Decimal("700.00"), "most": Decimal("600.00")},
    ),
    (
        "no_basic_sa",
        "benefit",
        GOOD_ASSISTANCE.with_content(benefit="basic_social_assistance"),
        {"forms": ("free_form",)},
    ),
    ("no_claim_benefits", "benefit", GOOD_CARE.with_content(benefit="adoption_grant"), {"benefit": "adoption_grant"}),
    ("no_claim_benefits", "benefit", GOOD_CARE.with_content(benefit="maternity_grant"), {"benefit": "maternity_grant"}),
    (
        "no_claim_benefits",
        "benefit",
        GOOD_ASSISTANCE.with_content(benefit="private_day_care_allowance"),
        {"benefit": "private_day_care_allowance"},
    ),
    ("housing_s23_only", "benefit", GOOD_CARE.with_content(benefit="general_housing_allowance"), {}),
    (
        "child_benefit_in_payment",
        "benefit",
        GOOD_CARE.with_content(benefit="child_benefit"),
        {"last_paid": None, "as_of": TODAY},
    ),
    (
        "child_benefit_in_payment",
        "benefit",
        GOOD_CARE.with_content(benefit="child_benefit").with_facts(
            payments=(
                payment("child_benefit", date(2026, 9, 25)),
                payment("child_benefit", date(2026, 10, 26), "returned"),
                payment("guarantee_pension", date(2026, 10, 22)),
            )
        ),
        {"last_paid": date(2026, 9, 25), "as_of": TODAY},
    ),
    (
        # It was paid last month, and has been discontinued since.
        "child_benefit_in_payment",
        "benefit",
        GOOD_CARE.with_content(benefit="child_benefit").with_facts(
            payments=(payment("child_benefit", date(2026, 10, 26)),),
            decisions=(
                decision(date(2026, 1, 5), benefit="child_benefit"),
                decision(date(2026, 10, 28), "discontinued", "child_benefit")._replace(first=date(2026, 11, 1)),
            ),
        ),
        {"last_paid": date(2026, 10, 26), "as_of": TODAY},
    ),
    (
        "parental_employer",
        "first",
        GOOD_CARE.with_content(benefit="parental_allowance").with_facts(
            wages=(*wages(date(2026, 11, 1), date(2026, 12, 10)), *wages(date(2027, 1, 20)))
        ),
        {"first": date(2026, 12, 1), "last": date(2027, 1, 31)},
    ),
    (
        "home_care_three_months",
        "last",
        GOOD_CARE.with_content(benefit="child_home_care_allowance"),
        {"day": date(2026, 12, 1)},
    ),
    (
        "home_care_three_months",
        "last",
        GOOD_CARE.with_content(benefit="child_home_care_allowance", last=None, care_first=date(2026, 11, 30)),
        {"day": date(2027, 2, 28)},
    ),
    ("maintenance_pay_date", "first", GOOD_CARE.with_content(benefit="collected_child_maintenance"), {}),
    ("hearing", "", GOOD_CARE, {"certain": False}),
    (
        "hearing",
        "",
        GOOD_CARE.with_content(basis="livelihood_guarantee_pension_18", grounds="Rahat eivät riitä."),
        {"certain": True},
    ),
    ("no_oral", "", GOOD_CARE, {}),
    ("no_consent", "", GOOD_ASSISTANCE, {}),
    ("ending", "", GOOD_ASSISTANCE, {}),
    (
        "overlap",
        "benefit",
        GOOD_CARE.with_facts(claims=(other(),)),
        {"id": "c2", "first": date(2027, 1, 1), "last": None, "own": False},
    ),
    (
        "overlap",
        "benefit",
        GOOD_CARE.with_facts(claims=(other(own=True),)),
        {"id": "c2", "first": date(2027, 1, 1), "last": None, "own": True},
    ),
    (
        "dates_in_order",
        "last",
        GOOD_CARE.with_content(last=date(2026, 11, 30)),
        {"first": date(2026, 12, 1), "last": date(2026, 11, 30)},
    ),
    (
        "dates_in_order",
        "care_last",
        GOOD_CARE.with_content(care_last=date(2026, 8, 31)),
        {"first": date(2026, 9, 1), "last": date(2026, 8, 31)},
    ),
    (
        "dates_in_order",
        "assistance_last",
        GOOD_ASSISTANCE.with_assistance(last=date(2026, 11, 30)),
        {"first": date(2026, 12, 1), "last": date(2026, 11, 30)},
    ),
    (
        "dates_near",
        "first",
        GOOD_CARE.with_content(first=date(206, 12, 1)),
        {"day": date(206, 12, 1), "earliest": date(1900, 1, 1), "latest": date(2046, 12, 31)},
    ),
    (
        "dates_near",
        "care_last",
        GOOD_CARE.with_content(care_last=date(2047, 1, 1)),
        {"day": date(2047, 1, 1), "earliest": date(1900, 1, 1), "latest": date(2046, 12, 31)},
    ),
    (
        "decided_past",
        "assistance_decided_on",
        GOOD_ASSISTANCE.with_assistance(decided_on=TODAY + timedelta(days=1)),
        {"day": TODAY + timedelta(days=1)},
    ),
    ("fields_needed", "payee", GOOD_CARE.with_content(payee=" "), {"field": "payee"}),
    ("fields_needed", "benefit", GOOD_CARE.with_content(benefit=""), {"field": "benefit"}),
    ("fields_needed", "amount", GOOD_CARE.with_content(amount=None), {"field": "amount"}),
    ("fields_needed", "account", GOOD_CARE.with_content(account=""), {"field": "account"}),
    ("fields_needed", "handler", GOOD_CARE.with_content(handler=""), {"field": "handler"}),
    ("fields_needed", "telephone", GOOD_ASSISTANCE.with_content(telephone=" "), {"field": "telephone"}),
    ("fields_needed", "grounds", GOOD_CARE.with_content(basis="child_benefit_12_2"), {"field": "grounds"}),
    ("payee_code", "payee", GOOD_CARE.with_content(payee=PAYEE[:-1] + "0"), {"fault": CodeFault.CHECK}),
    (
        "benefit_claimable",
        "benefit",
        GOOD_CARE.with_content(benefit="conscripts_allowance"),
        {"basis": "client_fees_14", "benefit": "conscripts_allowance"},
    ),
    (
        "benefit_claimable",
        "benefit",
        GOOD_ASSISTANCE.with_content(benefit="some_benefit"),
        {"basis": "social_assistance_23", "benefit": "some_benefit"},
    ),
    (
        "benefit_exists",
        "first",
        GOOD_CARE.with_content(benefit="labour_market_subsidy"),
        {"benefit": "labour_market_subsidy", "valid_from": None, "valid_to": date(2026, 4, 30)},
    ),
    (
        "benefit_exists",
        "last",
        GOOD_CARE.with_content(
            benefit="basic_unemployment_allowance",
            first=date(2026, 4, 30),
            last=date(2026, 5, 1),
            care_first=date(2026, 4, 1),
        ),
        {"benefit": "basic_unemployment_allowance", "valid_from": None, "valid_to": date(2026, 4, 30)},
    ),
    (
        "benefit_exists",
        "first",
        GOOD_CARE.with_content(benefit="general_support", first=date(2026, 4, 30), care_first=date(2026, 4, 1)),
        {"benefit": "general_support", "valid_from": date(2026, 5, 1), "valid_to": None},
    ),
    ("care_needed", "care_first", GOOD_CARE.with_content(care_first=None), {}),
    (
        "care_period",
        "first",
        GOOD_CARE.with_content(care_first=date(2026, 12, 2)),
        {"first": date(2026, 12, 2), "last": None},
    ),
    (
        "care_period",
        "last",
        GOOD_CARE.with_content(care_last=date(2027, 1, 30)),
        {"first": date(2026, 9, 1), "last": date(2027, 1, 30)},
    ),
    (
        "care_period",
        "last",
        GOOD_CARE.with_content(last=None, care_last=date(2027, 1, 31)),
        {"first": date(2026, 9, 1), "last": date(2027, 1, 31)},
    ),
    ("assistance_needed", "assistance_first", GOOD_ASSISTANCE.with_content(assistance=None), {}),
    ("amount_positive", "amount", GOOD_CARE.with_content(amount=Decimal("0.00")), {}),
    ("amount_positive", "amount", GOOD_CARE.with_content(amount=Decimal("-0.01")), {}),
    ("amount_exact", "amount", GOOD_CARE.with_content(amount=Decimal("310.005")), {}),
    ("amount_exact", "amount", GOOD_CARE.with_content(amount=Decimal("NaN")), {}),
    ("amount_exact", "amount", GOOD_CARE.with_content(amount=Decimal("-Infinity")), {}),
    ("amount_exact", "assistance_amount", GOOD_ASSISTANCE.with_assistance(amount=Decimal("600.001")), {}),
    ("amount_limit", "amount", GOOD_CARE.with_content(amount=Decimal("1e7")), {"most": Decimal("9999999.99")}),
    ("amount_limit", "amount", GOOD_CARE.with_content(amount=Decimal("9e999")), {"most": Decimal("9999999.99")}),
    ("account_valid", "account", GOOD_CARE.with_content(account="FI4250001510000023"), {"fault": "national"}),
    ("account_valid", "account", GOOD_CARE.with_content(account="x"), {"fault": "format"}),
    ("text_length", "reference", GOOD_CARE.with_content(reference="1" * 31), {"field": "reference", "most": 30}),
    ("text_length", "grounds", GOOD_CARE.with_content(grounds="ä" * 2001), {"field": "grounds", "most": 2000}),
    ("payee_died", "first", GOOD_CARE.with_facts(died=date(2026, 11, 9)), {"died": date(2026, 11, 9)}),
    ("payee_died_within", "last", GOOD_CARE.with_facts(died=date(2026, 12, 24)), {"died": date(2026, 12, 24)}),
]


@pytest.mark.parametrize(("rule", "field", "claim", "values"), CASES)
def test_each_rule_broken_by_itself(rule: str, field: str, claim: Claim, values: dict[str, Any]) -> None:
    (finding,) = claim.found(rule)
    assert (finding.field, dict(finding.values)) == (field, values)
    assert finding.kind is (RuleKind.INFO if rule == "no_oral" else rules()[rule].kind)
    assert (finding in claim.checked.blocking) == (finding.kind is RuleKind.BLOCK)


def test_each_rule_is_broken_somewhere() -> None:
    assert {rule for rule, *_ in CASES} == set(rules())
