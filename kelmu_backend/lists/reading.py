"""The rows of a publication as they leave: page after page by id, each with a look at whether it still stands.

The stored text of a row is sent as it is. Only of people who are under a non-disclosure order now it is read, so that
nobody's address leaves because it was stored before the order came.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select

from kelmu_backend import rows
from kelmu_backend.database.customer_tables import person
from kelmu_backend.database.list_tables import list_row, publication
from kelmu_backend.problems import ProblemError, not_found
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.api.contract import ProblemCode
from kelmu_tui.domain.lists import KelaList, retention

PAGE: Final = 1000
"""Rows of one short read."""

_FOUND: Final = select(publication).where(
    publication.c.organisation == bindparam("organisation"),
    publication.c.list_id == bindparam("list_id"),
    publication.c.period == bindparam("period"),
    publication.c.published_at <= bindparam("now"),
    publication.c.expires_at > bindparam("now"),
)
_ROWS: Final = (
    select(list_row.c.id, list_row.c.content, person.c.non_disclosure)
    .outerjoin(person, person.c.id == list_row.c.person)
    .where(list_row.c.publication == bindparam("key"), list_row.c.id > bindparam("after"))
    .order_by(list_row.c.id)
    .limit(bindparam("limit"))
)
_BEHIND: Final = select(func.count()).where(
    list_row.c.publication == bindparam("key"), list_row.c.id > bindparam("after")
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for.

    Attributes:
        version: the version of the rows that they have already, None to take the newest.
        limit: how many rows at the most, None for all.
    """

    organisation: str
    one: KelaList
    period: str
    version: int | None
    after: str
    limit: int | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A publication that is being read.

    Attributes:
        head: `contract.ListStart` as plain JSON.
        behind: how many rows this answer will have.
    """

    key: int
    version: int
    head: JsonRow
    behind: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines, and the id behind which there are more, None when these are the last."""

    lines: bytes
    count: int
    last: str | None


def open_(connection: Connection, wanted: Wanted, now: datetime) -> Opened:
    """Find the publication that is asked for.

    Raises:
        ProblemError: there is none, it is withdrawn, or it was published anew.
    """
    row = _standing(connection, wanted, wanted.version, now)
    behind = int(connection.execute(_BEHIND, {"key": row.id, "after": wanted.after}).scalar_one())
    head = {
        "line": "start",
        "list_id": wanted.one.id,
        "period": row.period,
        "version": row.version,
        "rows": row.rows,
        "published_at": instant(row.published_at),
        "fetched_at": instant(now),
        "expires_at": instant(now + retention().kept),
    }
    return Opened(row.id, row.version, head, behind if wanted.limit is None else min(behind, wanted.limit))


def page(connection: Connection, opened: Opened, wanted: Wanted, after: str, limit: int, now: datetime) -> Page:
    """Return the lines of the next rows behind the id `after`, `limit` at the most.

    Raises:
        ProblemError: the publication does not stand as it was opened any more.
    """
    _standing(connection, wanted, opened.version, now)
    found = connection.execute(_ROWS, {"key": opened.key, "after": after, "limit": limit + 1}).all()
    shown = found[:limit]
    return Page(
        b"".join(_line(row.content, row.non_disclosure) for row in shown),
        len(shown),
        shown[-1].id if shown and len(found) > limit else None,
    )


def _standing(connection: Connection, wanted: Wanted, version: int | None, now: datetime) -> Row[Any]:
    key = {"organisation": wanted.organisation, "list_id": wanted.one.id, "period": wanted.period, "now": now}
    row = connection.execute(_FOUND, key).one_or_none()
    if row is None:
        raise not_found()
    if row.withdrawn:
        raise ProblemError(ProblemCode.LIST_WITHDRAWN)
    if version is not None and version != row.version:
        raise ProblemError(ProblemCode.LIST_REPUBLISHED)
    return row


def _line(content: str, under_order: bool | None) -> bytes:
    if under_order:
        content = rows.encode(hidden(json.loads(content))).decode()
    return f'{{"line":"row","row":{content}}}\n'.encode()


def hidden(row: JsonRow) -> JsonRow:
    """Return a row as it is under a non-disclosure order: without the address and the municipality beside it."""
    found = row | {"non_disclosure": True}
    if "address" in found:
        found |= {"address": None, "municipality": None}
    return found
