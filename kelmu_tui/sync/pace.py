"""How fast something goes on: the rate over the last seconds."""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW: Final = 5.0
"""Seconds over which a rate is taken: long enough not to jump, short enough to notice a change."""


class Pace:
    """Bytes that went on, and when."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._began: float | None = None

    def note(self, now: float, count: int) -> None:
        """Note that `count` bytes went on; `now` in seconds of a clock that only goes forwards."""
        if self._began is None:
            self._began = now
        self._seen.append((now, count))
        self._forget(now)

    def rest(self) -> None:
        """Note that nothing goes on any more."""
        self._seen.clear()
        self._began = None

    def rate(self, now: float) -> float | None:
        """Return bytes a second, None while nothing goes on."""
        self._forget(now)
        if self._began is None:
            return None
        span = min(WINDOW, now - self._began)
        return sum(count for _, count in self._seen) / span if span > 0 else None

    def _forget(self, now: float) -> None:
        while self._seen and self._seen[0][0] <= now - WINDOW:
            self._seen.popleft()
