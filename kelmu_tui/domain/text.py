"""Foreign text made safe: the one place that says which characters may travel.

Names, reasons and free text come from other people's systems. Control characters and bidirectional overrides in
them can write the clipboard, clear a screen or turn a sentence around, so they are replaced when text enters (wire
models, command line, dialogs) and once more where it leaves (the terminal's line filter, the CLI's printer).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
"""Shown in place of a character that may not travel, so that the reader sees that something was there."""

# C0, DEL and C1 controls; bidirectional marks, embeddings, overrides and isolates; line and paragraph separators;
# invisible operators and the byte order mark; lone surrogates; interlinear annotation; tag characters; the invisible
# format controls of Mongolian, hieroglyphs, shorthand and music.
_ALWAYS_UNSAFE = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\u2028\u2029\u200b\u2060-\u2064\u206a-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\u180e\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
_LONG_MARK_RUN: Final = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}"


@cache
def _unsafe(multiline: bool) -> re.Pattern[str]:
    # Compiled when the first text needs it: most commands of the command line meet nothing but plain text.
    return re.compile(f"[{_ALWAYS_UNSAFE}]" if multiline else f"[{_ALWAYS_UNSAFE}\t\n\r]")


@cache
def _long_mark_run() -> re.Pattern[str]:
    return re.compile(_LONG_MARK_RUN)


def is_plain(text: str) -> bool:
    """Tell quickly whether `text` is one line of printable Latin-1, which is always safe and normalised.

    Nearly all text is; a snapshot of 100 000 rows holds a million pieces of it.
    """
    if not text.isprintable():
        return False
    if text.isascii():
        return True
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def is_safe(text: str, *, multiline: bool = False) -> bool:
    """Tell whether `text` can be shown as it is: one line, or several when `multiline`."""
    if is_plain(text):
        return True
    return _unsafe(multiline).search(text) is None and _long_mark_run().search(text) is None


def clean(text: str, *, multiline: bool = False) -> str:
    """Return `text` in NFC with every unsafe character replaced; line breaks stay only when `multiline`."""
    if is_plain(text):
        return text
    # First of all, since some marks fall apart into two here, and a run of them has to be seen as long as it is.
    text = unicodedata.normalize("NFC", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n") if multiline else re.sub(r"[\t\r\n]+", " ", text)
    text = _unsafe(multiline).sub(REPLACEMENT, text)
    # A storm of combining marks paints over the rows above: three on one letter serve every language.
    text = _long_mark_run().sub(lambda match: match.group()[:3], text)
    return unicodedata.normalize("NFC", text)
