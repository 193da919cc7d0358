"""Sendings as the feed carries them: what was sent about whom, and what became of it; never any content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select

from kelmu_backend.database.document_tables import sending, sent_document
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.domain.documents import DocumentState, SendingState

_OWN: Final = select(sending).where(
    sending.c.user == bindparam("user"), sending.c.organisation == bindparam("organisation")
)
_NAMED: Final = _OWN.where(sending.c.id.in_(bindparam("ids", expanding=True)))
_PAGE: Final = _OWN.where(sending.c.id > bindparam("after")).order_by(sending.c.id).limit(bindparam("limit"))
_COUNT: Final = select(func.count()).where(
    sending.c.user == bindparam("user"), sending.c.organisation == bindparam("organisation")
)
_DOCUMENTS: Final = (
    select(sent_document)
    .where(sent_document.c.sending.in_(bindparam("ids", expanding=True)))
    .order_by(sent_document.c.sending, sent_document.c.number)
)


def named(connection: Connection, organisation: str, user: str, ids: Iterable[str]) -> dict[str, JsonRow]:
    """Return the rows of those of `ids` that the user sent for `organisation`, by id."""
    key = {"user": user, "organisation": organisation, "ids": list(ids)}
    return {row["id"]: row for row in _told(connection, connection.execute(_NAMED, key).all())}


def page(connection: Connection, organisation: str, user: str, after: str, limit: int) -> list[JsonRow]:
    """Return up to `limit` sendings of the user with an id behind `after`, ordered by id."""
    key = {"user": user, "organisation": organisation, "after": after, "limit": limit}
    return _told(connection, connection.execute(_PAGE, key).all())


def count(connection: Connection, organisation: str, user: str) -> int:
    """Return how many sendings of the user there are."""
    return int(connection.execute(_COUNT, {"user": user, "organisation": organisation}).scalar_one())


def _told(connection: Connection, found: Sequence[Row[Any]]) -> list[JsonRow]:
    documents: dict[str, list[Row[Any]]] = defaultdict(list)
    if found:
        for row in connection.execute(_DOCUMENTS, {"ids": [one.id for one in found]}):
            documents[row.sending].append(row)
    return [_row(one, documents[one.id]) for one in found]


def _row(row: Row[Any], documents: list[Row[Any]]) -> JsonRow:
    # What Kela's side has noted of some documents is told once it is through with all: that is the next version.
    under_way = row.state == SendingState.RECEIVED.value
    return {
        "table": "sending",
        "id": row.id,
        "version": row.version,
        "state": row.state,
        "receipt": row.receipt,
        "customer_name": row.customer_name,
        "masked_code": row.masked_code,
        "asked_by": row.asked_by,
        "asked_on": row.asked_on.isoformat(),
        "way": row.way,
        "case_reference": row.case_reference,
        "received_at": instant(row.received),
        "documents": [_document(one, under_way=under_way) for one in documents],
        "expires_at": instant(row.expires),
    }


def _document(row: Row[Any], *, under_way: bool) -> JsonRow:
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "size": row.size,
        "pages": row.pages,
        "state": DocumentState.RECEIVED.value if under_way else row.state,
        "refused": None if under_way else row.refused,
    }
