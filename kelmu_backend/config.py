"""Settings of one backend: where its record and its secrets lie, and how it presents itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from kelmu_backend.lists.publishing import Issue
from kelmu_tui.domain.lists import KelaList, Period
from kelmu_tui.domain.organisations import Organisation
from kelmu_tui.platform.clock import Clock, SystemClock
from kelmu_tui.platform.ids import Ids, RandomIds

Maker = Callable[[Row[Any], Sequence[Row[Any]], date], list[dict[str, Any]]]
"""Makes the rows of `customer_row` that Kela's systems hold of a person: from the row of `person`, those of the others
in the household, and the Finnish day of today."""
Lister = Callable[[Connection, Organisation, KelaList, Sequence[Period], date], Iterable[Issue]]
"""Makes a list for an organisation: the periods that are wanted, the oldest first, as of the Finnish day of today. It
may put people into the record, in the same transaction."""
Wait = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass."""


@dataclass(frozen=True)
class Config:
    """Everything `app.create_app` needs to know.

    Args:
        database_url: SQLAlchemy URL, `sqlite:////folder/kelmu.db` or `postgresql+psycopg://…`.
        public_url: address under which clients and browsers reach the backend, without a slash at its end.
        demo: personas may be signed in as, and notices arrive by themselves.
        secret_folder: folder of the signing keys; all processes of one backend share it.
        lease_hours: how long a client may show data without a connection.
        hints: send wake-ups between processes; without them waiting polls notice changes within a second.
        background: run the loop that publishes due notices; a test that steps time by hand turns it off.
        seed: seed of the demo's live arrivals.
        maker: makes what the systems know of a person when somebody first asks; None where they hold it already.
        lister: makes lists and invoices when they are first needed; None where the record holds them already.
        wait: how a slow source is waited for.
        documents: folder of uploaded content, always encrypted; None for `documents` beside the secret folder.
        scanner: program that looks for malware, with its arguments: it reads a document from its standard input and
            ends with 0 (clean), 1 (malware) or anything else (it could not look). Empty for none.
        delivery: program that hands a document to Kela's systems, likewise: it gets the path of the document behind its
            arguments, reads what belongs to it as JSON from its standard input, and ends with 0 once it is there. Empty
            in a demo, where the backend plays that part.
    """

    database_url: str = field(repr=False)
    public_url: str
    demo: bool
    secret_folder: Path
    clock: Clock = field(default_factory=SystemClock)
    ids: Ids = field(default_factory=RandomIds)
    lease_hours: int = 12
    hints: bool = True
    background: bool = True
    seed: int = 1
    maker: Maker | None = None
    lister: Lister | None = None
    wait: Wait = asyncio.sleep
    documents: Path | None = None
    scanner: tuple[str, ...] = ()
    delivery: tuple[str, ...] = ()

    @property
    def document_folder(self) -> Path:
        """The folder of uploaded content."""
        return self.documents or self.secret_folder.parent / "documents"

    @property
    def issuer(self) -> str:
        """The issuer named in tokens: the public address."""
        return self.public_url
