"""A population into the record: few large statements in one transaction, the feed's entries with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import Final

from sqlalchemy import Connection, Table, delete, insert, select

from kelmu_backend.database import claim_tables, customer_tables, tables
from kelmu_backend.policy import ANNOUNCEMENTS, claims_scope, notices_scope, traces_scope
from kelmu_backend.population import claims, crowd
from kelmu_backend.population.accounts import make_accounts
from kelmu_backend.population.rows import Row, Writing
from kelmu_backend.population.world import World
from kelmu_tui.platform.ids import Ids, RandomIds

BATCH: Final = 2000
"""Notices, or homes, of one statement."""

Progress = Callable[[str, int, int], None]
"""Told the stage (`people`, `organisations`, `notices`, `done`), how much of it is done, and how much there is."""


class AlreadyFilled(ValueError):
    """The record holds organisations already; a population never mixes with what is there."""


def fill(database: Writing, world: World, progress: Progress | None = None, ids: Ids | None = None) -> int:
    """Write `world` into an empty record and return the newest sequence of its feed.

    Everything is one transaction: a process that dies half way leaves the record empty. The crowd and the
    claims are only noted, for `crowd.advance` and `claims.advance` to make. The feed's epoch is new each time, also for
    the same seed, so that a client which knew an earlier record starts anew.

    Raises:
        AlreadyFilled: the record is not empty.
    """
    tell = progress or (lambda _stage, _done, _total: None)
    with database.write() as connection:
        if connection.execute(select(tables.organisation.c.business_id).limit(1)).first() is not None:
            raise AlreadyFilled("the record is not empty")
        _people(connection, world, tell)
        _organisations(connection, world)
        tell("organisations", len(world.staff.organisations), len(world.staff.organisations))
        feed = _Feed(connection)
        _write(connection, tables.announcement, world.announcements)
        for row in world.announcements:
            feed.add(ANNOUNCEMENTS, row["id"], row["version"])
        accounts = list(make_accounts(world.seed, world.staff.organisations))
        _write(connection, claim_tables.account, accounts)
        for row in accounts:
            feed.add(claims_scope(row["organisation"]), row["id"], row["version"])
        _notices(connection, world, feed, tell)
        feed.flush()
        claims.begin(connection, world.seed, world.now, world.staff.organisations)
        crowd.begin(connection, world.crowd)
        _begin(connection, world.seed, feed.seq, (ids or RandomIds()).new())
    tell("done", world.notice_count, world.notice_count)
    return feed.seq


class _Feed:
    """Collects the feed's entries; each has a sequence of its own, so that a reader's pages stay small."""

    def __init__(self, connection: Connection) -> None:
        self.seq = 0
        self._connection = connection
        self._entries: list[Row] = []

    def add(self, scope: str, aggregate: str, version: int) -> None:
        """Tell that a row is there."""
        self.seq += 1
        self._entries.append({"scope": scope, "aggregate": aggregate, "seq": self.seq, "version": version, "op": "up"})

    def flush(self) -> None:
        """Write what was collected."""
        _write(self._connection, tables.feed, self._entries)
        self._entries = []


def _people(connection: Connection, world: World, tell: Progress) -> None:
    homes = world.customers()
    done = 0
    while batch := list(islice(homes, BATCH)):
        _write(connection, customer_tables.person, list(chain.from_iterable(home.people for home in batch)))
        _write(connection, customer_tables.person_code, list(chain.from_iterable(home.codes for home in batch)))
        done += len(batch)
        tell("people", done, len(world.homes))


def _organisations(connection: Connection, world: World) -> None:
    staff = world.staff
    _write(connection, tables.organisation, staff.organisations)
    _write(connection, tables.agreement, staff.agreements)
    _write(connection, tables.app_user, staff.users)
    # Without an own number: a sequence that PostgreSQL was not asked for would hand the same one out again later.
    _write(connection, tables.grant, staff.grants)
    _write(connection, tables.supervisor, staff.supervisors)


def _notices(connection: Connection, world: World, feed: _Feed, tell: Progress) -> None:
    found = world.notices()
    done = 0
    while batch := list(islice(found, BATCH)):
        rows = [bundle.notice | {"published": bundle.notice["arrived"] <= world.now} for bundle in batch]
        _write(connection, tables.notice, rows)
        _write(connection, tables.note, [note for bundle in batch for note in bundle.notes])
        _write(connection, tables.trace, [trace for bundle in batch for trace in bundle.traces])
        for row, bundle in zip(rows, batch, strict=True):
            if row["published"]:
                feed.add(notices_scope(row["organisation"]), row["id"], row["version"])
            for trace in bundle.traces:
                feed.add(traces_scope(trace["organisation"]), row["id"], trace["version"])
        feed.flush()
        done += len(batch)
        tell("notices", done, world.notice_count)


def _write(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(insert(table), list(rows))


def _begin(connection: Connection, seed: int, head: int, epoch: str) -> None:
    """Set the counter and the feed's epoch, also where an empty record had been served before."""
    connection.execute(delete(tables.head))
    connection.execute(insert(tables.head).values(id=1, seq=head))
    connection.execute(delete(tables.meta).where(tables.meta.c.key.in_(("epoch", "low", "seed"))))
    _write(
        connection,
        tables.meta,
        [
            {"key": "epoch", "value": epoch},
            {"key": "low", "value": "0"},
            {"key": "seed", "value": str(seed)},
        ],
    )
