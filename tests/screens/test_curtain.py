"""The curtain: nothing is painted before it lifts, then everything, in whatever size the window has by then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyte
import pytest
from textual import events
from textual.geometry import Size
from textual.pilot import Pilot

from kelmu_tui.screens import curtain
from tests.screens.support import Office, check_grid, notices, press, settled, text_of
from tests.widgets.support import Recorder, picture, until


class Window:
    """What somebody at the terminal sees."""

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)

    def resize(self, columns: int, rows: int) -> None:
        """Have another size; what was painted stays as a terminal leaves it."""
        self._screen.resize(rows, columns)

    def look(self) -> list[str]:
        """Return the lines, with all that was painted until now."""
        self._stream.feed(Recorder.take())
        return [line.rstrip() for line in self._screen.display]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lift no curtain by the clock: these tests say when."""
    monkeypatch.setattr(curtain, "LONGEST_SECONDS", 3600.0)


@asynccontextmanager
async def behind(folder: Path) -> AsyncIterator[tuple[Office, Pilot[Any], Window]]:
    """An office at 80×24 whose window is watched, with the curtain down."""
    Recorder.take()
    app, window = Office(folder, notices(60)), Window(80, 24)
    app.driver_class = Recorder
    try:
        async with app.run_test(size=(80, 24), headless=False) as pilot:
            await settled(pilot)
            await shown(pilot, window)
            app.curtain.lower()
            before = window.look()
            await press(pilot, "j", "j")
            assert window.look() == before
            assert before != [line.rstrip() for line in picture(app)]
            yield app, pilot, window
    finally:
        app.thread.close()


async def shown(pilot: Pilot[Any], window: Window) -> None:
    """Wait until the window shows what the app has laid out, all of it."""
    await until(pilot, lambda: window.look() == [line.rstrip() for line in picture(pilot.app)], "the whole picture")


async def test_what_happened_behind_it_is_painted_when_it_lifts(tmp_path: Path) -> None:
    async with behind(tmp_path) as (app, pilot, window):
        app.curtain.lift()
        await shown(pilot, window)
        await settled(pilot)
        await shown(pilot, window)


async def test_the_limit_of_one_does_not_lift_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with behind(tmp_path) as (app, pilot, _):
        app.curtain.lift()
        monkeypatch.setattr(curtain, "LONGEST_SECONDS", 0.02)
        app.curtain.lower()
        app.curtain.lift()
        monkeypatch.setattr(curtain, "LONGEST_SECONDS", 3600.0)
        app.curtain.lower()
        later: list[bool] = []
        app.set_timer(0.05, lambda: later.append(app.curtain.down))  # rings after the first limit would have
        await until(pilot, lambda: later)
        assert later == [True]


@pytest.mark.parametrize("size", [(40, 12), (120, 40)])
@pytest.mark.parametrize("moment", ["long before", "just before", "with", "just after"])
async def test_a_window_that_changes_behind_it_is_painted_in_its_size(
    tmp_path: Path, size: tuple[int, int], moment: str
) -> None:
    async with behind(tmp_path) as (app, pilot, window):
        if moment == "just after":
            app.curtain.lift()
        window.resize(*size)
        if moment == "with":
            pilot.app.post_message(events.Resize(Size(*size), Size(*size)))
        else:
            await pilot.resize_terminal(*size)
        if moment == "long before":
            await settled(pilot)
            await until(pilot, lambda: len(picture(app)) == size[1], "the layout in the new size")
        app.curtain.lift()
        await until(pilot, lambda: len(picture(app)) == size[1], "the layout in the new size")
        await settled(pilot)
        await shown(pilot, window)
        check_grid(app, size)
        assert "▌" in text_of(app)
        assert app.screen.has_class("-narrow" if size[0] < 60 else "-wide")
