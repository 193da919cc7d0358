"""Telling the backend who is changing which claim, so that two people on one claim see each other.

It is told at best effort: nobody waits for it, and without a network it is left out. The backend forgets it after two
minutes, so whoever goes on tells it again; what was told within `AGAIN` is not told once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from kelmu_tui.platform.clock import Clock

if TYPE_CHECKING:
    from kelmu_tui.api.client import Client

AGAIN: Final = 60.0
"""Seconds after which it is told again that somebody goes on."""
LONGEST: Final = 5.0
"""Seconds that a call may take."""


class Presence:
    """What one user is changing for one organisation.

    Args:
        client: gives the way to the backend; raises `ApiError` when there is none.
    """

    def __init__(self, client: Callable[[], Client], organisation: str, clock: Clock) -> None:
        self.organisation = organisation
        self._client = client
        self._clock = clock
        self._told: dict[str, float] = {}

    async def tell(self, claim: str, on: bool) -> None:
        """Tell that the user changes a claim, or has stopped; raises nothing."""
        from kelmu_tui.api.errors import ApiError
        from kelmu_tui.store.errors import StoreError

        last, now = self._told.get(claim), self._clock.monotonic()
        if (on and last is not None and now - last < AGAIN) or (not on and last is None):
            return
        # Noted before the answer: two calls at once are one telling.
        if on:
            self._told[claim] = now
        else:
            del self._told[claim]
        try:
            async with asyncio.timeout(LONGEST):
                await self._client().editing(self.organisation, claim, on=on)
        except (ApiError, StoreError, TimeoutError):
            with suppress(KeyError):
                del self._told[claim]
