"""Samples, extracts, and what supervisors take along of them from the screen."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from kelmu_tui.screens.save_file import SaveScreen
from kelmu_tui.screens.supervision import SupervisionScreen
from kelmu_tui.services.audit_typing import Part
from tests.screens.look_ups import (
    CHIEF,
    CODE,
    LOG,
    arrive,
    audited,
    bodies,
    dialog,
    logs,
    search,
    words,
)
from tests.screens.look_ups import TWO_SIZES as SIZES
from tests.screens.support import HOSTILE, LANGUAGES, check_grid, press, text_of, type_text
from tests.widgets.support import until

# --- samples and extracts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_a_sample_shows_its_seed_and_is_drawn_again_by_it(
    tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    async with logs(tmp_path, LOG, size, session=CHIEF, language=language) as (app, pilot):
        await arrive(app, pilot, "S")
        await press(pilot, "t", "enter")
        check_grid(app, size)
        await type_text(pilot, "P-7")
        await press(pilot, "tab", "ctrl+u")
        await type_text(pilot, "3")
        await press(pilot, "enter")
        check_grid(app, size)
        (body,) = bodies(app)
        assert body == {
            "purpose": "monitoring",
            "case_reference": "P-7",
            "size": 3,
            "since": "2026-10-21",
            "until": "2026-11-20",
            "flags": [],
        }
        assert "4711" in text_of(app).splitlines()[3]
        assert app.t("look_ups.drawn_of", count=3, whole=11) in words(app)
        await press(pilot, "R")
        assert bodies(app)[-1]["seed"] == 4711


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
async def test_an_extract_is_asked_by_a_checked_code_that_is_never_shown_whole_afterwards(
    tmp_path: Path, size: tuple[int, int], language: str
) -> None:
    async with logs(tmp_path, LOG, size, session=CHIEF, language=language) as (app, pilot):
        screen = await arrive(app, pilot, "S")
        await press(pilot, "e", "down", "down", "enter")
        await type_text(pilot, CODE.value[:-1])
        assert app.t("customer_view.find_missing", count=1) in words(app)
        await press(pilot, "enter")
        assert app.requests == []
        await type_text(pilot, CODE.value[-1])
        check_grid(app, size)
        await press(pilot, "enter")
        check_grid(app, size)
        (body,) = bodies(app)
        assert body == {"purpose": "customer_request", "identity_code": CODE.value}
        assert CODE.value not in str(app.requests[0].url)
        assert CODE.masked in text_of(app)
        assert CODE.value not in text_of(app)
        assert isinstance(screen, SupervisionScreen)
        assert CODE.value not in repr((screen.found, screen._typed))
        await press(pilot, "e")
        assert dialog(app)._typed[Part.PURPOSE] == "customer_request"
        assert CODE.value not in text_of(app)
        await press(pilot, "escape", "R")
        assert bodies(app)[-1] == {"purpose": "customer_request", "customer": "p1"}


async def test_of_somebody_of_whom_nothing_came_the_code_has_to_be_typed_again(tmp_path: Path) -> None:
    async with logs(tmp_path, [], session=CHIEF) as (app, pilot):
        await arrive(app, pilot, "S")
        await press(pilot, "e", "enter")
        await type_text(pilot, CODE.value)
        await press(pilot, "enter")
        assert app.t("look_ups.nothing_found") in words(app)
        await press(pilot, "R")
        assert len(app.requests) == 1
        assert app.t("look_ups.type_again")[:30] in words(app)


async def test_a_wrong_code_and_a_missing_ground_are_told(tmp_path: Path) -> None:
    async with logs(tmp_path, LOG, session=CHIEF) as (app, pilot):
        await arrive(app, pilot, "S")
        await press(pilot, "e", "tab")
        await type_text(pilot, CODE.value[:-1] + ("A" if CODE.value[-1] != "A" else "B"))
        assert app.t("customer_view.wrong.check", at=11)[:30] in words(app)
        await press(pilot, "enter")
        assert app.t("look_ups.unfit.purpose") in words(app)
        assert app.requests == []


# --- what leaves ----------------------------------------------------------------------------------------------------


async def test_one_look_up_is_copied_cleanly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    async with logs(tmp_path, [audited(1, reason=HOSTILE)], session=CHIEF) as (app, pilot):
        await search(app, pilot)
        assert app._driver is not None
        write = app._driver.write

        def record(data: str) -> None:
            sent.append(data)
            write(data)

        monkeypatch.setattr(app._driver, "write", record)
        await press(pilot, "y")
        copied = next(data for data in sent if "]52;" in data).rpartition("]52;c;")[2]
        text = base64.b64decode(copied.rstrip("\x07\x1b\\")).decode()
        assert "******-*001" in text
        assert not set("\x1b\x07\u202e\u200b") & set(text)


async def test_an_extract_is_written_to_a_new_file_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "kelmu-extract-2026-11-20.txt"
    path.write_text("tärkeä", encoding="utf-8")
    async with logs(tmp_path / "desk", LOG, session=CHIEF, language="en") as (app, pilot):
        await arrive(app, pilot, "S")
        await press(pilot, "w")
        assert app.t("look_ups.nothing_asked") in words(app)
        await press(pilot, "e", "enter")
        await type_text(pilot, CODE.value)
        await press(pilot, "enter", "w")
        assert isinstance(app.screen_stack[-1], SaveScreen)
        check_grid(app, (80, 24))
        await press(pilot, "enter")
        await until(pilot, lambda: app.t.choice("saving.problem", "exists")[:30] in words(app), "what hinders it")
        assert path.read_text(encoding="utf-8") == "tärkeä"
        await press(pilot, "ctrl+u")
        await type_text(pilot, "~/ote.txt")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, SupervisionScreen), "the end of writing")
        written = tmp_path / "ote.txt"
        text = written.read_text(encoding="utf-8")
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
        for word in (CODE.masked, "Laura Koski", "Käyttäjä 1", "S-1", "Regular own control"):
            assert word in text, word
        assert CODE.value not in text


async def test_what_others_wrote_is_only_text(tmp_path: Path) -> None:
    log = [audited(1, user_name=HOSTILE, reason=HOSTILE, case_reference=HOSTILE[:20], outcome="odd")]
    async with logs(tmp_path, log, (120, 40), session=CHIEF) as (app, pilot):
        await search(app, pilot)
        check_grid(app, (120, 40))
        assert "[b]x[/]" in text_of(app)
        await press(pilot, "s")
        check_grid(app, (120, 40))
        assert "[b]x[/]" in text_of(app)
