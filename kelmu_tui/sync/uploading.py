"""The loop that brings documents up, one after another. `upload` decides.

A document goes up in one request, read from its sealed copy: the next piece is read and opened on another thread while
the last one is on the wire. How far it is goes to the ledger once a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final

from kelmu_tui.api.errors import ApiError
from kelmu_tui.platform.clock import Clock
from kelmu_tui.store.copies import Due
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.sealed import PIECE, BrokenSeal, Copy
from kelmu_tui.store.troubles import Part
from kelmu_tui.sync import backoff, upload
from kelmu_tui.sync.line import YIELD_SECONDS, Line
from kelmu_tui.sync.pace import Pace
from kelmu_tui.sync.seams import Api, Runner, UploadsApi
from kelmu_tui.sync.signals import first_of
from kelmu_tui.sync.status import Connection

SLICE: Final = 1 << 18
"""Bytes handed to the connection at a time: a slow line takes each within the time that a write may take."""
TOLD_EACH: Final = 1.0
"""Seconds between two notes in the ledger of how far an upload is."""

Heard = Callable[[int], Awaitable[bool]]
"""Hears how many bytes were handed over; False when nobody wants them any more."""


Told = Callable[[Due, int], None]
"""Hears which document goes up, and how many bytes of it were handed over."""


class NotWanted(Exception):
    """The sending was taken back while a document of it went up."""


async def deliver(uploads: UploadsApi, copy: Copy | None, one: Due, hear: Heard) -> None:
    """Bring a document up to its end, or take away what the backend has of one that was taken back.

    Raises:
        ApiError: it did not come to its end.
        BrokenSeal: the copy is not what was sealed.
        NotWanted: nobody wants it any more.
        StoreError: the disk does not give the copy.
    """
    if copy is None:
        await uploads.remove(one.organisation, one.document)
        return
    offset: int | None = None
    if one.anew:
        await uploads.remove(one.organisation, one.document)
    elif one.begun:
        offset = await uploads.offset(one.organisation, one.document, one.size)
    if offset is None:
        offset = await uploads.create(one.organisation, one.document, one.size, lambda: read_ahead(copy, 0, hear))
    while offset < one.size:
        if not await hear(offset):
            raise NotWanted
        start = offset

        def content(start: int = start) -> AsyncIterator[bytes]:
            return read_ahead(copy, start, hear)

        offset = await uploads.send(one.organisation, one.document, start, one.size, content)


async def read_ahead(copy: Copy, offset: int, hear: Heard) -> AsyncGenerator[bytes, None]:
    """Yield a copy's bytes from `offset` on; the piece behind the one that is on its way is opened meanwhile.

    Raises:
        BrokenSeal, StoreError: as `Copy.piece`.
        NotWanted: nobody wants it any more.
    """
    loop = asyncio.get_running_loop()
    place, skip = divmod(offset, PIECE)
    ahead = loop.run_in_executor(None, copy.piece, place)
    try:
        while True:
            piece = await ahead
            place += 1
            if place < copy.pieces:
                ahead = loop.run_in_executor(None, copy.piece, place)
            for start in range(skip, len(piece), SLICE):
                part = piece[start : start + SLICE]
                yield part
                offset += len(part)
                if not await hear(offset):
                    raise NotWanted
            skip = 0
            if place >= copy.pieces:
                return
    finally:
        # The file must not be closed under a thread that reads it.
        await asyncio.wait([ahead])
        ahead.exception()


async def _carry(thread: Runner, uploads: UploadsApi, one: Due, hear: Heard) -> None:
    """Open the copy of a document and deliver it; raises as `deliver`."""
    copy = None if one.key is None else Copy(thread.store.folder, one.document, one.key, one.size)
    try:
        await deliver(uploads, copy, one, hear)
    finally:
        if copy is not None:
            copy.close()


class Uploading:
    """The part of an engine that brings documents up.

    Attributes:
        pace: how fast it goes.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._told = 0.0
        self._last = 0
        self.pace = Pace()

    def poke(self) -> None:
        """Bring up everything that waits now."""
        self._line.hasten_uploads = True
        self._line.upload_wake.set()

    async def run(self) -> None:
        """Bring documents up until cancelled."""
        line = self._line
        while True:
            line.upload_wake.clear()
            try:
                rest = await self._round()
            except StoreError as error:
                rest = line.disk_failed(error)
            timer = [] if rest is None else [line.wait(max(rest, YIELD_SECONDS))]
            await first_of(line.tasks, line.upload_wake.wait(), *timer)

    async def _round(self) -> float | None:
        """Bring up what is due; return seconds until more is, None when nothing waits."""
        line = self._line
        await line.unit(upload.mend)
        if line.waits_for_somebody() or line.failures >= backoff.PROBE_AFTER:
            return None
        hasten, line.hasten_uploads = line.hasten_uploads, False
        if hasten:
            await line.unit(upload.hasten)
        one = await line.unit(upload.take)
        try:
            while one is not None:
                one = await self._one(one)
        finally:
            self.pace.rest()
        if line.waits_for_somebody() or line.failures >= backoff.PROBE_AFTER:
            return None
        return await line.unit(upload.next_due)

    async def _one(self, one: Due) -> Due | None:
        """Bring one document up and store what became of it; return what goes up next."""
        line = self._line
        self._told, self._last = line.clock.monotonic(), -1
        try:
            await _carry(line.thread, line.client.uploads, one, lambda sent: self._hear(one, sent))
        except NotWanted:
            pass
        except BrokenSeal:
            await line.stubborn(upload.broke, one)
        except ApiError as error:
            return await self._failed(one, error)
        except StoreError as error:
            line.disk_failed(error)
            await line.stubborn(upload.failed, one, error)
            return None
        else:
            line.failures = 0
            line.well(Part.UPLOAD)
            return (await line.stubborn(_done, one)).following
        return await line.unit(upload.take)

    async def _failed(self, one: Due, error: ApiError) -> Due | None:
        line = self._line
        paused = line.paused(error)
        verdict = await line.stubborn(upload.failed, one, error)
        await line.note(Part.UPLOAD, error)
        if not paused and not verdict.reached:
            line.lost()
            line.show(state=Connection.OFFLINE, problem=error.code, request_id=error.request_id)
        if verdict.pull_now:
            line.hurry = True
            line.pull_wake.set()
        # The next one may go on at once where this one met a fault of its own; a network that is away says enough.
        return await line.unit(upload.take) if verdict.reached and not paused else None

    async def _hear(self, one: Due, sent: int) -> bool:
        line = self._line
        now = line.clock.monotonic()
        if self._last >= 0:
            self.pace.note(now, sent - self._last)
        self._last = sent
        if now - self._told < TOLD_EACH:
            return True
        self._told = now
        try:
            return await line.unit(upload.progressed, one, sent)
        except StoreError as error:
            line.disk_failed(error)
            return True


