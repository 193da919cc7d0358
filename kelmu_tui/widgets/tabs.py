"""TabLine: the parts of a screen by number and name, how many rows each has, and which have something new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from kelmu_tui.widgets.cells import one_line
from kelmu_tui.widgets.painted import Line, Painted, Piece


class Tab(NamedTuple):
    """One part.

    Attributes:
        key: what is pressed for it.
        mark: what stands behind its name: a number, or a sign of its state in the role `role`.
        news: a sign behind that.
    """

    key: str
    label: str
    mark: str = ""
    role: str = "dim"
    news: str = ""
    active: bool = False


class TabLine(Painted):
    """The tabs on one line, on two where there is height, else only the present one by name."""

    def __init__(self) -> None:
        super().__init__(id="tabs")
        self._tabs: tuple[Tab, ...] = ()
        self._lines_at_most = 2

    def show(self, tabs: Sequence[Tab], *, lines: int = 2) -> None:
        """Show other tabs on so many lines at the most."""
        if (tuple(tabs), lines) != (self._tabs, self._lines_at_most):
            self._tabs, self._lines_at_most = tuple(tabs), lines
            self.repaint()

    def paint(self, width: int) -> Sequence[Line]:
        """Return the lines."""
        lines = _wrapped([_pieces(tab, named=True) for tab in self._tabs], width)
        if len(lines) > self._lines_at_most:
            lines = _wrapped([_pieces(tab, named=tab.active) for tab in self._tabs], width)
        return lines[: self._lines_at_most]


def _pieces(tab: Tab, *, named: bool) -> list[Piece]:
    name = one_line(tab.label) if named else ""
    tail: list[Piece] = [(f" {tab.mark}", tab.role)] if tab.mark and (named or not tab.mark.isdigit()) else []
    if tab.news:
        tail.append((tab.news, "accent"))
    if tab.active:
        return [(" ".join(part for part in (tab.key, name) if part), "strong"), *tail]
    return [(tab.key, "key"), (f" {name}" if name else "", ""), *tail]


def _wrapped(tabs: Sequence[list[Piece]], width: int) -> list[Line]:
    lines: list[list[Piece]] = [[(" ", "")]]
    used = 1
    for tab in tabs:
        length = sum(cell_len(text) for text, _ in tab)
        if used > 1 and used + 2 + length > width:
            lines.append([(" ", "")])
            used = 1
        elif used > 1:
            lines[-1].append(("  ", ""))
            used += 2
        lines[-1].extend(tab)
        used += length
    return list(lines)
