"""The two ways data leave: the change feed's answers and the pages of a snapshot (`local-first`, pull)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from kelmu_backend import feed, rows
from kelmu_backend.claims import reading as claims
from kelmu_backend.customers import followed
from kelmu_backend.database import tables
from kelmu_backend.documents import receipts
from kelmu_backend.keys import Signer
from kelmu_backend.policy import (
    ANNOUNCEMENTS,
    Access,
    claims_scope,
    follows_scope,
    notices_scope,
    sendings_scope,
    traces_scope,
)
from kelmu_backend.problems import ProblemError, not_found
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.api.contract import ProblemCode

SNAPSHOT_PAGE: Final = 500
"""Rows that one short read of a snapshot takes."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """An answer of the feed.

    Attributes:
        body: `contract.Changes` as plain JSON.
        news: something in it concerns the client, so a waiting poll answers at once.
        notices: rows with a customer in it (notices and claims), which the audit log has to name.
    """

    body: dict[str, Any]
    news: bool
    notices: int


def changes(
    connection: Connection, access: Access, sealed: str | None, signer: Signer, now: datetime, lease: JsonRow
) -> Pulled:
    """Answer what has changed since the cursor `sealed`, or tell the client to start anew."""
    state = feed.state(connection)
    organisation = access.organisation.business_id
    cursor = feed.Cursor.unseal(sealed, signer, access.user)
    granted = access.scopes
    sights = followed.sights_print(access)
    body: dict[str, Any] = {
        "kind": "delta",
        "epoch": state.epoch,
        "cursor": "",
        "seq": state.head,
        "more": False,
        "head": state.head,
        "changes": [],
        "granted": sorted(granted),
        "added": [],
        "revoked": [],
        "session_revision": access.revision,
        "lease": lease,
        "server_time": instant(now),
    }
    fresh = cursor is None or (cursor.epoch, cursor.organisation) != (state.epoch, organisation)
    if cursor is None or fresh or not state.low <= cursor.seq <= state.head:
        body["kind"] = "reset"
        start = feed.Cursor(state.epoch, state.head, organisation, granted, access.revision, sights)
        body["cursor"] = start.seal(signer, access.user)
        return Pulled(body, news=True, notices=0)
    entries: Sequence[Row[Any]] = []
    # Follows that were read with other sights are read anew as a whole: what may no longer be told goes with them.
    stale = {follows_scope(organisation, access.user)} & cursor.scopes if cursor.sights != sights else frozenset()
    held_scopes = cursor.scopes - stale
    known = granted & held_scopes
    if cursor.seq < state.head and known:
        entries, body["more"] = feed.page(connection, known, cursor.seq)
        if body["more"]:
            body["seq"] = entries[-1].seq
        body["changes"] = _changes(connection, access, entries)
    body["added"] = sorted(granted - held_scopes)
    body["revoked"] = sorted(cursor.scopes - (granted - stale))
    reached = feed.Cursor(state.epoch, body["seq"], organisation, granted, access.revision, sights)
    body["cursor"] = reached.seal(signer, access.user)
    news = bool(entries) or granted != held_scopes or access.revision != cursor.revision
    return Pulled(body, news, sum(_is_of_customer(change["row"]) for change in body["changes"]))


_OF_CUSTOMERS: Final = ("notice", "claim")
"""Tables whose rows show a customer."""


def _is_of_customer(row: JsonRow | None) -> bool:
    return row is not None and row["table"] in _OF_CUSTOMERS


def _changes(connection: Connection, access: Access, entries: Sequence[Row[Any]]) -> list[JsonRow]:
    wanted: dict[str, list[str]] = {}
    for entry in entries:
        if entry.op == "up":
            wanted.setdefault(entry.scope, []).append(entry.aggregate)
    found = {scope: _rows(connection, access, scope, ids) for scope, ids in wanted.items()}
    told = []
    for entry in entries:
        row = found.get(entry.scope, {}).get(entry.aggregate)
        told.append(
            {
                "scope": entry.scope,
                "id": entry.aggregate,
                "version": entry.version if row is None else row["version"],
                "op": "rm" if row is None else "up",
                "row": row,
            }
        )
    return told


def _rows(connection: Connection, access: Access, scope: str, ids: Sequence[str]) -> Mapping[str, JsonRow]:
    organisation = access.organisation.business_id
    if scope == ANNOUNCEMENTS:
        return rows.announcements(connection, ids)
    if scope == traces_scope(organisation):
        return rows.traces(connection, organisation, ids)
    if scope == follows_scope(organisation, access.user):
        return followed.named(connection, access, ids)
    if scope == claims_scope(organisation):
        return claims.named(connection, organisation, ids)
    if scope == sendings_scope(organisation, access.user):
        return receipts.named(connection, organisation, access.user, ids)
    return rows.notices(connection, organisation, ids)


@dataclass(frozen=True, slots=True)
class SnapshotPage:
    """Some rows of a scope, read in one transaction with the head of the feed.

    Attributes:
        count: rows of the whole scope, asked for with the first page only.
        last: id to go on behind, None when the scope is complete.
    """

    epoch: str
    head: int
    rows: list[JsonRow]
    last: str | None
    count: int
    notices: int


def snapshot_page(connection: Connection, access: Access, scope: str, after: str, *, first: bool) -> SnapshotPage:
    """Return the next rows of `scope` behind the id `after`.

    Raises:
        ProblemError: the scope is not granted, or is nobody's here.
    """
    read, count = _scope(access, scope)
    if scope not in access.scopes:
        raise ProblemError(ProblemCode.MANDATE_MISSING)
    state = feed.state(connection)
    total = count(connection) if first else 0
    found = read(connection, after, SNAPSHOT_PAGE)
    last = found[-1]["id"] if len(found) == SNAPSHOT_PAGE else None
    return SnapshotPage(state.epoch, state.head, found, last, total, sum(map(_is_of_customer, found)))


_Read = Callable[[Connection, str, int], list[JsonRow]]
_Count = Callable[[Connection], int]


def _scope(access: Access, scope: str) -> tuple[_Read, _Count]:
    """Return how to read and to count a scope; one of others does not exist for the asker."""
    organisation = access.organisation.business_id
    if scope == ANNOUNCEMENTS:
        return rows.announcement_page, _counted(select(func.count()).select_from(tables.announcement))
    if scope == notices_scope(organisation):
        counted = select(func.count()).where(tables.notice.c.organisation == organisation, tables.notice.c.published)
        return lambda c, after, limit: rows.notice_page(c, organisation, after, limit), _counted(counted)
    if scope == traces_scope(organisation):
        counted = select(func.count()).where(tables.trace.c.organisation == organisation)
        return lambda c, after, limit: rows.trace_page(c, organisation, after, limit), _counted(counted)
    if scope == follows_scope(organisation, access.user):
        return (
            lambda c, after, limit: followed.page(c, access, after, limit),
            lambda connection: followed.count(connection, access),
        )
    if scope == claims_scope(organisation):
        return (
            lambda c, after, limit: claims.page(c, organisation, after, limit),
            lambda connection: claims.count(connection, organisation),
        )
    if scope == sendings_scope(organisation, access.user):
        return (
            lambda c, after, limit: receipts.page(c, organisation, access.user, after, limit),
            lambda connection: receipts.count(connection, organisation, access.user),
        )
    raise not_found()


def _counted(statement: Any) -> _Count:
    return lambda connection: int(connection.execute(statement).scalar_one())
