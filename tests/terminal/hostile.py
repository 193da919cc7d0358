"""Two hundred texts that somebody might send to take the terminal over, or only to break it."""

from __future__ import annotations

from typing import Final

_FRAMES: Final = ("{}", "Virta{}nen", "{}Virtanen", "Virtanen{}")

_SEQUENCES: Final = (
    "\x1b[2J",
    "\x1b[31m",
    "\x1b[?1049l",
    "\x1b[?1003h",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b]0;title\x07",
    "\x1b]8;;http://example.invalid\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP$qm\x1b\\",
    "\x1b_apc\x1b\\",
    "\x1b^pm\x1b\\",
    "\x1bc",
    "\x1b#8",
    "\x1b[6n",
    "\x1b[>c",
    "\x1b[3;4t",
    "\x1b",
    "\x9b31m",
    "\x9d52;c;eA==\x9c",
    "\x90q\x9c",
    "\x85",
    "\x07",
    "\x08\x08\x08",
    "\x0b\x0c",
    "\x0e\x0f",
    "\x00",
    "\x7f",
    "\r",
    "\n",
    "\t",
    "\u202edrowssap",
    "\u2066\u2067\u2069",
    "\u200e\u200f\u061c",
    "\u200b\u2060\ufeff",
    "\u2028\u2029",
    "a" + "\u0301" * 40,
    "\u0489" * 30,
    "\U000e0041\U000e007f",
    "\ufff9x\ufffay\ufffb",
    "\ud800",
    "\udfff\ud83d",
    "👩‍👩‍👧‍👦" * 3,
    "\u1f3fb" * 5,
    "漢字" * 10,
    "가나다",
    "ﷺ" * 5,
    "[red]x[/red]",
    "[/]",
    "[@click=app.quit]x[/]",
    "{0.__class__}",
    "%s%n",
)

HOSTILE: Final = tuple(frame.replace("{}", sequence) for sequence in _SEQUENCES for frame in _FRAMES)
