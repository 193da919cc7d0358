"""Breaking text into lines of terminal cells."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells

from kelmu_tui.domain.text import clean


def wrap(text: str, width: int) -> list[str]:
    """Break `text` into lines of at most `width` cells, at spaces when possible; its own line breaks stay."""
    width = max(1, width)
    lines: list[str] = []
    for paragraph in clean(text, multiline=True).replace("\t", " ").split("\n"):
        line = ""
        for word in paragraph.split(" "):
            candidate = f"{line} {word}" if line else word
            if cell_len(candidate) <= width:
                line = candidate
                continue
            if line:
                lines.append(line)
            *whole, line = chop_cells(word, width) or [""]
            lines.extend(whole)
        lines.append(line)
    return lines
