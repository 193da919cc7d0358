"""What Kela's side does with a claim: acknowledges it, hears the payee, decides, pays, ends.

A move is judged by the state of the claim alone; when and why it comes is the business of whoever moves. A claim is
paid at most once a payment day: whoever pays locks it first, and the record's key stands behind that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select

from kelmu_backend.claims import record
from kelmu_backend.customers.changing import Key, Known
from kelmu_backend.database.claim_tables import claim_payment
from kelmu_backend.feed import Entry
from kelmu_tui.domain.claims.catalogue import end_reasons
from kelmu_tui.domain.claims.life import ClaimState, Rejection, Status
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.ids import Ids


class NotMovable(ValueError):
    """The claim is not in a state that allows the move, or the move says what cannot be."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Kela begins to handle the claim: from now on it cannot be changed or cancelled."""


@dataclass(frozen=True, slots=True)
class Hear:
    """Kela asks the payee, and waits until a day."""

    until: date


@dataclass(frozen=True, slots=True)
class Accept:
    """Kela decides that it pays."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Kela decides that it does not."""

    reason: Rejection


@dataclass(frozen=True, slots=True)
class Pay:
    """Kela pays to the organisation; `rows` are rows of the payee's file that become different with it."""

    on: date
    amount: Decimal
    rows: Mapping[Key, Known | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more is to come: the last day has passed, or all has been paid; `reason` is of the catalogue."""

    on: date
    reason: str


Move = Acknowledge | Hear | Accept | Reject | Pay | Over

_FROM: Final[Mapping[type[Any], frozenset[Status]]] = MappingProxyType(
    {
        Acknowledge: frozenset({Status.REGISTERED}),
        Hear: frozenset({Status.IN_HANDLING}),
        Accept: frozenset({Status.IN_HANDLING, Status.HEARING}),
        Reject: frozenset({Status.IN_HANDLING, Status.HEARING}),
        Pay: frozenset({Status.IN_FORCE}),
        Over: frozenset({Status.IN_FORCE}),
    }
)
_TO: Final[Mapping[type[Any], Status]] = MappingProxyType(
    {
        Acknowledge: Status.IN_HANDLING,
        Hear: Status.HEARING,
        Accept: Status.IN_FORCE,
        Reject: Status.REJECTED,
        Pay: Status.IN_FORCE,
        Over: Status.ENDED,
    }
)
_PAID: Final = select(claim_payment).where(claim_payment.c.claim == bindparam("claim")).order_by(claim_payment.c.on)


def move(
    connection: Connection, row: Row[Any], done: Move, now: datetime, ids: Ids, next_at: datetime | None = None
) -> list[Entry]:
    """Move a loaded claim; return the feed's entries, which the caller writes last.

    Args:
        row: of `record.load`, so that the claim is locked.
        next_at: when Kela's side comes to it next.

    Raises:
        NotMovable: nothing has been written.
    """
    before = record.state_of(row)
    if before.status not in _FROM[type(done)]:
        raise NotMovable(f"a claim that is {before.status.value} cannot be moved like this")
    status = _TO[type(done)]
    after = replace(before, status=status, version=before.version + 1)
    more: dict[str, Any] = {"next_at": next_at}
    rows: Mapping[Key, Known | None] = {}
    what = status.value
    match done:
        case Hear(until):
            more["hearing_until"] = until
        case Accept() | Reject():
            more |= {
                "decided_on": local_date(now),
                "rejection": done.reason.value if isinstance(done, Reject) else None,
            }
        case Pay(on, amount, rows):
            _pay(connection, row, before, on, amount)
            what = "paid"
        case Over(on, reason):
            after = _over(after, on, reason)
    return record.keep(connection, row, after, what, now, ids, rows=rows, **more)


def paid(connection: Connection, claim: str) -> dict[date, Decimal]:
    """Return what has been paid on a claim, by payment day."""
    return {one.on: one.amount for one in connection.execute(_PAID, {"claim": claim})}


def _pay(connection: Connection, row: Row[Any], before: ClaimState, on: date, amount: Decimal) -> None:
    given = paid(connection, row.id)
    if on in given:
        raise NotMovable("this payment day has been paid")
    if amount <= 0:
        raise NotMovable("a payment is more than nothing")
    claimed = before.content.amount
    if claimed is not None and amount + (sum(given.values()) if before.content.last is not None else 0) > claimed:
        raise NotMovable("more would be paid than was claimed")
    connection.execute(insert(claim_payment), {"claim": row.id, "on": on, "amount": amount})


def _over(state: ClaimState, on: date, reason: str) -> ClaimState:
    if reason not in end_reasons():
        raise NotMovable("the catalogue does not know this reason")
    if on < state.content.first:
        raise NotMovable("a claim cannot end before it begins")
    # What the organisation has told stands.
    return replace(state, end_reason=state.end_reason or reason, ended_on=state.ended_on or on)
