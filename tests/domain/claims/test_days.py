"""Payment days of a claim's time, and by when it has to arrive for one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.claims.content import Content
from kelmu_tui.domain.claims.days import (
    first_day_reached,
    first_meant,
    has_payment_day,
    latest_arrival,
    next_reached,
    payment_days,
)
from kelmu_tui.domain.deadlines import is_working_day, local_date

DAYS = st.dates(date(2025, 1, 1), date(2032, 12, 31))
REGULAR = [name for name in benefits() if has_payment_day(name, "Aalto")]


def claim(benefit: str, first: date, last: date | None) -> Content:
    return Content("", "client_fees_14", benefit, first, last, Decimal(1), "")


def test_two_weeks_are_fourteen_days_of_the_calendar() -> None:
    assert latest_arrival(date(2026, 12, 7)) == date(2026, 11, 23)
    assert latest_arrival(date(2027, 1, 7)) == date(2026, 12, 24)
    assert not is_working_day(latest_arrival(date(2027, 1, 7)))
    assert latest_arrival(date(2028, 3, 7)) == date(2028, 2, 22)


@pytest.mark.parametrize(
    ("benefit", "surname", "first", "last", "days"),
    [
        ("guarantee_pension", "", date(2026, 11, 1), date(2026, 12, 31), [date(2026, 11, 20), date(2026, 12, 22)]),
        # Boxing Day is a Saturday, Christmas a Friday, its eve free.
        ("child_benefit", "", date(2026, 12, 1), date(2026, 12, 31), [date(2026, 12, 23)]),
        ("child_home_care_allowance", "", date(2026, 10, 31), date(2026, 11, 30), [date(2026, 11, 30)]),
        ("general_housing_allowance", "", date(2026, 11, 2), date(2026, 12, 1), [date(2026, 11, 2), date(2026, 12, 1)]),
        ("survivors_pension_spouse", "Aalto", date(2026, 11, 1), date(2026, 11, 30), [date(2026, 11, 4)]),
        ("survivors_pension_spouse", "Öberg", date(2026, 11, 1), date(2026, 11, 30), [date(2026, 11, 20)]),
        ("survivors_pension_spouse", " ", date(2026, 11, 1), date(2026, 11, 30), []),
        ("general_support", "", date(2026, 11, 1), date(2026, 11, 30), []),
        ("no_such_benefit", "", date(2026, 11, 1), date(2026, 11, 30), []),
        ("student_housing_supplement", "", date(2025, 6, 1), date(2025, 8, 31), [date(2025, 8, 1)]),
        ("guarantee_pension", "", date(2026, 12, 1), date(2026, 11, 30), []),
    ],
)
def test_payment_days(benefit: str, surname: str, first: date, last: date, days: list[date]) -> None:
    assert list(payment_days(benefit, surname, first, last)) == days


@given(st.sampled_from(REGULAR), DAYS, st.integers(0, 800))
def test_payment_days_lie_in_the_period_one_a_month(benefit: str, first: date, length: int) -> None:
    last = first + timedelta(days=length)
    days = list(payment_days(benefit, "Virtanen", first, last))
    assert days == sorted(set(days))
    assert all(first <= day <= last and is_working_day(day) for day in days)
    assert len({(day.year, day.month) for day in days}) == len(days)
    assert days == list(islice(payment_days(benefit, "Virtanen", first, None), len(days)))


@given(st.sampled_from(REGULAR), DAYS, st.integers(0, 400), DAYS)
def test_what_is_reached_arrives_in_time_and_nothing_before_it_does(
    benefit: str, first: date, length: int, arrives: date
) -> None:
    content = claim(benefit, first, first + timedelta(days=length))
    reached, meant = next_reached(content, "Aalto", arrives), first_meant(content, "Aalto")
    assert (reached is None) or (meant is not None and meant <= reached)
    for day in payment_days(benefit, "Aalto", first, content.last):
        in_time = arrives <= latest_arrival(day)
        assert in_time == (reached is not None and day >= reached)
    if meant is not None:
        assert next_reached(content, "Aalto", latest_arrival(meant)) == meant
        assert next_reached(content, "Aalto", latest_arrival(meant) + timedelta(days=1)) != meant


def test_days_end_where_the_calendar_does() -> None:
    assert [day.month for day in payment_days("child_benefit", "", date(9998, 11, 1), None)] == [11, 12]
    assert first_day_reached("child_benefit", "", date(9998, 1, 1), None, date.max) is None
    assert first_day_reached("child_benefit", "", date.max, None, date(2026, 1, 1)) is None


def test_midnight_counts_in_finland() -> None:
    # A claim for 7 December has to be there on 23 November, until midnight in Helsinki and not in Greenwich.
    content = claim("national_pension_disability", date(2026, 12, 1), date(2026, 12, 31))
    for instant, reached in (
        (datetime(2026, 11, 23, 21, 59, 59, tzinfo=UTC), date(2026, 12, 7)),
        (datetime(2026, 11, 23, 22, 0, tzinfo=UTC), None),
    ):
        assert next_reached(content, "", local_date(instant)) == reached
