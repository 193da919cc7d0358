"""Widgets painted line by line in named roles: the colours stand in one table, the widgets say only what it is.

A painted widget compares what it would show with what it shows and repaints the lines that differ, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.style import Style
from textual import events
from textual.app import App
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from kelmu_tui.widgets.cells import fit, join, lean
from kelmu_tui.widgets.line_cache import LineCache
from kelmu_tui.widgets.roles import dye

Piece = tuple[str, str]
"""Text and role."""
Line = Sequence[Piece]

_STYLES: Final[dict[tuple[Style, str, str, bool], Style]] = {}


class Roled(Widget):
    """A widget whose text has roles."""

    ALLOW_SELECT = False

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._styles_cache = LineCache()
        self._role_styles: dict[str, Style] = {}
        self._ground: Style | None = None

    def notify_style_update(self) -> None:
        """Forget the styles of the theme before."""
        self._role_styles.clear()
        self._ground = None
        super().notify_style_update()

    def role(self, name: str) -> Style:
        """Return the style of a role."""
        style = self._role_styles.get(name)
        if style is None:
            if self._ground is None:
                self._ground = self.rich_style
            style = self._role_styles[name] = _dyed(self._ground, name, self.app)
        return style

    def strip(self, line: Line, width: int) -> Strip:
        """Return a line as a strip of `width` cells."""
        return join([(text, self.role(role)) for text, role in line], width, self.role("plain"))


def _dyed(ground: Style, role: str, app: App[Any]) -> Style:
    """Return the style of a role on a ground; most widgets of all screens share few grounds."""
    key = (ground, role, app.theme, app.has_class("-contrast"))
    style = _STYLES.get(key)
    if style is None:
        style = _STYLES[key] = lean(dye(ground, role, app.theme_variables, contrast=key[3]))
    return style


class Painted(Roled):
    """A widget with a few lines that `paint` makes; call `repaint` when what they say has changed."""

    DEFAULT_CSS = """
    Painted { height: auto; }
    """

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._painted_width = -1

    def paint(self, width: int) -> Sequence[Line]:
        """Return the lines for `width` cells."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Compare what is to be shown with what is shown, and paint the difference."""
        if not self.is_mounted or not self.size.width:
            self._painted_width = -1
            self.refresh(layout=True)
            return
        old, width = self._lines, self.size.width
        new = self._lines = [tuple(line) for line in self.paint(width)]
        self._painted_width = width
        if len(new) != len(old) and self.styles.height is not None and self.styles.height.is_auto:
            self.refresh(layout=True)
            return
        for y in range(min(max(len(old), len(new)), self.size.height)):
            if y >= len(old) or y >= len(new) or old[y] != new[y]:
                self.refresh(Region(0, y, width, 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - an override
        """Return the number of lines."""
        return len(self._fresh(width))

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - an override
        """Take all the width there is."""
        return container.width

    def _fresh(self, width: int) -> Sequence[Line]:
        if width != self._painted_width:
            self._lines = [tuple(line) for line in self.paint(width)]
            self._painted_width = width
        return self._lines

    def on_resize(self, event: events.Resize) -> None:
        """Lay the lines out anew for another width."""
        if event.size.width != self._painted_width:
            self._painted_width = -1
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        width = self.size.width
        lines = self._fresh(width)
        return self.strip(lines[y] if y < len(lines) else (), width)


def both_ends(left: Line, right: Line, width: int) -> list[Piece]:
    """Return a line with `left` at its start and `right` at its end; the left gives way when both don't fit."""
    from rich.cells import cell_len

    right_width = sum(cell_len(text) for text, _ in right)
    room = max(0, width - right_width - 1)
    pieces: list[Piece] = []
    for text, role in left:
        length = cell_len(text)
        if length > room:
            pieces.append((fit(text, room), role))
            room = 0
            break
        pieces.append((text, role))
        room -= length
    pieces.append((" " * (room + 1), ""))
    pieces.extend(right)
    return pieces
