"""What there is of lists and invoices for somebody: open or closed and why, and which periods have come."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from kelmu_backend.database.list_tables import invoice, publication
from kelmu_backend.lists.making import bill_of
from kelmu_backend.policy import Access
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.domain.capabilities import Allowed, Denied
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.lists import KelaList, access_to, lists, read_period

_PUBLISHED: Final = (
    select(publication)
    .where(
        publication.c.organisation == bindparam("organisation"),
        publication.c.published_at <= bindparam("now"),
        publication.c.expires_at > bindparam("now"),
    )
    .order_by(publication.c.list_id)
)
_SENT: Final = (
    select(invoice)
    .where(
        invoice.c.organisation == bindparam("organisation"),
        invoice.c.sent_on <= bindparam("today"),
        invoice.c.list_id.in_(bindparam("list_ids", expanding=True)),
    )
    .order_by(invoice.c.sent_on.desc(), invoice.c.number)
)


def open_lists(access: Access) -> list[KelaList]:
    """Return the lists that are open to somebody."""
    return [one for one in lists().values() if isinstance(access_to(one, access.capabilities), Allowed)]


def offers(connection: Connection, access: Access, now: datetime) -> JsonRow:
    """Return `contract.ListOffers` as plain JSON."""
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    key = {"organisation": access.organisation.business_id, "now": now}
    for row in connection.execute(_PUBLISHED, key):
        found[row.list_id].append(row)
    told = [_offer(access, one, found[one.id]) for one in lists().values()]
    return {"lists": told, "server_time": instant(now)}


def _offer(access: Access, one: KelaList, published: list[Row[Any]]) -> JsonRow:
    closed = access_to(one, access.capabilities)
    if isinstance(closed, Denied):
        return {
            "list_id": one.id,
            "closed": closed.reason.value,
            "mandates": list(closed.mandates),
            "publications": [],
        }
    published.sort(key=lambda row: read_period(row.period), reverse=True)
    return {"list_id": one.id, "closed": None, "mandates": [], "publications": [_publication(row) for row in published]}


def _publication(row: Row[Any]) -> JsonRow:
    return {
        "period": row.period,
        "version": row.version,
        "published_at": instant(row.published_at),
        "rows": row.rows,
        "withdrawn": row.withdrawn,
        "expires_at": instant(row.expires_at),
    }


def sent(connection: Connection, access: Access, now: datetime) -> JsonRow:
    """Return `contract.Invoices` as plain JSON."""
    billing = [one.id for one in open_lists(access) if bill_of(one) is not None]
    key = {"organisation": access.organisation.business_id, "today": local_date(now), "list_ids": billing}
    return {
        "invoices": [_invoice(row) for row in connection.execute(_SENT, key)],
        "server_time": instant(now),
    }


def _invoice(row: Row[Any]) -> JsonRow:
    return {
        "number": row.number,
        "invoice": row.kind,
        "period": row.period,
        "sent_on": row.sent_on.isoformat(),
        "due_on": row.due_on.isoformat(),
        "total": f"{Decimal(row.cents) / 100:.2f}",
        "rows": row.rows,
        "list_id": row.list_id,
        "payer": row.payer,
        "corrects": row.corrects,
    }
