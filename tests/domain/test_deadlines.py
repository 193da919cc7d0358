"""Working days and visibility, against a calendar of another hand and against the clocks of Finland."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.deadlines import (
    HELSINKI_TIME,
    add_working_days,
    due_on,
    is_working_day,
    kind_rules,
    local_date,
    visible_from,
    working_days_between,
)
from kelmu_tui.domain.notices import Kind

DAYS = st.dates(date(2016, 1, 1), date(2040, 12, 31))
INSTANTS = st.datetimes(datetime(2016, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))


@cache
def _calendar() -> frozenset[date]:
    """Working days of a generation by the package, as one set."""
    free = holidays.country_holidays("FI", years=range(2015, 2043))
    first = date(2015, 1, 1)
    days = [first + timedelta(days=n) for n in range(28 * 365)]
    return frozenset(day for day in days if day.weekday() < 5 and day not in free)


@cache
def _ordered() -> list[date]:
    return sorted(_calendar())


def _nth(day: date, count: int) -> date:
    """Return the `count`-th working day after `day` out of the list of them all."""
    return _ordered()[bisect_right(_ordered(), day) + count - 1]


@given(day=DAYS)
def test_working_days_are_those_of_the_package(day: date) -> None:
    assert is_working_day(day) is (day in _calendar())


@given(day=DAYS, count=st.integers(1, 20))
def test_counting_forward(day: date, count: int) -> None:
    found = add_working_days(day, count)
    assert found == _nth(day, count)
    assert is_working_day(found)
    assert working_days_between(day, found) == count


@given(day=DAYS)
def test_counting_none(day: date) -> None:
    found = add_working_days(day, 0)
    assert found == (day if day in _calendar() else _nth(day, 1))


@given(start=DAYS, length=st.integers(0, 120))
def test_days_between(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    expected = sum(start < day <= end for day in _calendar())
    assert working_days_between(start, end) == expected
    assert working_days_between(end, start) == -expected


@pytest.mark.parametrize(
    ("arrived", "kind", "urgent", "due"),
    [
        # A Tuesday in November: seven working days.
        ("2026-11-24T08:00", Kind.SOCIAL_WORK_NEED, False, date(2026, 12, 3)),
        # Urgent need of help at once; on a Saturday the next working day.
        ("2026-11-24T08:00", Kind.SOCIAL_WORK_NEED, True, date(2026, 11, 24)),
        ("2026-11-28T08:00", Kind.SOCIAL_WORK_NEED, True, date(2026, 11, 30)),
        # An urgent application: the same or the next working day.
        ("2026-11-24T08:00", Kind.APPLICATION, True, date(2026, 11, 25)),
        ("2026-11-27T08:00", Kind.APPLICATION, True, date(2026, 11, 30)),
        # Over Christmas: 24 and 25 December and New Year's Day are free.
        ("2026-12-22T08:00", Kind.APPLICATION, False, date(2027, 1, 5)),
        ("2026-12-23T08:00", Kind.APPLICATION, True, date(2026, 12, 28)),
        # Epiphany falls on a Wednesday, Good Friday and Easter Monday are free.
        ("2027-01-05T08:00", Kind.APPLICATION, True, date(2027, 1, 7)),
        ("2027-03-25T08:00", Kind.APPLICATION, True, date(2027, 3, 30)),
        # Midsummer Eve is a working day by law and free in offices.
        ("2026-06-18T08:00", Kind.APPLICATION, True, date(2026, 6, 22)),
        # Fourteen working days.
        ("2026-11-24T08:00", Kind.IMMIGRANT, False, date(2026, 12, 14)),
        ("2026-11-24T08:00", Kind.UNEMPLOYED_UNDER_25, False, date(2026, 12, 14)),
        # Late in the evening by UTC is the next day in Finland.
        ("2026-11-24T21:59", Kind.APPLICATION, True, date(2026, 11, 25)),
        ("2026-11-24T22:00", Kind.APPLICATION, True, date(2026, 11, 26)),
    ],
)
def test_due_days(arrived: str, kind: Kind, urgent: bool, due: date) -> None:
    assert due_on(kind, urgent, datetime.fromisoformat(arrived).replace(tzinfo=UTC)) == due


@given(kind=st.sampled_from(Kind), urgent=st.booleans(), arrived=INSTANTS)
def test_due_days_against_the_catalogue(kind: Kind, urgent: bool, arrived: datetime) -> None:
    rule = kind_rules()[kind]
    count = rule.due_days_urgent if urgent else rule.due_days
    day = arrived.astimezone(HELSINKI_TIME).date()
    due = due_on(kind, urgent, arrived)
    assert is_working_day(due)
    assert due == (_nth(day, count) if count else add_working_days(day, 0))
    assert due_on(kind, True, arrived) <= due_on(kind, False, arrived)


WAITING = {Kind.APPLICATION, Kind.REDUCED_BASIC_AMOUNT}


@given(kind=st.sampled_from(Kind), urgent=st.booleans(), created=INSTANTS, wait=st.integers(-5, 5))
def test_visibility(kind: Kind, urgent: bool, created: datetime, wait: int) -> None:
    decided = local_date(created) + timedelta(days=wait)
    seen = visible_from(kind, urgent, created, decided)
    assert seen >= created
    assert seen.utcoffset() == timedelta()
    assert visible_from(kind, urgent, created, None) == created
    if kind not in WAITING or (kind is Kind.APPLICATION and urgent):
        assert seen == created
        return
    assert local_date(seen) == max(local_date(created), decided + timedelta(days=1))
    if seen != created:
        local = seen.astimezone(HELSINKI_TIME)
        assert (local.hour, local.minute, local.second) == (0, 0, 0)


@pytest.mark.parametrize(
    ("decided", "opens"),
    [
        (date(2026, 11, 24), "2026-11-24T22:00"),
        (date(2026, 6, 1), "2026-06-01T21:00"),
        # Clocks go forward at three in the morning of 29 March, and back at four on 25 October.
        (date(2026, 3, 27), "2026-03-27T22:00"),
        (date(2026, 3, 28), "2026-03-28T22:00"),
        (date(2026, 3, 29), "2026-03-29T21:00"),
        (date(2026, 10, 23), "2026-10-23T21:00"),
        (date(2026, 10, 24), "2026-10-24T21:00"),
        (date(2026, 10, 25), "2026-10-25T22:00"),
        (date(2026, 12, 31), "2026-12-31T22:00"),
    ],
)
def test_midnight_across_the_change_of_clocks(decided: date, opens: str) -> None:
    created = datetime(decided.year, decided.month, decided.day, 9, 0, tzinfo=UTC)
    expected = datetime.fromisoformat(opens).replace(tzinfo=UTC)
    assert visible_from(Kind.APPLICATION, False, created, decided) == expected
    assert visible_from(Kind.REDUCED_BASIC_AMOUNT, False, created, decided) == expected
    assert local_date(expected) == decided + timedelta(days=1)
    assert local_date(expected - timedelta(seconds=1)) == decided


def test_the_catalogue_is_read_whole() -> None:
    rules = kind_rules()
    assert set(rules) == set(Kind)
    assert sum(rule.share for rule in rules.values()) == pytest.approx(1)
    assert {kind for kind, rule in rules.items() if rule.urgent_possible} == {Kind.SOCIAL_WORK_NEED, Kind.APPLICATION}
    assert len({rule.code for rule in rules.values()}) == 6
    for rule in rules.values():
        assert rule.due_days_urgent <= rule.due_days
        assert "customer" in rule.fields
