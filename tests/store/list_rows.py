"""Rows of lists as the wire brings them, and how they get into a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kelmu_tui.store import list_fetch, lists
from kelmu_tui.store.database import Store
from kelmu_tui.store.lists import Copy, Publication
from tests.store.build import NOW
from tests.store.claim_rows import CLAIM_TABLES, LATER_TABLES

LIST: Final = "list_lms_300_days"
INVOICED: Final = "list_lms_invoice_persons_2025"
PERIOD: Final = "2026-10"
LIST_TABLES: Final = (
    "list_publication",
    "list_copy",
    "list_row",
    "list_order",
    "list_count",
    "invoice_head",
    *CLAIM_TABLES,
    *LATER_TABLES,
)
"""Tables that came with lists and after them: a replica of before has none of them."""


def row(number: int, **changes: Any) -> dict[str, Any]:
    """Return a row of the list of those who have received labour market subsidy for 300 days."""
    found: dict[str, Any] = {
        "id": f"r{number:05d}",
        "non_disclosure": False,
        "name": f"Virtanen, Aino {number}",
        "identity_code": f"{number:06d}-900X",
        "municipality": "837",
        "address": "Salainentie 7",
        "days_accumulated": 300 + number,
        "reached_on": "2026-10-12",
        "last_paid_until": "2026-10-31",
    }
    return found | changes


def invoiced(number: int, person: int, **changes: Any) -> dict[str, Any]:
    """Return a row of the list behind the invoice for labour market subsidy."""
    found: dict[str, Any] = {
        "id": f"i{number:05d}",
        "name": f"Virtanen, Aino {person}",
        "identity_code": f"{person:06d}-900X",
        "municipality": "837",
        "period": {"from": "2026-10-01", "to": "2026-10-28"},
        "paid_on": "2026-10-30",
        "days_paid": 20,
        "days_accumulated": 320,
        "amount_eur": "800.10",
        "share_percent": 30,
        "municipal_share_eur": "240.03",
        "event": "paid",
    }
    return found | changes


def published(rows: int, *, list_: str = LIST, period: str = PERIOD, version: int = 1, **changes: Any) -> Publication:
    """Return what the backend says of a period with this many rows."""
    return Publication(list_, period, version, NOW, rows)._replace(**changes)


def fetch(
    store: Store, rows: Sequence[dict[str, Any]], *, list_: str = LIST, period: str = PERIOD, version: int = 1
) -> Copy:
    """Fetch a list whole and return the copy."""
    under_way = list_fetch.begin(store, published(len(rows), list_=list_, period=period, version=version))
    list_fetch.finish(store, list_fetch.put_rows(store, under_way, rows))
    found = held(store, list_, period)
    assert found is not None
    return found


def held(store: Store, list_: str = LIST, period: str = PERIOD) -> Copy | None:
    """Return the copy that may be shown."""
    with store.read() as db:
        return lists.copy(db, list_, period, store.clock.now())
