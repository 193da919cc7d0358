"""Screens that know one size: the terminal's.

A layout of Textual's tells the screen its size once more. Two sizes on their way at once, while painting is held back,
follow each other for ever: the loop is never idle, memory grows, and no timer and no signal gets a turn again. It
happens where the size is not known (a terminal of 0 × 0 from `ssh -tt` or a job, for which two defaults of Textual
differ by a line) and can happen wherever a window changes during the start.
"""

from __future__ import annotations

from textual.events import Resize
from textual.geometry import Size
from textual.message_pump import MessagePump


class OneSize(MessagePump):
    """Mixed into screens, before Textual's class: takes no size but that of the terminal as it is now.

    Attributes:
        fitted: the size for which the screen had its classes before it was styled and laid out.
    """

    fitted: Size | None = None

    async def _on_resize(self, event: Resize) -> None:
        """Stop other sizes, and the one that all is laid out for, before Textual's own handler, which is called next.

        That would lay out this screen and all below it once more.
        """
        if event.size != self.app.size or event.size == self.fitted:
            event.stop()
            event.prevent_default()
        else:
            self.fitted = None  # Textual gives and takes the classes from now on