def _done(store: Store, one: Due) -> upload.Uploaded:
    return upload.done(store, one, go_on=True)


async def upload_once(thread: Runner, client: Api, clock: Clock, told: Told | None = None, *, tries: int = 1) -> None:
    """Bring up all that is due, for the command line; the caller holds the lead.

    Args:
        told: hears of the bytes that go up, on the event loop's thread.
        tries: failures in a row, without a byte in between, after which it ends; what arrived stays there.

    Raises:
        ApiError: nobody was reached, or a sign-in or an update is needed.
        StoreError: the disk says no.
    """
    store, failures = thread.store, 0
    await thread.run(upload.mend, store)
    await thread.run(upload.hasten, store)
    one = await thread.run(upload.take, store)
    while one is not None:
        walk = _Walk(thread, clock, one, told)
        try:
            await _carry(thread, client.uploads, one, walk.hear)
        except NotWanted:
            one = await thread.run(upload.take, store)
        except BrokenSeal:
            await thread.run(upload.broke, store, one)
            one = await thread.run(upload.take, store)
        except ApiError as error:
            failures = 1 if walk.moved else failures + 1
            verdict = await thread.run(upload.failed, store, one, error)
            if verdict.sign_in or verdict.update or (not verdict.reached and failures >= tries):
                raise
            if not verdict.reached:
                await asyncio.sleep(backoff.delay(failures, store.ids, ceiling=backoff.PROBE_CEILING))
                await thread.run(upload.hasten, store)
            one = await thread.run(upload.take, store)
        else:
            failures = 0
            one = (await thread.run(_done, store, one)).following
    await thread.run(upload.mend, store)


class _Walk:
    """One document on its way up, for whoever watches."""

    def __init__(self, thread: Runner, clock: Clock, one: Due, told: Told | None) -> None:
        self._thread = thread
        self._clock = clock
        self._one = one
        self._told = told
        self._noted = clock.monotonic()
        self._first: int | None = None
        self.moved = False

    async def hear(self, sent: int) -> bool:
        """Tell it, and note it once a second."""
        self._first = sent if self._first is None else self._first
        self.moved = sent > self._first
        if self._told is not None:
            self._told(self._one, sent)
        now = self._clock.monotonic()
        if now - self._noted < TOLD_EACH:
            return True
        self._noted = now
        return await self._thread.run(upload.progressed, self._thread.store, self._one, sent)
