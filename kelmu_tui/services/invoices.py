"""Kela's invoices: what came and what is to come, what is said of the findings in them, and what leaves the program.

Every method is one unit of work on the store's thread. The rows of an invoice are the rows of its list, and are read
through `lists`, which logs every look at them first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from kelmu_tui.domain.capabilities import Allowed, Denied
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.lists import Invoice, KelaList, Period, period_of, published_until, read_period
from kelmu_tui.domain.lists import invoices as kinds
from kelmu_tui.domain.review.billing import billed_column, billed_list
from kelmu_tui.domain.review.rows import Head
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.domain.text import clean
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.lists import Lists, NotHere, Reading
from kelmu_tui.services.reviewing import Found, Reviewed
from kelmu_tui.services.session import Session
from kelmu_tui.store import invoices, judgements, lease, told
from kelmu_tui.store.database import Store
from kelmu_tui.store.invoices import InvoiceHead
from kelmu_tui.store.judgements import About, Judgement
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.store.lists import Entry
from kelmu_tui.store.rows import ActiveOrganisation, ActiveSession

MAX_TEXT: Final = 2000
"""Letters in a reason or remark at the most."""
MOST_EARLIER: Final = 400_000
"""Rows of earlier invoices that are held against one at the most: a review keeps a few values of each."""


class NeedsReason(ValueError):
    """A dispute needs a reason: it is what Kela reads."""


class TooLong(ValueError):
    """A reason or remark is longer than `MAX_TEXT`; the text itself is not in the message."""


class NoHead(LookupError):
    """No invoice of that kind has come for that period, so there is nothing to hold its list against."""


class KindOffer(NamedTuple):
    """A kind of invoice, the list whose rows it bills, and whether that may be fetched; if not, what would open it."""

    kind: Invoice
    list: KelaList
    verdict: Allowed | Denied


class Billing(NamedTuple):
    """What is billed by one kind of invoice for one period.

    Attributes:
        period: `domain.lists.Period.key`.
        sent_on, due_on: of the first invoice; by the catalogue while none has come.
        heads: the first invoice, then those that correct it; none while it has not come.
        entry: the list with its rows, None when nothing of it is published or here.
    """

    kind: Invoice
    period: str
    sent_on: date
    due_on: date
    heads: tuple[InvoiceHead, ...]
    entry: Entry | None

    @property
    def total(self) -> Decimal | None:
        """What is billed in all, None while nothing is."""
        return sum((head.total for head in self.heads), Decimal("0.00")) if self.heads else None

    @property
    def expected(self) -> bool:
        """Whether it is still to come."""
        return not self.heads


class Prepared(NamedTuple):
    """What a review needs from the store: the invoice, its rows and those of the invoices before it, ready to be read.

    Attributes:
        earlier: the readings of the periods before, without a gap, the oldest first.
        since: first day from which on all rows are at hand.
        artificial: the backend tells of artificial people alone.
        at: when the rows were looked at.
    """

    billing: Billing
    head: Head
    reading: Reading
    earlier: tuple[Reading, ...]
    since: date
    artificial: bool
    at: datetime


class Summed(NamedTuple):
    """Rows of an invoice, each counted once, and what was billed for them."""

    rows: int
    billed: Decimal


class Leaving(NamedTuple):
    """What leaves the program in a dispute: from whom, when, and the rows by their ids.

    Attributes:
        earlier: period (key) of the invoice of a row, for those of earlier invoices.
        disputed: the rows of the invoice itself.
    """

    organisation: ActiveOrganisation
    user: str
    at: datetime
    rows: Mapping[str, ListRow]
    earlier: Mapping[str, str]
    disputed: Summed


class Invoices:
    """The invoices of one organisation, for one user."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids, lists: Lists) -> None:
        self._store = store
        self._active = session
        self._session = Session(store)
        self._clock = clock
        self._ids = ids
        self._last: Reviewed | None = None
        self.lists = lists

    # --- what there is -----------------------------------------------------------------------------------------------

    def offers(self) -> tuple[KindOffer, ...]:
        """Return every kind of invoice with what the mandates of today say of the list that it bills."""
        verdicts = {offer.list.id: offer.verdict for offer in self.lists.offers()}
        lists = {kind.id: billed_list(kind.id) for kind in kinds().values()}
        return tuple(
            KindOffer(kind, lists[kind.id], verdicts[lists[kind.id].id])
            for kind in kinds().values()
            if lists[kind.id].id in verdicts
        )

    def calendar(self) -> tuple[Billing, ...]:
        """Return what came, and of each open kind what comes next, the newest first.

        Raises:
            NotShown: nothing may be shown.
        """
        opened = self._opened()
        entries = {(entry.list, entry.period): entry for entry in self.lists.shelf()}
        with lease.within(self._store) as db:
            heads = invoices.heads(db, self._clock.now())
        came: dict[tuple[str, str], list[InvoiceHead]] = {}
        for head in heads:
            if head.kind in opened:
                came.setdefault((head.kind, head.period), []).append(head)
        found = [_came(found, entries) for found in came.values()]
        for kind in opened.values():
            period = _next(kind, self._today(), {period for id_, period in came if id_ == kind.id})
            if period is not None:
                entry = entries.get((billed_list(kind.id).id, period.key))
                found.append(Billing(kind, period.key, kind.sent.on(period), kind.due(period), (), entry))
        order = {kind: place for place, kind in enumerate(kinds())}
        return tuple(sorted(found, key=lambda one: (-one.sent_on.toordinal(), order[one.kind.id], one.period)))

    def announce(self, heads: Iterable[InvoiceHead]) -> None:
        """Keep what the backend says was billed, in the place of all that it said before."""
        opened = self.lists.hold()
        with self._store.write("replica") as db:
            news = invoices.announce(db, [head for head in heads if head.list in opened], self._clock.now())
            told.note(db, told.What.INVOICES, opened, self._clock.now())
            if news:
                self._store.changed("invoice")

    def told(self) -> datetime | None:
        """Return when the backend said last what was billed; None when it has not said it of every open list.

        Raises:
            NotAllowed: another organisation is at work by now.
        """
        opened = self.lists.hold()
        with self._store.read() as db:
            return told.at(db, told.What.INVOICES, opened)

    # --- reviewing ---------------------------------------------------------------------------------------------------

    def prepare(self, kind: str, period: str) -> Prepared:
        """Return what a review of an invoice needs, after committing that its rows and earlier ones are looked at.

        Raises:
            KeyError: there is no such kind.
            NotAllowed: its list is not open.
            NotHere: its list is not here.
            NoHead: its list is here, but no invoice has come.
            NotShown: nothing may be shown.
        """
        one = billed_list(kind)
        billing = self._billing(kind, period)
        if billing is None or billing.expected:
            raise NoHead if self._is_here(one, period) else NotHere
        if billing.entry is None or billing.entry.copy is None:
            raise NotHere
        total = billing.total
        assert total is not None
        reading = self.lists.open(one.id, period)
        earlier = tuple(self.lists.open(one.id, key) for key in self._before(one, period))
        first = earlier[0].copy.period if earlier else period
        payer = billing.heads[0].payer
        head = Head(kind, read_period(period), billing.sent_on, billing.due_on, total, payer)
        # Only the demo's people are artificial: elsewhere such a code is a mistake.
        artificial = self._session.known().demo
        return Prepared(billing, head, reading, earlier, read_period(first).first, artificial, self._clock.now())

    def keep(self, reviewed: Reviewed) -> Reviewed:
        """Remember a review as the last one, and return it with what was said of its findings before.

        Raises:
            NotAllowed, NotHere, NotShown: its list was closed, withdrawn or replaced meanwhile.
        """
        self.lists.totals(reviewed.reading)  # asks whether the copy is still the one that was read
        self._last = reviewed
        return self._judged(reviewed)

    def held(self, kind: str, period: str) -> Reviewed | None:
        """Return the last review with today's judgements, None when it was of another invoice.

        What it was made of may have changed: then there is none either.

        Raises:
            NotShown: nothing may be shown.
        """
        last = self._last
        if last is None or (last.billing.kind.id, last.billing.period) != (kind, period):
            return None
        billing = self._billing(kind, period)
        if billing is None or billing.heads != last.billing.heads or billing.entry is None:
            return None
        copy = billing.entry.copy
        return self._judged(last) if copy is not None and copy.number == last.copy.number else None

    def rows(self, reviewed: Reviewed, found: Iterable[Found]) -> Mapping[str, ListRow]:
        """Return the rows that findings are about by their ids; those of an earlier invoice that went are left out.

        Raises:
            NotAllowed, NotHere, NotShown: the list of the invoice cannot be read any more.
        """
        return {row.id: row for _, rows in self._rows(reviewed, found) for row in rows}

    def summed(self, reviewed: Reviewed, found: Iterable[Found]) -> Summed:
        """Return how many rows of the invoice findings are about, and what was billed for them; errors as `rows`."""
        return _summed(reviewed.billing.kind.id, self._rows(reviewed, found)[0][1])

    # --- judging -----------------------------------------------------------------------------------------------------

    def judge(self, kind: str, period: str, found: Sequence[Found], verdict: Verdict | None, text: str = "") -> None:
        """Keep what the user says of findings; None takes it back.

        Raises:
            NeedsReason, TooLong: as there; nothing is kept.
            NotAllowed: the invoice's list is not open.
            StoreError: it is not kept.
        """
        said = clean(text, multiline=True).strip()
        if verdict is Verdict.DISPUTED and not said:
            raise NeedsReason
        if len(said) > MAX_TEXT:
            raise TooLong
        if kind not in self._opened():
            raise NotAllowed(kind)
        about, keys = self._about(kind, period), [one.key for one in found]
        with self._store.write() as db:
            if verdict is None:
                judgements.take_back(db, about, keys)
            else:
                by = self._active.user_name
                judgements.judge(db, about, keys, Judgement(verdict, said, by, self._clock.now()))
            self._store.changed("judgement", keys=keys)

    def judgements(self, kind: str, period: str) -> Mapping[str, Judgement]:
        """Return what was said of an invoice's findings, by their keys; nothing of one whose list is not open."""
        if kind not in self._opened():
            return {}
        with lease.within(self._store) as db:
            return judgements.judgements(db, self._about(kind, period), self._clock.now())

    def leaving(self, reviewed: Reviewed, found: Sequence[Found]) -> Leaving:
        """Log that the rows of findings leave the program, and only then return them, with who sends them.

        Raises:
            NotAllowed, NotHere, NotShown: their list cannot be read any more.
            StoreError: it cannot be logged.
        """
        own, *earlier = self._rows(reviewed, found)
        for reading, rows in (own, *((reading, rows) for reading, rows in earlier if rows)):
            self.lists.leaving(reading, "invoice_dispute", len(rows))
        return Leaving(
            self._active.organisation,
            self._active.user_name,
            self._clock.now(),
            {row.id: row for _, rows in (own, *earlier) for row in rows},
            {row.id: reading.copy.period for reading, rows in earlier for row in rows},
            _summed(reviewed.billing.kind.id, own[1]),
        )

    # --- inside ------------------------------------------------------------------------------------------------------

    def _opened(self) -> dict[str, Invoice]:
        opened = self.lists.hold()
        return {kind.id: kind for kind in kinds().values() if billed_list(kind.id).id in opened}

    def _billing(self, kind: str, period: str) -> Billing | None:
        if kind not in self._opened():
            raise NotAllowed(kind)
        return next((one for one in self.calendar() if (one.kind.id, one.period) == (kind, period)), None)

    def _is_here(self, one: KelaList, period: str) -> bool:
        return any(
            entry.copy is not None for entry in self.lists.shelf() if (entry.list, entry.period) == (one.id, period)
        )

    def _before(self, one: KelaList, period: str) -> list[str]:
        """Return the periods before one that are here, the oldest first, up to the first that is not."""
        here = {entry.period: entry.copy for entry in self.lists.shelf() if entry.list == one.id}
        found: list[str] = []
        rows, before = 0, read_period(period).next(-1)
        while (copy := here.get(before.key)) is not None and rows + copy.rows <= MOST_EARLIER:
            rows += copy.rows
            found.insert(0, before.key)
            before = before.next(-1)
        return found

    def _judged(self, reviewed: Reviewed) -> Reviewed:
        said = self.judgements(reviewed.billing.kind.id, reviewed.billing.period)
        return reviewed.judged(said)

    def _rows(self, reviewed: Reviewed, found: Iterable[Found]) -> list[tuple[Reading, list[ListRow]]]:
        ids = sorted({id_ for one in found for id_ in one.finding.rows})
        taken = [(reviewed.reading, self.lists.find(reviewed.reading, ids))]
        left = set(ids) - {row.id for row in taken[0][1]}
        for reading in reviewed.earlier if left else ():
            try:
                taken.append((reading, self.lists.find(reading, sorted(left))))
            except NotHere:
                continue
        return taken

    def _about(self, kind: str, period: str) -> About:
        return About(self._active.organisation.business_id, kind, period)

    def _today(self) -> date:
        return local_date(self._clock.now())


def _came(heads: Sequence[InvoiceHead], entries: Mapping[tuple[str, str], Entry]) -> Billing:
    first = heads[0]
    entry = entries.get((first.list, first.period))
    return Billing(kinds()[first.kind], first.period, first.sent_on, first.due_on, tuple(heads), entry)


def _summed(kind: str, rows: Sequence[ListRow]) -> Summed:
    column = billed_column(kind)
    billed = (value for row in rows if isinstance(value := row.values.get(column), Decimal))
    return Summed(len(rows), sum(billed, Decimal("0.00")))


def _next(kind: Invoice, today: date, came: Iterable[str]) -> Period | None:
    """Return the period for which a kind of invoice comes next, None when its law has ended."""
    known = frozenset(came)
    newest = next(published_until(kind, today))
    period = newest if kind.sent.on(newest) == today else newest.next()
    if kind.valid_from is not None and period.last < kind.valid_from:
        period = period_of(kind.rhythm, kind.valid_from)
    while period.key in known:
        period = period.next()
    return None if kind.valid_to is not None and period.first > kind.valid_to else period
