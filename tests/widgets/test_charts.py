"""Gauge, bars and timeline: the same facts as signs, as plain signs and as numbers, at any width."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.widgets import bars, gauge, timeline
from kelmu_tui.widgets.bars import Bar
from kelmu_tui.widgets.sheet import Drawn, layout
from kelmu_tui.widgets.timeline import Month, Span, Track

SHARES = st.decimals(min_value=-1, max_value=3, places=3)
DAYS = st.dates(date(2023, 1, 1), date(2027, 12, 31))


# --- gauge ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "width", "shown", "plain"),
    [
        ("0", 8, "░░░░░░░░", "[......]"),
        ("0.5", 8, "████░░░░", "[###...]"),
        ("0.65", 16, "██████████▍░░░░░", "[#########.....]"),
        ("1", 8, "████████", "[######]"),
        ("0.001", 4, "▏░░░", "[#.]"),
        ("0.999", 4, "███▉", "[#.]"),
        ("2", 3, "███", "[#]"),
        ("-1", 3, "░░░", "[.]"),
    ],
)
def test_a_gauge_fills_by_eighths(share: str, width: int, shown: str, plain: str) -> None:
    assert gauge.bar(Decimal(share), width) == shown
    assert gauge.bar(Decimal(share), width, ascii_only=True) == plain


@given(SHARES, st.integers(0, 60), st.booleans())
def test_a_gauge_has_its_width_and_only_what_is_full_looks_full(share: Decimal, width: int, plain: bool) -> None:
    shown = gauge.bar(share, width, ascii_only=plain)
    assert len(shown) == width
    assert shown.isascii() or not plain
    if not plain and width:
        assert (set(shown) == {"█"}) == (share >= 1)
        assert (set(shown) == {"░"}) == (share <= 0)
    assert (gauge.percent(share) == 100) == (share >= 1)


@given(SHARES, SHARES, st.integers(1, 40))
def test_a_gauge_never_shows_more_for_less(one: Decimal, other: Decimal, width: int) -> None:
    def steps(share: Decimal) -> int:
        return sum(gauge.EIGHTHS.find(sign) for sign in gauge.bar(share, width) if sign != gauge.ROOM)

    low, high = sorted((one, other))
    assert steps(low) <= steps(high)


# --- bars -----------------------------------------------------------------------------------------------------------

MONTHS = [Bar("9", Decimal(0)), Bar("10", Decimal(50)), Bar("11", Decimal(100)), Bar("12", Decimal("0.01"))]


def test_bars_stand_on_their_labels() -> None:
    assert bars.chart(MONTHS, 11, 2) == [
        "      ██",
        "   ██ ██ ▁▁",
        "9  10 11 12",
    ]
    assert bars.chart(MONTHS, 11, 2, ascii_only=True) == [
        "      ##",
        "   ## ## ##",
        "9  10 11 12",
    ]


def test_bars_without_room_leave_the_oldest_out() -> None:
    assert bars.chart(MONTHS, 5, 1) == ["██ ▁▁", "11 12"]
    assert bars.chart([], 20, 3) == []
    assert bars.chart(MONTHS, 0, 3) == []


@given(
    st.lists(st.decimals(min_value=0, max_value=10**6, places=2), max_size=30), st.integers(1, 120), st.integers(1, 8)
)
def test_bars_fit_and_show_whatever_is_not_nothing(values: list[Decimal], width: int, height: int) -> None:
    found = bars.chart([Bar(str(number), value) for number, value in enumerate(values)], width, height)
    assert all(len(line) <= width for line in found)
    if found:
        shown = values[-max(1, (width + 1) // 3) :]
        groups = found[-2].split() if height else []
        assert len(groups) <= len(shown)
        assert bool("".join(found[:-1]).strip()) == any(value > 0 for value in shown)


# --- timeline -------------------------------------------------------------------------------------------------------

YEAR = timeline.months_until(date(2026, 3, 15), 6)
TRACKS = (
    Track("TMT", (Span(date(2025, 11, 1), date(2025, 12, 31)), Span(date(2026, 2, 15), None))),
    Track("YAT", (Span(date(2025, 10, 20), date(2025, 10, 20)),)),
)


def test_a_timeline_shows_gaps_and_broken_months() -> None:
    assert YEAR[0] == Month(2025, 10)
    assert YEAR[-1] == Month(2026, 3)
    assert timeline.rows(TRACKS, YEAR) == [("TMT", "▁▇▇▁▄▇"), ("YAT", "▂▁▁▁▁▁")]
    assert timeline.rows(TRACKS, YEAR, ascii_only=True) == [("TMT", ".##.=#"), ("YAT", "-.....")]


def test_years_stand_where_they_begin() -> None:
    assert timeline.years(timeline.months_until(date(2026, 11, 1), 24)) == " 2025        2026"
    assert timeline.years(timeline.months_until(date(2026, 12, 1), 24)) == "2025        2026"


def test_a_timeline_reads_as_periods() -> None:
    spans = [
        Span(date(2026, 2, 1), date(2026, 2, 28)),
        Span(date(2026, 1, 1), date(2026, 1, 31)),
        Span(date(2026, 4, 1), None),
    ]
    assert timeline.runs(spans) == [Span(date(2026, 1, 1), date(2026, 2, 28)), Span(date(2026, 4, 1), None)]


@given(st.lists(st.tuples(DAYS, st.none() | st.integers(0, 900)), max_size=6), DAYS, st.integers(1, 30))
def test_a_cell_tells_nothing_part_and_whole_apart(
    found: list[tuple[date, int | None]], last: date, count: int
) -> None:
    spans = tuple(Span(start, None if days is None else start + timedelta(days)) for start, days in found)
    months = timeline.months_until(last, count)
    (_, cells), *_ = timeline.rows([Track("x", spans)], months)
    assert len(cells) == len(months) == count
    merged = timeline.runs(spans)
    for cell, month in zip(cells, months, strict=True):
        days = timeline.covered(merged, month)
        assert days == timeline.covered(spans, month)
        assert (cell == "▁") == (days == 0)
        assert (cell == "▇") == (days == month.days)
    assert len(timeline.years(months)) <= count


# --- on a page ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [20, 40, 80])
def test_what_is_drawn_gets_the_width_of_the_page(width: int) -> None:
    lines = layout([Drawn(lambda cells: [[(gauge.bar(Decimal(1), cells), "good")]])], width)
    assert ["".join(text for text, _ in line) for line in lines] == [" " + "█" * (width - 2)]
