"""Columns and cells of a list: how wide, how cut, in which style.

Widths are terminal cells, not characters. Text comes in as it is in the data and leaves on one line, without
control characters and without markup: nothing here parses anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kelmu_tui.domain.text import clean, is_safe

ELLIPSIS: Final = "…"
NARROW: Final = 60
"""Below this many cells columns stand one cell apart, else two."""


class Column(NamedTuple):
    """A column of a list.

    Attributes:
        width: least cells it needs.
        good: cells in which most of its texts are whole; columns grow to this before any grows further.
        most: cells it may grow to when there is still room.
        drop: columns with the highest number leave first when the list is too narrow; 0 never leaves.
    """

    id: str
    label: str
    width: int
    good: int = 0
    most: int = 0
    align: Literal["left", "right"] = "left"
    drop: int = 0


class Cell(NamedTuple):
    """Text of one cell.

    Attributes:
        role: one of `roles.ROLES`, empty for the plain one.
        short: shown where the text does not fit, in place of its beginning.
    """

    text: str
    role: str = ""
    short: str = ""

    def fitted(self, width: int, align: str) -> str:
        """Return the text, or its short form, in exactly `width` cells."""
        text = self.short if self.short and cell_len(self.text) > width else self.text
        return fit(text, width, align)


class Placed(NamedTuple):
    """A column that has room, with its final width."""

    column: Column
    width: int


def one_line(text: str) -> str:
    """Return `text` as one line that is safe to show."""
    return text if is_safe(text) else clean(text)


def fit(text: str, width: int, align: str = "left") -> str:
    """Return `text` in exactly `width` cells, with an ellipsis when something had to go."""
    if width <= 0:
        return ""
    text = one_line(text)
    length = cell_len(text)
    if length > width:
        text = set_cell_size(text, width - 1).rstrip() + ELLIPSIS
        length = cell_len(text)
    padding = " " * (width - length)
    return padding + text if align == "right" else text + padding


def place(columns: Sequence[Column], width: int) -> tuple[Placed, ...]:
    """Share `width` cells among `columns`: the least important leave first, the rest grows evenly to its limit."""
    gap = gap_of(width)
    kept = list(columns)
    while len(kept) > 1 and _least(kept, gap) > width:
        leaving = max(kept, key=lambda column: column.drop)
        if leaving.drop == 0:
            break
        kept.remove(leaving)
    widths = {column.id: column.width for column in kept}
    spare = width - _least(kept, gap)
    if spare < 0 and kept:
        widths[kept[-1].id] = max(1, widths[kept[-1].id] + spare)
    spare = _grow(widths, kept, spare, lambda column: column.good)
    _grow(widths, kept, spare, lambda column: max(column.good, column.most))
    return tuple(Placed(column, widths[column.id]) for column in kept)


def _grow(widths: dict[str, int], columns: Sequence[Column], spare: int, limit: Callable[[Column], int]) -> int:
    """Share `spare` cells evenly among the columns below their limit; return what is left."""
    while spare > 0:
        growing = [column for column in columns if widths[column.id] < limit(column)]
        if not growing:
            break
        for column in growing[:spare]:
            widths[column.id] += 1
        spare -= min(spare, len(growing))
    return spare


def gap_of(width: int) -> int:
    """Return how many cells part two columns in a list of `width` cells."""
    return 1 if width < NARROW else 2


def _least(columns: Sequence[Column], gap: int) -> int:
    return sum(column.width for column in columns) + gap * max(0, len(columns) - 1)


def lean(style: Style) -> Style:
    """Return `style` without colours that are the terminal's own: plain text then travels without any code."""
    if (style.color is None or style.color.is_default) and (style.bgcolor is None or style.bgcolor.is_default):
        return style.without_color
    if style.bgcolor is not None and style.bgcolor.is_default:
        return style.without_color + Style(color=style.color)
    return style


def join(pieces: Iterable[tuple[str, Style]], width: int, fill: Style) -> Strip:
    """Return a strip of `width` cells from pieces of text; neighbours of one style become one segment.

    Every change of style costs a dozen bytes on the line to the terminal, every row of every scroll.
    """
    segments: list[Segment] = []
    used = 0
    for text, style in pieces:
        if not text:
            continue
        used += cell_len(text)
        if segments and (segments[-1].style == style or (text.isspace() and _same_ground(segments[-1].style, style))):
            segments[-1] = Segment(segments[-1].text + text, segments[-1].style)
        else:
            segments.append(Segment(text, style))
    if used < width:
        if segments and segments[-1].style == fill:
            segments[-1] = Segment(segments[-1].text + " " * (width - used), fill)
        else:
            segments.append(Segment(" " * (width - used), fill))
    strip = Strip(segments, max(used, width))
    return strip if used <= width else strip.crop(0, width)


def _same_ground(one: Style | None, other: Style) -> bool:
    """Tell whether a blank looks the same in both styles."""
    if one is None:
        return False
    return (one.bgcolor, one.reverse, one.underline, one.strike) == (
        other.bgcolor,
        other.reverse,
        other.underline,
        other.strike,
    )
