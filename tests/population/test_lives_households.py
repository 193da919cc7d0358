"""What is a household's goes to one of its adults, and what somebody lives on fits their age and the law of the day."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st

from kelmu_backend.population.lives import Customer
from kelmu_backend.population.lives.model import Ending
from kelmu_tui.api.contract import customers as wire
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.organisations import social_care_organiser
from tests.population.lives_of import CHILD, GRANTING, UNTIMED, Seen, days, deaths, households, people

LAST: date = date(2026, 12, 31)
HOUSING = frozenset({"general_housing_allowance", "pensioners_housing_allowance"})
RETIRED_LONG = Customer("r", "Virtanen", date(1938, 3, 1), None, 500)
seeds = st.integers(0, 2**40)
ages = st.dates(date(1945, 1, 1), date(2024, 12, 31))
members = st.lists(st.builds(lambda *of: of, ages, deaths, seeds), min_size=2, max_size=5)


def household_of(facts: list[tuple[date, date | None, int]]) -> list[Customer]:
    """Return the people of a household; nobody dies before birth."""
    return [
        Customer(f"p{number}", "Virtanen", born, died if died and died > born else None, seed)
        for number, (born, died, seed) in enumerate(facts)
    ]


def all_seen(people_: list[Customer], today: date) -> list[Seen]:
    """Return what each of a household's people has."""
    return [Seen(one, tuple(other for other in people_ if other is not one), today) for one in people_]


@UNTIMED
@given(members, days)
def test_one_adult_of_a_household_gets_what_is_the_households(
    facts: list[tuple[date, date | None, int]], today: date
) -> None:
    everybody = all_seen(household_of(facts), today)
    for kinds in (HOUSING, {"basic_social_assistance"}, {"child_benefit"}):
        assert sum(any(paid.benefit in kinds for paid in one.payments) for one in everybody) <= 1


@UNTIMED
@given(members, days)
def test_children_have_hardly_anything_of_their_own(facts: list[tuple[date, date | None, int]], today: date) -> None:
    household = household_of(facts)
    for person, seen in zip(household, all_seen(household, today), strict=True):
        if person.born.year > 2010:
            assert {row["section"] for row in seen.rows} <= {"insurance", "medicine"}


@UNTIMED
@given(st.integers(0, 2**40), st.integers(0, 2**40), days)
def test_a_childs_benefit_goes_to_a_parent_and_not_to_a_grown_sibling(first: int, second: int, today: date) -> None:
    sibling = Customer("a", "Virtanen", date(2006, 1, 1), None, first)
    parent = Customer("b", "Virtanen", date(1980, 1, 1), None, second)
    child = Customer("c", "Virtanen", date(2015, 5, 3), None, 5)
    of_sibling, of_parent, _ = all_seen([sibling, parent, child], today)
    assert not [one for one in of_sibling.decisions if one.benefit == "child_benefit" and one.outcome in GRANTING]
    assert [one for one in of_parent.payments if one.benefit == "child_benefit"]


def test_child_benefit_follows_the_number_of_children() -> None:
    parent = Customer("p", "Virtanen", date(1985, 1, 1), None, 1)
    younger = Customer("d", "Virtanen", date(2022, 3, 15), None, 6)
    sums = {
        paid.period_from: paid.gross
        for paid in Seen(parent, (CHILD, younger), LAST).payments
        if paid.benefit == "child_benefit"
    }
    assert str(sums[date(2022, 3, 1)]) == "94.88"
    assert str(sums[date(2022, 4, 1)]) == "199.72"


@UNTIMED
@given(people, households)
def test_general_support_takes_the_place_of_the_old_benefits_on_1_may_2026(
    person: Customer, household: tuple[Customer, ...]
) -> None:
    seen = Seen(person, household, LAST)
    old = {"labour_market_subsidy", "basic_unemployment_allowance"}
    last = [one for one in seen.payments if one.benefit in old and one.period_to == date(2026, 4, 30)]
    for paid in seen.payments:
        assert paid.benefit not in old or paid.period_to <= date(2026, 4, 30)
        assert paid.benefit != "general_support" or paid.period_from >= date(2026, 5, 1)
    if last and (person.died is None or person.died >= date(2026, 5, 1)):
        first = min(one.period_from for one in seen.payments if one.benefit == "general_support")
        assert first == date(2026, 5, 1)
        assert [
            one.valid_from
            for one in seen.decisions
            if one.benefit in old and one.outcome is wire.DecisionOutcome.DISCONTINUED and one.reason == "replaced"
        ] == [date(2026, 5, 1)]


