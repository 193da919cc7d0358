"""Writers of the claims' rows: what the wire brought goes into their tables, each over an older version of itself.

All functions work inside the caller's `Store.write("replica")`; they are called by `store.replica` alone, since few
answers hold claims and no start should pay for their rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from kelmu_tui.domain.claims.days import first_meant, latest_arrival
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.store import claim_content
from kelmu_tui.store.replica import microseconds

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_COLUMNS: Final = (
    "version", "status", "code", "masked", "name", "non_disclosure", "basis", "benefit", "first", "last", "cents",
    "payment_day", "latest", "late", "paid", "registered", "registered_by", "hearing_until", "editors",
    "ended", "expires",
)  # fmt: skip
_NEWER: Final = "WHERE excluded.version >= version"
_PUT: Final = (
    f"INSERT INTO replica.claim (generation, id, {', '.join(_COLUMNS)}) VALUES ({', '.join('?' * (len(_COLUMNS) + 2))})"  # noqa: S608
    f" ON CONFLICT (generation, id) DO UPDATE SET {', '.join(f'{one} = excluded.{one}' for one in _COLUMNS)} {_NEWER}"
)
_PUT_BODY: Final = (
    "INSERT INTO replica.claim_body (generation, id, version, body) VALUES (?, ?, ?, ?)"  # noqa: S608
    f" ON CONFLICT (generation, id) DO UPDATE SET version = excluded.version, body = excluded.body {_NEWER}"
)
_PUT_ACCOUNT: Final = (
    "INSERT INTO replica.account (generation, id, version, iban, name) VALUES (?, ?, ?, ?, ?)"  # noqa: S608
    " ON CONFLICT (generation, id) DO UPDATE SET version = excluded.version, iban = excluded.iban,"
    f" name = excluded.name {_NEWER}"
)


def put_claims(db: Any, generation: int, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write claims into a generation and count those written."""
    before = db.total_changes
    db.executemany(_PUT, [(generation, row["id"], *_values(row)) for row in rows])
    written = int(db.total_changes - before)
    db.executemany(_PUT_BODY, [(generation, row["id"], row["version"], _ENCODER.encode(row)) for row in rows])
    return written


def put_accounts(db: Any, generation: int, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write accounts into a generation and count those written."""
    before = db.total_changes
    db.executemany(_PUT_ACCOUNT, [(generation, r["id"], r["version"], r["iban"], r["name"]) for r in rows])
    return int(db.total_changes - before)


def _values(row: Mapping[str, Any]) -> tuple[Any, ...]:
    payee, expires, editing = row["payee"], row.get("expires_at"), row.get("editing")
    return (
        row["version"],
        row["status"],
        payee["identity_code"],
        mask(payee["identity_code"]),
        f"{payee['family_name']}, {payee['given_names']}",
        bool(payee.get("non_disclosure")),
        row["basis"],
        row["benefit"],
        row["first"],
        row.get("last"),
        cents(row["amount"]),
        row.get("payment_day"),
        _latest(row),
        bool(row.get("late")),
        sum(cents(one["amount"]) for one in row.get("payments") or ()),
        microseconds(row["registered_at"]),
        row["registered_by"],
        row.get("hearing_until"),
        _ENCODER.encode(editing) if editing else None,
        row.get("ended_on"),
        microseconds(expires) if expires else None,
    )


def cents(amount: str | float) -> int:
    """Return a sum of the wire in cents."""
    return int((Decimal(str(amount)) * 100).to_integral_value())


def _latest(row: Mapping[str, Any]) -> str | None:
    """Return the day by which a claim had to arrive for the payment day that it is meant for."""
    meant = first_meant(claim_content.of_row(row), row["payee"]["family_name"])
    return None if meant is None else latest_arrival(meant).isoformat()
