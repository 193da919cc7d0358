"""What the sync needs of its neighbours, so that tests can stand in for each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Protocol, TypeVar

from kelmu_tui.api.answers import CommandAnswer, SnapshotPart
from kelmu_tui.api.contract import ChainRegistration, Changes, ViewReceipt
from kelmu_tui.store.database import Store

Result = TypeVar("Result")


class UploadsApi(Protocol):
    """The part of `api.uploads.Uploads` that the sync needs."""

    async def create(
        self, organisation: str, document: str, size: int, content: Callable[[], AsyncIterator[bytes]]
    ) -> int:
        """See `Uploads.create`."""
        ...

    async def offset(self, organisation: str, document: str, size: int) -> int | None:
        """See `Uploads.offset`."""
        ...

    async def send(
        self, organisation: str, document: str, offset: int, size: int, content: Callable[[], AsyncIterator[bytes]]
    ) -> int:
        """See `Uploads.send`."""
        ...

    async def remove(self, organisation: str, document: str) -> None:
        """See `Uploads.remove`."""
        ...


class Api(Protocol):
    """The part of `api.client.Client` that the sync needs."""

    @property
    def uploads(self) -> UploadsApi:
        """See `Client.uploads`."""
        ...

    async def changes(self, organisation: str, cursor: str | None, wait: int = 0) -> Changes:
        """See `Client.changes`."""
        ...

    def snapshot(self, organisation: str, scope: str, after: str | None = None) -> AsyncGenerator[SnapshotPart, None]:
        """See `Client.snapshot`."""
        ...

    async def command(
        self,
        organisation: str,
        id: str,  # noqa: A002
        verb: str,
        key: str,
        if_match: int,
        body: bytes,
        lease: str,
        schema: int,
    ) -> CommandAnswer:
        """See `Client.command`."""
        ...

    async def register_views(self, registration: ChainRegistration) -> ViewReceipt:
        """See `Client.register_views`."""
        ...

    async def ship_views(self, body: bytes, signature: str) -> ViewReceipt:
        """See `Client.ship_views`."""
        ...


class Runner(Protocol):
    """The store's thread (`store.thread.StoreThread`)."""

    @property
    def store(self) -> Store:
        """The store, for functions that run on the thread."""
        ...

    async def run(self, function: Callable[..., Result], *args: Any) -> Result:
        """Run a unit of work on the thread."""
        ...
