"""The first rows of a table in the width there is: the wanted columns first, identity codes hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.cells import cell_len

from kelmu_tui.services.own_table import Row, text_of
from kelmu_tui.services.own_words import hidden, letters
from kelmu_tui.widgets.cells import fit
from kelmu_tui.widgets.painted import Line, Piece
from kelmu_tui.widgets.sheet import Drawn

WIDEST: Final = 24
NARROWEST: Final = 6
GAP: Final = "  "


def preview(rows: Sequence[Row], wanted: Sequence[int | None]) -> Drawn:
    """Return headings and rows as a drawing; `wanted` are the places of the columns that count."""
    return Drawn(_drawing(rows, [place for place in wanted if place is not None]))


def _drawing(rows: Sequence[Row], wanted: Sequence[int]) -> Callable[[int], Sequence[Line]]:
    most = max((len(row) for row in rows), default=0)
    filled = [place for place in range(most) if any(text_of(row[place]) for row in rows if place < len(row))]
    order = [*wanted, *(place for place in filled if place not in wanted)]
    texts = [[hidden(row[place]) if place < len(row) else "" for place in order] for row in rows]

    def draw(width: int) -> Sequence[Line]:
        return list(_lines(order, texts, len(wanted), width))

    return draw


def _lines(order: Sequence[int], texts: Sequence[Sequence[str]], wanted: int, width: int) -> Iterator[Line]:
    widths = _widths(texts, width)
    left = len(order) - len(widths)
    names = [letters(place + 1) for place in order]
    yield _line(names, widths, "dim", "key", wanted, f"+{left}" if left else "")
    for number, row in enumerate(texts):
        yield _line(row, widths, "dim", "" if number else "strong", wanted)


def _line(texts: Sequence[str], widths: Sequence[int], role: str, own: str, wanted: int, end: str = "") -> Line:
    pieces: list[Piece] = []
    for number, (text, width) in enumerate(zip(texts, widths, strict=False)):
        pieces.append((fit(text, width) + GAP, own if number < wanted else role))
    if end:
        pieces.append((end, "dim"))
    return pieces


def _widths(texts: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the widths of as many columns as there is room for, the first of them in any case."""
    found: list[int] = []
    room = width - 4  # how many columns are not shown
    for number in range(len(texts[0]) if texts else 0):
        wish = min(WIDEST, max(NARROWEST, *(cell_len(row[number]) for row in texts)))
        if found and room < NARROWEST:
            break
        found.append(max(1, min(wish, room)))
        room -= found[-1] + len(GAP)
    return found
