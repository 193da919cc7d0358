"""What the routes stand on: the record, the secrets, the wake-ups and the threads of one running backend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

from kelmu_backend import keys
from kelmu_backend.config import Config
from kelmu_backend.database.engine import POOL, Database
from kelmu_backend.hub import Hub
from kelmu_backend.identity import tokens
from kelmu_backend.identity.tokens import Principal
from kelmu_backend.keys import Signer
from kelmu_backend.lease import Leases
from kelmu_backend.limits import Limits

P = ParamSpec("P")
T = TypeVar("T")


class Authenticator(Protocol):
    """Says who a bearer token speaks for, inside the transaction that will use the answer."""

    def __call__(self, connection: Connection, token: str) -> Principal:
        """Return the principal, or raise `identity.tokens.InvalidToken`."""
        ...


class Core:
    """One running backend without its HTTP face."""

    def __init__(self, config: Config) -> None:
        self.config: Final = config
        self.database: Final = Database(config.database_url)
        key = keys.load(config.secret_folder)
        self.cursors: Final = Signer(key, "cursor")
        self.leases: Final = Leases(Signer(key, "lease"), config.lease_hours)
        self.limits: Final = Limits(config.clock)
        self.hub: Final = Hub()
        self._threads = ThreadPoolExecutor(POOL, thread_name_prefix="work")

    def authenticate(self, connection: Connection, token: str) -> Principal:
        """Return who `token` speaks for."""
        return tokens.authenticate(self.config, connection, token, self.config.clock.now())

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a synchronous unit of work on one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """End the threads and close the record."""
        self._threads.shutdown(wait=True)
        self.database.dispose()
