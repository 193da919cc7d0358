"""Dates, numbers and spans as text: exact forms per language, and laws that hold for any value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.i18n.formats import DUE_WIDTH, Formats

FI, SV, EN = Formats("fi"), Formats("sv"), Formats("en")
SUNDAY = date(2026, 11, 22)
WEDNESDAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 10, 4, tzinfo=UTC)


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", "_")


def test_dates_and_times_are_finnish_ones() -> None:
    assert FI.date(date(2026, 1, 5)) == "5.1.2026"
    assert FI.short_date(date(2026, 11, 24)) == "24.11."
    # Half past ten in the evening in UTC is the next day in Helsinki; summer time is an hour more.
    assert FI.instant(datetime(2026, 11, 24, 22, 30, tzinfo=UTC)) == "25.11.2026 00:30"
    assert FI.short_instant(datetime(2026, 7, 1, 9, 5, tzinfo=UTC)) == "1.7. 12:05"
    assert FI.weekday(SUNDAY) == "su"
    assert SV.weekday(SUNDAY) == "sö"


def test_moment_says_no_more_than_needed() -> None:
    assert FI.moment(NOW - timedelta(hours=1), NOW) == "11:04"
    assert FI.moment(NOW - timedelta(days=3), NOW) == "22.11. 12:04"
    assert FI.moment(NOW - timedelta(days=400), NOW) == "21.10.2025 13:04"


def test_relative_date() -> None:
    assert [FI.relative_date(WEDNESDAY + timedelta(days=n), WEDNESDAY) for n in (-1, 0, 1, 2)] == [
        "eilen",
        "tänään",
        "huomenna",
        "27.11.",
    ]
    assert SV.relative_date(WEDNESDAY, WEDNESDAY) == "i dag"
    assert EN.relative_date(date(2027, 1, 4), WEDNESDAY) == "4.1.2027"


def test_period() -> None:
    assert FI.period(date(2026, 2, 1), date(2026, 4, 30)) == "1.2.–30.4.2026"
    assert FI.period(date(2025, 12, 1), date(2026, 1, 31)) == "1.12.2025–31.1.2026"
    assert FI.period(date(2026, 2, 1), None) == "1.2.2026–"


@pytest.mark.parametrize(
    ("days", "short", "long"),
    [
        (0, "tänään", "tänään"),
        (1, "1_tpv", "1 työpäivä jäljellä"),
        (2, "2_tpv", "2 työpäivää jäljellä"),
        # Saturday and Sunday are no working days, the Independence Day of 2026 is a Sunday.
        (5, "3_tpv", "3 työpäivää jäljellä"),
        (-1, "-1_tpv", "myöhässä 1 työpäivä"),
        (-7, "-5_tpv", "myöhässä 5 työpäivää"),
    ],
)
def test_due_in_finnish(days: int, short: str, long: str) -> None:
    due = WEDNESDAY + timedelta(days=days)
    assert (_plain(FI.due(due, WEDNESDAY)), FI.due_long(due, WEDNESDAY)) == (short, long)


def test_due_in_swedish_and_english() -> None:
    late, ahead = date(2026, 11, 23), date(2026, 11, 26)
    assert (_plain(SV.due(ahead, WEDNESDAY)), SV.due_long(late, WEDNESDAY)) == ("1_vd", "försenat 2 vardagar")
    assert (_plain(EN.due(late, WEDNESDAY)), EN.due_long(ahead, WEDNESDAY)) == ("-2_wd", "1 working day left")


def test_a_weekend_makes_late_by_no_working_day() -> None:
    assert _plain(FI.due(date(2026, 11, 20), SUNDAY)) == "myöh."
    assert FI.due_long(date(2026, 11, 20), SUNDAY) == "määräaika päättyi"


@given(due=st.dates(date(2010, 1, 1), date(2060, 1, 1)), language=st.sampled_from(["fi", "sv", "en"]))
def test_due_always_fits_its_column(due: date, language: str) -> None:
    assert len(Formats(language).due(due, WEDNESDAY)) <= DUE_WIDTH


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0_s"),
        (59.9, "59_s"),
        (60, "1_min"),
        (3599, "59_min"),
        (3600, "1_t"),
        (86_399, "23_t"),
        (12 * 86_400, "12_pv"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert _plain(FI.duration(seconds)) == text


def test_age() -> None:
    assert FI.ago(NOW - timedelta(seconds=5), NOW) == "nyt"
    assert FI.age(NOW + timedelta(hours=1), NOW) == "nyt"  # a clock that was wrong gives no negative age
    assert _plain(FI.ago(NOW - timedelta(minutes=4), NOW)) == "4_min sitten"
    assert _plain(SV.ago(NOW - timedelta(hours=4), NOW)) == "för 4_h sedan"
    assert _plain(EN.ago(NOW - timedelta(days=2), NOW)) == "2_d ago"


def test_countdown_counts_started_seconds() -> None:
    assert [FI.countdown(s) for s in (65.2, 60, 0.1, 0, -3)] == ["1:06", "1:00", "0:01", "0:00", "0:00"]


def test_euros() -> None:
    assert _plain(FI.euros(Decimal("1578.43"))) == "1_578,43_€"
    assert _plain(SV.euros(Decimal("-0.5"))) == "-0,50_€"
    assert EN.euros(Decimal("-1578.425")) == "-€1,578.43"
    assert _plain(FI.percent(20)) == "20_%"
    assert EN.percent(20) == "20%"


@given(cents=st.integers(-(10**12), 10**12), language=st.sampled_from(["fi", "sv", "en"]))
def test_euros_keep_every_cent(cents: int, language: str) -> None:
    text = Formats(language).euros(Decimal(cents) / 100)
    assert int("".join(c for c in text if c in "-0123456789")) == cents


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0_t"), (999, "999_t"), (1000, "1,0_kt"), (999_949, "999,9_kt"), (999_950, "1,0_Mt"), (10**13, "10_000,0_Gt")],
)
def test_size(count: int, text: str) -> None:
    assert _plain(FI.size(count)) == text
