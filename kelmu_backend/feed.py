"""The change feed: one counter for everything, and the newest entry of each row in each scope.

The counter is taken last in a write transaction and locked until its commit, so whoever reads the feed up to `head`
has seen every entry up to there; a sequence handed out by the database would let a slow writer slip in behind a reader.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kelmu_backend.database import tables
from kelmu_backend.keys import Signer
from kelmu_tui.platform.ids import Ids

PAGE: Final = 500
"""Entries of one answer; a page grows past it rather than splitting a sequence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change of row `aggregate` in `scope`: it is there in `version` (`up`), or no longer (`rm`)."""

    scope: str
    aggregate: str
    version: int
    op: Literal["up", "rm"] = "up"


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction added to the feed: its sequence, and the scopes it touched (empty: look again anyway)."""

    seq: int
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class State:
    """The feed as a whole: its epoch, its newest sequence, the highest one whose `rm` entry was dropped."""

    epoch: str
    head: int
    low: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a client has read, for which organisation, in which scopes, with which revision of its grants.

    Attributes:
        sights: mark of what its user could see of customers.
    """

    epoch: str
    seq: int
    organisation: str
    scopes: frozenset[str]
    revision: int
    sights: str = ""

    def seal(self, signer: Signer, user: str) -> str:
        """Return the cursor as an opaque text that only `user` can use."""
        parts = [self.epoch, self.seq, self.organisation, sorted(self.scopes), self.revision, self.sights]
        return signer.sign(json.dumps(parts, separators=(",", ":")).encode(), user)

    @classmethod
    def unseal(cls, text: str | None, signer: Signer, user: str) -> Cursor | None:
        """Return the cursor of a text, None when it is missing, damaged or somebody else's."""
        payload = signer.open(text, user) if text else None
        if payload is None:
            return None
        # A cursor given out before there were follows has no mark: none of its scopes needs one.
        epoch, seq, organisation, scopes, revision, *sights = json.loads(payload)
        return cls(epoch, seq, organisation, frozenset(scopes), revision, *sights)


def _meta(key: str) -> Any:
    return select(tables.meta.c.value).where(tables.meta.c.key == key).scalar_subquery()


_STATE: Final = select(tables.head.c.seq, _meta("epoch").label("epoch"), _meta("low").label("low"))
_ADVANCE: Final = update(tables.head).values(seq=tables.head.c.seq + 1).returning(tables.head.c.seq)
_ENTRIES: Final = (
    select(tables.feed)
    .where(tables.feed.c.scope.in_(bindparam("scopes", expanding=True)))
    .order_by(tables.feed.c.seq, tables.feed.c.scope, tables.feed.c.aggregate)
)
_PAGE: Final = _ENTRIES.where(tables.feed.c.seq > bindparam("seq")).limit(bindparam("limit"))
_WHOLE: Final = _ENTRIES.where(tables.feed.c.seq == bindparam("seq"))


def ensure(connection: Connection, ids: Ids) -> None:
    """Give a record without a counter and an epoch both, so that an empty one can be served."""
    if connection.execute(select(tables.head.c.id)).first() is None:
        connection.execute(insert(tables.head).values(id=1, seq=0))
    known = set(connection.execute(select(tables.meta.c.key)).scalars())
    for key, value in (("epoch", ids.new()), ("low", "0")):
        if key not in known:
            connection.execute(insert(tables.meta).values(key=key, value=value))


def new_epoch(connection: Connection, ids: Ids) -> str:
    """Begin a new epoch, as after a restore: every client fills anew and offers its last commands again."""
    epoch = ids.new()
    connection.execute(update(tables.meta).where(tables.meta.c.key == "epoch").values(value=epoch))
    advance(connection)
    return epoch


def state(connection: Connection) -> State:
    """Return the feed's epoch, head and low mark."""
    row = connection.execute(_STATE).one()
    return State(row.epoch, row.seq, int(row.low or 0))


def head(connection: Connection) -> int:
    """Return the newest sequence."""
    return int(connection.execute(select(tables.head.c.seq)).scalar_one())


def advance(connection: Connection) -> int:
    """Lock and raise the counter; nothing but entries and the memory of the result may be written afterwards."""
    return int(connection.execute(_ADVANCE).scalar_one())


def record(connection: Connection, entries: Iterable[Entry]) -> Change:
    """Write `entries` under one new sequence."""
    seq = advance(connection)
    values: list[dict[str, Any]] = [
        {"scope": entry.scope, "aggregate": entry.aggregate, "seq": seq, "version": entry.version, "op": entry.op}
        for entry in entries
    ]
    connection.execute(_upsert(connection.dialect.name), values)
    return Change(seq, frozenset(value["scope"] for value in values))


def _upsert(dialect: str) -> Any:
    build = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = build(tables.feed)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["scope", "aggregate"], set_={"seq": new.seq, "version": new.version, "op": new.op}
    )


def sequence_of(connection: Connection, scope: str, aggregate: str) -> int:
    """Return the sequence of a row's newest entry in `scope`; 0 when it has none."""
    found = select(tables.feed.c.seq).where(tables.feed.c.scope == scope, tables.feed.c.aggregate == aggregate)
    return int(connection.execute(found).scalar_one_or_none() or 0)


def page(connection: Connection, scopes: Iterable[str], seq: int) -> tuple[Sequence[Row[Any]], bool]:
    """Return the next entries of `scopes` after `seq`, in order, and whether more follow.

    A page ends behind a whole sequence: half a transfer is never told.
    """
    names = sorted(scopes)
    key: dict[str, Any] = {"scopes": names, "seq": seq}
    entries = connection.execute(_PAGE, key | {"limit": PAGE + 1}).all()
    if len(entries) <= PAGE:
        return entries, False
    last = entries[PAGE - 1].seq
    if entries[PAGE].seq == last:
        whole = connection.execute(_WHOLE, key | {"seq": last}).all()
        entries = [*(entry for entry in entries if entry.seq < last), *whole]
    else:
        entries = entries[:PAGE]
    behind = select(tables.feed.c.seq).where(tables.feed.c.scope.in_(names), tables.feed.c.seq > last).limit(1)
    return entries, connection.execute(behind).first() is not None


def compact(connection: Connection, keep: int) -> int:
    """Drop `rm` entries older than the newest `keep` sequences; a cursor behind the dropped ones starts anew."""
    limit = head(connection) - keep
    old = tables.feed.c.op == "rm", tables.feed.c.seq <= limit
    newest = connection.execute(select(func.max(tables.feed.c.seq)).where(*old)).scalar_one_or_none()
    if newest is None:
        return 0
    dropped = connection.execute(delete(tables.feed).where(*old)).rowcount
    connection.execute(update(tables.meta).where(tables.meta.c.key == "low").values(value=str(newest)))
    return dropped
