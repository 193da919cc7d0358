"""Handing a text to the terminal's clipboard (OSC 52), which a user asked for with a key of its own.

No answer comes back: a terminal or a multiplexer may refuse in silence, so whoever asks says "sent", never "copied".
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final

MOST: Final = 74_994
"""Bytes of text that go through everywhere; more would be cut in silence by some terminals."""


class TooLong(ValueError):
    """The text would not arrive whole."""


def sequence(text: str) -> str:
    """Return what makes the terminal copy `text`.

    Raises:
        TooLong: nothing is sent rather than a part.
    """
    data = text.encode()
    if len(data) > MOST:
        raise TooLong
    return f"\x1b]52;c;{b64encode(data).decode('ascii')}\x07"
