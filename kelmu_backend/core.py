"""What the routes stand on: the record, the secrets, the wake-ups and the threads of one running backend."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from sqlalchemy import Connection

from kelmu_backend import keys
from kelmu_backend.config import Config
from kelmu_backend.database.engine import POOL, Database
from kelmu_backend.documents.vault import Vault
from kelmu_backend.hub import Hub
from kelmu_backend.identity import tokens
from kelmu_backend.identity.tokens import Principal
from kelmu_backend.keys import Signer
from kelmu_backend.lease import Leases
from kelmu_backend.limits import Limits
from kelmu_backend.stillness import Stillness

LOOKERS: Final = 2
"""Documents that are looked at once."""

P = ParamSpec("P")
T = TypeVar("T")


class Core:
    """One running backend without its HTTP face."""

    def __init__(self, config: Config) -> None:
        self.config: Final = config
        self.database: Final = Database(config.database_url)
        key = keys.load(config.secret_folder)
        self.cursors: Final = Signer(key, "cursor")
        self.marks: Final = Signer(key, "look_up")
        self.vault: Final = Vault(config.document_folder, keys.derived(key, "documents"), self.database)
        self.leases: Final = Leases(Signer(key, "lease"), config.lease_hours)
        self.limits: Final = Limits(config.clock)
        self.hub: Final = Hub()
        self.stillness: Final = Stillness()
        self.making: Final[defaultdict[str, asyncio.Lock]] = defaultdict(asyncio.Lock)
        """By organisation, for whoever makes its lists: one after another within this process."""
        self.looking: Final = asyncio.Semaphore(LOOKERS)
        """Held by whoever looks at a document: that takes a processor for a while."""
        self._threads = ThreadPoolExecutor(POOL, thread_name_prefix="work")

    def authenticate(self, connection: Connection, token: str) -> Principal:
        """Return who `token` speaks for."""
        return tokens.authenticate(self.config, connection, token, self.config.clock.now())

    def recognise(self, token: str) -> str:
        """Return the user of a token that is good in itself; whether its session lives is the record's to say.

        Raises:
            InvalidToken: it isn't ours or isn't within its time.
        """
        return tokens.read(self.config, token, self.config.clock.now()).user

    async def stamp(self) -> Hashable:
        """Return the record's stamp; SQLite's is a look into shared memory, for which no thread is woken."""
        return self.database.stamp() if self.database.is_sqlite else await self.run(self.database.stamp)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a synchronous unit of work on one of the threads."""
        return await self.begin(work, *args, **kwargs)

    def begin(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Begin a synchronous unit of work on one of the threads; whoever begins it has to wait for its end."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """End the threads and close the record."""
        self._threads.shutdown(wait=True)
        self.database.dispose()
