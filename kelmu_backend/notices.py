"""Units of work on notices: load, change by the domain's verdict, publish and drop when their time has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kelmu_backend import feed
from kelmu_backend.database import tables
from kelmu_backend.feed import Change, Entry
from kelmu_backend.policy import notices_scope, traces_scope
from kelmu_backend.rows import instant
from kelmu_tui.domain.deadlines import kept_after_handling, local_date
from kelmu_tui.domain.notices import (
    Actor,
    AddNote,
    Command,
    Kind,
    NoticeState,
    Refusal,
    Refused,
    Status,
    TakeBack,
    Transfer,
    decide,
)
from kelmu_tui.domain.transfer import find_target

PUBLISH_AT_ONCE: Final = 200
"""Notices that become visible under one sequence: a page of the feed never splits one, so it stays small."""

_LOAD: Final = (
    select(tables.notice).where(tables.notice.c.id == bindparam("id"), tables.notice.c.published).with_for_update()
)
_LOAD_TRACE: Final = (
    select(tables.trace)
    .where(tables.trace.c.organisation == bindparam("organisation"), tables.trace.c.notice == bindparam("id"))
    .with_for_update()
)
_COUNT_NOTES: Final = select(func.count()).where(
    tables.note.c.notice == bindparam("id"), tables.note.c.organisation == bindparam("organisation")
)


def load(connection: Connection, notice: str) -> Row[Any] | None:
    """Return a published notice and lock it until the end of the transaction."""
    return connection.execute(_LOAD, {"id": notice}).one_or_none()


def load_trace(connection: Connection, organisation: str, notice: str) -> Row[Any] | None:
    """Return the trace that `organisation` has of a notice, locked."""
    return connection.execute(_LOAD_TRACE, {"organisation": organisation, "id": notice}).one_or_none()


def state_of(connection: Connection, row: Row[Any]) -> NoticeState:
    """Return the part of a row of `notice` that commands change."""
    written = connection.execute(_COUNT_NOTES, {"id": row.id, "organisation": row.organisation}).scalar_one()
    return NoticeState(
        Kind(row.kind),
        Status(row.status),
        row.organisation,
        row.municipality,
        row.version,
        row.assignee,
        row.assignee_name,
        row.handled_at,
        row.handled_by,
        int(written),
        row.transferred_from,
    )


def aim(state: NoticeState, municipality: str, reason: str, now: datetime) -> Transfer:
    """Return the command that transfers a notice to `municipality` (code), with who would hold it there.

    Raises:
        Refused: the notice is already there, or no rule allows that target.
    """
    if municipality == state.municipality:
        raise Refused(Refusal.SAME_RECIPIENT)
    target = find_target(state.kind, state.organisation, state.municipality, municipality, local_date(now))
    if target is None:
        raise Refused(Refusal.ILLEGAL_TARGET)
    return Transfer(target.organisation.business_id, municipality, reason)


def judge(state: NoticeState, command: Command, actor: Actor, now: datetime, trace: Row[Any] | None) -> NoticeState:
    """Return what `command` makes of the notice; a notice taken back returns to the team that sent it.

    Raises:
        Refused: a rule forbids the command.
    """
    after = decide(state, command, actor, now)
    if isinstance(command, TakeBack) and trace is not None:
        after = after._replace(municipality=trace.from_municipality)
    return after


def change(
    connection: Connection,
    row: Row[Any],
    before: NoticeState,
    after: NoticeState,
    command: Command,
    actor: Actor,
    now: datetime,
) -> list[Entry]:
    """Write what `command` changed, except for the feed, and return the feed's entries."""
    notice = row.id
    connection.execute(
        update(tables.notice)
        .where(tables.notice.c.id == notice)
        .values(
            version=after.version,
            status=after.status.value,
            organisation=after.organisation,
            municipality=after.municipality,
            assignee=after.assignee,
            assignee_name=after.assignee_name,
            handled_at=after.handled_at,
            handled_by=after.handled_by,
            transferred_from=after.transferred_from,
            origin=_origin(row, before, command, now),
        )
    )
    entries = [Entry(notices_scope(after.organisation), notice, after.version)]
    if before.organisation != after.organisation:
        entries.insert(0, Entry(notices_scope(before.organisation), notice, after.version, "rm"))
    if isinstance(command, AddNote):
        connection.execute(
            insert(tables.note).values(
                notice=notice, organisation=actor.organisation, at=now, by=actor.name, text=command.text
            )
        )
    if isinstance(command, TakeBack):
        entries.append(_set_trace(connection, actor.organisation, notice, after.version, "taken_back"))
    elif before.transferred_from is not None and after.transferred_from != before.transferred_from:
        # The receiver has begun to work on it: from now on the sender cannot take it back.
        entries.append(_set_trace(connection, before.transferred_from, notice, after.version, "opened"))
    if isinstance(command, Transfer) and before.organisation != after.organisation:
        entries.append(_leave_trace(connection, row, before, after, command, actor, now))
    return entries


