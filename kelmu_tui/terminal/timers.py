"""Timers that always ring.

Textual's timer skips beats that it is too late for, also the only beat of a timer that rings once: when the system
takes the processor away for longer than the delay between two lines of its start, the callback is never called. The
app forwards a new size of the window after 1/120 s by such a timer and takes no other size while it waits for it, so
that one bad moment on a busy machine would leave the picture in the old size for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message_pump import MessagePump

if TYPE_CHECKING:
    from textual.timer import Timer, TimerCallback


class SureTimers(MessagePump):
    """Mixed into whatever starts timers that ring once: they ring late rather than never."""

    def set_timer(
        self,
        delay: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        pause: bool = False,
    ) -> Timer:
        """Call `callback` once, `delay` seconds from now or later."""
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False  # noqa: SLF001 - read when the timer's task runs for the first time, after this
        return timer
