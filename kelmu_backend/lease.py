"""Leases: until when a client may show data without a connection, and how old a command is at the most.

A lease's id is the second of its making, signed. A command carries the newest one its client knew; so a command that
slept longer than the memory of results lasts is known for what it is, and never has a second effect.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from kelmu_backend.keys import Signer
from kelmu_backend.rows import instant

MEMORY: Final = timedelta(days=90)
"""How long results of commands are remembered."""

OLDEST: Final = timedelta(days=89)
"""Age of a lease at which a command is refused: a day before its result could have been forgotten."""


class Leases:
    """Gives out leases and tells the age of those that come back."""

    def __init__(self, signer: Signer, hours: int) -> None:
        self._signer = signer
        self._life = timedelta(hours=hours)

    def issue(self, user: str, now: datetime) -> dict[str, Any]:
        """Return a lease of `user` from `now` on, as the wire carries it."""
        made = now.replace(microsecond=0)
        return {
            "id": self._signer.sign(str(int(made.timestamp())).encode(), user),
            "until": instant(made + self._life),
        }

    def is_current(self, lease: str, user: str, now: datetime) -> bool:
        """Tell whether a command under `lease` may still be carried out."""
        payload = self._signer.open(lease, user)
        if payload is None:
            return False
        return now - OLDEST <= datetime.fromtimestamp(int(payload), now.tzinfo)
