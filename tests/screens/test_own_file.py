"""Picking a file of the organisation's own on the screen, seeing what it holds, and taking it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from kelmu_tui.domain.identifiers import make_identity_code, mask
from kelmu_tui.domain.own_files import Wanted, limits
from kelmu_tui.domain.review import Answer
from kelmu_tui.platform.picking import listing as listing_of
from kelmu_tui.screens import own_file as own_file_screen
from kelmu_tui.screens.choose import ChooseScreen
from kelmu_tui.screens.own_file import OwnFileScreen
from kelmu_tui.screens.own_table import OwnTableScreen
from kelmu_tui.services import own_values
from kelmu_tui.services.own_files import read_table
from kelmu_tui.services.own_values import HEARD, Answers
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.widgets.picker import PickList
from kelmu_tui.widgets.text_field import LineField
from tests.screens.lists import ListsOffice, listing, words
from tests.screens.support import HOSTILE, LANGUAGES, SIZES, check_grid, press, settled, text_of, type_text
from tests.services.own_tables import GOOD, HEADINGS, ROWS, TABLE, csv_bytes, xlsx_bytes
from tests.services.signed_in import MANDATE
from tests.widgets.support import until

ABROAD = "treatment_abroad_reimbursements"
CODES = tuple(make_identity_code(date(1980, 1, 1 + n), "-", 900 + n).value for n in range(3))
PEOPLE = (("Nimi", "Henkilötunnus"), *((f"Nimi {n}", code) for n, code in enumerate(CODES)))


class Asked:
    """What the screen that asked for a file hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.dismissed: list[Any] = []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the user's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setattr(Path, "home", lambda: folder)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@asynccontextmanager
async def asking(
    home: Path, wanted: Wanted = Wanted.ANSWERS, size: tuple[int, int] = (80, 24), language: str = "en"
) -> AsyncIterator[tuple[ListsOffice, Pilot[Any], Asked]]:
    """Run an office that has asked for a file."""
    async with listing(home.parent / "store", size, language=language) as (app, pilot):
        app.give(MANDATE, ABROAD)
        asked = Asked()
        assert app.desk is not None
        app.push_screen(OwnFileScreen(app.desk, wanted, asked.heard.append), asked.dismissed.append)
        await settled(pilot)
        yield app, pilot, asked


def entries(app: ListsOffice) -> list[str]:
    return [choice.cells[0] for choice in app.screen.query_one(PickList).matches]


def shown(app: ListsOffice) -> type:
    return type(app.screen)


def typed(app: ListsOffice) -> str:
    return app.screen.query_one(LineField).value


async def opened(app: ListsOffice, pilot: Pilot[Any], name: str) -> OwnTableScreen:
    """Type a name and open the file."""
    await type_text(pilot, name)
    await press(pilot, "enter")
    assert isinstance(app.screen, OwnTableScreen), text_of(app)
    return app.screen


# --- the path -------------------------------------------------------------------------------------------------------


async def test_folders_come_first_and_hidden_names_when_they_are_typed(home: Path) -> None:
    (home / "Zeta").mkdir()
    (home / "alpha.csv").write_bytes(b"x")
    (home / "beta.csv").write_bytes(b"x" * 1500)
    (home / ".hidden").write_bytes(b"x")
    (home / "bad\x1bname").write_bytes(b"x")
    async with asking(home) as (app, pilot, _):
        assert entries(app) == ["Zeta/", "alpha.csv", "beta.csv"]
        assert "1.5 kB" in words(app)
        await type_text(pilot, ".")
        assert entries(app) == [".hidden"]
        await press(pilot, "backspace")
        await type_text(pilot, "B")
        assert entries(app) == ["beta.csv"]
        await type_text(pilot, "x")
        assert entries(app) == []
        assert app.t("own_file.no_files") in words(app)


