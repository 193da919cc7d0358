"""Rate limits: a bucket for each user (or chain of views, or network address) and class of request, in this process's
memory.

They stop a runaway program, not a colleague: whoever works by hand never meets them.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kelmu_backend.problems import ProblemError
from kelmu_tui.api.contract import ProblemCode
from kelmu_tui.platform.clock import Clock


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many requests may come at once, and how many each second in the long run."""

    burst: int
    rate: float


class RateClass(Enum):
    """Classes of requests with a common bucket."""

    COMMAND = Bucket(burst=400, rate=20)
    POLL = Bucket(burst=200, rate=40)
    SNAPSHOT = Bucket(burst=60, rate=1)
    READ = Bucket(burst=300, rate=20)
    SHIP = Bucket(burst=100, rate=2)
    """Batches of views, for each chain."""
    KNOCK = Bucket(burst=120, rate=1)
    """Batches that prove nothing, for each network address: good ones from the same house cost nothing."""
    UPLOAD = Bucket(burst=600, rate=30)
    """Documents on their way: ten of them in parts of half a mebibyte come at once."""
    PUBLIC = None


_USERS: Final = 20_000
"""Buckets kept; the one unused for longest goes first, which by then is full again."""


class Limits:
    """The buckets of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def charge(self, user: str, kind: RateClass) -> None:
        """Take one request of `user` from the bucket of its class.

        Raises:
            ProblemError: the bucket is empty; `Retry-After` says for how long.
        """
        self._take(user, kind, 1)

    def demand(self, user: str, kind: RateClass) -> None:
        """Ask whether `charge` would be allowed, and take nothing.

        Raises:
            ProblemError: as `charge`.
        """
        self._take(user, kind, 0)

    def _take(self, user: str, kind: RateClass, cost: int) -> None:
        bucket = kind.value
        if bucket is None:
            return
        now = self._clock.monotonic()
        key = (user, kind.name)
        with self._lock:
            left, since = self._buckets.pop(key, (float(bucket.burst), now))
            left = min(float(bucket.burst), left + (now - since) * bucket.rate)
            allowed = left >= 1
            self._buckets[key] = (left - cost if allowed else left, now)
            if len(self._buckets) > _USERS:
                self._buckets.popitem(last=False)
        if not allowed:
            wait = max(1, math.ceil((1 - left) / bucket.rate))
            raise ProblemError(ProblemCode.TOO_MANY_REQUESTS, headers={"Retry-After": str(wait)})
