"""Bars: values in columns side by side, each with its label below, as a chart of a few lines and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from kelmu_tui.widgets.cells import fit

EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
"""A cell filled from below by so many eighths."""


class Bar(NamedTuple):
    """One column; `label` is cut to the column's width."""

    label: str
    value: Decimal


def chart(bars: Sequence[Bar], width: int, height: int, *, ascii_only: bool = False) -> list[str]:
    """Return `height` lines of columns and one of labels; what has no room leaves at the left, the oldest first.

    A column takes two cells or more, with one between two columns; a value above nothing always shows.
    """
    shown = bars[-max(1, (width + 1) // 3) :]
    if not shown or height < 1 or width < 1:
        return []
    cells = min(5, max(1, (width + 1) // len(shown) - 1))
    most = max((bar.value for bar in shown), default=Decimal(0))
    lines = [
        " ".join(_cell(bar.value, most, row, height, ascii_only) * cells for bar in shown)
        for row in range(height - 1, -1, -1)
    ]
    lines.append(" ".join(fit(bar.label, cells) if len(bar.label) <= cells else bar.label[:cells] for bar in shown))
    return [line[:width].rstrip() for line in lines]


def _cell(value: Decimal, most: Decimal, row: int, height: int, ascii_only: bool) -> str:
    if value <= 0 or most <= 0:
        return " "
    eighths = max(1, int(value / most * height * 8)) - row * 8
    if ascii_only:
        return "#" if eighths >= 4 or (row == 0 and eighths > 0) else " "
    return EIGHTHS[min(max(eighths, 0), 8)]
