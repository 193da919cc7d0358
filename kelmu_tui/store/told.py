"""When the backend said last what is published or billed, and about which lists; kept with the replica.

Functions that write work inside the caller's `Store.write("replica")`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from kelmu_tui.store.replica import instant, microseconds


class What(StrEnum):
    """What is told; the value is the key of the replica's state."""

    LISTS = "lists_told"
    INVOICES = "invoices_told"


def note(db: Any, what: What, of: Iterable[str], now: datetime) -> None:
    """Note that the backend has told it about these lists."""
    found = {"at": microseconds(now), "of": sorted(of)}
    db.execute("INSERT OR REPLACE INTO replica.state (key, value) VALUES (?, ?)", (what.value, json.dumps(found)))


def at(db: Any, what: What, of: Iterable[str]) -> datetime | None:
    """Return when the backend told it last, None when it has not told it about each of these lists."""
    row = db.execute("SELECT value FROM replica.state WHERE key = ?", (what.value,)).fetchone()
    found = None if row is None else json.loads(row[0])
    return instant(found["at"]) if found is not None and set(of) <= set(found["of"]) else None
