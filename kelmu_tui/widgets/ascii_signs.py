"""For terminals without Unicode: signs of our own texts as their nearest ASCII. Letters of names stay what they are."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

SIGNS: Final = str.maketrans(
    {"…": "~", "\u00a0": " ", "–": "-", "—": "-", "“": '"', "”": '"', "„": '"', "’": "'", "·": "-", "×": "x"}
)
"""Each is one cell wide before and after."""


class AsciiSigns(LineFilter):
    """Replaces signs cell by cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's interface
        """Return `segments` with ASCII signs; the same list when there was nothing to replace."""
        if all(segment.text.isascii() for segment in segments):
            return segments
        return [Segment(segment.text.translate(SIGNS), segment.style, segment.control) for segment in segments]
