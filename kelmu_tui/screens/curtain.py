"""What stands between the app and the terminal until there is something worth to be painted.

The frame of a screen is ready some hundredths of a second before its rows. Painting it empty and then again costs
time and bytes, and flickers; one painting of the whole is there sooner.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from textual.app import App
from textual.messages import Update
from textual.timer import Timer

from kelmu_tui.terminal.one_size import OneSize

LONGEST_SECONDS: Final = 0.5
"""Whoever waits longer than this for rows is shown that they are being read."""


class Curtain:
    """Holds back what the app would paint; it never stays down for longer than `LONGEST_SECONDS`."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._held = ExitStack()
        self._limit: Timer | None = None
        self._then: Callable[[], object] | None = None
        self._behind: list[Callable[[], object]] = []

    @property
    def down(self) -> bool:
        """Whether nothing is painted now."""
        return self._limit is not None

    def lower(self, then: Callable[[], object] | None = None) -> None:
        """Paint nothing from now on; `then` is called when the curtain is up again and all has been painted."""
        self._then = then
        if self._limit is None:
            self._held.enter_context(self._app.batch_update())
            self._limit = self._app.set_timer(LONGEST_SECONDS, self.lift)

    def afterwards(self, work: Callable[[], object]) -> None:
        """Do `work` when the curtain is up and all has been painted: nobody who waits for the screen waits for it."""
        self._behind.append(work)

    def lift(self) -> None:
        """Paint everything there is, and from now on every change."""
        if self._limit is not None:
            self._limit.stop()  # else it would lift the next one before its time
            self._limit = None
            self._held.close()
            if self._app.screen_stack:
                # Laid out and wholly painted in one go, and now: a refresh would wait for the next frame, paint what
                # is laid out and then all once more.
                screen, size = self._app.screen, self._app.size
                # Not by a resize, which would have the screen below laid out as well.
                if isinstance(screen, OneSize) and screen.fitted == size:
                    screen._dirty_widgets.add(screen)  # noqa: SLF001 - as `Update` does, a turn of the loop later
                    screen._refresh_layout(size)  # noqa: SLF001
                else:  # the window has changed meanwhile: behind what is on its way because of that
                    screen.post_message(Update(screen))
                    screen.call_next(screen._refresh_layout, size)  # noqa: SLF001
            then, self._then = self._then, None
            behind, self._behind = self._behind, []
            for work in (*behind, *((then,) if then is not None else ())):
                self._app.call_after_refresh(work)
        if not gc.isenabled():
            # Switched off by `kelmu_tui.app` for the start. What the start made stays: it need not be looked at again.
            gc.freeze()
            gc.enable()
