"""The rows of a list: columns, filter, order, sums, groups, marks, copying, the customer, and a list that goes away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.screens.choose import ChooseScreen
from kelmu_tui.screens.customer_find import FindScreen
from kelmu_tui.screens.list_rows import ListRowsScreen
from kelmu_tui.screens.list_words import copied_text
from kelmu_tui.store.list_pages import SortKey
from tests.screens.lists import ListsOffice, listing, looks, words
from tests.screens.support import HOSTILE, LANGUAGES, check_grid, press, settled, text_of, type_text
from tests.store.customer_lines import person
from tests.store.list_rows import LIST, PERIOD, published, row

SUBJECT = f"{LIST}/{PERIOD}"
PLACES = ("837", "536", "980")


def rows(count: int) -> list[dict[str, Any]]:
    return [row(number, municipality=PLACES[number % 3], days_accumulated=300 + number // 2) for number in range(count)]


def screen(app: ListsOffice) -> ListRowsScreen:
    assert isinstance(app.screen, ListRowsScreen)
    return app.screen


def place(shown: ListRowsScreen) -> int:
    """Return the place of the row under the cursor."""
    row = shown.rows.current
    assert row is not None
    found: int = row.place
    return found


async def opened(app: ListsOffice, pilot: Any, found: list[dict[str, Any]]) -> ListRowsScreen:
    """Have a list here and open it."""
    app.hold(published(len(found)), found)
    await press(pilot, "3", "enter")
    return screen(app)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40)])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_list_is_read(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with listing(tmp_path, size, language=language) as (app, pilot):
        shown = await opened(app, pilot, rows(300))
        text, t = words(app), app.t
        check_grid(app, size)
        assert catalogue()[LIST].name.get(language)[:20] in text
        assert t("lists.rows", count=300) in text
        assert "Virtanen, Aino" in text
        assert shown.rows.count == 300
        assert len(shown.rows.rows) < 300
        assert looks(app) == [("list_rows", SUBJECT, 300)]
        await press(pilot, "G")
        assert place(shown) == 300
        await press(pilot, "g")
        assert place(shown) == 1
        assert looks(app) == [("list_rows", SUBJECT, 300)]


async def test_codes_are_masked_until_they_are_asked_for(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40)) as (app, pilot):
        await opened(app, pilot, rows(3))
        assert mask("000001-900X") in text_of(app)
        assert "000001-900X" not in text_of(app)
        await press(pilot, "c")
        assert "000001-900X" in text_of(app)
        await press(pilot, "c")
        assert "000001-900X" not in text_of(app)


async def test_a_protected_address_is_not_there(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        await opened(app, pilot, [row(0), row(1, non_disclosure=True, address="Piilotie 1", municipality=None)])
        assert "Salainentie 7" in text_of(app)
        assert app.t("lists.not_disclosed") in text_of(app)
        assert "Piilotie" not in text_of(app)


async def test_the_filter_narrows_and_is_logged(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(300))
        await press(pilot, "slash")
        await type_text(pilot, "29")
        await press(pilot, "enter")
        # 29 and 290 to 299, by name or by the beginning of the code.
        assert shown.rows.count == 11
        assert app.t("lists.rows_of", shown="11", total="300") in words(app)
        assert "/29" in words(app)
        assert ("list_rows:filtered", SUBJECT, 11) in looks(app)
        await press(pilot, "escape")
        assert shown.rows.count == 300


async def test_nothing_fits(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(3))
        await press(pilot, "slash")
        await type_text(pilot, "korhonen")
        await press(pilot, "enter")
        assert shown.rows.count == 0
        assert app.t("lists.nothing_fits") in words(app)


async def test_several_keys_sort(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(12))

        async def sort_by(label: str) -> None:
            await press(pilot, "s")
            await type_text(pilot, label)
            await press(pilot, "enter")

        await sort_by("days acc")
        await sort_by("municip")
        assert shown.query_now.sort == (SortKey("municipality"), SortKey("days_accumulated"))
        await press(pilot, "s", "enter")  # the cursor of the dialog stands on the first key
        assert shown.query_now.sort == (SortKey("municipality", descending=True), SortKey("days_accumulated"))
        await settled(pilot)
        places = [one.values["municipality"] for one in shown.rows.rows]
        assert places == [*["980"] * 4, *["837"] * 4, *["536"] * 4]
        days = [one.values["days_accumulated"] for one in shown.rows.rows][:4]
        assert days == sorted(days)
        assert "Home municipality ↓, Days accumulated ↑" in words(app)
        assert looks(app) == [("list_rows", SUBJECT, 12)]
        await press(pilot, "s", "up", "up", "up", "enter")
        assert not shown.query_now.sort


async def test_rows_by_municipality(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(12))
        await press(pilot, "m")
        assert isinstance(app.screen, ChooseScreen)
        assert words(app).count(app.t("lists.rows", count=4)) == 3
        await type_text(pilot, "tampere")
        await press(pilot, "enter")
        assert shown.rows.count == 4
        assert ("list_rows:filtered", SUBJECT, 4) in looks(app)
        await press(pilot, "m")
        assert words(app).count(app.t("lists.rows", count=4)) == 3
        await press(pilot, "escape", "escape")
        assert shown.rows.count == 12


async def test_marked_rows_are_copied_and_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await opened(app, pilot, [row(0, name="=SUM(A1)"), row(1), row(2)])
        sent: list[str] = []
        monkeypatch.setattr(app, "send_copy", sent.append)
        await press(pilot, "x", "x", "y")
        assert app.t("customer_view.sent")[:20] in words(app)
        lines = sent[0].split("\n")
        assert len(lines) == 3
        assert lines[0].startswith("Name\tPersonal identity code")
        assert lines[1].startswith("'=SUM(A1)\t000000-900X\t")
        assert "Virtanen, Aino 1" in lines[2]
        assert looks(app)[-1] == ("list_copy", SUBJECT, 2)
        await press(pilot, "escape")
        assert shown.rows.marks == frozenset()


async def test_too_much_for_the_terminal_is_neither_sent_nor_logged(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        await opened(app, pilot, [row(number, address="x" * 90) for number in range(900)])
        await press(pilot, "asterisk", "y")
        assert app.t("customer_view.too_long")[:20] in words(app)
        assert looks(app) == [("list_rows", SUBJECT, 900)]


async def test_enter_looks_the_customer_up(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        await opened(app, pilot, [row(0, identity_code=person().identity_code)])
        await press(pilot, "enter")
        assert isinstance(app.screen, FindScreen)
        assert "Virtanen, Aino 0" in words(app)
        assert person().identity_code not in text_of(app)


async def test_a_code_that_is_none_is_not_looked_up(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        await opened(app, pilot, rows(1))
        await press(pilot, "enter")
        assert isinstance(app.screen, ListRowsScreen)
        assert app.t("errors.api.customer_code_invalid")[:20] in words(app)


def _withdraw(app: ListsOffice) -> None:
    app.lists.withdrawn(published(3))


def _publish_anew(app: ListsOffice) -> None:
    app.hold(published(2, version=2), rows(2))


@pytest.mark.parametrize("happens", [_withdraw, _publish_anew])
async def test_a_list_that_goes_while_it_is_read(tmp_path: Path, happens: Callable[[ListsOffice], None]) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await opened(app, pilot, rows(3))
        await app.thread.run(happens, app)
        await settled(pilot)
        assert shown.rows.count == 0
        assert app.t("lists.gone")[:40] in words(app)
        assert "Virtanen" not in text_of(app)
        await press(pilot, "escape")
        assert not isinstance(app.screen, ListRowsScreen)


async def test_values_from_outside_are_text(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40)) as (app, pilot):
        found = [row(number, name=f"{HOSTILE} {number}", municipality="[b]", address=HOSTILE) for number in range(30)]
        await opened(app, pilot, found)
        check_grid(app, (120, 40))
        assert "[b]x[/]" in text_of(app)


def test_what_is_copied_is_one_line_for_each_row() -> None:
    from kelmu_tui.i18n import Translator
    from kelmu_tui.store.list_values import ListRow

    one = catalogue()[LIST]
    values = {column.id: None for column in one.columns} | {"name": "A\tB\nC\x1b[2J"}
    text = copied_text(one, [ListRow("r", 1, False, values)], Translator("fi"))
    assert text.count("\n") == 1
    assert text.split("\n")[1].count("\t") == len(one.columns) - 1
    assert "\x1b" not in text
