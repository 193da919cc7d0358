"""Fetching lists: what is published is kept, and rows are staged as they arrive until all of them are here.

Kept apart from `lists`, which the offline commands import: this module pulls in the wire models.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Final, ParamSpec, TypeVar

from kelmu_tui.api.contract import ListStart, ListStop, ProblemCode
from kelmu_tui.api.errors import ApiError, BadAnswer, ListStopped
from kelmu_tui.api.lists import ListBatch, RowsWanted
from kelmu_tui.services.context import Context
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.looking import Link
from kelmu_tui.services.sights import demand_own
from kelmu_tui.store.list_fetch import Fetch, Incomplete, Overtaken
from kelmu_tui.store.lists import Entry, Publication
from kelmu_tui.sync import backoff
from kelmu_tui.sync.line import YIELD_SECONDS

P = ParamSpec("P")
R = TypeVar("R")

Hear = Callable[[int, int], None]
"""Hears how many rows are here and how many there are in all, on the event loop's thread."""

TRIES: Final = 5
"""Failures in a row, without a row in between, after which a fetch gives up; it can be gone on with later."""
CEILING: Final = 10.0
"""Longest wait in seconds between two tries, when the backend names none."""
LONGEST_WAIT: Final = 60.0
"""Seconds of waiting that the backend may ask for while somebody watches; when it asks for more, the fetch ends."""


class NotPublished(LookupError):
    """Nothing is published of that period, or it can be fetched no longer."""


class Withdrawn(NotPublished):
    """The publication has been withdrawn; nothing of it is here any more."""


async def refresh_lists(link: Link, context: Context) -> None:
    """Ask what is published of which list and keep it; what was withdrawn goes at once.

    Raises:
        ApiError: the backend refused, could not be reached, or its answer was not whole.
        NotAllowed: the user works for another organisation meanwhile.
        StoreError: the disk does not take the answer.
    """
    answer = await link.client.list_offers(context.active.organisation.business_id)
    told = [
        Publication(offer.list_id, one.period, one.version, one.published_at, one.rows, one.withdrawn, one.expires_at)
        for offer in answer.lists
        for one in offer.publications
    ]
    of = [offer.list_id for offer in answer.lists]
    await run_there(link, context, context.lists.announce, told, of)


async def fetch_list(link: Link, context: Context, list_id: str, period: str, hear: Hear) -> None:
    """Fetch a period of a list, or go on with a fetch that broke off; a cut is tried again from where it stands.

    What came stays when the fetch fails or is cancelled, for going on within `store.lists.RESUMABLE`. A list that is
    published anew meanwhile is fetched from the beginning.

    Raises:
        ApiError: the backend refused, could not be reached `TRIES` times, or its answers were not whole.
        NotAllowed: the list is not open (any more), or the user works for another organisation meanwhile.
        NotPublished: nothing is published of that period; `Withdrawn` when it was.
        NotShown: nothing may be shown.
        Overtaken: another window goes on with the same fetch.
        StoreError: the disk does not take it.
    """
    await _Fetching(link, context, list_id, period, hear).run()


