"""Picking a file of the organisation's own on the screen: walking the folders, and what is no table."""

from __future__ import annotations

import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from textual import events

from kelmu_tui.domain.own_files import limits
from kelmu_tui.platform.picking import listing as listing_of
from kelmu_tui.screens import path_dialog
from kelmu_tui.screens.own_file import OwnFileScreen
from kelmu_tui.screens.own_table import OwnTableScreen
from kelmu_tui.services import own_xlsx
from kelmu_tui.services.own_files import read_table
from kelmu_tui.services.own_table import Watch
from tests.screens.lists import words
from tests.screens.own_files import asking, entries, shown, typed
from tests.screens.support import LANGUAGES, press, settled, type_text
from tests.services.own_tables import TABLE, csv_bytes, xlsx_bytes
from tests.widgets.support import until

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

    def waits(path: Path, watch: Watch) -> Any:
        if path.name == "slow":
            assert gate.wait(60)
        return real(path, watch)

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

    def late(text: str, *, hidden: bool) -> Any:
        if text.endswith("/a"):
            assert gate.wait(60)
        return real(text, hidden=hidden)

    monkeypatch.setattr(path_dialog, "listing", late)
    async with asking(home) as (app, pilot, _):
        await pilot.press("a")
        await pilot.press("x")
        gate.set()
        await settled(pilot)
        assert entries(app) == []


async def test_a_pasted_path_is_listed_before_enter_opens_a_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "a").write_bytes(b"%PDF-1")
    (home / "b").mkdir()
    (home / "b" / "own").write_bytes(csv_bytes(TABLE))
    gate, real = threading.Event(), listing_of

    def late(text: str, *, hidden: bool) -> Any:
        if text.endswith("b/own"):
            assert gate.wait(60)
        return real(text, hidden=hidden)

    monkeypatch.setattr(path_dialog, "listing", late)
    async with asking(home) as (app, pilot, _):
        app.post_message(events.Paste("b/own"))
        try:
            await pilot.press("enter")
        finally:
            gate.set()
        await settled(pilot)
        assert shown(app) is OwnTableScreen
        await press(pilot, "escape")
        assert typed(app) == "~/b/own"


async def test_leaving_ends_what_is_being_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = home.parent / "child.py"
    child.write_text("import sys, time\nsys.stdin.buffer.read()\ntime.sleep(600)")
    monkeypatch.setattr(own_xlsx, "_CHILD", child)
    (home / "own").write_bytes(xlsx_bytes(TABLE))
    begun, real = list[subprocess.Popen[bytes]](), subprocess.Popen

    def remembered(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        begun.append(real(*arguments, **options))
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", remembered)
    async with asking(home) as (app, pilot, asked):
        await type_text(pilot, "own")
        await pilot.press("enter")
        await until(pilot, lambda: bool(begun), "a reader")
        assert app.t("own_file.reading") in words(app)
        await press(pilot, "escape")
        assert [one.returncode for one in begun] == [-signal.SIGKILL]
        assert asked.dismissed == [None]
