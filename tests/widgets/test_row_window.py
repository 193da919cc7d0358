"""The window of a list against a plain model: whatever comes and goes, the cursor's row and the counts are right."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kelmu_tui.widgets.row_window import Reading, Window

Numbers = st.sets(st.integers(0, 60), max_size=30)


def window(rows: list[int], height: int = 8) -> Window[int]:
    made: Window[int] = Window(str, height=height)
    made.replace(Reading(rows, at_start=True, at_end=True, count=len(rows)), None)
    return made


def whole(rows: list[int]) -> Reading[int]:
    return Reading(rows, at_start=True, at_end=True, count=len(rows))


def heir(made: Window[int], rows: set[int]) -> str | None:
    return next((key for key in made.candidates() if int(key) in rows), None)


@settings(max_examples=200)
@given(Numbers, st.lists(Numbers, max_size=5), st.integers(-40, 40))
def test_updates_show_known_rows_count_new_ones_and_keep_the_cursor(
    first: set[int], later: list[set[int]], steps: int
) -> None:
    made = window(sorted(first))
    made.move(steps)
    shown = set(first)
    for rows in later:
        before = made.current_key
        if shown and not shown & rows:
            shown = set(rows)  # nothing known is left: the list starts anew
        elif not shown:
            shown = set(rows)
        else:
            shown &= rows
        made.update(whole(sorted(rows)), heir(made, rows))
        assert set(made.rows) == shown
        assert made.fresh == len(rows) - len(shown)
        assert made.count == len(rows)
        if before is not None and int(before) in rows:
            assert made.current_key == before
        assert not made.rows or made.top <= made.cursor < made.top + made.height
    made.replace(whole(sorted(later[-1] if later else first)), made.current_key)
    assert made.fresh == 0


@settings(max_examples=200)
@given(Numbers, st.lists(st.tuples(Numbers, Numbers), max_size=5))
def test_what_is_expected_is_shown_where_it_belongs_and_never_counted(
    first: set[int], later: list[tuple[set[int], set[int]]]
) -> None:
    made = window(sorted(first))
    shown, waited = set(first), set[int]()
    for rows, wanted in later:
        made.expected.update(map(str, wanted))
        waited |= wanted
        # A list of which nothing is left starts anew.
        shown = rows & (shown | waited) if shown & rows else set(rows)
        waited -= rows
        made.update(whole(sorted(rows)), heir(made, rows))
        assert made.rows == sorted(shown)
        assert made.fresh == len(rows) - len(shown)
        assert made.expected == {str(number) for number in waited}


@given(st.integers(1, 300), st.lists(st.integers(-50, 50), max_size=20), st.integers(1, 40))
def test_moving_stays_inside_and_in_sight(count: int, steps: list[int], height: int) -> None:
    made = window(list(range(count)), height)
    place = 0
    for step in steps:
        made.move(step)
        place = min(max(place + step, 0), count - 1)
        assert made.current == place
        assert made.top <= made.cursor < made.top + made.height
        assert 0 <= made.top <= max(0, count - height)


def test_steps_beyond_the_rim_are_owed_until_more_rows_come() -> None:
    made: Window[int] = Window(str, height=5)
    made.replace(Reading(list(range(10)), at_start=True, at_end=False, count=30), None)
    made.move(14)
    assert (made.current, made.owed) == (9, 5)
    made.extend(list(range(10, 20)), below=True, asked=10)
    assert (made.current, made.owed) == (14, 0)
    made.extend(list(range(20, 24)), below=True, asked=10)
    assert made.at_end
    made.move(100)
    assert (made.current, made.owed) == (23, 0)


def test_rows_above_do_not_move_what_is_seen() -> None:
    made: Window[int] = Window(str, height=5)
    made.replace(Reading(list(range(50, 70)), at_start=False, at_end=True, count=70), "60")
    seen = list(made.visible)
    made.extend(list(range(30, 50)), below=False, asked=20)
    assert list(made.visible) == seen
    assert made.current == 60


def test_marks_of_a_range_go_from_the_last_mark_to_the_cursor() -> None:
    made = window(list(range(10)))
    made.toggle_mark()
    made.move(3)
    made.mark_range("0")
    assert made.marks == {"0", "1", "2", "3"}
    made.move(-2)
    made.mark_range("gone")
    assert made.marks == {"0", "1", "2", "3"}
    made.toggle_mark()
    assert made.marks == {"0", "2", "3"}
