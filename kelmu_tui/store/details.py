"""The content of one notice: what `services.inbox` shows after it has committed the view event, never before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from kelmu_tui.store import notices, overlay
from kelmu_tui.store.rows import (
    ContentDetail,
    CustomerDetail,
    ExpenseDetail,
    HouseholdDetail,
    NoteDetail,
    NoticeDetail,
    OriginDetail,
)

_DAYS: Final = frozenset(
    {
        "basic_decision_on", "calculation_from", "calculation_to", "reduction_from", "reduction_to",
        "unemployed_since", "home_municipality_since",
    }
)  # fmt: skip
_NAMES: Final = ContentDetail._fields
_CUSTOMER: Final = CustomerDetail._fields


def data_at(db: Any) -> datetime | None:
    """Return when the backend was last heard for this replica, None before the first time."""
    found = db.execute("SELECT value FROM replica.state WHERE key = 'synced_at'").fetchone()
    return datetime.fromisoformat(found[0]) if found is not None else None


def detail(db: Any, id: str) -> NoticeDetail | None:  # noqa: A002
    """Return a held notice with the user's pending commands applied, None when it is not held (any more)."""
    lines = notices.any_lines(db, [id])
    if not lines:
        return None
    shown = overlay.frame(db)
    found = db.execute(
        "SELECT body FROM replica.notice WHERE generation = ? AND id = ?", (shown.notices, id)
    ).fetchone()
    effect = overlay.effect(db, shown, id)
    if found is None or effect is None:
        return None
    row = json.loads(found[0])
    notes = [NoteDetail(datetime.fromisoformat(n["at"]), n["by"], n["text"]) for n in row.get("notes") or ()]
    return NoticeDetail(
        line=lines[0],
        organisation=row["organisation"],
        created=datetime.fromisoformat(row["created"]),
        customer=_customer(row["customer"]),
        content=_content(row["content"]),
        notes=(*notes, *effect.notes),
        origin=_origin(row.get("origin")),
        handled_at=effect.state.handled_at,
        handled_by=effect.state.handled_by,
        data_at=data_at(db),
    )


def _customer(row: Mapping[str, Any]) -> CustomerDetail:
    known = {name: row.get(name) for name in _CUSTOMER}
    known["non_disclosure"] = hidden = bool(row.get("non_disclosure"))
    if hidden:
        # The backend leaves these out; should it ever not, they still end here.
        known.update(home_municipality=None, address=None, telephone=None)
    return CustomerDetail(**known)  # type: ignore[arg-type]


def _content(row: Mapping[str, Any]) -> ContentDetail:
    known: dict[str, Any] = {name: row[name] for name in _NAMES if row.get(name) is not None}
    for name in _DAYS & known.keys():
        known[name] = date.fromisoformat(known[name])
    known["household"] = tuple(
        HouseholdDetail(one["name"], one["relation"], one.get("born")) for one in row.get("household") or ()
    )
    known["expenses"] = tuple(ExpenseDetail(one["text"], Decimal(one["amount"])) for one in row.get("expenses") or ())
    return ContentDetail(**known)


def _origin(row: Mapping[str, Any] | None) -> OriginDetail | None:
    if row is None:
        return None
    return OriginDetail(row["organisation"], row["municipality"], datetime.fromisoformat(row["at"]), row["reason"])
