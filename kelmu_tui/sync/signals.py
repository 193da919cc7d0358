"""Waiting for one of several things without losing any of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from kelmu_tui.api.errors import ApiError
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.store.errors import StoreError

Result = TypeVar("Result")


class Signal:
    """A flag that wakes one waiter and falls again: what was set before the wait counts."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake whoever waits or will wait."""
        self._event.set()

    def clear(self) -> None:
        """Forget earlier wakes: what they told is looked at now."""
        self._event.clear()

    async def wait(self) -> None:
        """Wait until set, and lower the flag."""
        await self._event.wait()
        self._event.clear()


async def _of(thing: Awaitable[Any]) -> None:
    await thing


async def first_of(tasks: Tasks, *things: Awaitable[Any], others: tuple[asyncio.Task[Any], ...] = ()) -> None:
    """Wait until one of `things` or `others` is done; the unfinished `things` are cancelled, `others` go on."""
    waiting = [tasks.spawn("sync.wait", _of(thing)) for thing in things]
    try:
        await asyncio.wait([*waiting, *others], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def outcome_of(call: Coroutine[Any, Any, Result]) -> Result | ApiError | StoreError:
    """Return a failure of a call instead of raising it: a failed call is no failed task.

    The store fails a call whose new tokens it cannot keep.
    """
    try:
        return await call
    except (ApiError, StoreError) as error:
        return error


async def end(tasks: list[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they are gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
