"""Sheet: text to read, made of fields, headings and paragraphs, wrapped to the width and scrolled by lines.

Serves the preview, the whole notice, help, announcements and explanations. Blocks are values; nothing is parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from kelmu_tui.widgets.cells import fit, one_line
from kelmu_tui.widgets.chrome import title_rule
from kelmu_tui.widgets.glyphs import UNICODE, Glyphs
from kelmu_tui.widgets.painted import Line, Piece, Roled
from kelmu_tui.widgets.wrapping import wrap

LABEL_WIDTH: Final = 18
"""Cells of the column of labels, at the most a third of the width."""


@dataclass(frozen=True, slots=True)
class Field:
    """A label and its value; a value of several lines keeps them."""

    label: str
    value: str
    role: str = ""
    label_role: str = "dim"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; a blank line goes before it."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text that wraps, `indent` cells from the left."""

    text: str
    role: str = ""
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Spans:
    """One line of pieces with their own roles; it wraps between the pieces."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A blank line."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lines that depend on the width, such as a chart; `draw` gets the cells there are."""

    draw: Callable[[int], Sequence[Line]]


Block = Field | Heading | Paragraph | Spans | Gap | Drawn


def layout(blocks: Iterable[Block], width: int, margin: int = 1) -> list[Line]:
    """Return the lines of `blocks` for `width` cells with a `margin` on the left."""
    inner = max(1, width - margin - 1)
    pad: Piece = (" " * margin, "")
    lines: list[Line] = []
    for block in blocks:
        match block:
            case Gap():
                lines.append([])
            case Heading(text):
                if lines:
                    lines.append([])
                lines.extend([pad, (line, "strong")] for line in wrap(text, inner))
            case Paragraph(text, role, indent):
                lines.extend([(" " * (margin + indent), ""), (line, role)] for line in wrap(text, inner - indent))
            case Field():
                lines.extend(_field(block, inner, pad))
            case Spans(pieces):
                lines.extend(_spans(pieces, inner, pad))
            case Drawn(draw):
                lines.extend([pad, *line] for line in draw(inner))
    return lines


def _field(field: Field, inner: int, pad: Piece) -> list[Line]:
    width = min(LABEL_WIDTH, max(8, inner // 3))
    values = wrap(field.value, inner - width - 1)
    label = fit(field.label, width) + " "
    return [
        [pad, (label if number == 0 else " " * (width + 1), field.label_role), (value, field.role)]
        for number, value in enumerate(values)
    ]


def _spans(pieces: Sequence[Piece], inner: int, pad: Piece) -> list[Line]:
    lines: list[list[Piece]] = [[pad]]
    used = 0
    for text, role in pieces:
        text = one_line(text)
        if used and used + cell_len(text) > inner:
            lines.append([pad])
            used = 0
            text = text.lstrip()
        for number, part in enumerate(wrap(text, inner) if cell_len(text) > inner else [text]):
            if number:
                lines.append([pad])
                used = 0
            lines[-1].append((part, role))
            used += cell_len(part)
    return list(lines)


class Sheet(Roled, can_focus=True):
    """A scrollable page of blocks; `title` stands in a rule above them when there is one."""

    DEFAULT_CSS = """
    Sheet { height: 1fr; }
    """

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's name for it
        classes: str | None = None,
        can_focus: bool = True,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = can_focus
        self._glyphs = glyphs
        self._title = ""
        self._blocks: tuple[Block, ...] = ()
        self._lines: list[Line] = []
        self._width = -1
        self._top = 0

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What is shown."""
        return self._blocks

    @property
    def offset_lines(self) -> int:
        """Lines scrolled away at the top."""
        return self._top

    @property
    def lines_below(self) -> int:
        """Lines below the last one that is shown."""
        return max(0, len(self._lines) - self._top - self._room)

    def show(self, blocks: Iterable[Block], *, title: str = "", keep: bool = False) -> None:
        """Show other blocks, from the top or with `keep` from the same line; only lines that differ are painted."""
        old = self._picture()
        self._blocks = tuple(blocks)
        self._title = title
        self._width = -1
        if not keep:
            self._top = 0
        self._lay_out()
        self._top = min(self._top, self._most)
        new = self._picture()
        changed = [y for y in range(self.size.height) if y >= len(old) or old[y] != new[y]]
        if 2 * len(changed) > self.size.height:  # one refresh of all costs less than one for each line
            self.refresh()
            return
        for y in changed:
            self.refresh(Region(0, y, self.size.width, 1))

    def scroll_lines(self, lines: int) -> None:
        """Scroll by lines, down when positive."""
        top = min(max(self._top + lines, 0), self._most)
        if top != self._top:
            self._top = top
            self.refresh()

    def scroll_pages(self, pages: int) -> None:
        """Scroll by the height of the page, less one line."""
        self.scroll_lines(pages * max(1, self._room - 1))

    @property
    def _head(self) -> int:
        return 1 if self._title else 0

    @property
    def _room(self) -> int:
        return max(1, self.size.height - self._head)

    @property
    def _most(self) -> int:
        return max(0, len(self._lines) - self._room)

    def _lay_out(self) -> None:
        width = self.size.width
        if width and width != self._width:
            self._lines = [tuple(line) for line in layout(self._blocks, width)]
            self._width = width

    def _picture(self) -> list[Line]:
        return [tuple(self._line(y)) for y in range(self.size.height)]

    def _line(self, y: int) -> Line:
        if self._title and y == 0:
            left = self.lines_below
            return title_rule(self._title, self.size.width, self._glyphs, right=f"+{left}" if left else "")
        index = y - self._head + self._top
        return self._lines[index] if 0 <= index < len(self._lines) else ()

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual passes it by name
        """Wrap anew."""
        self._width = -1
        self._lay_out()
        self._top = min(self._top, self._most)
        self.refresh()

    def on_mouse_scroll_down(self) -> None:
        """Scroll three lines."""
        self.scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        """Scroll three lines back."""
        self.scroll_lines(-3)

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        self._lay_out()
        return self.strip(self._line(y), self.size.width)
