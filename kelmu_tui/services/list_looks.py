"""Looks at lists: what is being read or compared, and the log that is committed before any row of it leaves.

A copy that was withdrawn, published anew or is over ends the readings of it: nothing of another copy is taken for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.store import chain, lease, lists, views
from kelmu_tui.store.connection import Connection
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_compare import Compared, Fit, Kind, Number, Pair
from kelmu_tui.store.list_pages import ListQuery
from kelmu_tui.store.lists import Copy
from kelmu_tui.store.rows import ActiveSession

SITTING: Final = timedelta(minutes=30)
"""A list read on this long after it was logged is still the same look."""


class NotHere(LookupError):
    """There is no copy of that period, or what was being read is not here any more: withdrawn, replaced or over."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A copy that is being read, filtered and sorted by a question; `rows` is how many fit."""

    copy: Copy
    query: ListQuery
    rows: int


@dataclass(frozen=True, slots=True)
class Comparing:
    """Two periods that are held against each other, and how they differ.

    Attributes:
        fit: which of the differences are shown.
        shown: how many of each kind fit.
    """

    pair: Pair
    found: Compared
    fit: Fit
    shown: Mapping[Kind, Number]


class Looks:
    """The looks of one user at one organisation's lists."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._active = session
        self._clock = clock
        self._ids = ids
        self._taken: dict[tuple[Any, ...], datetime] = {}

    def take(self, seen: Reading | Comparing) -> None:
        """Commit a look; before anything of it is shown.

        Raises:
            NotHere: it is not here any more.
            NotShown: nothing may be shown.
            StoreError: it cannot be logged.
        """
        with lease.within(self._store) as db:
            self.check(db, seen)
        if isinstance(seen, Reading):
            self.log("list_rows:filtered" if seen.query.filtered else "list_rows", (seen.copy,), seen.rows)
        else:
            rows = sum(number.rows for number in seen.shown.values())
            self.log("list_compare:filtered" if seen.fit.filtered else "list_compare", copies(seen), rows)
        self._taken[_stamp(seen)] = self._clock.now()

    @contextmanager
    def again(self, seen: Reading | Comparing) -> Iterator[Connection]:
        """Give the connection for reading on; what was logged too long ago is logged once more before.

        Raises:
            NotHere, NotShown, StoreError: as `take`.
        """
        logged = self._taken.get(_stamp(seen))
        if logged is None or not timedelta(0) <= self._clock.now() - logged < SITTING:
            self.take(seen)
        with lease.within(self._store) as db:
            self.check(db, seen)
            yield db

    def log(self, view: str, of: Sequence[Copy], rows: int, reason: str | None = None) -> None:
        """Commit a look at copies of one list: an event for each, with the same number of rows.

        Args:
            reason: what rows leave the program for, in the user's words.
        """
        at, user, own = self._clock.now(), self._active.user_id, self._active.organisation.business_id
        with self._store.write() as db:
            chain.ensure(db, self._ids)
            for copy in of:
                subject = f"{copy.list}/{copy.period}"
                event = views.ViewEvent(at, user, own, view, subject, rows, copy.published_at, reason=reason)
                views.log(db, event)
            self._store.changed("view_event", keys=(view,))

    def check(self, db: Any, seen: Reading | Comparing) -> None:
        """See that what is looked at is still here.

        Raises:
            NotHere: it is not.
        """
        now = self._clock.now()
        for copy in copies(seen):
            held = lists.copy(db, copy.list, copy.period, now)
            if held is None or held.number != copy.number:
                raise NotHere


def copies(seen: Reading | Comparing) -> tuple[Copy, ...]:
    """Return the copies that are looked at."""
    return (seen.copy,) if isinstance(seen, Reading) else (seen.pair.before, seen.pair.after)


def _stamp(seen: Reading | Comparing) -> tuple[Any, ...]:
    """Return what makes a look another look: sorting the same rows otherwise shows nobody else."""
    if isinstance(seen, Reading):
        return (seen.copy.number, seen.query.text, seen.query.municipality)
    return (seen.pair.before.number, seen.pair.after.number, seen.pair.columns, seen.fit)
