"""Tasks that are named, owned and counted: the only place that starts one.

asyncio keeps weak references to tasks and swallows what they raise; an owner keeps them, hands failures to one
place, and knows how many are busy, which tests use to wait without sleeping.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

OnFailure = Callable[[str, BaseException], None]


class Tasks:
    """A set of running tasks with one owner."""

    def __init__(self, on_failure: OnFailure) -> None:
        self._on_failure = on_failure
        self._running: set[asyncio.Task[Any]] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tasks that run now."""
        return tuple(sorted(task.get_name() for task in self._running))

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start `work` under `name`; what it raises goes to the owner's `on_failure`."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._on_failure(task.get_name(), failure)

    async def close(self) -> None:
        """Cancel what still runs and wait until it is gone."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
