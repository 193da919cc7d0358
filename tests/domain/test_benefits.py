"""Benefits of the catalogue, their payment days, and the limits of medicine costs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.benefits import (
    Benefit,
    benefits,
    groups,
    has_deductible,
    medicine_limits,
    payment_day_of,
)
from kelmu_tui.domain.deadlines import is_working_day

MONTHS = st.tuples(st.integers(2023, 2032), st.integers(1, 12))


def test_the_catalogue_is_whole() -> None:
    found = benefits()
    assert len(found) == 52
    codes = [benefit.code for benefit in found.values()]
    assert len(set(codes)) == len(codes)
    assert all(len(code) == 3 and code.isupper() for code in codes)
    for benefit in found.values():
        assert all(benefit.name)
        assert benefit.group in groups()
        assert Decimal(0) <= benefit.low <= benefit.typical <= benefit.high
        assert benefit.typical == benefit.typical.quantize(Decimal("0.01"))


def test_general_support_follows_the_two_benefits_it_replaces() -> None:
    last, first = date(2026, 4, 30), date(2026, 5, 1)
    for name in ("labour_market_subsidy", "basic_unemployment_allowance"):
        assert benefits()[name].exists_on(last)
        assert not benefits()[name].exists_on(first)
    assert benefits()["general_support"].exists_on(first)
    assert not benefits()["general_support"].exists_on(last)


@given(MONTHS, st.sampled_from(sorted(benefits())), st.sampled_from(["Aalto", "Lahti", "Virtanen", "Öberg", ""]))
def test_a_payment_day_is_a_banking_day_of_its_month(month: tuple[int, int], name: str, surname: str) -> None:
    day = payment_day_of(benefits()[name], *month, surname)
    if day is None:
        assert benefits()[name].payment_day in ("period", "on_decision", "pharmacy")
        return
    assert is_working_day(day)
    assert (day.year, day.month) == month


@given(MONTHS)
def test_each_rule_gives_its_day(month: tuple[int, int]) -> None:
    def day(name: str, surname: str = "") -> date:
        found = payment_day_of(benefits()[name], *month, surname)
        assert found is not None
        return found

    first, last = day("general_housing_allowance"), day("child_home_care_allowance")
    assert not any(is_working_day(date(*month, 1) + timedelta(n)) for n in range((first - date(*month, 1)).days))
    after = last + timedelta(days=1)
    while after.month == last.month:
        assert not is_working_day(after)
        after += timedelta(days=1)
    fourth, fourteenth, twentieth = (day("orphans_pension", name) for name in ("Aalto", "Lahti", "Virtanen"))
    assert fourth <= date(*month, 4) < fourteenth <= date(*month, 14) < twentieth <= date(*month, 20)
    assert day("national_pension_old_age") <= date(*month, 7)


@pytest.mark.parametrize(
    ("month", "day"),
    [
        ((2026, 1), date(2026, 1, 23)),  # the 26th is a Monday: the Friday before
        ((2026, 2), date(2026, 2, 26)),  # a Thursday
        ((2026, 9), date(2026, 9, 25)),  # a Saturday
        ((2026, 7), date(2026, 7, 24)),  # a Sunday
        ((2025, 12), date(2025, 12, 23)),  # Boxing Day, behind Christmas and its eve
    ],
)
def test_child_benefit_moves_earlier(month: tuple[int, int], day: date) -> None:
    assert payment_day_of(benefits()["child_benefit"], *month) == day


def test_a_rule_that_nobody_knows_gives_no_day() -> None:
    odd: Benefit = benefits()["child_benefit"]._replace(payment_day="on_decision")
    assert payment_day_of(odd, 2026, 1) is None


def test_medicine_limits_of_each_year() -> None:
    assert list(medicine_limits()) == [2023, 2024, 2025, 2026]
    assert medicine_limits()[2026].cap == Decimal("636.12")
    assert medicine_limits()[2026].deductible == Decimal("70.33")
    assert not has_deductible(date(2008, 12, 31), 2026)
    assert has_deductible(date(2007, 12, 31), 2026)
