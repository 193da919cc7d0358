"""What the rows of a list are shown in: chosen columns in a chosen order, and views saved under names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.screens.list_choices import ColumnsScreen, SaveViewScreen, ViewsScreen
from kelmu_tui.store import list_views
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.list_pages import ListQuery, SortKey
from kelmu_tui.store.list_views import SavedView
from tests.screens.lists import ListsOffice, listing, looks, words
from tests.screens.support import LANGUAGES, check_grid, press, settled, text_of, type_text
from tests.screens.test_list_rows import SUBJECT, opened, rows, screen
from tests.store.list_rows import INVOICED, LIST, row

COLUMNS = tuple(column.id for column in catalogue()[LIST].columns)
VIEW = SavedView("Uudet", ("name", "reached_on"), ListQuery((SortKey("reached_on", descending=True),), "29", "837"))


def header(app: ListsOffice) -> str:
    """Return the line of the columns' names."""
    shown = screen(app).rows
    return text_of(app).split("\n")[shown.region.y]


def labels(app: ListsOffice, *ids: str) -> list[str]:
    found = [catalogue()[LIST].column(id_) for id_ in ids]
    return [column.name.get(app.t.language) for column in found if column is not None]


async def saved_as(pilot: Any, name: str) -> None:
    """Save what is shown now under a name."""
    await press(pilot, "V", "s", "ctrl+u")
    await type_text(pilot, name)
    await press(pilot, "enter")


# --- columns --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_columns_are_chosen_and_put_in_order(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with listing(tmp_path, size, language=language) as (app, pilot):
        shown = await opened(app, pilot, rows(20))
        await press(pilot, "C")
        check_grid(app, size)
        assert isinstance(app.screen, ColumnsScreen)
        # All but the last are left out, and it goes to the place behind the name; then the code is taken in again.
        await press(pilot, "j", *["x"] * 5, "G", *["K"] * 5, "down", "space")
        check_grid(app, size)
        await press(pilot, "enter")
        assert shown.columns_now == ("name", "last_paid_until", "identity_code")
        check_grid(app, size)
        line = header(app)
        places = [line.index(label[:4]) for label in labels(app, *shown.columns_now[: shown.rows.fitting])]
        assert places == sorted(places)
        assert len(places) >= 2
        assert not any(label[:8] in line for label in labels(app, "municipality", "days_accumulated"))
        assert looks(app) == [("list_rows", SUBJECT, 20)]


async def test_the_first_column_stays(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(3))
        await press(pilot, "C", "x", "K", "J", "k", "enter")
        assert app.t("lists.first_column_stays") in words(app)
        assert shown.columns_now == ("name", "municipality", "identity_code", *COLUMNS[3:])
        await press(pilot, "C", *["x"] * len(COLUMNS), "enter")
        assert shown.columns_now == ("name",)
        assert "Virtanen, Aino 0" in words(app)


async def test_all_columns_come_back(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(3))
        await press(pilot, "C", "j", "x", "x", "enter")
        assert len(shown.columns_now) == len(COLUMNS) - 2
        await press(pilot, "C", "a", "escape")
        assert len(shown.columns_now) == len(COLUMNS) - 2
        await press(pilot, "C", "a", "enter")
        assert shown.columns_now == ()


async def test_where_not_all_columns_fit_it_says_so(tmp_path: Path) -> None:
    async with listing(tmp_path, (80, 24), language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(3))
        fitting = shown.rows.fitting
        assert 1 < fitting < len(COLUMNS)
        assert app.t("lists.columns_of", shown=fitting, total=len(COLUMNS)) in words(app)
        await pilot.resize_terminal(200, 40)
        await settled(pilot)
        assert shown.rows.fitting == len(COLUMNS)
        assert app.t("lists.columns_of", shown=fitting, total=len(COLUMNS)) not in words(app)
        assert all(label in header(app) for label in labels(app, *COLUMNS))


async def test_what_was_put_first_leaves_last(tmp_path: Path) -> None:
    async with listing(tmp_path, (80, 24), language="en") as (app, pilot):
        await opened(app, pilot, rows(3))
        await press(pilot, "C", "j", "j", "j", "K", "K", "enter")  # the address, which would be the first to leave
        assert labels(app, "address")[0] in header(app)
        await pilot.resize_terminal(40, 12)
        await settled(pilot)
        assert labels(app, "address")[0] in header(app)


async def test_only_the_columns_that_are_shown_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        await opened(app, pilot, rows(2))
        sent: list[str] = []
        monkeypatch.setattr(app, "send_copy", sent.append)
        await press(pilot, "C", "j", "x", "x", "x", "x", "x", "enter", "y")
        assert sent == ["Name\tPaid until\nVirtanen, Aino 0\t31.10.2026"]


# --- saved views ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_view_is_saved_and_taken_again(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with listing(tmp_path, size, language=language) as (app, pilot):
        shown, t = await opened(app, pilot, rows(300)), app.t
        await press(pilot, "C", "j", "x", "enter", "slash")
        await type_text(pilot, "29")
        await press(pilot, "enter", "V", "s")
        check_grid(app, size)
        assert isinstance(app.screen, SaveViewScreen)
        assert t("lists.filter_is_saved")[:30] in words(app).replace("│ │ ", "")
        await type_text(pilot, "Oma  lista ")
        await press(pilot, "enter")
        assert t("lists.view_saved") in words(app)
        saved = SavedView("Oma lista", (COLUMNS[0], *COLUMNS[2:]), ListQuery(text="29"))
        assert app.lists.views.saved(LIST) == (saved,)
        check_grid(app, size)
        assert "Oma lista" in words(app)
        await press(pilot, "escape")
        assert shown.view_text == t("lists.view_changed", name="Oma lista")
        await press(pilot, "q", "enter")
        shown = screen(app)
        assert (shown.columns_now, shown.view_text, shown.rows.count) == ((), "", 300)
        await press(pilot, "V")
        check_grid(app, size)
        await press(pilot, "j", "enter")
        assert (shown.columns_now, shown.query_now, shown.view_text) == (*saved[1:], "Oma lista")
        assert shown.rows.count == 11
        assert looks(app)[-1] == ("list_rows:filtered", SUBJECT, 11)
        await press(pilot, "V", "g", "enter")
        assert (shown.columns_now, shown.query_now, shown.view_text) == ((), ListQuery(), "")
        assert shown.rows.count == 300


