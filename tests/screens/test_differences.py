"""Two periods of a list against each other: who came, who left, what changed, and the plot over the year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.screens.differences import DifferencesScreen
from kelmu_tui.screens.list_shelf import ListsScreen
from kelmu_tui.store.list_compare import ALL, Kind
from tests.screens.lists import ListsOffice, listing, looks, words
from tests.screens.support import HOSTILE, LANGUAGES, check_grid, press, settled, text_of, type_text
from tests.store.list_rows import LIST, PERIOD, published, row

BEFORE = "2026-09"


def screen(app: ListsOffice) -> DifferencesScreen:
    assert isinstance(app.screen, DifferencesScreen)
    return app.screen


def current(app: ListsOffice) -> tuple[str, int]:
    """Return id and place of the row under the cursor."""
    row = screen(app).rows.current
    assert row is not None
    return row.id, row.place


async def compared(app: ListsOffice, pilot: Any, **changes: Any) -> DifferencesScreen:
    """Have two periods here: one who came, two who left, one whose days changed, three who are as before."""
    app.hold(published(6, period=BEFORE), [row(number) for number in range(6)])
    now = [row(0, days_accumulated=999, **changes), row(1), row(2), row(3), row(9, **changes)]
    app.hold(published(5), now)
    await press(pilot, "3", "v")
    return screen(app)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_counts_rows_and_the_plot(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with listing(tmp_path, size, language=language) as (app, pilot):
        shown = await compared(app, pilot)
        t = app.t
        check_grid(app, size)
        assert f"1 {t.choice('lists.kind', Kind.CAME)} 1" in words(app)
        assert [one.id for one in shown.rows.rows] == ["r00009"]
        assert t("lists.same", count=3) in words(app)
        if size[1] > 12:
            assert f"2 {t.choice('lists.kind', Kind.WENT)} 2" in words(app)
            assert t("lists.over_the_year", most=6) in words(app)
            assert "█" in text_of(app)
        await press(pilot, "2")
        assert [one.id for one in shown.rows.rows] == ["r00004", "r00005"]
        await press(pilot, "tab")
        assert [one.id for one in shown.rows.rows] == ["r00000"]
        assert t("lists.column_what") in words(app)
        if size[0] > 40:
            assert "300 > 999" in words(app)
        assert looks(app) == [("list_compare", f"{LIST}/{BEFORE}", 4), ("list_compare", f"{LIST}/{PERIOD}", 4)]
        await press(pilot, "q")
        assert isinstance(app.screen, ListsScreen)


async def test_from_the_rows_of_a_list(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        await compared(app, pilot)
        await press(pilot, "q", "enter", "v")
        assert screen(app).before == BEFORE


async def test_both_have_to_be_here(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.hold(published(1), [row(0)])
        await press(pilot, "3", "v")
        assert app.t("lists.both_needed", before="9/2026", after="10/2026") in words(app)
        assert looks(app) == []


async def test_one_that_goes_takes_the_differences(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await compared(app, pilot)
        await app.thread.run(app.lists.withdrawn, published(6, period=BEFORE))
        await settled(pilot)
        assert shown.rows.count == 0
        assert "Virtanen" not in text_of(app)
        assert app.t("lists.both_needed", before="9/2026", after="10/2026") in words(app)


async def test_nothing_differs(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        for period in (BEFORE, PERIOD):
            app.hold(published(1, period=period), [row(0)])
        await press(pilot, "3", "v")
        assert app.t("lists.no_difference") in words(app)
        assert app.t("lists.same", count=1) in words(app)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_differences_are_filtered_and_that_is_logged(
    tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    async with listing(tmp_path, size, language=language) as (app, pilot):
        shown, t = await compared(app, pilot), app.t
        await press(pilot, "2", "slash")
        await type_text(pilot, "000005")
        check_grid(app, size)
        await press(pilot, "enter")
        assert [one.id for one in shown.rows.rows] == ["r00005"]
        assert t("lists.rows_of", shown="1", total="2") in words(app)
        assert "/000005" in words(app)
        if size[0] > 40:
            assert f"2 {t.choice('lists.kind', Kind.WENT)} 1/2" in words(app)
        check_grid(app, size)
        filtered = [("list_compare:filtered", f"{LIST}/{period}", 1) for period in (BEFORE, PERIOD)]
        assert looks(app)[2:][-2:] == filtered
        await press(pilot, "1")
        assert shown.rows.count == 0
        assert t("lists.nothing_fits") in words(app)
        await press(pilot, "2", "escape")
        assert [one.id for one in shown.rows.rows] == ["r00004", "r00005"]
        assert screen(app) is shown
        await press(pilot, "escape")
        assert isinstance(app.screen, ListsScreen)


async def test_the_cursor_stays_while_the_filter_changes(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.hold(published(40, period=BEFORE), [row(number) for number in range(40)])
        app.hold(published(1), [row(0)])
        await press(pilot, "3", "v", "2", "G", "k")
        assert current(app) == ("r00008", 38)
        await press(pilot, "slash")
        await type_text(pilot, "00000")
        await press(pilot, "enter")
        assert current(app) == ("r00008", 8)
        await press(pilot, "escape", "k")
        assert current(app) == ("r00007", 37)


async def test_differences_of_one_municipality(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.hold(published(4, period=BEFORE), [row(number) for number in range(4)])
        app.hold(published(4), [row(0, municipality="536"), row(1), row(8, municipality="536"), row(9)])
        await press(pilot, "3", "v", "m")
        text = words(app)
        assert f"Nokia {app.t('lists.rows', count=2)}" in text  # one came, one has moved there
        assert f"Tampere {app.t('lists.rows', count=4)}" in text  # one came, two left, one has moved away
        await type_text(pilot, "nokia")
        await press(pilot, "enter")
        shown = screen(app)
        assert [one.id for one in shown.rows.rows] == ["r00008"]
        await press(pilot, "3")
        assert [one.id for one in shown.rows.rows] == ["r00000"]
        await press(pilot, "m", "escape")
        assert f"Tampere {app.t('lists.rows', count=4)}" not in words(app)
        assert "Nokia" in words(app)
        await press(pilot, "escape")
        assert shown.fit_now == ALL


async def test_one_that_goes_while_the_filter_is_typed(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await compared(app, pilot)
        await press(pilot, "slash")
        await app.thread.run(app.lists.withdrawn, published(6, period=BEFORE))
        await type_text(pilot, "virt")
        await press(pilot, "enter")
        assert shown.rows.count == 0
        assert "Virtanen" not in text_of(app)


async def test_values_from_outside_are_text(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40)) as (app, pilot):
        await compared(app, pilot, name=HOSTILE, address=HOSTILE)
        for key in ("1", "2", "3"):
            await press(pilot, key)
            check_grid(app, (120, 40))
        assert "[b]x[/]" in text_of(app)
