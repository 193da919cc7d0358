"""Picking documents from the disk by keyboard: paths, marks, hidden and odd names, folders that may not be read."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from kelmu_tui.platform.picking import listing as listing_of
from kelmu_tui.screens import path_dialog
from kelmu_tui.screens.document_pick import DocumentPickScreen
from kelmu_tui.widgets.picker import PickList
from kelmu_tui.widgets.text_field import LineField
from tests.screens.sendings import SendingsOffice, sending, words
from tests.screens.support import LANGUAGES, SIZES, check_grid, press, settled, text_of, type_text

Answers = list[tuple[Path, ...] | None]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "koti"
    (folder / "kansio").mkdir(parents=True)
    for name in ("lasku.pdf", "lasku2.pdf", "tiliote.pdf", ".salattu.pdf", "kansio/vuokra.pdf"):
        (folder / name).write_bytes(b"%PDF-")
    monkeypatch.setenv("HOME", str(folder))
    return folder


@asynccontextmanager
async def picking(
    home: Path, size: tuple[int, int] = (80, 24), folder: str = "~/", **options: Any
) -> AsyncIterator[tuple[SendingsOffice, Pilot[Any], Answers, list[str]]]:
    """Run an office that asks for files."""
    async with sending(home.parent / "store", (), size, **options) as (app, pilot):
        answers, folders = Answers(), list[str]()
        app.push_screen(DocumentPickScreen(folder, folders.append), answers.append)
        await settled(pilot)
        yield app, pilot, answers, folders


def entries(app: SendingsOffice) -> list[str]:
    return [choice.cells[1] for choice in app.screen.query_one(PickList).matches]


async def test_a_file_is_found_by_its_first_letters_and_the_folder_is_remembered(home: Path) -> None:
    async with picking(home) as (app, pilot, answers, folders):
        assert entries(app) == ["kansio/", "lasku.pdf", "lasku2.pdf", "tiliote.pdf"]
        await type_text(pilot, "TIL")
        assert entries(app) == ["tiliote.pdf"]
        await press(pilot, "enter")
        assert answers == [(home / "tiliote.pdf",)]
        assert folders == ["~/"]


async def test_a_path_is_completed_and_folders_are_walked(home: Path) -> None:
    async with picking(home) as (app, pilot, answers, folders):
        await type_text(pilot, "l")
        await press(pilot, "tab")
        assert app.screen.query_one(LineField).value == "~/lasku"
        await press(pilot, "ctrl+u")
        await type_text(pilot, "~/k")
        await press(pilot, "tab")
        assert app.screen.query_one(LineField).value == "~/kansio/"
        assert entries(app) == ["vuokra.pdf"]
        await press(pilot, "shift+tab")
        assert app.screen.query_one(LineField).value == "~/"
        await press(pilot, "enter", "enter")
        assert answers == [(home / "kansio" / "vuokra.pdf",)]
        assert folders == ["~/kansio/"]


async def test_marks_on_several_files_also_of_several_folders_are_taken_together(home: Path) -> None:
    async with picking(home) as (app, pilot, answers, _):
        await press(pilot, "down", "ctrl+t", "ctrl+t", "down")
        assert "2 merkittyä" in text_of(app)
        await press(pilot, "up", "up", "ctrl+t")  # the first is not wanted after all
        assert "1 merkitty" in text_of(app)
        await press(pilot, "up", "up", "up", "ctrl+t")
        assert "Kansiota ei voi merkitä" in text_of(app)
        await press(pilot, "enter", "ctrl+t", "enter")
        assert answers == [(home / "lasku2.pdf", home / "kansio" / "vuokra.pdf")]


async def test_hidden_names_are_shown_on_demand(home: Path) -> None:
    async with picking(home) as (app, pilot, answers, _):
        assert ".salattu.pdf" not in entries(app)
        await press(pilot, "ctrl+g")
        assert ".salattu.pdf" in entries(app)
        await press(pilot, "ctrl+g")
        assert ".salattu.pdf" not in entries(app)
        await type_text(pilot, ".s")
        await press(pilot, "enter")
        assert answers == [(home / ".salattu.pdf",)]


async def test_names_that_no_terminal_can_show_are_counted_and_long_ones_cut(home: Path) -> None:
    (home / "paha\x1b[2J.pdf").write_bytes(b"")
    (home / ("x" * 200 + ".pdf")).write_bytes(b"")
    (home / "[b]nimi.pdf").write_bytes(b"")
    async with picking(home) as (app, pilot, answers, _):
        check_grid(app, (80, 24))
        assert "Yhtä kohdetta ei näytetä" in words(app)
        assert "[b]nimi.pdf" in text_of(app)
        await type_text(pilot, "xx")
        await press(pilot, "enter")
        assert answers == [(home / ("x" * 200 + ".pdf"),)]


async def test_what_is_not_there_or_may_not_be_read_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with picking(home) as (app, pilot, answers, _):
        await type_text(pilot, "puuttuu/")
        assert "Sellaista kansiota ei ole" in text_of(app)
        scan = os.scandir

        def denied(path: Any) -> Any:
            if str(path).endswith("kansio"):
                raise PermissionError
            return scan(path)

        monkeypatch.setattr(os, "scandir", denied)
        await press(pilot, "ctrl+u")
        await type_text(pilot, "~/kansio/")
        assert "Kansiota ei saa lukea" in text_of(app)
        await press(pilot, "ctrl+u", "enter")
        assert not answers


async def test_a_whole_path_can_be_typed_and_escape_takes_nothing(home: Path) -> None:
    async with picking(home) as (_app, pilot, answers, _):
        await press(pilot, "ctrl+u")
        await type_text(pilot, str(home / "tiliote.pdf"))
        await press(pilot, "enter")
        assert answers == [(home / "tiliote.pdf",)]
    async with picking(home, folder="~/kansio/") as (_, pilot, answers, _folders):
        await press(pilot, "escape")
        assert answers == [None]


# --- a disk that takes its time -------------------------------------------------------------------------------------

TILIOTE = "/~/til"
"""Pasted behind a path it takes its place."""


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A disk that says what `TILIOTE` can become once it is let go on."""
    gate = threading.Event()

    def late(text: str, *, hidden: bool) -> Any:
        if text.endswith(TILIOTE):
            assert gate.wait(60)
        return listing_of(text, hidden=hidden)

    monkeypatch.setattr(path_dialog, "listing", late)
    return gate