async def test_what_is_changed_after_choosing_is_said_and_saved_in_its_place(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(300))
        app.lists.views.save(LIST, VIEW)
        app.lists.views.save(LIST, SavedView("Toinen", (), ListQuery()))
        await press(pilot, "V")
        about = app.t("lists.columns", count=2)
        assert f"Uudet /29 · Tampere · 300 days reached on ↓ · {about}" in words(app)
        await press(pilot, "j", "j", "enter")
        assert "Uudet" in words(app)
        assert "(changed)" not in words(app)
        await press(pilot, "C", "a", "enter")
        assert app.t("lists.view_changed", name="Uudet") in words(app)
        await press(pilot, "V", "s")
        assert app.t("lists.replaces_view") in words(app)
        await type_text(pilot, "x")
        assert app.t("lists.replaces_view") not in words(app)
        await press(pilot, "backspace", "enter")
        assert shown.view_text == "Uudet"
        assert app.lists.views.saved(LIST)[1] == VIEW._replace(columns=())


async def test_a_view_is_deleted_only_when_confirmed(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(3))
        await saved_as(pilot, "Oma")
        await press(pilot, "V", "g", "d")
        assert isinstance(app.screen, ViewsScreen)  # the list as it is opened is no view
        await press(pilot, "j", "d")
        assert isinstance(app.screen, ConfirmScreen)
        await press(pilot, "enter")
        assert [one.name for one in app.lists.views.saved(LIST)] == ["Oma"]
        await press(pilot, "V", "d", "down", "enter")
        assert app.t("lists.view_dropped") in words(app)
        assert app.lists.views.saved(LIST) == ()
        assert shown.view_text == ""


async def test_a_view_that_another_terminal_changes_or_deletes(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(3))
        await saved_as(pilot, "Oma")
        await app.thread.run(app.lists.views.save, LIST, SavedView("Oma", ("name",), ListQuery()))
        await settled(pilot)
        assert shown.view_text == app.t("lists.view_changed", name="Oma")
        await app.thread.run(app.lists.views.drop, LIST, "Oma")
        await settled(pilot)
        assert shown.view_text == ""


async def test_a_view_that_cannot_be_saved_stays_in_its_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        await opened(app, pilot, rows(3))
        await press(pilot, "V", "s", "enter")
        assert app.t("lists.name_needed") in words(app)
        await press(pilot, "escape")
        with monkeypatch.context() as patched:
            patched.setattr(list_views, "MOST", 0)
            await saved_as(pilot, "Oma")
            assert app.t("lists.too_many_views")[:40] in words(app)
            assert isinstance(app.screen, SaveViewScreen)

        def full(*_: object) -> None:
            raise StoreFull

        with monkeypatch.context() as patched:
            patched.setattr(list_views, "save", full)
            await press(pilot, "enter")
            assert app.t("lists.not_saved") in words(app)
        await press(pilot, "enter")
        assert [one.name for one in app.lists.views.saved(LIST)] == ["Oma"]


async def test_the_words_of_a_view_stay_on_the_screen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They may be somebody's name: neither the title, nor the log of views, nor messages have them."""
    async with listing(tmp_path, language="en") as (app, pilot):
        await opened(app, pilot, [*rows(3), row(9, name="Meikäläinen, Matti")])
        await press(pilot, "slash")
        await type_text(pilot, "meikäläi")
        await press(pilot, "enter")
        await saved_as(pilot, "Oma")
        await press(pilot, "V", "j", "enter")
        with app.store.read() as db:
            events = db.execute("SELECT body FROM main.view_event").fetchall()
        assert events
        for told in (app.title, app.sub_title, caplog.text, *(event[0] for event in events)):
            assert "meikäläi" not in told.casefold()


def test_views_of_a_list_behind_an_invoice_know_its_columns() -> None:
    from kelmu_tui.i18n import Translator
    from kelmu_tui.screens.list_words import list_columns

    one, t = catalogue()[INVOICED], Translator("en")
    found = list_columns(one, t, ("municipal_share_eur", "gone", "name", "paid_on"))
    assert [(column.id, column.drop) for column in found] == [("name", 0), ("municipal_share_eur", 1), ("paid_on", 2)]
    assert [column.id for column in list_columns(one, t)] == [column.id for column in one.columns]


def test_where_a_period_has_no_room_its_year_still_stands() -> None:
    from kelmu_tui.screens.list_words import short_period
    from kelmu_tui.widgets.cells import Cell

    found = {key: short_period(key, year=True) for key in ("2026-10", "2026-04", "2026-Q4", "2026-H2", "2026")}
    assert list(found.values()) == ["10/2026", "4/2026", "Q4/2026", "H2/2026", "2026"]
    assert Cell("4. neljännes 2026", "", found["2026-Q4"]).fitted(10, "left") == "Q4/2026   "
