"""Polls that found nothing, remembered for exactly as long as nothing at all has been committed.

Most polls of a day find nothing. The record's stamp (`Database.stamp`) changes with every commit of any process, so an
answer that was read after the stamp was taken is still true while the stamp is the same: a mandate that ends, a
session that is closed and a notice that arrives all change it. What depends on time alone (the token's life, the day)
is looked at each time. Not even one row is read then, and no thread is woken.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from kelmu_backend.pull import Pulled
from kelmu_backend.rows import JsonRow

_KEPT: Final = 10_000
"""Polls remembered; the one unused for longest goes first."""


@dataclass(frozen=True, slots=True)
class Still:
    """An answer without news, and the scopes it was looked for in."""

    stamp: Hashable
    day: date
    pulled: Pulled
    scopes: frozenset[str]

    def renewed(self, lease: JsonRow, server_time: str | None) -> Pulled:
        """Return the answer as of now."""
        return replace(self.pulled, body=self.pulled.body | {"lease": lease, "server_time": server_time})


def key(token: str, organisation: str | None, cursor: str | None) -> bytes:
    """Return under what a poll is remembered: the very same token, organisation and cursor."""
    # Neither tokens nor cursors hold a line break, so two polls cannot meet by shifting text between the parts.
    return hashlib.sha256(f"{token}\n{organisation}\n{cursor}".encode()).digest()


class Stillness:
    """The memory of one process; it belongs to its event loop."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Still] = OrderedDict()

    def find(self, name: bytes, stamp: Hashable, day: date) -> Still | None:
        """Return the answer of the poll `name`, None when anything has changed since."""
        found = self._known.get(name)
        if found is None:
            return None
        if (found.stamp, found.day) != (stamp, day):
            del self._known[name]
            return None
        self._known.move_to_end(name)
        return found

    def keep(self, name: bytes, still: Still) -> None:
        """Remember that a poll found nothing; its stamp was taken before it read."""
        self._known[name] = still
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
