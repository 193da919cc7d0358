"""Looking at the chains of views as a whole: what was found wrong, and whether the record still holds what came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, select

from kelmu_backend.database import tables
from kelmu_backend.views import GENESIS, Finding, chained, columns, missing, read_body

_CHAINS: Final = select(tables.view_chain).order_by(tables.view_chain.c.registered, tables.view_chain.c.id)
_EVENTS: Final = (
    select(tables.view_event)
    .where(tables.view_event.c.chain == bindparam("chain"))
    .order_by(tables.view_event.c.number)
    .execution_options(yield_per=1000)
)
_GAPS: Final = select(tables.view_finding.c.number, tables.view_finding.c.until).where(
    tables.view_finding.c.chain == bindparam("chain"),
    tables.view_finding.c.kind == Finding.GAP.value,
    tables.view_finding.c.resolved.is_(None),
)


class Checked(NamedTuple):
    """What a check of one chain came to; `first_bad` is the number of the first event that is wrong or gone."""

    chain: str
    user: str
    device: str
    events: int
    first_bad: int | None


def verify(connection: Connection) -> Iterator[Checked]:
    """Check every chain of the record anew, from the texts of its events."""
    for chain in connection.execute(_CHAINS).all():
        events, first_bad = _check(connection, chain)
        yield Checked(chain.id, chain.user, chain.device, events, first_bad)


def _check(connection: Connection, chain: Row[Any]) -> tuple[int, int | None]:
    gaps = connection.execute(_GAPS, {"chain": chain.id}).all()
    events, last, hash_ = 0, 0, GENESIS
    bad: int | None = None
    for event in connection.execute(_EVENTS, {"chain": chain.id}):
        events += 1
        follows = event.number == last + 1
        if bad is None and not follows and not any(g.number <= last + 1 and event.number <= g.until + 1 for g in gaps):
            bad = last + 1
        if bad is None and not (_holds(event, chain.user) and (not follows or event.previous == hash_)):
            bad = event.number
        last, hash_ = event.number, event.hash
    if bad is None and (last, hash_) != (chain.head, chain.hash):
        bad = min(last, chain.head) + 1
    return events, bad


def _holds(event: Row[Any], user: str) -> bool:
    """Tell whether an event is what its text says, and its text what was hashed."""
    said = read_body(event.body)
    return (
        said is not None
        and event.hash == chained(event.previous, event.body)
        and (said.number, said.user) == (event.number, user)
        and all(getattr(event, name) == value for name, value in columns(said).items())
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with whose chain it concerns; `missing` events of a gap have not arrived."""

    chain: str
    user: str
    device: str
    kind: Finding
    number: int
    until: int
    missing: int
    at: datetime
    resolved: datetime | None


def findings(connection: Connection) -> list[Found]:
    """Return all findings, the oldest first."""
    joined = (
        select(tables.view_finding, tables.view_chain.c.user, tables.view_chain.c.device)
        .join(tables.view_chain, tables.view_chain.c.id == tables.view_finding.c.chain)
        .order_by(tables.view_finding.c.id)
    )
    return [_found(connection, row) for row in connection.execute(joined).all()]


def _found(connection: Connection, row: Row[Any]) -> Found:
    kind = Finding(row.kind)
    gone = missing(connection, row) if kind is Finding.GAP else 0
    return Found(row.chain, row.user, row.device, kind, row.number, row.until, gone, row.at, row.resolved)
