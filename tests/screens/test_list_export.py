"""Exporting from the screens: what is asked, how far it is, and what is said when it ends, well or not."""

from __future__ import annotations

import asyncio
import errno
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from kelmu_tui.screens.export_list import ExportScreen
from kelmu_tui.screens.list_rows import ListRowsScreen
from kelmu_tui.services.list_files import Writing
from kelmu_tui.widgets.text_field import LineField
from tests.screens.lists import ListsOffice, listing, looks, words
from tests.screens.support import LANGUAGES, check_grid, press, settled, type_text
from tests.services.exporting import document, sheets, table
from tests.store.list_rows import LIST, PERIOD, published, row
from tests.widgets.support import until

SUBJECT = f"{LIST}/{PERIOD}"
ROWS = [row(number, municipality=("837", "536", "980")[number % 3]) for number in range(30)]
SIZES = [(80, 24), (120, 40)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(made))
    return made


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What the second writing of rows waits for."""
    opened, put, calls = threading.Event(), Writing.put, iter(range(10**6))

    def waits(self: Writing, rows: Any) -> None:
        if next(calls):
            assert opened.wait(60)
        put(self, rows)

    monkeypatch.setattr(Writing, "put", waits)
    monkeypatch.setattr("kelmu_tui.services.list_export.PAGE", 10)
    yield opened
    opened.set()


async def opened(app: ListsOffice, pilot: Pilot[Any], rows: list[dict[str, Any]] | None = None) -> ListRowsScreen:
    rows = ROWS if rows is None else rows
    app.hold(published(len(rows)), rows)
    await press(pilot, "3", "enter")
    assert isinstance(app.screen, ListRowsScreen)
    return app.screen


async def ask(app: ListsOffice, pilot: Pilot[Any], name: str = "", purpose: str = "Seuranta") -> None:
    """Type a purpose, and a name in place of the suggested one; then go on. The export may be waiting then."""
    assert isinstance(app.screen, ExportScreen)
    assert app.screen.query_one("#purpose", LineField).has_focus
    await pilot.press("ctrl+u", *purpose)
    if name:
        await pilot.press("shift+tab", "ctrl+u", *name)
    await pilot.press("enter")
    await until(pilot, lambda: "file.save" not in app.tasks.names, "that the box was left or said something")
    await until(pilot, lambda: app.painted, "the screen")


def place(shown: ListRowsScreen) -> int:
    row = shown.rows.current
    return 0 if row is None else int(row.place)


async def over(app: ListsOffice, pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: "lists.export" not in app.tasks.names, "that the export is over")
    await settled(pilot)


def last_reason(app: ListsOffice) -> str:
    with app.store.read() as db:
        (body,) = db.execute("SELECT body FROM main.view_event ORDER BY number DESC LIMIT 1").fetchone()
    found: str = json.loads(body)["reason"]
    return found


# --- well -----------------------------------------------------------------------------------------------------------


async def test_only_the_columns_that_were_chosen_leave(tmp_path: Path, home: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        shown = await opened(app, pilot)
        shown.columns_now = ("paid_until", "municipality")
        await press(pilot, "e")
        assert app.t("lists.export_columns", count=3) in words(app)
        await ask(app, pilot, "rows.ndjson")
        await over(app, pilot)
        head, first, *_ = (home / "rows.ndjson").read_text().splitlines()
        assert json.loads(head)["data"]["columns"] == ["name", "paid_until", "municipality"]
        assert list(json.loads(first)) == ["id", "non_disclosure", "name", "paid_until", "municipality"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_list_is_exported(tmp_path: Path, home: Path, size: tuple[int, int], language: str) -> None:
    async with listing(tmp_path, size, language=language) as (app, pilot):
        shown, t = await opened(app, pilot), app.t
        await press(pilot, "e")
        check_grid(app, size)
        box = words(app)
        for text in (
            t("lists.export_title"),
            t("lists.export_all", count=30),
            t("lists.export_file"),
            t("lists.export_purpose"),
            t("lists.export_codes_masked"),
            t("lists.export_codes_whole"),
            t("lists.export_only_you"),
            t("lists.export_save"),
        ):
            assert text[:40] in box
        assert app.screen.query_one("#field", LineField).value.startswith("~/kelmu-lms_300_days-2026-10-2026")
        await ask(app, pilot)
        await over(app, pilot)
        assert app.screen is shown
        (saved,) = home.iterdir()
        assert t("lists.export_done", count=30, path=str(saved))[:30] in words(app)
        head, _, rows = table(saved, "," if language == "en" else ";")
        assert len(rows) == 30
        assert head[t("lists.export_purpose")] == "Seuranta"
        assert looks(app) == [("list_rows", SUBJECT, 30), ("list_export", SUBJECT, 30)]
        assert last_reason(app) == "Seuranta"
        check_grid(app, size)


async def test_a_box_in_a_small_window_has_all_that_is_asked(tmp_path: Path, home: Path) -> None:
    assert home.exists()
    async with listing(tmp_path, (40, 12), language="fi") as (app, pilot):
        await opened(app, pilot)
        await press(pilot, "e")
        check_grid(app, (40, 12))
        for text in ("lists.export_file", "lists.export_purpose", "lists.export_codes_masked", "lists.export_save"):
            assert app.t(text)[:20] in words(app)


async def test_what_is_filtered_or_marked_leaves_and_the_box_says_so(tmp_path: Path, home: Path) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        shown = await opened(app, pilot)
        await press(pilot, "slash")
        await type_text(pilot, "00000")
        await press(pilot, "enter", "e")
        assert app.t("lists.export_filtered", shown="10", total="30") in words(app)
        await ask(app, pilot, "filtered.xlsx")
        await over(app, pilot)
        assert len(sheets(home / "filtered.xlsx")[2]) == 10
        await press(pilot, "escape", "x", "x", "e")
        assert app.t("lists.export_only_marked", count=2) in words(app)
        await ask(app, pilot, "marked.json")
        await over(app, pilot)
        head, rows = document(home / "marked.json")
        assert (head["marked"], len(rows)) == (True, 2)
        assert len(shown.rows.marks) == 2
        assert looks(app)[-1] == ("list_export", SUBJECT, 2)


async def test_codes_are_whole_when_that_is_chosen(tmp_path: Path, home: Path) -> None:
    async with listing(tmp_path, language="sv") as (app, pilot):
        await opened(app, pilot, ROWS[:2])
        await press(pilot, "e")
        await ask(app, pilot, "a.ndjson")
        await over(app, pilot)
        await press(pilot, "e", "down")
        await ask(app, pilot, "b.ndjson")
        await over(app, pilot)
        assert [one["identity_code"] for one in document(home / "a.ndjson")[1]] == ["******-*00X"] * 2
        assert [one["identity_code"] for one in document(home / "b.ndjson")[1]] == ["000000-900X", "000001-900X"]


async def test_the_shelf_exports_a_list_that_is_here(tmp_path: Path, home: Path) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.hold(published(30), ROWS)
        await press(pilot, "3", "e")
        assert app.t("lists.export_all", count=30) in words(app)
        assert looks(app) == []
        await ask(app, pilot, "a.csv")
        await over(app, pilot)
        assert len(table(home / "a.csv", ",")[2]) == 30
        assert looks(app) == [("list_rows", SUBJECT, 30), ("list_export", SUBJECT, 30)]
        await press(pilot, "down", "e")
        assert not isinstance(app.screen, ExportScreen)


# --- what hinders it ------------------------------------------------------------------------------------------------


async def test_what_hinders_is_said_in_the_box_and_nothing_typed_is_lost(tmp_path: Path, home: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (home / "a.csv").write_text("vanha")
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        await opened(app, pilot)
        await press(pilot, "e", "enter")
        await until(pilot, lambda: "file.save" not in app.tasks.names, "that a purpose is asked for")
        assert app.t("lists.export_purpose_needed", most=200)[:50] in words(app)
        await type_text(pilot, "Seuranta")
        await press(pilot, "shift+tab")
        field = app.screen.query_one("#field", LineField)
        assert field.has_focus
        for name, said in (
            ("a.csv", app.t("saving.problem.exists")),
            ("b.pdf", app.t("lists.export_ending")),
            ("none/a.csv", app.t("saving.problem.no_folder", folder=str(home / "none"))[:18]),
        ):
            await press(pilot, "ctrl+u")
            await type_text(pilot, name)
            await press(pilot, "enter")
            await until(pilot, lambda: "file.save" not in app.tasks.names, "what hinders it")
            await settled(pilot)
            assert said[:40] in words(app)
            assert (field.value, app.screen.query_one("#purpose", LineField).value) == (name, "Seuranta")
        assert looks(app) == [("list_rows", SUBJECT, 30)]
        await press(pilot, "ctrl+u")
        await type_text(pilot, f"{shared}/b.csv")
        await press(pilot, "enter")
        await until(pilot, lambda: app.t("saving.shared")[:30] in words(app), "the warning")
        assert list(shared.iterdir()) == []
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ListRowsScreen), "that it began")
        await over(app, pilot)
        assert [path.name for path in shared.iterdir()] == ["b.csv"]
        assert (home / "a.csv").read_text() == "vanha"


@pytest.mark.parametrize("key", ["e", "escape"])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
async def test_it_is_stopped_by_a_key_and_leaves_nothing(
    tmp_path: Path, home: Path, gate: threading.Event, key: str, ending: str
) -> None:
    async with listing(tmp_path, language="fi") as (app, pilot):
        shown = await opened(app, pilot)
        await press(pilot, "e")
        await ask(app, pilot, f"a.{ending}")
        progress = app.t("lists.export_progress", done="10", total="30")
        await until(pilot, lambda: progress in words(app), "how far it is")
        check_grid(app, (80, 24))
        await pilot.press("down", "down")
        await until(pilot, lambda: place(shown) == 3, "that keys do not wait for the disk")
        await pilot.press(key)
        gate.set()
        await over(app, pilot)
        assert app.screen is shown
        assert app.t("lists.export_stopped")[:30] in words(app)
        assert progress not in words(app)
        assert list(home.iterdir()) == []


async def test_one_export_at_a_time(tmp_path: Path, home: Path, gate: threading.Event) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.hold(published(3, period="2026-09"), ROWS[:3])
        await opened(app, pilot)
        await press(pilot, "e")
        await ask(app, pilot, "a.csv")
        await pilot.press("3")
        await until(pilot, lambda: app.t("lists.export_progress", done="10", total="30") in words(app), "the shelf")
        await pilot.press("down", "e")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen) and app.screen.ready, "the box")
        await ask(app, pilot, "b.csv")
        assert isinstance(app.screen, ExportScreen)
        assert app.t("lists.export_under_way", key="e") in words(app)
        gate.set()
        await until(pilot, lambda: app._exports is not None and not app._exports.busy, "the first one")
        await press(pilot, "enter")
        await over(app, pilot)
        assert sorted(path.name for path in home.iterdir()) == ["a.csv", "b.csv"]


def _withdraw(app: ListsOffice) -> None:
    app.lists.withdrawn(published(30))


def _publish_anew(app: ListsOffice) -> None:
    app.hold(published(2, version=2), ROWS[:2])


@pytest.mark.parametrize("happens", [_withdraw, _publish_anew])
async def test_of_a_list_that_goes_meanwhile_nothing_stays(
    tmp_path: Path, home: Path, gate: threading.Event, happens: Callable[[ListsOffice], None]
) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        await opened(app, pilot)
        await press(pilot, "e")
        await ask(app, pilot, "a.xlsx")
        await app.thread.run(happens, app)
        gate.set()
        await over(app, pilot)
        assert app.t("lists.export_gone")[:60] in words(app)
        assert list(home.iterdir()) == []


async def test_a_mandate_that_ends_meanwhile_ends_it(tmp_path: Path, home: Path, gate: threading.Event) -> None:
    async with listing(tmp_path, (120, 40), language="en") as (app, pilot):
        await opened(app, pilot)
        await press(pilot, "e")
        await ask(app, pilot, "a.csv")
        await app.thread.run(app.give)
        gate.set()
        await over(app, pilot)
        assert app.t("lists.export_not_any_more")[:50] in words(app)
        assert list(home.iterdir()) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_disk_that_fills_up_is_told(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "")

    async with listing(tmp_path, (120, 40), language=language) as (app, pilot):
        await opened(app, pilot)
        await press(pilot, "e")
        monkeypatch.setattr("os.fsync", full)
        await ask(app, pilot, "a.csv")
        await over(app, pilot)
        assert app.t("saving.problem.full")[:50] in words(app)
        assert list(home.iterdir()) == []


async def test_a_desk_that_closes_waits_until_nothing_is_left(
    tmp_path: Path, home: Path, gate: threading.Event
) -> None:
    async with listing(tmp_path, language="fi") as (app, pilot):
        shown = await opened(app, pilot)
        await press(pilot, "e")
        await ask(app, pilot, "a.csv")
        assert "lists.export" in app.tasks.names
        stopping = asyncio.create_task(app.exports(shown.desk).stop())
        gate.set()
        await stopping
        assert "lists.export" not in app.tasks.names
        assert list(home.iterdir()) == []


async def test_who_closes_the_app_leaves_nothing_half(tmp_path: Path, home: Path, gate: threading.Event) -> None:
    async with listing(tmp_path, language="fi") as (app, pilot):
        await opened(app, pilot)
        await press(pilot, "e")
        await ask(app, pilot, "a.xlsx")
        await until(pilot, lambda: app.t("lists.export_progress", done="10", total="30") in words(app), "the middle")
        assert len(list(home.iterdir())) == 2
        opener = threading.Thread(target=gate.set)
        opener.start()
        app.exit()
    opener.join()
    assert list(home.iterdir()) == []
