"""The net at the exit: no painted line carries a control or bidirectional character to the terminal.

Text is cleaned when it enters; this is for what slipped through, since Textual's widgets pass escape sequences in
data on to the terminal as they are.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from kelmu_tui.domain.text import clean, is_safe


class SafeText(LineFilter):
    """Replaces what may not travel in the text of segments; the app's own control segments pass."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's interface
        """Return `segments` with safe text, each as many cells wide as before; the same list when all were safe."""
        for segment in segments:
            if not _harmless(segment):
                return [segment if _harmless(segment) else _mended(segment) for segment in segments]
        return segments


def _harmless(segment: Segment) -> bool:
    text = segment.text
    # Nearly every segment ends in the first line; the expression costs ten times as much.
    if text.isascii() and text.isprintable():
        return True
    return segment.control is not None or is_safe(text)


def _mended(segment: Segment) -> Segment:
    # An escape character takes no cell and its replacement takes one: without fitting, the rest of the line would
    # move right and over the border of the next widget.
    return Segment(set_cell_size(clean(segment.text), cell_len(segment.text)), segment.style)
