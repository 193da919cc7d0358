"""The time that leases, retention, waiting commands and the log of views go by: nobody gains by turning the clock.

What the backend said the time was is carried on by the machine's count of seconds since it was started, which no user
sets and which goes on in its sleep. It is kept in the ledger, so that it holds for every process until the machine is
started again. After that there is only the wall clock, and the last time that is known to have been reached: the later
of the two counts, and a wall clock that lies behind is told (`behind`).
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from kelmu_tui.platform.clock import Clock

SECRET: Final = "clock"  # noqa: S105 - a name in the table of secrets
KEEP_EVERY: Final = timedelta(minutes=5)
"""How old the kept time may become: so much could be gained by turning the clock back over a restart of the machine."""
TOLERANCE: Final = timedelta(minutes=5)
"""Clocks differ by less than this without anybody's intent, and answers are late by less."""


class _Anchor(NamedTuple):
    """The time was `at` when the machine had counted `seconds`."""

    at: datetime
    seconds: float

    def time(self, seconds: float) -> datetime:
        """Return what time it is now."""
        return self.at + timedelta(seconds=seconds - self.seconds)


class TrustedClock:
    """A clock of one store (`platform.clock.Clock`).

    Args:
        clock: the machine's; its `monotonic` goes on while the machine sleeps.
        boot: names the machine's present run; empty where that cannot be known, so that a count holds for this process
            alone.
    """

    def __init__(self, clock: Clock, boot: str) -> None:
        self._clock = clock
        self._boot = boot
        self._anchor: _Anchor | None = None
        self._floor: _Anchor | None = None
        self._kept: datetime | None = None

    def now(self) -> datetime:
        """Return the time, in UTC."""
        if self._anchor is not None:
            return self._anchor.time(self._clock.monotonic())
        wall = self._clock.now()
        return wall if self._floor is None else max(wall, self._floor.time(self._clock.monotonic()))

    def monotonic(self) -> float:
        """Return the machine's seconds."""
        return self._clock.monotonic()

    @property
    def heard(self) -> bool:
        """Whether the backend was heard in this run of the machine: before, a wall clock ahead is taken at its word."""
        return self._anchor is not None

    @property
    def behind(self) -> bool:
        """Whether the wall clock is all there is, and is known to be wrong: only a connection tells the time again."""
        return self._anchor is None and self._clock.now() < self.now() - TOLERANCE

    def hear(self, server_time: datetime) -> bool:
        """Take the backend's word for the time; an answer that was a little late turns nothing back.

        Returns:
            Whether the time was not known before, or was another one: what was put off by it has to be looked at.
        """
        if self._anchor is not None and timedelta(0) <= self.now() - server_time < TOLERANCE:
            return False
        known = self._anchor is not None and abs(self.now() - server_time) < TOLERANCE
        self._anchor = _Anchor(server_time.astimezone(UTC), self._clock.monotonic())
        return not known

    # --- the ledger --------------------------------------------------------------------------------------------------

    def load(self, db: Any) -> None:
        """Take over what this or another process has kept."""
        row = db.execute("SELECT value FROM main.secret WHERE key = ?", (SECRET,)).fetchone()
        if row is None:
            return
        try:
            kept = json.loads(row[0])
            at, seconds, boot = datetime.fromisoformat(kept["at"]), float(kept["seconds"]), str(kept["boot"])
        except (ValueError, KeyError, TypeError):
            return
        self._kept = at
        if boot and boot == self._boot:
            self._anchor = _Anchor(at, seconds)
        elif self._floor is None or self._floor.at < at:
            self._floor = _Anchor(at, self._clock.monotonic())

    def due(self) -> bool:
        """Tell whether the time ought to be kept again."""
        return self._kept is None or not timedelta(0) <= self.now() - self._kept < KEEP_EVERY

    def keep(self, db: Any) -> None:
        """Write the time down, inside a transaction of the ledger."""
        at = self.now()
        kept = {
            "at": at.isoformat(),
            "seconds": self._clock.monotonic(),
            "boot": self._boot if self._anchor is not None else "",
        }
        db.execute("INSERT OR REPLACE INTO main.secret (key, value) VALUES (?, ?)", (SECRET, json.dumps(kept)))
        self._kept = at