class _Fetching:
    """One fetch, over as many requests as it takes."""

    def __init__(self, link: Link, context: Context, list_id: str, period: str, hear: Hear) -> None:
        self._link = link
        self._context = context
        self._list = list_id
        self._period = period
        self._hear = hear
        self._failures = 0
        self._again = 0.0

    async def run(self) -> None:
        """Ask until all rows are here."""
        publication = await self._publication()
        while True:
            try:
                await self._once(publication)
            except ApiError as error:
                publication = await self._after(error, publication)
            except Overtaken:
                if not await self._is_here(publication):
                    raise
                self._hear(publication.rows, publication.rows)
                return
            else:
                return

    async def _once(self, publication: Publication) -> None:
        lists = self._context.lists
        fetch = await self._run(lists.begin, publication)
        self._hear(fetch.rows, fetch.expected)
        organisation = self._context.active.organisation.business_id
        wanted = RowsWanted(self._list, self._period, publication.version, fetch.after)
        expires: datetime | None = None
        writing: asyncio.Future[Fetch] | None = None
        try:
            async with aclosing(self._link.client.list_rows(organisation, wanted)) as parts:
                async for part in parts:
                    if isinstance(part, ListStart):
                        expires = part.expires_at
                    elif isinstance(part, ListBatch):
                        fetch = fetch if writing is None else await writing
                        # The next batch is read while the disk takes this one; it is awaited below in any case.
                        writing = asyncio.ensure_future(self._take(fetch, part))
                    elif isinstance(part, ListStop):
                        raise ListStopped(part.code)
        finally:
            # Whatever ends the stream, what came before is kept; how the disk failed is told first.
            fetch = fetch if writing is None else await writing
        try:
            await self._run(lists.finish, fetch, expires)
        except Incomplete:
            raise BadAnswer("rows") from None

    async def _take(self, fetch: Fetch, batch: ListBatch) -> Fetch:
        clock = self._context.clock
        # What is left of the pause between two transactions.
        if (rest := self._again - clock.monotonic()) > 0:
            await asyncio.sleep(rest)
        fetch = await self._run(self._context.lists.take, fetch, batch.rows)
        self._again = clock.monotonic() + YIELD_SECONDS
        self._failures = 0
        self._hear(fetch.rows, fetch.expected)
        return fetch

    async def _after(self, error: ApiError, publication: Publication) -> Publication:
        """Return what to fetch now after a request that failed; waits before, where the backend needs a pause.

        Raises:
            ApiError, NotPublished: there is no use in trying again.
        """
        if error.code == ProblemCode.LIST_WITHDRAWN:
            await self._run(self._context.lists.withdrawn, publication)
            with suppress(ApiError):
                await refresh_lists(self._link, self._context)
            raise Withdrawn from None
        if error.code == ProblemCode.NOT_FOUND:
            raise NotPublished from None
        anew = publication
        if error.code == ProblemCode.LIST_REPUBLISHED:
            await refresh_lists(self._link, self._context)
            anew = await self._publication()
            if anew.version > publication.version:
                return anew
        elif not error.retryable or (error.retry_after or 0.0) > LONGEST_WAIT:
            raise error
        self._failures += 1
        if self._failures >= TRIES:
            raise error
        ids = self._context.ids
        await asyncio.sleep(backoff.delay(self._failures, ids, retry_after=error.retry_after, ceiling=CEILING))
        return anew

    async def _publication(self) -> Publication:
        """Return what is published of the period, asking the backend when nothing is known of it."""
        found = await self._run(self._entry)
        if found is None or found.publication is None:
            await refresh_lists(self._link, self._context)
            found = await self._run(self._entry)
        if found is None or found.publication is None:
            raise NotPublished
        if found.publication.withdrawn:
            raise Withdrawn
        return found.publication

    async def _is_here(self, publication: Publication) -> bool:
        """Tell whether somebody else has fetched the publication whole."""
        found = await self._run(self._entry)
        if found is not None and found.publication is not None and found.publication.withdrawn:
            raise Withdrawn
        return found is not None and found.copy is not None and found.copy.version >= publication.version

    def _entry(self) -> Entry | None:
        lists = self._context.lists
        if self._list not in lists.hold():
            raise NotAllowed(self._list)
        named = (self._list, self._period)
        return next((one for one in lists.shelf() if (one.list, one.period) == named), None)

    async def _run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await run_there(self._link, self._context, function, *args, **kwargs)


async def run_there(link: Link, context: Context, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a unit of work, unless another organisation's replica is attached by then.

    Raises:
        NotAllowed: it is.
    """

    def unit() -> R:
        demand_own(context.store, context.active.organisation.business_id, "lists")
        return function(*args, **kwargs)

    return await link.thread.run(unit)
