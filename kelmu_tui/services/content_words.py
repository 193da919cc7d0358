"""What exactly was found in a file that is refused, in words: for the screen and the command line alike."""

from __future__ import annotations

from kelmu_tui.content.found import Active, What
from kelmu_tui.i18n import Translator

_WHATS = frozenset(What)
_ACTIVES = frozenset(Active)


def detail_text(t: Translator, detail: str) -> str:
    """Return what a file is or does, and what to do about it; empty for a detail that says nothing more.

    Args:
        detail: that of an `Inspection`.
    """
    if detail in _WHATS:
        return t.choice("content.what", detail)
    if detail in _ACTIVES:
        return t.choice("content.active", detail)
    return ""