@UNTIMED
@given(people, households, days)
def test_kela_pays_no_social_assistance_on_aland(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person._replace(municipality="478"), household, today)
    assert "basic_social_assistance" not in {row["benefit"] for row in seen.rows}


def test_a_pension_of_twenty_years_has_a_payment_for_each_month() -> None:
    paid = [one for one in Seen(RETIRED_LONG, (), LAST).payments if one.benefit == "national_pension_old_age"]
    assert len(paid) > 240
    assert len({one.period_from for one in paid}) == len(paid)
    later = [one for one in Seen(RETIRED_LONG._replace(seed=501), (), LAST).payments if one.status == "paid"]
    assert min(one.period_from for one in later) >= date(2017, 1, 1)


@UNTIMED
@given(people, households, days)
def test_sums_change_with_the_index_by_a_decision_of_their_own(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    pensions = [one for one in seen.decisions if one.benefit == "national_pension_old_age" and one.outcome in GRANTING]
    starts = [one.valid_from for one in pensions]
    for start in (date(2025, 1, 1), date(2026, 1, 1)):
        running = [
            paid for paid in seen.payments if paid.benefit == "national_pension_old_age" and paid.period_from == start
        ]
        assert not running or start in starts
        began = [one for one in starts if one is not None and one < start]
        if began and start in starts:
            earlier = max(began)
            amounts = {one.valid_from: one.amount for one in pensions}
            assert amounts[start] > amounts[earlier]  # type: ignore[operator]


@UNTIMED
@given(people, households, days)
def test_a_guardian_is_paid_in_the_customers_place(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    payees = {paid.payee for paid in seen.payments}
    assert (wire.Payee.CUSTOMER if person.guardian else wire.Payee.GUARDIAN) not in payees
    assert all(paid.benefit in HOUSING for paid in seen.payments if paid.payee is wire.Payee.LANDLORD)


@UNTIMED
@given(people, households, days)
def test_the_enforcement_authority_takes_of_taxable_sums_alone_and_never_with_a_county(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    for paid in Seen(person, household, today).payments:
        kinds = {one.kind for one in paid.deductions or ()}
        if "enforcement" in kinds:
            assert benefits()[paid.benefit].taxable
            assert "claim" not in kinds


@UNTIMED
@given(people, households, days)
def test_a_claim_is_of_the_organiser_of_the_home_municipality_and_two_weeks_ahead(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    for claim in seen.claims:
        if person.municipality is not None:
            assert claim.claimant_id == social_care_organiser(person.municipality).business_id
        first = [one.paid_on for one in seen.payments if one.benefit == claim.benefit]
        within = [day for day in first if day >= claim.period_from]
        assert not within or min(within) - claim.received >= timedelta(days=14)


@UNTIMED
@given(people, households, days)
def test_what_was_passed_on_lies_in_the_persons_life_and_wages_before_their_benefit(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    for row in seen.passed_on:
        assert row.period_from <= row.period_to
        assert row.received <= min(today, person.died or today)
        assert row.kind == "study" or (row.amount is not None and row.amount > 0)
        if row.kind == "wage":
            begins = row.period_to + timedelta(days=1)
            assert begins >= row.received
            assert begins > today or begins in {one.valid_from for one in seen.decisions}


@UNTIMED
@given(people, households, days)
def test_after_a_death_nothing_new_comes_but_the_end(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    seen = Seen(person, household, today)
    if person.died is None or person.died > today:
        assert all(one.reason != Ending.DIED for one in seen.decisions)
        return
    died = person.died
    assert all(paid.period_from <= died for paid in seen.payments)
    assert all(matter.received <= died for matter in seen.pending)
    assert all(claim.received <= died for claim in seen.claims)


@UNTIMED
@given(people, households, days)
def test_codes_are_explained_to_the_clients_user(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    def known(name: str, family: str) -> set[str]:
        text = (files("kelmu_tui.i18n.catalogue") / name).read_text(encoding="utf-8")
        return set(tomllib.loads(text)[family])

    seen = Seen(person, household, today)
    assert {one.reason for one in seen.decisions if one.reason is not None} <= known("explain.toml", "reason")
    assert {one.basis for one in seen.claims} <= known("explain.toml", "basis")
    assert {one.kind for one in seen.passed_on} <= known("customer_view.toml", "passed_on")


def test_every_reason_of_an_ending_is_explained() -> None:
    text = (files("kelmu_tui.i18n.catalogue") / "explain.toml").read_text(encoding="utf-8")
    assert {reason.value for reason in Ending} <= set(tomllib.loads(text)["reason"])
