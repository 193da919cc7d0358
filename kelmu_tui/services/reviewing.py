"""Reviewing an invoice: its rows are read on the store's thread, the rules run on a thread of their own.

Rows come in pages of which only a few are on their way at a time, so that neither keys nor memory feel how many there
are. A review that is cancelled ends its thread at the next row and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kelmu_tui.domain.review import Answer, Earlier, Finding, Row, Shape, shape_of, typed_row
from kelmu_tui.domain.review import review as judged_by_rules
from kelmu_tui.domain.review.billing import billed_column
from kelmu_tui.domain.review.verdicts import Verdict, finding_key
from kelmu_tui.platform.collecting import no_full_collections
from kelmu_tui.services.lists import Lists, Reading
from kelmu_tui.store.judgements import Judgement
from kelmu_tui.store.list_pages import Totals
from kelmu_tui.store.list_values import ListRow
from kelmu_tui.store.lists import Copy

if TYPE_CHECKING:
    from kelmu_tui.services.invoices import Billing, Invoices, Prepared

PAGE: Final = 500
"""Rows that are read in one unit of work on the store's thread: about 10 ms."""
ON_THE_WAY: Final = 4
"""Pages that are read and not judged yet at the most."""

Run = Callable[..., Awaitable[Any]]
"""Runs a unit of work on the store's thread."""
Hear = Callable[[int, int], None]
"""Hears how many rows were read and how many there are, those of earlier invoices included, on the event loop's
thread."""


class Missing(StrEnum):
    """What a review could not look at."""

    EARLIER = "earlier"
    ANSWERS = "answers"
    RESIDENTS = "residents"


class Found(NamedTuple):
    """A finding under its key, and what the user said of it."""

    key: str
    finding: Finding
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a review found.

    Attributes:
        reading: of the rows of the invoice, for reading on in them.
        earlier: readings of the earlier invoices that they were held against, the oldest first.
        since: first day from which on all rows were at hand.
        rows: how many rows the invoice has.
        total: sum of the rows, which the invoices of the billing together should be.
        found: in the order of the invoice, what is about it as a whole first.
    """

    billing: Billing
    reading: Reading
    earlier: tuple[Reading, ...]
    since: date
    rows: int
    total: Decimal
    found: tuple[Found, ...]
    without: frozenset[Missing]
    at: datetime

    @property
    def copy(self) -> Copy:
        """The copy of the list that was reviewed."""
        return self.reading.copy

    @property
    def disputed(self) -> tuple[Found, ...]:
        """The findings that the user disputes."""
        return tuple(
            one for one in self.found if one.judgement is not None and one.judgement.verdict is Verdict.DISPUTED
        )

    def judged(self, said: Mapping[str, Judgement]) -> Reviewed:
        """Return it with what was said of its findings."""
        return replace(self, found=tuple(one._replace(judgement=said.get(one.key)) for one in self.found))


async def review(
    run: Run,
    invoices: Invoices,
    kind: str,
    period: str,
    *,
    residents: Container[str] | None = None,
    answers: Mapping[str, Answer] | None = None,
    hear: Hear | None = None,
) -> Reviewed:
    """Review an invoice by the rules, and remember the review (`Invoices.held`).

    Args:
        residents: identity codes of the people whom the organisation knows, None where there is no list of them.
        answers: the county's own answers by the reference of the request, None where they are not at hand.

    Raises:
        KeyError: there is no such kind.
        NotAllowed, NotHere, NotShown: the list of the invoice cannot be read (any more).
        NoHead: it is here, but no invoice has come.
    """
    prepared: Prepared = await run(invoices.prepare, kind, period)
    known = _Known(residents, answers if shape_of(kind) is Shape.TREATMENT_ABROAD else None)
    with no_full_collections():
        found = await _found(run, invoices.lists, prepared, known, hear)
    totals: Totals = await run(invoices.lists.totals, prepared.reading)
    reviewed = Reviewed(
        prepared.billing,
        prepared.reading,
        prepared.earlier,
        prepared.since,
        prepared.reading.rows,
        totals.sums[billed_column(kind)],
        found,
        _without(prepared, known),
        prepared.at,
    )
    kept: Reviewed = await run(invoices.keep, reviewed)
    return kept


class _Known(NamedTuple):
    """What is at hand beside the rows."""

    residents: Container[str] | None
    answers: Mapping[str, Answer] | None


class _Stopped(Exception):
    """Nobody waits for the review any more."""


class _Feed:
    """Pages on their way from the store's thread to the thread of the rules; an empty page ends a stream of rows."""

    def __init__(self, loop: asyncio.AbstractEventLoop, shape: Shape) -> None:
        self._loop = loop
        self._shape = shape
        self._pages: SimpleQueue[Sequence[ListRow] | None] = SimpleQueue()
        self._room = asyncio.Semaphore(ON_THE_WAY)

    async def put(self, page: Sequence[ListRow]) -> None:
        """Give a page once there is room for it."""
        await self._room.acquire()
        self._pages.put(page)

    def end(self) -> None:
        """End a stream."""
        self._pages.put(())

    def stop(self) -> None:
        """End the thread of the rules where it stands."""
        self._pages.put(None)

    def wake(self, _: object) -> None:
        """Let nobody wait for room: the thread of the rules has ended."""
        self._room.release()

    def rows(self) -> Iterator[Row]:
        """Yield the rows of a stream, on the thread of the rules.

        Raises:
            _Stopped: as there.
        """
        while page := self._taken():
            for row in page:
                yield typed_row(self._shape, row.id, row.values)

    def _taken(self) -> Sequence[ListRow]:
        page = self._pages.get()
        if page is None:
            raise _Stopped
        if page:
            self._loop.call_soon_threadsafe(self._room.release)
        return page


