"""Two periods of a list against each other: who came, who left, what changed, and the plot over the year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.screens.differences import DifferencesScreen
from kelmu_tui.screens.list_shelf import ListsScreen
from kelmu_tui.store.list_compare import Kind
from tests.screens.lists import ListsOffice, listing, looks, words
from tests.screens.support import HOSTILE, LANGUAGES, check_grid, press, settled, text_of
from tests.store.list_rows import LIST, PERIOD, published, row

BEFORE = "2026-09"


def screen(app: ListsOffice) -> DifferencesScreen:
    assert isinstance(app.screen, DifferencesScreen)
    return app.screen


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


async def test_values_from_outside_are_text(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40)) as (app, pilot):
        await compared(app, pilot, name=HOSTILE, address=HOSTILE)
        for key in ("1", "2", "3"):
            await press(pilot, key)
            check_grid(app, (120, 40))
        assert "[b]x[/]" in text_of(app)
