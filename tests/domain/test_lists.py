"""The catalogue of lists and invoices, their periods, and when they come."""

from __future__ import annotations

from datetime import date
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.domain.capabilities import mandates
from kelmu_tui.domain.deadlines import is_working_day
from kelmu_tui.domain.lists import (
    ColumnType,
    ListKind,
    Period,
    Rhythm,
    invoices,
    lists,
    period_of,
    published_until,
    read_period,
    retention,
)

DAYS = st.dates(date(2019, 1, 1), date(2035, 12, 31))
RHYTHMS = st.sampled_from(Rhythm)


def test_the_catalogue_is_whole() -> None:
    found = lists()
    assert (len(found), len(invoices())) == (12, 6)
    assert {one.invoice for one in found.values() if one.kind is ListKind.INVOICE} == set(invoices())
    for one in found.values():
        assert (one.kind is ListKind.INVOICE) == (one.invoice is not None)
        assert len({column.id for column in one.columns}) == len(one.columns)
        assert [column.type for column in one.columns[:2]] == [ColumnType.TEXT, ColumnType.CODE]
        assert all(all(column.name) for column in one.columns)
    assert retention().kept.days == 90


def test_each_list_is_a_capability_of_its_mandate_for_its_organisations() -> None:
    for one in lists().values():
        opens = {mandate.id for mandate in mandates().values() if one.id in mandate.opens}
        assert opens == {one.mandate}
        assert one.organisation_types <= mandates()[one.mandate].org_types


@given(RHYTHMS, DAYS)
def test_periods_cover_all_days_once_and_are_read_back(rhythm: Rhythm, day: date) -> None:
    period = period_of(rhythm, day)
    assert period.first <= day <= period.last
    assert read_period(period.key) == period
    assert period.next().next(-1) == period
    assert (period.next().first - period.last).days == 1
    assert period_of(rhythm, period.last) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "26",
        "2026-13",
        "2026-00",
        "2026-1",
        "2026-Q5",
        "2026-H0",
        "2026-",
        "2026-q1",
        "２０２６",
        "2026-Q",
        "2026-011",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a period"):
        read_period(text)


@given(st.sampled_from(sorted(lists())), DAYS)
def test_a_list_comes_on_a_working_day_after_its_period(name: str, day: date) -> None:
    one = lists()[name]
    newest, before = islice(published_until(one, day), 2)
    assert one.published.on(newest) <= day < one.published.on(newest.next())
    assert newest.last < one.published.on(newest)
    assert is_working_day(one.published.on(newest))
    assert before.next() == newest


@given(st.sampled_from(sorted(invoices())), DAYS)
def test_an_invoice_is_due_after_it_is_sent(name: str, day: date) -> None:
    one = invoices()[name]
    newest = next(published_until(one, day))
    assert one.sent.on(newest) <= day < one.sent.on(newest.next())
    assert one.sent.on(newest) < one.due(newest)
    assert is_working_day(one.due(newest))


def test_the_days_that_are_known() -> None:
    november = Period(date(2026, 11, 1), date(2026, 11, 30))
    assert invoices()["lms_2025"].sent.on(november) == date(2026, 12, 15)
    assert invoices()["lms_2025"].due(november) == date(2026, 12, 28)
    assert invoices()["childcare"].sent.on(november) == date(2026, 10, 12)
    assert invoices()["childcare"].due(november) == date(2026, 10, 20)
    assert invoices()["treatment_abroad"].sent.on(read_period("2026-H1")) == date(2026, 7, 15)
