"""Lists of recipients and those behind invoices: what may be fetched, what is here, and what stands in it.

Every method is one unit of work on the store's thread. Rows leave only for a `Reading` or a `Comparing`, and making one
commits first who looks at which list, and how many rows there are. A copy that was withdrawn, published anew or is over
ends the readings of it: nothing of another copy is ever taken for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.capabilities import Allowed, Denied
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.lists import KelaList, access_to, read_period
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.domain.text import clean
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.known import KnownOrganisation
from kelmu_tui.services.session import Session
from kelmu_tui.services.sights import govern_lists, opened_lists
from kelmu_tui.store import chain, lease, list_compare, list_fetch, list_pages, list_views, lists, views
from kelmu_tui.store.connection import Connection
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_compare import Compared, Difference, Kind, Pair
from kelmu_tui.store.list_fetch import Fetch
from kelmu_tui.store.list_pages import Group, ListQuery, SortKey, Totals
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.store.list_views import Owner, SavedView
from kelmu_tui.store.lists import Copy, Counts, Entry, Publication
from kelmu_tui.store.rows import ActiveSession

SITTING: Final = timedelta(minutes=30)
"""A list read on this long after it was logged is still the same look."""
MAX_NAME: Final = 60
"""Letters in the name of a saved view at the most."""


class NotHere(LookupError):
    """There is no copy of that period, or what was being read is not here any more: withdrawn, replaced or over."""


class InvalidName(ValueError):
    """A view cannot be called that; the name itself is not in the message."""


class Offer(NamedTuple):
    """A list of the catalogue and whether it may be fetched; if not, what would open it."""

    list: KelaList
    verdict: Allowed | Denied


@dataclass(frozen=True, slots=True)
class Reading:
    """A copy that is being read, filtered and sorted by a question; `rows` is how many fit."""

    copy: Copy
    query: ListQuery
    rows: int


@dataclass(frozen=True, slots=True)
class Comparing:
    """Two periods that are held against each other, and how they differ."""

    pair: Pair
    found: Compared


class Lists:
    """The lists of one organisation, for one user."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._active = session
        self._session = Session(store)
        self._clock = clock
        self._ids = ids
        self._looked: dict[tuple[Any, ...], datetime] = {}

    # --- what there is -----------------------------------------------------------------------------------------------

    def offers(self) -> tuple[Offer, ...]:
        """Return every list of the catalogue with what the mandates of today say of it."""
        found = self._known()
        if found is None:
            return ()
        opened = found.capabilities(self._today())
        return tuple(Offer(one, access_to(one, opened)) for one in catalogue().values())

    def shelf(self) -> tuple[Entry, ...]:
        """Return every period of the open lists that is published or here, the newest of each list first.

        Raises:
            NotShown: nothing may be shown.
        """
        opened = self.hold()
        with lease.within(self._store) as db:
            return tuple(one for one in lists.shelf(db, self._clock.now()) if one.list in opened)

    def counts(self, list_: str) -> tuple[Counts, ...]:
        """Return how many rows and persons there were in each period that is remembered, the oldest first.

        Raises:
            NotAllowed: the list is not open.
            NotShown: nothing may be shown.
        """
        self._need(list_)
        with lease.within(self._store) as db:
            return tuple(lists.counts(db, list_))

    def hold(self) -> frozenset[str]:
        """Destroy what the mandates don't open any more, and return the lists that they open."""
        opened = opened_lists(self._known(), self._today())
        govern_lists(self._store, opened)
        return opened

    # --- fetching ----------------------------------------------------------------------------------------------------

    def announce(self, publications: Iterable[Publication], of: Iterable[str]) -> None:
        """Keep what the backend publishes of the lists `of`; what it has withdrawn goes at once."""
        opened = self.hold()
        with self._store.write("replica") as db:
            told = [one for one in publications if one.list in opened]
            lists.announce(db, told, [list_ for list_ in of if list_ in opened])
            self._store.changed("list")

    def begin(self, publication: Publication) -> Fetch:
        """Begin to fetch, or go on behind the last row that is here (`Fetch.after`).

        Raises:
            NotAllowed: the list is not open.
            NotHere: it is withdrawn.
            StoreError: the disk does not take it.
        """
        self._need(publication.list)
        if publication.withdrawn:
            raise NotHere
        return list_fetch.begin(self._store, publication)

    def take(self, fetch: Fetch, rows: Sequence[Mapping[str, Any]]) -> Fetch:
        """Keep rows as they came; shown they are at the end.

        Raises:
            NotAllowed: the list is not open any more; nothing of it is kept.
            Overtaken: the fetch has ended meanwhile, or another process goes on with it.
            StoreError: the disk does not take them.
        """
        self._need(fetch.list)
        return list_fetch.put_rows(self._store, fetch, rows)

    def finish(self, fetch: Fetch, expires: datetime | None = None) -> None:
        """Show what was fetched, in place of an older version of it.

        Raises:
            NotAllowed, Overtaken, StoreError: as `take`.
            Incomplete: not as many rows came as were announced; nothing is kept.
        """
        self._need(fetch.list)
        list_fetch.finish(self._store, fetch, expires=expires)

    def cancel(self, fetch: Fetch) -> None:
        """Destroy what came of a fetch."""
        list_fetch.cancel(self._store, fetch)

    def withdrawn(self, publication: Publication) -> None:
        """Take the backend's word that a publication is withdrawn: nothing of it stays."""
        with self._store.write("replica") as db:
            lists.withdraw(db, publication.list, publication.period, publication.version)
            self._store.changed("list", keys=(publication.list,))

    # --- reading -----------------------------------------------------------------------------------------------------

    def open(self, list_: str, period: str, query: ListQuery | None = None) -> Reading:
        """Open a list that is here, after committing that it is looked at.

        Raises:
            NotAllowed: the list is not open (any more).
            NotHere: it is not here.
            NotShown: nothing may be shown.
        """
        self._need(list_)
        query = query or ListQuery()
        with lease.within(self._store) as db:
            copy = lists.copy(db, list_, period, self._clock.now())
            if copy is None:
                raise NotHere
            reading = Reading(copy, query, list_pages.count(db, copy, query))
        self._look(reading)
        return reading

    def resorted(self, reading: Reading, *sort: SortKey) -> Reading:
        """Return the reading in another order: the same rows are the same look."""
        return replace(reading, query=replace(reading.query, sort=sort))

    def page(
        self, reading: Reading, *, after: int | None = None, before: int | None = None, limit: int = 50
    ) -> list[ListRow]:
        """Return up to `limit` rows behind or before a place (`ListRow.place`), or the first ones.

        Raises:
            NotAllowed, NotHere, NotShown: as `open`.
        """
        with self._again(reading) as db:
            return list_pages.page(db, reading.copy, reading.query, after=after, before=before, limit=limit)

    def find(self, reading: Reading, ids: Iterable[str]) -> list[ListRow]:
        """Return those of `ids` that are rows of the reading, in its order; errors as `page`."""
        with self._again(reading) as db:
            return list_pages.find(db, reading.copy, reading.query, ids)

    def rank(self, reading: Reading, id: str) -> int | None:  # noqa: A002
        """Return how many rows stand before one, None when it is not among them; errors as `page`."""
        with self._again(reading) as db:
            return list_pages.rank(db, reading.copy, reading.query, id)

    def totals(self, reading: Reading) -> Totals:
        """Return rows and sums; errors as `page`."""
        with self._again(reading) as db:
            return list_pages.totals(db, reading.copy, reading.query)

    def groups(self, reading: Reading) -> list[Group]:
        """Return rows and sums by municipality; errors as `page`."""
        with self._again(reading) as db:
            return list_pages.groups(db, reading.copy, reading.query)

    def leaving(
        self, reading: Reading, view: str = "list_export", rows: int | None = None, reason: str | None = None
    ) -> None:
        """Log that rows leave the program, all of the reading by default; before they do.

        Args:
            view: `list_export` for a file, `list_copy` for what is copied.
            reason: for what, in the user's words.

        Raises:
            NotAllowed, NotHere, NotShown: as `open`.
        """
        with self._again(reading):
            pass
        self._log(view, (reading.copy,), reading.rows if rows is None else rows, reason)

    # --- comparing ---------------------------------------------------------------------------------------------------

    def compare(self, list_: str, before: str, after: str, columns: tuple[str, ...] | None = None) -> Comparing:
        """Hold two periods against each other, after committing that both are looked at.

        Args:
            columns: those of which the values count; None for all but the identity code.

        Raises:
            NotAllowed, NotShown: as `open`.
            NotHere: one of them is not here.
        """
        self._need(list_)
        now = self._clock.now()
        with lease.within(self._store) as db:
            old, new = lists.copy(db, list_, before, now), lists.copy(db, list_, after, now)
            if old is None or new is None:
                raise NotHere
            pair = Pair(old, new, columns)
            found = list_compare.compare(db, pair)
        comparing = Comparing(pair, found)
        self._look(comparing)
        if columns is None and read_period(before).next() == read_period(after):
            self._note(comparing)
        return comparing

    def differences(
        self, comparing: Comparing, kind: Kind, *, after: int | None = None, before: int | None = None, limit: int = 50
    ) -> list[Difference]:
        """Return up to `limit` differences behind or before a place, or the first ones; errors as `compare`."""
        with self._again(comparing) as db:
            return list_compare.page(db, comparing.pair, kind, after=after, before=before, limit=limit)

    def find_differences(self, comparing: Comparing, kind: Kind, ids: Iterable[str]) -> list[Difference]:
        """Return the differences whose `id` is among `ids`, in order; errors as `compare`."""
        with self._again(comparing) as db:
            return list_compare.find(db, comparing.pair, kind, ids)

    def _note(self, comparing: Comparing) -> None:
        """Remember the counts for the plot over the year, which outlive the rows."""
        found, new = comparing.found, comparing.pair.after
        numbers = (found.came.persons, found.went.persons, found.changed.persons)
        with self._store.write("replica") as db:
            if lists.count_changes(db, new.list, new.period, new.version, numbers):
                self._store.changed("list", keys=(new.list,))

    # --- saved views -------------------------------------------------------------------------------------------------

    def saved(self, list_: str) -> tuple[SavedView, ...]:
        """Return the user's views of a list by name."""
        known = [column.id for column in catalogue()[list_].columns]
        with self._store.read() as db:
            return tuple(list_views.views(db, self._owner(list_), known))

    def save(self, list_: str, view: SavedView) -> None:
        """Keep a view of a list, in the place of one of the same name.

        Raises:
            InvalidName: it has none, or too long a one.
            TooMany: there are as many as there can be.
            StoreError: it is not saved.
        """
        name = " ".join(clean(view.name).split())
        if not 0 < len(name) <= MAX_NAME:
            raise InvalidName
        with self._store.write() as db:
            list_views.save(db, self._owner(list_), view._replace(name=name), self._clock.now())
            self._store.changed("list_view", keys=(list_,))

    def drop(self, list_: str, name: str) -> bool:
        """Forget a view; False when there is none."""
        with self._store.write() as db:
            gone = list_views.drop(db, self._owner(list_), name)
            self._store.changed("list_view", keys=(list_,))
        return gone

    # --- inside ------------------------------------------------------------------------------------------------------

    def _need(self, list_: str) -> None:
        if list_ not in self.hold():
            raise NotAllowed(list_)

    @contextmanager
    def _again(self, seen: Reading | Comparing) -> Iterator[Connection]:
        """Give the connection for reading on; what was logged too long ago is logged once more before."""
        copies = _copies(seen)
        self._need(copies[0].list)
        logged = self._looked.get(_stamp(seen))
        if logged is None or not timedelta(0) <= self._clock.now() - logged < SITTING:
            self._look(seen)
        with lease.within(self._store) as db:
            self._check(db, copies)
            yield db

    def _look(self, seen: Reading | Comparing) -> None:
        with lease.within(self._store) as db:
            self._check(db, _copies(seen))
        if isinstance(seen, Reading):
            self._log("list_rows:filtered" if seen.query.filtered else "list_rows", (seen.copy,), seen.rows)
        else:
            found = seen.found
            self._log("list_compare", _copies(seen), found.came.rows + found.went.rows + found.changed.rows)
        self._looked[_stamp(seen)] = self._clock.now()

    def _check(self, db: Any, copies: Iterable[Copy]) -> None:
        now = self._clock.now()
        for copy in copies:
            held = lists.copy(db, copy.list, copy.period, now)
            if held is None or held.number != copy.number:
                raise NotHere

    def _log(self, view: str, copies: Sequence[Copy], rows: int, reason: str | None = None) -> None:
        """Commit a look at copies of one list: an event for each, with the same number of rows."""
        at, user, own = self._clock.now(), self._active.user_id, self._active.organisation.business_id
        with self._store.write() as db:
            chain.ensure(db, self._ids)
            for copy in copies:
                subject = f"{copy.list}/{copy.period}"
                event = views.ViewEvent(at, user, own, view, subject, rows, copy.published_at, reason=reason)
                views.log(db, event)
            self._store.changed("view_event", keys=(view,))

    def _owner(self, list_: str) -> Owner:
        return Owner(self._active.user_id, self._active.organisation.business_id, list_)

    def _known(self) -> KnownOrganisation | None:
        return self._session.known().organisation(self._active.organisation.business_id)

    def _today(self) -> date:
        return local_date(self._clock.now())


def _copies(seen: Reading | Comparing) -> tuple[Copy, ...]:
    return (seen.copy,) if isinstance(seen, Reading) else (seen.pair.before, seen.pair.after)


def _stamp(seen: Reading | Comparing) -> tuple[Any, ...]:
    """Return what makes a look another look: sorting the same rows otherwise shows nobody else."""
    if isinstance(seen, Reading):
        return (seen.copy.number, seen.query.text, seen.query.municipality)
    return (seen.pair.before.number, seen.pair.after.number, seen.pair.columns)
