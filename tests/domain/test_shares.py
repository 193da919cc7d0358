"""The municipality's share: known sums, an independent calculation day by day, and laws that hold for any payment."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.lists import invoices
from kelmu_tui.domain.shares import model_on, percent_on, share, steps
from tests.domain.review.counting import exact_share, percent_by_hand

MODELS = st.sampled_from(["pre_2025", "2025"])
CENTS = st.integers(-5_000_000, 5_000_000)
# Near the steps, where something can go wrong, and anywhere.
ACCUMULATED = st.sampled_from([100, 200, 300, 400, 700, 1000]).flatmap(
    lambda step: st.integers(max(1, step - 30), step + 30)
) | st.integers(1, 3000)


@st.composite
def payments(draw: st.DrawFn) -> tuple[str, Decimal, int, int]:
    accumulated = draw(ACCUMULATED)
    days = draw(st.integers(1, min(65, accumulated)))
    return draw(MODELS), Decimal(draw(CENTS)) / 100, days, accumulated


def test_steps_cover_all_days_once() -> None:
    assert set(steps()) == {invoice.steps for invoice in invoices().values()} - {None}
    for model in steps().values():
        assert model[0].first == 1
        assert model[-1].last is None
        for step, following in pairwise(model):
            assert following.first == (step.last or 0) + 1
            assert following.percent > step.percent


@pytest.mark.parametrize(
    ("model", "amount", "days", "accumulated", "expected"),
    [
        ("pre_2025", "800.00", 20, 300, "0.00"),
        ("pre_2025", "800.00", 20, 301, "20.00"),
        ("pre_2025", "800.00", 20, 320, "400.00"),
        ("pre_2025", "800.00", 20, 1000, "400.00"),
        ("pre_2025", "800.00", 20, 1010, "480.00"),
        ("pre_2025", "800.00", 20, 1020, "560.00"),
        ("2025", "800.00", 20, 100, "0.00"),
        ("2025", "800.00", 20, 101, "4.00"),
        ("2025", "800.00", 20, 210, "120.00"),
        ("2025", "-800.00", 20, 210, "-120.00"),
        ("2025", "800.00", 20, 720, "400.00"),
        # Half a cent goes up, below it down, and with a return away from zero.
        ("2025", "0.05", 1, 150, "0.01"),
        ("2025", "0.04", 1, 150, "0.00"),
        ("2025", "-0.05", 1, 150, "-0.01"),
        ("2025", "-0.04", 1, 150, "0.00"),
        # Rounded once: three days of 0.15 would make 0.06, day by day rounded.
        ("2025", "0.45", 3, 150, "0.05"),
    ],
)
def test_known_shares(model: str, amount: str, days: int, accumulated: int, expected: str) -> None:
    found = share(model, Decimal(amount), days, accumulated)
    assert str(found) == expected


@given(payments())
def test_a_share_is_that_of_its_days_one_by_one(payment: tuple[str, Decimal, int, int]) -> None:
    exact = exact_share(*payment)
    found = share(*payment)
    assert found.as_tuple().exponent == -2
    assert abs(Fraction(found) - exact) <= Fraction(1, 200)
    if abs(Fraction(found) - exact) == Fraction(1, 200):
        assert abs(Fraction(found)) > abs(exact)


@given(payments())
def test_what_came_back_mirrors_what_was_paid(payment: tuple[str, Decimal, int, int]) -> None:
    model, amount, days, accumulated = payment
    assert share(model, -amount, days, accumulated) == -share(model, amount, days, accumulated)


@given(payments(), st.integers(0, 500))
def test_a_share_never_falls_with_the_days(payment: tuple[str, Decimal, int, int], more: int) -> None:
    model, amount, days, accumulated = payment
    now, later = share(model, abs(amount), days, accumulated), share(model, abs(amount), days, accumulated + more)
    assert Decimal(0) <= now <= later <= abs(amount)


@given(MODELS, ACCUMULATED, st.integers(1, 20_000), st.integers(1, 40), st.integers(1, 40))
def test_a_payment_split_in_two_is_shared_alike(model: str, until: int, a_day: int, before: int, after: int) -> None:
    before = min(before, until)
    whole = share(model, Decimal(a_day * (before + after)) / 100, before + after, until + after)
    first = share(model, Decimal(a_day * before) / 100, before, until)
    second = share(model, Decimal(a_day * after) / 100, after, until + after)
    # Two roundings against one; where the cents are even there is none to make.
    assert abs(whole - first - second) <= Decimal("0.01")
    if a_day % 10 == 0:
        assert whole == first + second


@given(MODELS, ACCUMULATED)
def test_the_percentage_is_that_of_the_day(model: str, day: int) -> None:
    assert percent_on(model, day) == percent_by_hand(model, day)


@pytest.mark.parametrize(
    ("day", "model"),
    [
        (date(2019, 1, 1), "pre_2025"),
        (date(2024, 12, 31), "pre_2025"),
        (date(2025, 1, 1), "2025"),
        (date(2031, 5, 1), "2025"),
    ],
)
def test_the_law_is_that_of_the_day(day: date, model: str) -> None:
    assert model_on(day) == model


@pytest.mark.parametrize(("days", "accumulated"), [(0, 10), (-1, 10), (11, 10), (1, 0)])
def test_days_that_cannot_be_have_no_share(days: int, accumulated: int) -> None:
    with pytest.raises(ValueError, match="days"):
        share("2025", Decimal("1.00"), days, accumulated)


def test_what_has_no_share() -> None:
    with pytest.raises(ValueError, match="cents"):
        share("2025", Decimal("1.005"), 1, 1)
    with pytest.raises(ValueError, match="counted from one"):
        percent_on("2025", 0)
    with pytest.raises(KeyError):
        share("2030", Decimal("1.00"), 1, 1)
