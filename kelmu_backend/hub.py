"""Wake-ups of waiting polls: they say "look again" and carry no data, so that losing one costs a second at most.

A poll that waits holds no database connection. It is woken by commits of this process at once, by those of others
through PostgreSQL's NOTIFY as a hint, and at the latest by the fallback that reads the head each second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from kelmu_backend.feed import Change

GAP: Final = 0.05
"""Seconds between two rounds of wake-ups: what is committed in between is told together."""


class Hub:
    """Who waits for which scopes, in one process; all but `committed` and `close` belong to its event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[asyncio.Future[None], frozenset[str]] = {}
        self._pending: set[str] = set()
        self._everyone = False
        self._scheduled = False
        self._last = float("-inf")
        self._own: set[int] = set()
        self._head: int | None = None
        self._committed = asyncio.Event()
        self.round = 0
        """Number of rounds so far: a poll notes it before it reads, so that no wake-up falls in between."""
        self.closed = False

    def start(self) -> None:
        """Belong to the running event loop from now on."""
        self._loop = asyncio.get_running_loop()
        self.closed = False

    @property
    def waiting(self) -> int:
        """How many polls wait now."""
        return len(self._waiting)

    def committed(self, change: Change) -> None:
        """Tell from any thread that this process has committed `change`."""
        self._call(lambda: self._note(change))

    def close(self) -> None:
        """Let all polls answer now and from now on, because the process ends; may come from a signal handler."""
        self.closed = True
        self._call(lambda: self._wake(None))

    def _call(self, what: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what)

    def _note(self, change: Change) -> None:
        self._own.add(change.seq)
        self._committed.set()
        self._wake(change.scopes)

    async def own_commit(self) -> None:
        """Wait until this process has committed something since the last time this was asked."""
        await self._committed.wait()
        self._committed.clear()

    def head(self, seq: int) -> bool:
        """Take the head of the feed as just read; wake everyone and return True when somebody else has moved it."""
        before, self._head = self._head, seq
        foreign = before is not None and any(n not in self._own for n in range(before + 1, min(seq, before + 100) + 1))
        foreign = foreign or (before is not None and not before <= seq <= before + 100)
        self._own = {n for n in self._own if n > seq}
        if foreign:
            self._wake(None)
        return foreign

    def _wake(self, scopes: Collection[str] | None) -> None:
        if scopes:
            self._pending.update(scopes)
        else:
            self._everyone = True
        if self._scheduled or self._loop is None:
            return
        self._scheduled = True
        delay = max(0.0, self._last + GAP - self._loop.time())
        self._loop.call_later(0 if self.closed else delay, self._round)

    def _round(self) -> None:
        self._scheduled = False
        self._last = self._loop.time() if self._loop else 0.0
        self.round += 1
        pending, everyone = self._pending, self._everyone
        self._pending, self._everyone = set(), False
        for waiter, scopes in list(self._waiting.items()):
            if (everyone or scopes & pending) and not waiter.done():
                waiter.set_result(None)

    async def wait(self, seen: int, scopes: frozenset[str], seconds: float) -> bool:
        """Wait until something in `scopes` may have changed since round `seen`; False when `seconds` have passed."""
        if self.closed or seconds <= 0:
            return False
        if self.round != seen:
            return True
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = scopes
        try:
            await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            return False
        finally:
            del self._waiting[waiter]
        return True
