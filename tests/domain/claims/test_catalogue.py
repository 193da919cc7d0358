"""What the catalogue of claims says: bases and their benefits, the forms for what goes in writing, sources."""

from __future__ import annotations

import pytest

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.claims.catalogue import (
    CLIENT_FEES,
    NO_CLAIMS,
    SOCIAL_ASSISTANCE,
    RuleKind,
    bases,
    claimable,
    claimants,
    end_reasons,
    forms,
    forms_for,
    kelmu_bases,
    rules,
    source_of,
)
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.domain.organisations import OrganisationType

KELAS = [
    "two_weeks", "basis_named", "kelmu_two_bases", "no_oral", "only_counties", "s23_period", "s23_before_decision",
    "s23_amount_cap", "no_basic_sa", "no_claim_benefits", "housing_s23_only", "child_benefit_in_payment",
    "parental_employer", "home_care_three_months", "maintenance_pay_date", "no_consent", "hearing", "ending", "overlap",
    "dates_in_order",
]  # fmt: skip


def test_two_bases_work_in_kelmu() -> None:
    assert [basis.id for basis in kelmu_bases()] == [SOCIAL_ASSISTANCE, CLIENT_FEES]
    assert len(bases()) == 15
    assert len({basis.code for basis in bases().values()}) == 15


def test_the_catalogues_agree_on_what_can_be_claimed() -> None:
    for benefit in benefits().values():
        assert claimable(SOCIAL_ASSISTANCE, benefit.id) == benefit.claim_s23
        assert claimable(CLIENT_FEES, benefit.id) == benefit.claim_s14
    for basis in bases().values():
        assert basis.benefits | basis.excluded <= set(benefits())
        assert set(basis.forms) <= set(forms())
        assert basis.consent or basis.benefits
    assert not claimable("no_such_basis", "child_benefit")
    assert not claimable(CLIENT_FEES, "no_such_benefit")


def test_nobody_claims_what_no_one_may() -> None:
    assert rules()["no_claim_benefits"].benefits == NO_CLAIMS
    for benefit in NO_CLAIMS:
        assert not any(
            claimable(basis, benefit) or forms_for(basis, benefit) for basis in bases() if basis != "agreement"
        )


@pytest.mark.parametrize(
    ("basis", "benefit", "named"),
    [
        (CLIENT_FEES, "child_benefit", []),
        (SOCIAL_ASSISTANCE, "general_housing_allowance", []),
        (CLIENT_FEES, "general_housing_allowance", []),
        (CLIENT_FEES, "basic_social_assistance", ["free_form"]),
        ("social_assistance_23_from_basic", "basic_social_assistance", ["free_form"]),
        ("child_benefit_11_1", "child_benefit", ["LL_2", "free_form"]),
        ("child_benefit_12_2", "child_benefit", ["LL_2", "free_form"]),
        ("client_fees_7", "collected_child_maintenance", ["LU_1", "EV_255", "free_form"]),
        ("maintenance_allowance_11_4", "child_maintenance_allowance", ["LU_1", "EV_255", "free_form"]),
        ("maintenance_allowance_11_4", "collected_child_maintenance", []),
        ("livelihood_sickness_15_12", "sickness_allowance", ["EV_241N", "free_form"]),
        ("livelihood_sickness_15_12", "parental_allowance", ["EV_255", "free_form"]),
        ("livelihood_unemployment_11_9", "general_support", ["EV_241N", "free_form"]),
        ("agreement", "child_benefit", ["agreement", "account_number", "consent_or_power_of_attorney"]),
        ("agreement", "guarantee_pension", []),
        ("agreement", "pensioners_housing_allowance", []),
        ("no_such_basis", "child_benefit", []),
    ],
)
def test_the_form_for_what_goes_in_writing(basis: str, benefit: str, named: list[str]) -> None:
    assert [form.id for form in forms_for(basis, benefit)] == named


def test_every_claim_in_writing_has_a_form() -> None:
    for basis in bases().values():
        for benefit in basis.benefits:
            assert bool(forms_for(basis.id, benefit)) == (not basis.in_kelmu)


def test_rules_are_those_of_kela_and_ours() -> None:
    assert list(rules())[: len(KELAS)] == KELAS
    for rule in rules().values():
        source = source_of(rule.id)
        assert source.addresses or source.assumed
        assert rule.benefits <= set(benefits())
        assert all(rule.name)
    assert source_of("two_weeks").addresses[0].startswith("https://www.kela.fi/")
    assert not source_of("two_weeks").assumed
    assert source_of("s23_amount_cap") == ((), True)
    assert source_of("only_counties").assumed
    assert rules()["two_weeks"].kind is RuleKind.WARN_LATE
    assert (rules()["two_weeks"].days, rules()["home_care_three_months"].months) == (14, 3)


def test_what_else_a_basis_asks_for() -> None:
    asked = {basis.id: basis.fields for basis in bases().values()}
    assert asked[CLIENT_FEES] == {"care_period"}
    assert asked[SOCIAL_ASSISTANCE] == {"sa_paid"}
    for basis in bases().values():
        assert ("justification" in basis.fields) == basis.justification_required
        assert basis.hearing == basis.id.startswith("livelihood_")


def test_only_counties_helsinki_and_aland_make_claims() -> None:
    assert claimants() == {
        OrganisationType.WELLBEING_COUNTY,
        OrganisationType.HELSINKI,
        OrganisationType.ALAND_MUNICIPALITY,
        OrganisationType.ALAND_JOINT_AUTHORITY,
    }


def test_states_are_those_of_the_catalogue() -> None:
    table = catalogue.table("claims.toml")
    assert {row["id"] for row in table["status"]} == {*Status, "draft"}
    assert len(end_reasons()) == len(table["end_reason"]) == 6
    for row in table["basis"]:
        assert set(row.get("benefits_confirmed", ())) <= set(row["benefits"])
