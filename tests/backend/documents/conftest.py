"""A sender of documents: `aino` for A, with a notice about a customer in the inbox; in process, and by real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.backend.conftest import World, notice_row

from .support import CODE, Sender, served


@pytest.fixture
def sender(world: World) -> Sender:
    """Give aino, who handles the customer's matter."""
    world.add(notice_row(1, customer=notice_row(1)["customer"] | {"identity_code": CODE}))
    return Sender(world, world.client)


@pytest.fixture
async def wired(sender: Sender) -> AsyncIterator[Sender]:
    """Give the same over a real connection."""
    async with served(sender.world) as url, httpx.AsyncClient(base_url=url) as client:
        yield Sender(sender.world, client)
