"""What stands in a file of the organisation's own on the screen, choosing its columns, and taking it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.own_files import Wanted
from kelmu_tui.domain.review import Answer
from kelmu_tui.screens.choose import ChooseScreen
from kelmu_tui.screens.own_file import OwnFileScreen
from kelmu_tui.screens.own_table import OwnTableScreen
from kelmu_tui.services import own_values
from kelmu_tui.services.own_values import HEARD, Answers
from kelmu_tui.store.errors import StoreFull
from tests.screens.lists import ListsOffice, words
from tests.screens.own_files import CODES, PEOPLE, asking, opened, shown
from tests.screens.support import HOSTILE, LANGUAGES, SIZES, check_grid, press, settled, text_of, type_text
from tests.services.own_tables import GOOD, HEADINGS, ROWS, TABLE, csv_bytes, xlsx_bytes
from tests.services.signed_in import MANDATE
from tests.widgets.support import until

# --- the table ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_answers_are_shown_and_taken(home: Path, size: tuple[int, int], language: str) -> None:
    (home / "own").write_bytes(csv_bytes(TABLE))
    async with asking(home, size=size, language=language) as (app, pilot, asked):
        check_grid(app, size)
        assert app.t.choice("own_file.title", Wanted.ANSWERS)[:20] in words(app)
        await opened(app, pilot, "own")
        check_grid(app, size)
        text = words(app)
        assert app.t("own_file.good", count=3) in text
        assert app.t("own_file.outcome", new=3, changed=0, same=0)[:15] in text
        assert HEADINGS[0][:8] in text
        assert app.t("own_file.take") in text
        await press(pilot, "enter")
        assert len(asked.heard) == 1
        assert isinstance(asked.heard[0], Answers)
        assert asked.dismissed == asked.heard
        assert app.desk is not None
        assert app.desk.own_data.answers() == GOOD
        assert app.t("own_file.taken", count=3, outcome=app.t("own_file.outcome", new=3, changed=0, same=0))[
            :30
        ] in words(app)


async def test_the_first_rows_stand_under_their_letters(home: Path) -> None:
    rows = [("Nimi", *HEADINGS, "Muuta"), *((f"Nimi {n}", f"TP-{n}", "5,00", "1,00", "x") for n in range(9))]
    (home / "own").write_bytes(csv_bytes(rows))
    async with asking(home, size=(120, 40)) as (app, pilot, _):
        await opened(app, pilot, "own")
        lines = [" ".join(line.split()).strip("│ ") for line in text_of(app).splitlines()]
        assert any(line.startswith("B C D A E") for line in lines)
        assert [line.split()[0] for line in lines if line.startswith("TP-")] == [f"TP-{n}" for n in range(5)]
        assert "TP-5" not in text_of(app)


async def test_rows_with_mistakes_need_a_second_enter(home: Path) -> None:
    (home / "own").write_bytes(csv_bytes([HEADINGS, ROWS[0], ("TP-7", "5", "-1"), ("TP-8", "5,5555", "1")]))
    async with asking(home, size=(120, 40)) as (app, pilot, asked):
        await opened(app, pilot, "own")
        text = words(app)
        assert "2 rows are left out" in text
        assert "Row 3, column C: the sum is negative" in text
        assert "Row 4, column B: more than two decimals" in text
        assert app.desk is not None
        await press(pilot, "enter")
        assert "Press enter again" in words(app)
        assert asked.heard == []
        assert app.desk.own_data.kept() is None
        await press(pilot, "enter")
        assert asked.heard[0].good == {"TP-1": Answer(Decimal("1234.50"), Decimal("20.00"))}
        assert app.desk.own_data.answers() == asked.heard[0].good


async def test_a_file_of_mistakes_alone_is_not_taken(home: Path) -> None:
    (home / "own").write_bytes(csv_bytes([HEADINGS, ("TP-7", "5", "-1")]))
    async with asking(home) as (app, pilot, asked):
        await opened(app, pilot, "own")
        await press(pilot, "enter", "enter")
        assert app.t("own_file.nothing_good") in words(app)
        assert asked.heard == []


async def choose(pilot: Pilot[Any], app: ListsOffice, field: str, heading: str) -> None:
    """Choose a column for a field."""
    await press(pilot, "c")
    assert isinstance(app.screen, ChooseScreen)
    await type_text(pilot, field)
    await press(pilot, "enter")
    await type_text(pilot, heading)
    await press(pilot, "enter")
    assert isinstance(app.screen, OwnTableScreen)


async def test_columns_are_chosen_and_used_again_without_asking(home: Path) -> None:
    headings = ("Numero", "Eka", "Toka")
    (home / "own").write_bytes(csv_bytes([headings, *ROWS]))
    (home / "later").write_bytes(xlsx_bytes([headings, ("TP-9", 7, 1)]))
    async with asking(home, size=(120, 40)) as (app, pilot, asked):
        await opened(app, pilot, "own")
        assert "The columns needed are not among the first 20 rows." in words(app)
        assert words(app).count(app.t("own_file.not_chosen")) == 3
        await press(pilot, "enter")
        assert isinstance(app.screen, OwnTableScreen)
        await choose(pilot, app, "refer", "numero")
        await choose(pilot, app, "cost", "eka")
        assert words(app).count(app.t("own_file.not_chosen")) == 1
        await choose(pilot, app, "fee", "toka")
        assert "3 answers: 3 new" in words(app)
        await press(pilot, "enter")
        assert asked.heard[0].good == GOOD
        assert app.desk is not None
        app.push_screen(OwnFileScreen(app.desk, Wanted.ANSWERS, asked.heard.append))
        await settled(pilot)
        await opened(app, pilot, "later")
        assert app.t("own_file.as_before") in words(app)
        assert "1 answer: 1 new" in words(app)


async def test_a_column_is_one_thing(home: Path) -> None:
    (home / "own").write_bytes(csv_bytes(TABLE))
    async with asking(home, size=(120, 40)) as (app, pilot, _):
        await opened(app, pilot, "own")
        await choose(pilot, app, "cost", "asiakas")
        text = words(app)
        assert text.count(app.t("own_file.not_chosen")) == 1
        assert "The columns needed are not among" in text


async def test_doubled_headings_are_told_and_can_be_settled(home: Path) -> None:
    (home / "own").write_bytes(csv_bytes([(*HEADINGS, HEADINGS[2]), ("TP-1", "5,00", "1,00", "2,00")]))
    async with asking(home, size=(120, 40)) as (app, pilot, asked):
        await opened(app, pilot, "own")
        assert "Two columns have the same heading." in words(app)
        assert "column D." in words(app)
        assert words(app).count(app.t("own_file.not_chosen")) == 1
        await press(pilot, "c", "enter", "down", "down", "down", "enter")  # the cursor is on what is missing
        await press(pilot, "enter")
        assert asked.heard[0].good == {"TP-1": Answer(Decimal("5.00"), Decimal("2.00"))}


async def test_a_sheet_is_chosen(home: Path) -> None:
    (home / "own").write_bytes(xlsx_bytes([HEADINGS, ("TP-1", 5, 1)], [HEADINGS, ("TP-2", 6, 1)], [("x", "y", "z")]))
    async with asking(home, size=(120, 40)) as (app, pilot, asked):
        await opened(app, pilot, "own")
        assert "1 Taulukko 1" in words(app)
        await press(pilot, "s", "down", "down", "enter")
        assert "The columns needed are not among" in words(app)
        await press(pilot, "s", "up", "enter")
        assert "2 Taulukko 2" in words(app)
        await press(pilot, "enter")
        assert list(asked.heard[0].good) == ["TP-2"]


async def test_it_begins_with_the_sheet_that_is_nearest(home: Path) -> None:
    (home / "own").write_bytes(xlsx_bytes([("x",)], [("a", "b", "c")], [("a", "Asiakasmaksu", "c"), ("TP-1", 1, 5)]))
    async with asking(home, size=(120, 40)) as (app, pilot, _):
        await opened(app, pilot, "own")
        assert "3 Taulukko 3" in words(app)
        assert words(app).count(app.t("own_file.not_chosen")) == 2


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_small_terminal_says_that_there_is_more_below(home: Path, language: str) -> None:
    (home / "own").write_bytes(csv_bytes([HEADINGS, *ROWS, *(("", "x", "y") for _ in range(30))]))
    async with asking(home, size=(40, 12), language=language) as (app, pilot, _):
        await opened(app, pilot, "own")
        found = re.search(r"\+([0-9]+)", words(app))
        assert found is not None
        below = int(found[1])
        await press(pilot, "j")
        assert f"+{below - 1}" in words(app)
        await press(pilot, "G")
        assert "+" not in words(app)
        assert app.t("own_file.row_more", count=10) in words(app)
        await press(pilot, "g", "pagedown", "pageup", "k")
        assert f"+{below}" in words(app)


async def test_a_full_disk_takes_nothing_and_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "own").write_bytes(csv_bytes(TABLE))
    async with asking(home) as (app, pilot, asked):
        await opened(app, pilot, "own")
        assert app.desk is not None

        def full(*_: object) -> None:
            raise StoreFull

        with monkeypatch.context() as patch:
            patch.setattr(app.desk.own_data, "keep_answers", full)
            await press(pilot, "enter")
        assert isinstance(app.screen, OwnTableScreen)
        assert asked.heard == []
        assert app.t.choice("errors.store", StoreFull.code)[:25] in words(app)
        await press(pilot, "enter")
        assert asked.heard[0].good == GOOD


async def test_a_mandate_that_has_gone_is_told(home: Path) -> None:
    (home / "own").write_bytes(csv_bytes(TABLE))
    async with asking(home) as (app, pilot, asked):
        await opened(app, pilot, "own")
        app.give(MANDATE)
        await press(pilot, "enter")
        assert app.t("errors.api.mandate_missing")[:25] in words(app)
        assert asked.heard == []


async def test_a_long_table_says_how_far_it_is_and_can_be_left(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "own").write_bytes(csv_bytes([HEADINGS, *((f"TP-{n}", "5,00", "1,00") for n in range(3 * HEARD))]))
    gate, reached, real = threading.Event(), threading.Event(), own_values.euros

    def slow(cell: Any) -> Decimal:
        if not gate.is_set() and reached.is_set():
            assert gate.wait(60)
        return real(cell)

    read = list[int]()

    def row(cell: Any) -> str:
        read.append(1)
        if len(read) == HEARD + 10:
            reached.set()
        return str(cell)

    monkeypatch.setattr(own_values, "euros", slow)
    monkeypatch.setattr(own_values, "reference", row)
    async with asking(home, size=(120, 40)) as (app, pilot, asked):
        await type_text(pilot, "own")
        await pilot.press("enter")
        try:
            await until(pilot, lambda: app.t("own_file.reading_row", row=HEARD) in words(app), "how far it is")
            await pilot.press("enter")
            assert asked.heard == []
            await pilot.press("escape")
        finally:
            gate.set()
        await settled(pilot)
        assert shown(app) is OwnFileScreen
        assert len(read) <= 2 * HEARD  # what nobody waits for is not read to its end


# --- people ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("write", [csv_bytes, xlsx_bytes])
async def test_residents_are_masked_and_kept_nowhere(
    home: Path, size: tuple[int, int], write: Callable[..., bytes]
) -> None:
    (home / "own").write_bytes(write([*PEOPLE, ("Nimi", "010180-9999"), ("Viite", f"x {CODES[0]} y")]))
    async with asking(home, Wanted.RESIDENTS, size) as (app, pilot, asked):
        await opened(app, pilot, "own")
        check_grid(app, size)
        assert not any(code in text_of(app) for code in CODES)
        assert mask(CODES[0])[:12] in words(app)
        assert text_of(app).count("esc cancel") == 1
        assert app.t("own_file.people", count=3) in words(app)
        await press(pilot, "enter", "enter")
        assert asked.heard == asked.dismissed == [frozenset(CODES)]
        app.store.scrub()
        with app.store.read() as db:
            assert db.execute("SELECT count(*) FROM main.own_answer").fetchone() == (0,)
            assert db.execute("SELECT count(*) FROM main.own_mapping").fetchone() == (0,)


async def test_codes_without_a_heading_are_no_headings(home: Path) -> None:
    (home / "own").write_bytes(csv_bytes([(code,) for code in CODES]))
    async with asking(home, Wanted.RESIDENTS) as (app, pilot, asked):
        await opened(app, pilot, "own")
        assert not any(code in text_of(app) for code in CODES)
        await press(pilot, "c")
        assert isinstance(app.screen, ChooseScreen)
        assert not any(code in text_of(app) for code in CODES)
        await press(pilot, "enter")
        assert "The table has no headings." in words(app)
        await press(pilot, "enter")
        assert asked.heard == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("write", [csv_bytes, xlsx_bytes])
async def test_foreign_text_is_harmless(home: Path, size: tuple[int, int], write: Callable[..., bytes]) -> None:
    note = HOSTILE.replace("\x07", "")
    if write is xlsx_bytes:
        note = note.replace("\x1b", "")  # no workbook can hold it
    headings = (*HEADINGS, f"[b]x[/]\u202e{note}", "日本語 👩‍👩‍👧")
    (home / "own").write_bytes(write([headings, ("TP-1", 5, 1, note, "日本")]))
    async with asking(home, size=size) as (app, pilot, asked):
        await opened(app, pilot, "own")
        check_grid(app, size)
        await press(pilot, "G", "g", "pagedown", "c", "enter")
        check_grid(app, size)
        await press(pilot, "escape")
        await press(pilot, "enter")
        assert list(asked.heard[0].good) == ["TP-1"]