async def pasted(app: SendingsOffice, pilot: Pilot[Any], disk: threading.Event, *keys: str) -> None:
    """Paste a path and press keys before the disk has said what it can become."""
    app.post_message(events.Paste(TILIOTE))
    try:
        await pilot.press(*keys)
    finally:
        disk.set()
    await settled(pilot)


@pytest.mark.parametrize("keys", [("enter",), ("ctrl+t", "enter"), ("tab", "enter"), ("down", "up", "enter")])
async def test_keys_wait_until_the_list_is_of_the_path_that_was_pasted(
    home: Path, disk: threading.Event, keys: tuple[str, ...]
) -> None:
    async with picking(home, folder="~/kansio/") as (app, pilot, answers, folders):
        assert entries(app) == ["vuokra.pdf"]
        await pasted(app, pilot, disk, *keys)
        assert answers == [(home / "tiliote.pdf",)]
        assert folders == ["~/"]


@pytest.mark.parametrize("keys", [("enter", "x"), ("enter", "shift+tab"), ("ctrl+t", "ctrl+g")])
async def test_what_waits_is_not_done_to_another_list(home: Path, disk: threading.Event, keys: tuple[str, ...]) -> None:
    async with picking(home, folder="~/kansio/") as (app, pilot, answers, _):
        await pasted(app, pilot, disk, *keys)
        assert isinstance(app.screen, DocumentPickScreen)
        assert not answers
        assert "merkit" not in app.screen.query_one("#effect").render_line(0).text


async def test_nothing_that_waits_is_done_under_another_screen(home: Path, disk: threading.Event) -> None:
    async with picking(home, folder="~/kansio/") as (app, pilot, answers, _):
        app.post_message(events.Paste(TILIOTE))
        await pilot.press("enter")
        app.push_screen(DocumentPickScreen("~/", lambda _: None))
        await pilot.pause()
        disk.set()
        await settled(pilot)
        await press(pilot, "escape")
        assert isinstance(app.screen, DocumentPickScreen)
        assert not answers


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_the_picker_stands_in_every_size_and_language(home: Path, size: tuple[int, int], language: str) -> None:
    async with picking(home, size, language=language) as (app, pilot, _, _folders):
        await press(pilot, "down", "ctrl+t")
        check_grid(app, size)
        assert "lasku" in text_of(app)
        assert "└" in text_of(app)


def test_a_folder_of_very_many_files_says_that_there_are_more(home: Path) -> None:
    for number in range(205):
        (home / "kansio" / f"{number:03}.pdf").write_bytes(b"")
    found = listing_of("~/kansio/")
    assert found.more
    assert len(found.entries) == 200
    assert not listing_of("~/kansio/00").more
