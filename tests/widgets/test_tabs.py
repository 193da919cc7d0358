"""The line of tabs: names where they fit, numbers always, and what each tab has to tell."""

from __future__ import annotations

import pytest

from kelmu_tui.widgets.tabs import Tab, TabLine
from tests.widgets.support import picture
from tests.widgets.test_chrome import HOSTILE, Bare

TABS = (
    Tab("1", "Yhteenveto", active=True),
    Tab("2", "Vireillä", "1", news="•"),
    Tab("3", "Maksut", "14!", "warn"),
    Tab("4", "Perintä", "×", "alarm"),
)


async def shown(tabs: tuple[Tab, ...], width: int, lines: int) -> list[str]:
    line = TabLine()
    async with Bare(lambda: [line]).run_test(size=(width, 5)) as pilot:
        line.show(tabs, lines=lines)
        await pilot.pause()
        found = [text.rstrip() for text in picture(pilot.app)]
        assert all(strip.cell_length == width for strip in pilot.app.screen._compositor.render_strips())
    return [text for text in found if text]


@pytest.mark.parametrize(
    ("width", "lines", "expected"),
    [
        (80, 1, [" 1 Yhteenveto  2 Vireillä 1•  3 Maksut 14!  4 Perintä ×"]),
        (40, 2, [" 1 Yhteenveto  2 Vireillä 1•", " 3 Maksut 14!  4 Perintä ×"]),
        (40, 1, [" 1 Yhteenveto  2•  3 14!  4 ×"]),
    ],
)
async def test_tabs_fit(width: int, lines: int, expected: list[str]) -> None:
    assert await shown(TABS, width, lines) == expected


async def test_hostile_labels_are_only_text() -> None:
    (line,) = await shown((Tab("1", HOSTILE, active=True),), 80, 1)
    assert "[b]x[/]" in line
    assert "\x1b" not in line
