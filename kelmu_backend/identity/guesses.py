"""The limit on wrong codes: ten per source and ten minutes, shared by all processes through the database."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from kelmu_backend.identity.keys import KeyRing
from kelmu_backend.identity.tables import guess

LIMIT: Final = 10
WINDOW: Final = timedelta(minutes=10)


def retry_after() -> int:
    """Return the seconds after which a source that has used up its guesses may try again for certain."""
    return int(WINDOW.total_seconds())


def source(ring: KeyRing, address: str) -> str:
    """Return the stored name of a network address."""
    return ring.keyed("source", network(address)).hex()


def network(address: str) -> str:
    """Return what counts as one source: a whole IPv6 /64, since one machine owns it, else the address itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    wide = isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if wide else address


def exhausted(connection: Connection, of: str, now: datetime) -> bool:
    """Tell whether the source has used up its wrong codes."""
    row = connection.execute(_OF_SOURCE, {"of": of}).one_or_none()
    return row is not None and now < row.since + WINDOW and row.wrong >= LIMIT


def count(connection: Connection, of: str, now: datetime) -> int:
    """Count one wrong code and return how many the source has in its window."""
    row = connection.execute(_OF_SOURCE, {"of": of}).one_or_none()
    if row is None:
        connection.execute(delete(guess).where(guess.c.since < now - WINDOW))
        try:
            with connection.begin_nested():
                connection.execute(insert(guess).values({"source": of, "since": now, "count": 1}))
        except IntegrityError:
            # Another process was first with this source; its row can be locked and read now.
            return count(connection, of, now)
        return 1
    since, wrong = (now, 1) if now >= row.since + WINDOW else (row.since, row.wrong + 1)
    connection.execute(update(guess).where(guess.c.source == of).values({"since": since, "count": wrong}))
    return wrong


_OF_SOURCE: Final = (
    select(guess.c.since, guess.c["count"].label("wrong")).where(guess.c.source == bindparam("of")).with_for_update()
)