async def _found(run: Run, lists: Lists, prepared: Prepared, known: _Known, hear: Hear | None) -> tuple[Found, ...]:
    loop = asyncio.get_running_loop()
    feed = _Feed(loop, shape_of(prepared.head.kind))
    worker = loop.run_in_executor(None, _judge, prepared, feed, known)
    worker.add_done_callback(feed.wake)
    try:
        await _read(run, lists, prepared, feed, worker, hear)
        return await asyncio.shield(worker)
    finally:
        feed.stop()
        if not worker.done():
            await asyncio.wait({worker})
            worker.exception()  # that it was stopped is no news


async def _read(
    run: Run, lists: Lists, prepared: Prepared, feed: _Feed, worker: asyncio.Future[Any], hear: Hear | None
) -> None:
    """Feed the rows of the earlier invoices and then those of the invoice, for as long as somebody takes them."""
    readings = (*prepared.earlier, prepared.reading)
    total, done = sum(reading.rows for reading in readings), 0
    for reading in readings:
        if prepared.earlier and reading is prepared.reading:
            feed.end()
        after: int | None = None
        while not worker.done():
            page: Sequence[ListRow] = await run(lists.page, reading, after=after, limit=PAGE)
            if not page:
                break
            await feed.put(page)
            after, done = page[-1].place, done + len(page)
            if hear is not None:
                hear(done, total)
    feed.end()


def _judge(prepared: Prepared, feed: _Feed, known: _Known) -> tuple[Found, ...]:
    """Run the rules, on their thread."""
    found = judged_by_rules(
        prepared.head,
        feed.rows(),
        known=known.residents,
        answers=known.answers,
        # Taken before the rows, as the feed brings them.
        earlier=Earlier(prepared.since, feed.rows()) if prepared.earlier else None,
        artificial=prepared.artificial,
    )
    return tuple(Found(finding_key(finding), finding) for finding in found)


def _without(prepared: Prepared, known: _Known) -> frozenset[Missing]:
    abroad = shape_of(prepared.head.kind) is Shape.TREATMENT_ABROAD
    missing = {
        Missing.EARLIER: not prepared.earlier,
        Missing.ANSWERS: abroad and known.answers is None,
        Missing.RESIDENTS: known.residents is None,
    }
    return frozenset(one for one, is_missing in missing.items() if is_missing)
