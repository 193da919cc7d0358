"""How long to wait before the next attempt: random, so that a thousand clients don't knock together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from kelmu_tui.platform.ids import Ids
from kelmu_tui.store.outbox import LONGEST_WAIT

CEILING: Final = 300.0
"""Longest wait in seconds of a command between two attempts."""
PROBE_CEILING: Final = 10.0
"""Longest wait of the one probe that speaks for all: the network is back within seconds of coming back."""
PROBE_AFTER: Final = 5
"""Network failures in a row after which only the probe goes out."""
RESTART_SPREAD: Final = 2.0
"""After a start everything is due within this many seconds."""


def delay(attempts: int, ids: Ids, *, retry_after: float | None = None, ceiling: float = CEILING) -> float:
    """Return seconds to wait after `attempts` failures; what the backend asked for wins, up to an hour."""
    if retry_after is not None:
        return min(retry_after, LONGEST_WAIT.total_seconds())
    return ids.uniform(0.0, min(ceiling, 2.0 ** min(attempts, 30)))


def due(now: datetime, attempts: int, ids: Ids, retry_after: float | None = None) -> datetime:
    """Return the instant of the next attempt."""
    return now + timedelta(seconds=delay(attempts, ids, retry_after=retry_after))
