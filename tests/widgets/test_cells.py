"""Columns, cells and wrapping: everything has exactly the width it is given."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from kelmu_tui.domain.text import is_safe
from kelmu_tui.widgets.cells import Cell, Column, fit, gap_of, join, lean, place
from kelmu_tui.widgets.wrapping import wrap

COLUMNS = (
    Column("a", "A", 9),
    Column("b", "B", 10, good=20, most=21),
    Column("c", "C", 12, good=18, most=32),
    Column("d", "D", 10, good=11, most=16, drop=1),
    Column("e", "E", 7, most=18, drop=2),
)


@given(st.text(max_size=60), st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_a_fitted_text_has_its_width_and_is_safe(text: str, width: int, align: str) -> None:
    fitted = fit(text, width, align)
    assert cell_len(fitted) == width
    assert is_safe(fitted)


def test_what_is_cut_says_so_and_a_short_form_stands_in() -> None:
    assert fit("Ylöjärvi", 5) == "Ylöj…"
    assert fit("abc", 5, "right") == "  abc"
    assert Cell("O. Järvinen", short="OJ").fitted(7, "left") == "OJ     "
    assert Cell("O. Järvinen", short="OJ").fitted(11, "left") == "O. Järvinen"


@given(st.integers(10, 200))
def test_columns_fill_no_more_than_there_is(width: int) -> None:
    placed = place(COLUMNS, width)
    used = sum(one.width for one in placed) + gap_of(width) * (len(placed) - 1)
    assert used <= max(width, 31)
    assert [one.column.id for one in placed][:3] == ["a", "b", "c"]
    for one in placed:
        assert one.width <= max(one.column.width, one.column.good, one.column.most)


def test_the_least_important_columns_leave_first_and_comfort_comes_before_luxury() -> None:
    assert [one.column.id for one in place(COLUMNS, 36)] == ["a", "b", "c"]
    assert [one.column.id for one in place(COLUMNS, 50)] == ["a", "b", "c", "d"]
    wide = {one.column.id: one.width for one in place(COLUMNS, 76)}
    assert wide["b"] >= 20
    assert wide["c"] >= 18


@given(st.text(max_size=200), st.integers(1, 50))
def test_wrapped_lines_fit_and_lose_nothing_that_is_seen(text: str, width: int) -> None:
    lines = wrap(text, width)
    # A letter of two cells can't be made to fit into one.
    assert all(cell_len(line) <= max(width, 2) for line in lines)
    assert all(is_safe(line) for line in lines)


def test_wrapping_breaks_at_spaces_and_keeps_line_breaks() -> None:
    assert wrap("yksi kaksi kolme", 10) == ["yksi kaksi", "kolme"]
    assert wrap("a\nb\n\nc", 10) == ["a", "b", "", "c"]
    assert wrap("abcdefgh", 3) == ["abc", "def", "gh"]


def test_neighbours_of_one_style_travel_as_one() -> None:
    red, plain = Style(color="red"), Style.null()
    strip = join([("a", red), ("b", red), (" ", plain), ("c", plain)], 6, plain)
    assert [segment.text for segment in strip] == ["ab ", "c  "]
    assert strip.cell_length == 6
    assert join([("abcdef", plain)], 4, plain).text == "abcd"


def test_the_terminals_own_colours_need_no_code() -> None:
    assert lean(Style.parse("bold default on default")) == Style(bold=True)
    assert lean(Style.parse("red on default")) == Style(color="red")
    assert lean(Style.parse("red on blue")) == Style.parse("red on blue")
