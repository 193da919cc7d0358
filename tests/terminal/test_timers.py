"""Timers on a machine that takes the processor away at the worst moment."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import time
from functools import partial
from typing import Any

import pytest
from textual import _time
from textual.app import App
from textual.message_pump import MessagePump
from textual.timer import Timer
from textual.widgets import Static

import kelmu_tui
from kelmu_tui.terminal.timers import SureTimers
from tests.widgets.support import picture, until


class Stall:
    """The clock that Textual's timers read; a second goes by between the first two looks of one that rings once."""

    def __init__(self) -> None:
        self._late = 0.0
        self._looks = 0

    def __call__(self) -> float:
        if self._looks:
            self._looks -= 1
            self._late += 1.0
        return time.monotonic() + self._late

    async def run(self, timer: Timer) -> None:
        """Run a timer; the processor is gone while it starts."""
        if timer._repeat == 0:
            self._looks = 2
        await _RUN(timer)


_RUN = Timer._run


@pytest.fixture(autouse=True)
def stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every timer that rings once start on a machine that stalls."""
    clock = Stall()
    monkeypatch.setattr(_time, "get_time", clock)

    async def run(timer: Timer) -> None:
        await clock.run(timer)

    monkeypatch.setattr(Timer, "_run", run)


class Sure(SureTimers, App[int]):
    """An app whose timers ring."""

    def __init__(self) -> None:
        super().__init__()
        self.rung = 0

    def compose(self) -> Any:
        yield Static("text")

    def ring(self) -> None:
        """Count."""
        self.rung += 1


async def test_a_timer_that_starts_late_rings_once() -> None:
    app = Sure()
    async with app.run_test() as pilot:
        app.set_timer(0.01, app.ring)
        await until(pilot, lambda: app.rung, "the timer")
        app.set_timer(0.01, app.ring)
        await until(pilot, lambda: app.rung == 2, "the next timer")
        await pilot.pause()
        assert app.rung == 2


def painted(app: App[int], lines: int) -> bool:
    """Whether the picture has so many lines."""
    return len(picture(app)) == lines


async def test_a_window_that_changes_while_the_machine_stalls_is_followed() -> None:
    app = Sure()
    async with app.run_test(size=(80, 24)) as pilot:
        for width, height in ((40, 12), (80, 24), (120, 40)):
            await pilot.resize_terminal(width, height)
            # The picture, not the size of the screen: that one is the app's, which knows better than it paints.
            await until(pilot, partial(painted, app, height), f"a picture of {height} lines")
            assert {len(line) for line in picture(app)} == {width}


def test_whatever_starts_such_timers_has_sure_ones() -> None:
    found: list[type] = []
    for module in pkgutil.walk_packages(kelmu_tui.__path__, "kelmu_tui."):
        if module.name.split(".")[1] not in ("screens", "widgets", "terminal") or module.name.endswith("__main__"):
            continue
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            own = kind.__module__ == module.name and issubclass(kind, MessagePump) and kind is not SureTimers
            if own and "self.set_timer(" in inspect.getsource(kind):
                found.append(kind)
    assert found
    assert [kind.__name__ for kind in found if not issubclass(kind, SureTimers)] == []
