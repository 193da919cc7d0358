"""Lists of recipients and those behind invoices: what may be fetched, what is here, and what stands in it.

Every method is one unit of work on the store's thread. Rows leave only for a `Reading` or a `Comparing`, and making one
commits first who looks at which list, and how many rows there are. A copy that was withdrawn, published anew or is over
ends the readings of it: nothing of another copy is ever taken for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

from kelmu_tui.domain.capabilities import Allowed, Denied
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.lists import KelaList, access_to, read_period
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.known import KnownOrganisation
from kelmu_tui.services.list_looks import Comparing as Comparing
from kelmu_tui.services.list_looks import Looks, copies
from kelmu_tui.services.list_looks import NotHere as NotHere
from kelmu_tui.services.list_looks import Reading as Reading
from kelmu_tui.services.list_views import ListViews
from kelmu_tui.services.session import Session
from kelmu_tui.services.sights import demand_own, govern_lists, opened_lists
from kelmu_tui.store import lease, list_compare, list_fetch, list_pages, lists, told
from kelmu_tui.store.connection import Connection
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_compare import ALL, Difference, Fit, Kind, Pair
from kelmu_tui.store.list_fetch import Fetch
from kelmu_tui.store.list_pages import Group, ListQuery, SortKey, Totals
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.store.lists import Counts, Entry, Publication
from kelmu_tui.store.rows import ActiveSession


class Offer(NamedTuple):
    """A list of the catalogue and whether it may be fetched; if not, what would open it."""

    list: KelaList
    verdict: Allowed | Denied


class Lists:
    """The lists of one organisation, for one user."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._active = session
        self._session = Session(store)
        self._clock = clock
        self._looks = Looks(store, session, clock, ids)
        self.views = ListViews(store, session, clock)
        """The user's saved views."""

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
            NotAllowed: as `hold`.
            NotShown: nothing may be shown.
        """
        opened = self.hold()
        with lease.within(self._store) as db:
            return tuple(one for one in lists.shelf(db, self._clock.now()) if one.list in opened)

    def told(self) -> datetime | None:
        """Return when the backend told last what is published; None when it has not said it of every open list.

        Raises:
            NotAllowed: as `hold`.
        """
        opened = self.hold()
        with self._store.read() as db:
            return told.at(db, told.What.LISTS, opened)

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
        """Destroy what the mandates don't open any more, and return the lists that they open.

        Every way to the replica begins with it.

        Raises:
            NotAllowed: the user works for another organisation meanwhile, whose lists are none of ours.
        """
        self._own()
        opened = opened_lists(self._known(), self._today())
        govern_lists(self._store, opened)
        return opened

    # --- fetching ----------------------------------------------------------------------------------------------------

    def announce(self, publications: Iterable[Publication], of: Iterable[str]) -> None:
        """Keep what the backend publishes of the lists `of`; what it has withdrawn goes at once.

        Raises:
            NotAllowed: as `hold`.
        """
        opened = self.hold()
        with self._store.write("replica") as db:
            about = [one for one in of if one in opened]
            lists.announce(db, [one for one in publications if one.list in opened], about)
            told.note(db, told.What.LISTS, about, self._clock.now())
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
        """Destroy what came of a fetch.

        Raises:
            NotAllowed: as `hold`.
        """
        self._own()
        list_fetch.cancel(self._store, fetch)

    def withdrawn(self, publication: Publication) -> None:
        """Take the backend's word that a publication is withdrawn: nothing of it stays.

        Raises:
            NotAllowed: as `hold`.
        """
        self._own()
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
        self._looks.take(reading)
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
        self._looks.log(view, (reading.copy,), reading.rows if rows is None else rows, reason)

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
            comparing = Comparing(pair, list_compare.compare(db, pair), ALL, list_compare.shown(db, pair))
        self._looks.take(comparing)
        if columns is None and read_period(before).next() == read_period(after):
            self._note(comparing)
        return comparing

    def narrowed(self, comparing: Comparing, fit: Fit) -> Comparing:
        """Return the comparison with the differences that fit, after committing that these are looked at.

        Raises:
            NotAllowed, NotHere, NotShown: as `compare`.
        """
        self._need(comparing.pair.after.list)
        with lease.within(self._store) as db:
            self._looks.check(db, comparing)
            narrowed = replace(comparing, fit=fit, shown=list_compare.shown(db, comparing.pair, fit))
        self._looks.take(narrowed)
        return narrowed

    def differences(
        self, comparing: Comparing, kind: Kind, *, after: int | None = None, before: int | None = None, limit: int = 50
    ) -> list[Difference]:
        """Return up to `limit` differences behind or before a place, or the first ones; errors as `compare`."""
        pair, fit = comparing.pair, comparing.fit
        with self._again(comparing) as db:
            return list_compare.page(db, pair, kind, fit, after=after, before=before, limit=limit)

    def find_differences(self, comparing: Comparing, kind: Kind, ids: Iterable[str]) -> list[Difference]:
        """Return the differences whose `id` is among `ids`, in order; errors as `compare`."""
        with self._again(comparing) as db:
            return list_compare.find(db, comparing.pair, kind, ids, comparing.fit)

    def difference_groups(self, comparing: Comparing) -> list[Group]:
        """Return how many differences there are by municipality, of all kinds together; errors as `compare`."""
        with self._again(comparing) as db:
            return list_compare.groups(db, comparing.pair, comparing.fit)

    def _note(self, comparing: Comparing) -> None:
        """Remember the counts for the plot over the year, which outlive the rows."""
        found, new = comparing.found, comparing.pair.after
        numbers = (found.came.persons, found.went.persons, found.changed.persons)
        with self._store.write("replica") as db:
            if lists.count_changes(db, new.list, new.period, new.version, numbers):
                self._store.changed("list", keys=(new.list,))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _own(self) -> None:
        demand_own(self._store, self._active.organisation.business_id, "lists")

    def _need(self, list_: str) -> None:
        if list_ not in self.hold():
            raise NotAllowed(list_)

    @contextmanager
    def _again(self, seen: Reading | Comparing) -> Iterator[Connection]:
        self._need(copies(seen)[0].list)
        with self._looks.again(seen) as db:
            yield db

    def _known(self) -> KnownOrganisation | None:
        return self._session.known().organisation(self._active.organisation.business_id)

    def _today(self) -> date:
        return local_date(self._clock.now())
