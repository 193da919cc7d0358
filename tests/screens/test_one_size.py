"""Two sizes on their way at once: the screen takes the terminal's, and comes to rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen

from kelmu_tui.terminal.one_size import OneSize
from tests.screens.support import Office

ENOUGH = 20
"""Layouts after which a screen that is told two sizes does not come to rest any more."""


@pytest.mark.parametrize("first", [True, False])
async def test_sizes_do_not_follow_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool) -> None:
    layouts: list[Size | None] = []
    plain = Screen._refresh_layout

    def counted(screen: Screen[object], size: Size | None = None, scroll: bool = False) -> None:
        layouts.append(size)
        assert len(layouts) < ENOUGH
        plain(screen, size, scroll)

    app = Office(tmp_path, ())
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            screen = app.screen_stack[0] if first else app.screen
            assert isinstance(screen, OneSize)
            await pilot.pause()
            monkeypatch.setattr(Screen, "_refresh_layout", counted)
            with app.batch_update():
                for height in (25, 24):
                    size = Size(80, height)
                    screen.post_message(Resize(size, size))
                    screen.call_later(lambda: None)  # between them, so that one does not replace the other
                for _ in range(ENOUGH):
                    await pilot.pause()
            assert screen.size == Size(80, 24)
            assert Size(80, 25) not in layouts
    finally:
        app.thread.close()
