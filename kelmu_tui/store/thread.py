"""One thread for the store: the screen awaits whole units of work and never waits itself.

A unit is a function over the `Store` (a service's method, a step of sync); units run one after another in the order
they were given, so the connection is never shared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreClosed

P = ParamSpec("P")
R = TypeVar("R")


class StoreThread:
    """Runs units of work on the store's own thread; what they raise reaches who awaits them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._busy = 0
        self._closing = False

    @property
    def busy(self) -> int:
        """Units given and not yet finished: tests wait until it is 0 instead of sleeping."""
        return self._busy

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `function` on the store's thread and return its value.

        A caller that is cancelled stops waiting; the unit itself runs to its end, since a transaction is whole.

        Raises:
            StoreClosed: the thread has ended (`close`).
        """
        loop = asyncio.get_running_loop()
        try:
            future = loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))
        except RuntimeError as error:
            if not self._closing:
                raise
            raise StoreClosed from error
        self._busy += 1
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[R]) -> None:
        self._busy -= 1
        if not future.cancelled():
            # Whoever awaited it has been told, or was cancelled and does not care any more.
            future.exception()

    def close(self) -> None:
        """Wait for the units given so far and end the thread; the store stays open for its owner."""
        self._closing = True
        self._executor.shutdown(wait=True)
