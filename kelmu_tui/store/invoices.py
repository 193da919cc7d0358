"""Heads of Kela's invoices in the replica: what was billed for which period, and when it has to be paid.

A head holds sums and no people. It goes with the mandate of its list (`store.lists.keep_only`), with the organisation's
replica, and when the backend has not told of it for as long as a list may be kept (`store.lists.end`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from kelmu_tui.domain.lists import invoices, lists, retention
from kelmu_tui.store.list_values import euros
from kelmu_tui.store.replica import microseconds


class InvoiceHead(NamedTuple):
    """An invoice as the backend told it.

    Attributes:
        kind: id of the catalogue.
        period: `domain.lists.Period.key`.
        total: in euros; below zero when Kela owes.
        rows: how many rows of its list it bills.
        list: id of the list with these rows.
        payer: code of the municipality, or of the county for treatment abroad.
        corrects: number of the invoice to which it adds, None when it corrects none.
    """

    number: str
    kind: str
    period: str
    sent_on: date
    due_on: date
    total: Decimal
    rows: int
    list: str
    payer: str
    corrects: str | None = None


def announce(db: Any, told: Iterable[InvoiceHead], now: datetime) -> bool:
    """Keep the invoices that the backend tells, in the place of all that it told before; say whether that was news."""
    before = set(_read(db, "1", ()))
    found = list(told)
    db.execute("DELETE FROM replica.invoice_head")
    db.executemany(
        "INSERT OR REPLACE INTO replica.invoice_head"
        " (number, kind, period, sent, due, cents, rows, list, payer, corrects, expires)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        [
            (
                one.number,
                one.kind,
                one.period,
                one.sent_on.isoformat(),
                one.due_on.isoformat(),
                int(one.total.scaleb(2)),
                *one[6:],
                microseconds(now + retention().kept),
            )
            for one in found
        ],
    )
    return before != set(found)


def heads(db: Any, now: datetime) -> list[InvoiceHead]:
    """Return the invoices that may be shown, each period's first one before what corrects it."""
    found = _read(db, "expires > ?", (microseconds(now),))
    return sorted(found, key=lambda one: (one.kind, one.period, one.corrects is not None, one.sent_on, one.number))


def _read(db: Any, where: str, values: tuple[Any, ...]) -> list[InvoiceHead]:
    columns = "number, kind, period, sent, due, cents, rows, list, payer, corrects"
    rows = db.execute(f"SELECT {columns} FROM replica.invoice_head WHERE {where}", values)  # noqa: S608
    return [
        InvoiceHead(
            number, kind, period, date.fromisoformat(sent), date.fromisoformat(due), euros(cents), rows_, list_, *more
        )
        for number, kind, period, sent, due, cents, rows_, list_, *more in rows
        if kind in invoices() and list_ in lists()
    ]
