"""The text beside or below a list: while it is being read, the moving keys scroll it."""

from __future__ import annotations

from typing import Final

from kelmu_tui.widgets.sheet import Sheet

FAR: Final = 1_000_000
_MOVES: Final = {
    "list.down": (1, 0),
    "list.up": (-1, 0),
    "list.page_down": (0, 1),
    "list.page_up": (0, -1),
    "list.top": (-FAR, 0),
    "list.bottom": (FAR, 0),
}
"""What the moving actions mean in the text: lines and pages."""


def scroll(sheet: Sheet, action: str) -> bool:
    """Do a moving action in the text; False when it is none."""
    if action not in _MOVES:
        return False
    lines, pages = _MOVES[action]
    sheet.scroll_lines(lines)
    sheet.scroll_pages(pages)
    return True
