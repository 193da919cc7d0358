"""What sign-in needs from the rest of the backend, as protocols, so that tests and tools can hand in their own."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids


class Settings(Protocol):
    """The part of `kelmu_backend.config.Config` that sign-in reads."""

    @property
    def public_url(self) -> str:
        """Return the address people and clients use, without a slash at its end."""
        ...

    @property
    def issuer(self) -> str:
        """Return the name of this authorization server in tokens and metadata."""
        ...

    @property
    def demo(self) -> bool:
        """Tell whether made-up workers may be signed in as."""
        ...

    @property
    def secret_folder(self) -> Path:
        """Return the folder that holds the keys."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the source of time."""
        ...

    @property
    def ids(self) -> Ids:
        """Return the source of identifiers that need not be secret."""
        ...


class Transactions(Protocol):
    """Short transactions; `kelmu_backend.database.engine.Database` is one."""

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that only reads."""
        ...

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction that writes, commits at its end and rolls back on an exception."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a call came from: its network address, and the request's id for the audit log."""

    address: str
    request_id: str | None = None


def audience(settings: Settings) -> str:
    """Return the audience of access tokens: the API, not the authorization server."""
    return f"{settings.public_url.rstrip('/')}/v1"
