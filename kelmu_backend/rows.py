"""Rows of the record as the wire carries them: plain dictionaries, built column by column.

Pydantic is left out here on purpose, for a snapshot of 100 000 rows; tests hold every row against `contract`. What a
non-disclosure order hides is taken away here, whatever the record holds: absent, not blank.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from kelmu_backend.database import tables
from kelmu_tui.domain.deadlines import kept_after_handling

HIDDEN: Final = ("address", "telephone", "home_municipality")
"""Fields of a customer that a non-disclosure order hides."""

JsonRow = dict[str, Any]

_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(value: Any) -> bytes:
    """Return `value` as compact JSON."""
    return _encode(value).encode()


def instant(value: datetime | None) -> str | None:
    """Return an instant as the wire writes it (UTC), None for none."""
    # Every instant of the record is UTC, so the offset's six characters can be replaced without looking.
    return None if value is None else value.isoformat()[:-6] + "Z"


def _customer(stored: Mapping[str, Any]) -> JsonRow:
    if not stored.get("non_disclosure"):
        return dict(stored)
    return {name: value for name, value in stored.items() if name not in HIDDEN}


def _notice(row: Row[Any], notes: list[JsonRow]) -> JsonRow:
    origin = row.origin
    return {
        "table": "notice",
        "id": row.id,
        "version": row.version,
        "kind": row.kind,
        "subtype": row.subtype,
        "urgent": row.urgent,
        "status": row.status,
        "organisation": row.organisation,
        "municipality": row.municipality,
        "created": instant(row.created),
        "arrived": instant(row.arrived),
        "due": row.due.isoformat(),
        "customer": _customer(row.customer),
        "content": row.content,
        "assignee": row.assignee,
        "assignee_name": row.assignee_name,
        "handled_at": instant(row.handled_at),
        "handled_by": row.handled_by,
        "notes": notes,
        "origin": origin and {name: origin[name] for name in ("organisation", "municipality", "at", "reason")},
        "transferred_from": row.transferred_from,
        "expires_at": instant(row.handled_at + kept_after_handling()) if row.handled_at is not None else None,
    }


def _trace(row: Row[Any]) -> JsonRow:
    return {
        "table": "trace",
        "id": row.notice,
        "version": row.version,
        "kind": row.kind,
        "urgent": row.urgent,
        "due": row.due.isoformat(),
        "at": instant(row.at),
        "by": row.by,
        "from_municipality": row.from_municipality,
        "to_organisation": row.to_organisation,
        "to_municipality": row.to_municipality,
        "reason": row.reason,
        "state": row.state,
    }


def _announcement(row: Row[Any]) -> JsonRow:
    return {
        "table": "announcement",
        "id": row.id,
        "version": row.version,
        "kind": row.kind,
        "starts": instant(row.starts),
        "ends": instant(row.ends),
        "title": row.title,
        "text": row.text,
    }


_HELD: Final = select(tables.notice).where(tables.notice.c.published)


def _with_notes(connection: Connection, organisation: str, found: Sequence[Row[Any]]) -> list[JsonRow]:
    notes: dict[str, list[JsonRow]] = defaultdict(list)
    if found:
        # A range instead of a list of ids: one statement for the engine's cache whatever the page holds.
        written = (
            select(tables.note)
            .where(tables.note.c.notice.between(min(row.id for row in found), max(row.id for row in found)))
            .where(tables.note.c.organisation == organisation)
            .order_by(tables.note.c.id)
        )
        for note in connection.execute(written):
            notes[note.notice].append({"at": instant(note.at), "by": note.by, "text": note.text})
    return [_notice(row, notes.get(row.id, [])) for row in found]


def notices(connection: Connection, organisation: str, ids: Iterable[str]) -> dict[str, JsonRow]:
    """Return the rows of those of `ids` that `organisation` holds and may see, by id."""
    held = _HELD.where(tables.notice.c.organisation == organisation, tables.notice.c.id.in_(list(ids)))
    return {row["id"]: row for row in _with_notes(connection, organisation, connection.execute(held).all())}


def traces(connection: Connection, organisation: str, ids: Iterable[str]) -> dict[str, JsonRow]:
    """Return the traces that `organisation` has of `ids`, by the notice's id."""
    table = tables.trace
    wanted = select(table).where(table.c.organisation == organisation, table.c.notice.in_(list(ids)))
    return {row.notice: _trace(row) for row in connection.execute(wanted)}


def announcements(connection: Connection, ids: Iterable[str]) -> dict[str, JsonRow]:
    """Return announcements by id."""
    wanted = select(tables.announcement).where(tables.announcement.c.id.in_(list(ids)))
    return {row.id: _announcement(row) for row in connection.execute(wanted)}


def current_announcements(connection: Connection, now: datetime) -> list[JsonRow]:
    """Return the announcements that have not ended, by their beginning."""
    table = tables.announcement
    wanted = select(table).where(table.c.ends.is_(None) | (table.c.ends > now)).order_by(table.c.starts, table.c.id)
    return [_announcement(row) for row in connection.execute(wanted)]


def notice_page(connection: Connection, organisation: str, after: str, limit: int) -> list[JsonRow]:
    """Return up to `limit` notices that `organisation` holds with an id behind `after`, ordered by id."""
    table = tables.notice
    held = _HELD.where(table.c.organisation == organisation, table.c.id > after).order_by(table.c.id).limit(limit)
    return _with_notes(connection, organisation, connection.execute(held).all())


def trace_page(connection: Connection, organisation: str, after: str, limit: int) -> list[JsonRow]:
    """Return up to `limit` traces of `organisation` with a notice id behind `after`, ordered by it."""
    table = tables.trace
    wanted = select(table).where(table.c.organisation == organisation, table.c.notice > after)
    return [_trace(row) for row in connection.execute(wanted.order_by(table.c.notice).limit(limit))]


def announcement_page(connection: Connection, after: str, limit: int) -> list[JsonRow]:
    """Return up to `limit` announcements with an id behind `after`, ordered by id."""
    table = tables.announcement
    wanted = select(table).where(table.c.id > after).order_by(table.c.id).limit(limit)
    return [_announcement(row) for row in connection.execute(wanted)]