async def test_tab_completes_as_far_as_all_agree(home: Path) -> None:
    (home / "answers").mkdir()
    for name in ("answers/vastaukset-1.csv", "answers/vastaukset-2.csv", "other"):
        (home / name).write_bytes(b"x")
    async with asking(home) as (app, pilot, _):
        await type_text(pilot, "an")
        await press(pilot, "tab")
        assert typed(app) == "~/answers/"
        assert entries(app) == ["vastaukset-1.csv", "vastaukset-2.csv"]
        await press(pilot, "tab")
        assert typed(app) == "~/answers/vastaukset-"
        await type_text(pilot, "2")
        await press(pilot, "tab")
        assert typed(app) == "~/answers/vastaukset-2.csv"
        await press(pilot, "shift+tab")
        assert typed(app) == "~/answers/"
        await press(pilot, "shift+tab")
        assert typed(app) == "~/"


async def test_enter_goes_into_a_folder_and_opens_a_file(home: Path) -> None:
    (home / "a").mkdir()
    (home / "a" / "own").write_bytes(csv_bytes(TABLE))
    async with asking(home) as (app, pilot, _):
        await press(pilot, "enter")
        assert typed(app) == "~/a/"
        await press(pilot, "enter")
        assert shown(app) is OwnTableScreen
        await press(pilot, "escape")
        assert shown(app) is OwnFileScreen
        assert typed(app) == "~/a/"


async def test_escape_takes_nothing(home: Path) -> None:
    async with asking(home) as (_, pilot, asked):
        await press(pilot, "escape")
        assert (asked.heard, asked.dismissed) == ([], [None])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty"), (b"%PDF-1", "pdf"), (b"PK\x03\x04xx", "broken"), (b'a;b\n"x', "quotes"), (None, "missing")],
)
async def test_what_is_no_table_is_told_and_the_path_stays(
    home: Path, language: str, data: bytes | None, code: str
) -> None:
    if data is not None:
        (home / "own").write_bytes(data)
    async with asking(home, language=language) as (app, pilot, _):
        await type_text(pilot, "own")
        await press(pilot, "enter")
        assert isinstance(app.screen, OwnFileScreen)
        said = app.t.choice("own_file.problem", code, size=0, rows=0, columns=0, letters=0, searched=0, answers=0)
        assert said[:30] in words(app)
        assert typed(app) == "~/own"
        await press(pilot, "backspace")
        assert said[:30] not in words(app)


async def test_a_large_file_and_a_slow_disk_block_no_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (home / "large").open("wb") as file:
        file.truncate(2 * limits().size)
    (home / "slow").write_bytes(csv_bytes(TABLE))
    gate = threading.Event()
    real = read_table

    def waits(path: Path) -> Any:
        if path.name == "slow":
            assert gate.wait(60)
        return real(path)

    monkeypatch.setattr("kelmu_tui.services.own_files.read_table", waits)
    async with asking(home) as (app, pilot, _):
        await type_text(pilot, "large")
        await press(pilot, "enter")
        assert "The file is too large (at most 50 MB)." in words(app)
        await press(pilot, "ctrl+u")
        await type_text(pilot, "~/slow")
        await pilot.press("enter")
        try:
            await pilot.press("x")  # the key is taken while the file is being read
            assert typed(app) == "~/slowx"
        finally:
            gate.set()
        await settled(pilot)
        assert isinstance(app.screen, OwnTableScreen)


async def test_an_answer_for_an_older_path_is_not_listed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "ab").write_bytes(b"x")
    gate, real = threading.Event(), listing_of

    def late(text: str) -> Any:
        if text.endswith("/a"):
            assert gate.wait(60)
        return real(text)

    monkeypatch.setattr(own_file_screen, "listing", late)
    async with asking(home) as (app, pilot, _):
        await pilot.press("a")
        await pilot.press("x")
        gate.set()
        await settled(pilot)
        assert entries(app) == []


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
async def test_foreign_text_is_harmless(home: Path, size: tuple[int, int]) -> None:
    headings = (HEADINGS[0], f"{HEADINGS[1]}", HEADINGS[2], "[b]x[/]\u202e", "日本語 👩‍👩‍👧")
    (home / "own").write_bytes(
        xlsx_bytes([headings, ("TP-1", 5, 1, HOSTILE.replace("\x1b", "").replace("\x07", ""), "日本")])
    )
    async with asking(home, size=size) as (app, pilot, asked):
        await opened(app, pilot, "own")
        check_grid(app, size)
        await press(pilot, "G", "g", "pagedown", "c", "escape")
        check_grid(app, size)
        await press(pilot, "enter")
        assert list(asked.heard[0].good) == ["TP-1"]