def _origin(row: Row[Any], before: NoticeState, command: Command, now: datetime) -> dict[str, Any] | None:
    if isinstance(command, Transfer):
        return {
            "organisation": before.organisation,
            "municipality": before.municipality,
            "at": instant(now),
            "reason": command.reason,
            "previous": row.origin,
        }
    origin: dict[str, Any] | None = row.origin
    return origin.get("previous") if isinstance(command, TakeBack) and origin else origin


def _set_trace(connection: Connection, organisation: str, notice: str, version: int, state: str) -> Entry:
    table = tables.trace
    connection.execute(
        update(table)
        .where(table.c.organisation == organisation, table.c.notice == notice)
        .values(version=version, state=state)
    )
    return Entry(traces_scope(organisation), notice, version)


def _leave_trace(
    connection: Connection,
    row: Row[Any],
    before: NoticeState,
    after: NoticeState,
    command: Transfer,
    actor: Actor,
    now: datetime,
) -> Entry:
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {
        "version": after.version,
        "kind": row.kind,
        "urgent": row.urgent,
        "due": row.due,
        "at": now,
        "by": actor.name,
        "from_municipality": before.municipality,
        "to_organisation": after.organisation,
        "to_municipality": after.municipality,
        "reason": command.reason,
        "state": "sent",
    }
    statement = build(tables.trace).values(organisation=before.organisation, notice=row.id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["organisation", "notice"], set_=values))
    return Entry(traces_scope(before.organisation), row.id, after.version)


_DUE: Final = (
    select(tables.notice.c.id, tables.notice.c.organisation, tables.notice.c.version)
    .where(tables.notice.c.published.is_(False), tables.notice.c.arrived <= bindparam("now"))
    .order_by(tables.notice.c.arrived, tables.notice.c.id)
    .limit(PUBLISH_AT_ONCE)
)


def due(connection: Connection, now: datetime) -> bool:
    """Tell whether a notice waits whose visibility time has come."""
    return connection.execute(_DUE, {"now": now}).first() is not None


def publish_due(connection: Connection, now: datetime) -> Change | None:
    """Make up to `PUBLISH_AT_ONCE` notices visible whose time has come; return what changed, None when nothing."""
    found = connection.execute(_DUE.with_for_update(skip_locked=True), {"now": now}).all()
    if not found:
        return None
    ids = [row.id for row in found]
    connection.execute(update(tables.notice).where(tables.notice.c.id.in_(ids)).values(published=True))
    return feed.record(connection, [Entry(notices_scope(row.organisation), row.id, row.version) for row in found])


_OVER: Final = (
    select(tables.notice.c.id, tables.notice.c.organisation, tables.notice.c.version)
    .where(tables.notice.c.published, tables.notice.c.handled_at <= bindparam("limit"))
    .order_by(tables.notice.c.handled_at, tables.notice.c.id)
    .limit(PUBLISH_AT_ONCE)
)


def drop_over(connection: Connection, now: datetime) -> Change | None:
    """Delete up to `PUBLISH_AT_ONCE` notices that were handled long ago, with notes and traces; return what changed.

    None when there is none.
    """
    found = connection.execute(_OVER.with_for_update(skip_locked=True), {"limit": now - kept_after_handling()}).all()
    if not found:
        return None
    ids = [row.id for row in found]
    left = connection.execute(delete(tables.trace).where(tables.trace.c.notice.in_(ids)).returning(tables.trace)).all()
    connection.execute(delete(tables.note).where(tables.note.c.notice.in_(ids)))
    connection.execute(delete(tables.notice).where(tables.notice.c.id.in_(ids)))
    gone = [Entry(notices_scope(row.organisation), row.id, row.version + 1, "rm") for row in found]
    gone += [Entry(traces_scope(row.organisation), row.notice, row.version + 1, "rm") for row in left]
    return feed.record(connection, gone)
