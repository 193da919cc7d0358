"""A backend in this process and clients of it, over everything that lies between them but the wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
from sqlalchemy import select

from kelmu_backend.core import Core
from kelmu_backend.database import tables
from kelmu_backend.identity import families, keys, tokens
from kelmu_backend.identity.families import Family
from kelmu_tui.api.client import Client
from kelmu_tui.platform.ids import SeededIds
from tests.sync.simulation.record import HandClock

URL = "https://kelmu.test"


class FreshToken:
    """The tokens of somebody who stays signed in, whatever the clock does."""

    def __init__(self, issue: Callable[[], str]) -> None:
        self._issue = issue

    async def access_token(self) -> str:
        """Return a token of now."""
        return self._issue()

    async def invalidate(self, token: str) -> None:
        """The next one is another one."""


class Token:
    """One token and no other."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def access_token(self) -> str:
        """Return the token."""
        return self._token

    async def invalidate(self, token: str) -> None:
        """There is no other."""


class World:
    """A backend in this process, and clients of it."""

    def __init__(self, core: Core, transport: httpx.AsyncBaseTransport, clock: HandClock) -> None:
        self.core = core
        self.transport = transport
        self.clock = clock
        self._signed_in = 0

    def client(self, user: str) -> Client:
        """Return a signed-in client."""
        return self.with_token(tokens.issue(self.core.config, self._family(user), self.clock.now())[0])

    def lasting_client(self, user: str, transport: httpx.AsyncBaseTransport | None = None) -> Client:
        """Return a client whose session outlasts any test, over another way than the usual one if need be."""
        family = self._family(user)
        fresh = FreshToken(lambda: tokens.issue(self.core.config, family, self.clock.now())[0])
        return Client(URL, fresh, "device-1", transport or self.transport, ids=SeededIds(3))

    def _family(self, user: str) -> Family:
        now = self.clock.now()
        self._signed_in += 1
        family = Family(f"family-{user}-{self._signed_in}", user, "kelmu-terminal", None, now + timedelta(days=60))
        with self.core.database.write() as connection:
            families.start(connection, keys.ring(self.core.config), family, "test", "s" * 43, now)
        return family

    def with_token(self, token: str) -> Client:
        """Return a client with any token."""
        return Client(URL, Token(token), "device-1", self.transport, ids=SeededIds(3))

    def told(self) -> list[str]:
        """Return the subjects of all views that came in, in order."""
        table = tables.view_event.c
        with self.core.database.read() as connection:
            return list(connection.execute(select(table.subject).order_by(table.chain, table.number)).scalars())
