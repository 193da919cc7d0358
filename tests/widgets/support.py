"""What tests of the full-screen face share: waiting for a condition, the picture as text, the bytes it costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

PATIENCE: Final = 30.0
"""Seconds that a wait lasts before it fails."""


class Recorder(HeadlessDriver):
    """A driver that collects what a real terminal would get."""

    written: Final[list[str]] = []

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.written.append(data)

    @classmethod
    def take(cls) -> str:
        """Return what was written since the last call."""
        text = "".join(cls.written)
        cls.written.clear()
        return text


def picture(app: App[Any]) -> list[str]:
    """Return the screen as lines of text."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


async def until(pilot: Pilot[Any], holds: Callable[[], object], what: str = "") -> None:
    """Let the app work until `holds`; fail with the picture when it does not within `PATIENCE`."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited for {what or holds}\n" + "\n".join(picture(pilot.app)))
        if pilot.app._exception is not None:
            raise pilot.app._exception
        await asyncio.sleep(0.002)


async def shows(pilot: Pilot[Any], *texts: str) -> None:
    """Wait until all `texts` are on the screen."""
    await until(pilot, lambda: all(text in "\n".join(picture(pilot.app)) for text in texts), repr(texts))


async def gone(pilot: Pilot[Any], text: str) -> None:
    """Wait until `text` is not on the screen."""
    await until(pilot, lambda: text not in "\n".join(picture(pilot.app)), f"{text!r} to go")
