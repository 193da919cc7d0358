"""A gauge: how much of a whole is used, as a bar of one line with parts of eighths, and as per cent for who reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
"""A cell filled from the left by so many eighths."""
ROOM: Final = "░"


def bar(share: Decimal, width: int, *, ascii_only: bool = False) -> str:
    """Return a bar of exactly `width` cells, filled from the left.

    What is not nothing shows at least its smallest sign, and what is not yet full is never shown as full.

    Args:
        share: of the whole, 1 for all of it; what lies outside is cut.
    """
    if width <= 0:
        return ""
    share = min(max(share, Decimal(0)), Decimal(1))
    if ascii_only:
        room = max(0, width - 2)
        return f"[{'#' * _filled(share, room)}{'.' * (room - _filled(share, room))}]"[:width]
    whole, part = divmod(_filled(share, width * 8), 8)
    text = EIGHTHS[-1] * whole + (EIGHTHS[part] if part else "")
    return text + ROOM * (width - len(text))


def _filled(share: Decimal, steps: int) -> int:
    filled = max(int(share * steps), int(share > 0))
    return filled if share >= 1 else min(filled, max(0, steps - 1))


def percent(share: Decimal) -> int:
    """Return the share in whole per cent, rounded down so that only what is full reads 100."""
    return int(min(max(share, Decimal(0)), Decimal(1)) * 100)
