"""Leaving when the terminal goes away or the system asks: in order if possible, within seconds in any case."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Final

SECONDS: Final = 2.0
"""How long an orderly end may take before the process ends without it. The store is safe against that: what was
committed stays, what was not never was."""

_SIGNALS: Final = (signal.SIGHUP, signal.SIGTERM)


class HangUp:
    """Ends an asyncio program once, whatever tells it first: SIGHUP, SIGTERM or a terminal that is gone.

    Args:
        leave: begins the orderly end, called on the loop with the exit code.
        end: ends the process at once; replaced in tests.
    """

    def __init__(
        self, leave: Callable[[int], object], *, seconds: float = SECONDS, end: Callable[[int], object] = os._exit
    ) -> None:
        self._leave = leave
        self._seconds = seconds
        self._end = end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._backstop: threading.Timer | None = None
        self._begun = False

    @property
    def begun(self) -> bool:
        """Whether the end has begun."""
        return self._begun

    def install(self) -> None:
        """Listen to the signals; called on the running loop, in the main thread."""
        self._loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            self._loop.add_signal_handler(number, self._begin, 128 + number)
            # The loop is still woken; but one that is too busy to listen must not outlive the limit.
            signal.signal(number, self._insist)

    def remove(self) -> None:
        """Stop listening; an end that has begun still has its limit."""
        if self._loop is not None and not self._loop.is_closed():
            for number in _SIGNALS:
                self._loop.remove_signal_handler(number)
        self._loop = None

    def call_off(self) -> None:
        """Lift the limit: everything is closed and the process ends by itself."""
        if self._backstop is not None:
            self._backstop.cancel()

    def terminal_gone(self) -> None:
        """The terminal can't be read or written any more; safe on any thread."""
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._begin, 128 + signal.SIGHUP)
        except RuntimeError:
            # The loop has closed between: the program is ending already.
            return

    def _insist(self, number: int, frame: object) -> None:
        del frame
        self._limit(128 + number)

    def _limit(self, code: int) -> None:
        if self._backstop is None:
            self._backstop = threading.Timer(self._seconds, self._end, (code,))
            self._backstop.daemon = True
            self._backstop.start()

    def _begin(self, code: int) -> None:
        if not self._begun:
            self._begun = True
            self._limit(code)
            self._leave(code)
