"""Builders for tests of the store: stores, and rows as the wire brings them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kelmu_tui.domain.organisations import social_care_organiser
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.store import replica
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import DemoKeys

OWN = social_care_organiser("837").business_id
"""Pirkanmaa: Tampere (837), Nokia (536), Ylöjärvi (980)."""
OTHER = social_care_organiser("091").business_id
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@dataclass
class FixedClock:
    """A clock that stands where a test puts it."""

    at: datetime = NOW

    def now(self) -> datetime:
        """Return the instant it was put to."""
        return self.at

    def monotonic(self) -> float:
        """Return seconds since an arbitrary instant."""
        return (self.at - NOW) / timedelta(seconds=1)


def open_store(folder: Path, clock: FixedClock | None = None) -> Store:
    """Open the store in `folder` with the demo's keys."""
    keys = DemoKeys(folder, Profile("demo", folder, folder))
    return Store.open(folder, keys, clock or FixedClock(), RandomIds())


def notice(id: str, **changes: Any) -> dict[str, Any]:  # noqa: A002
    """Return a notice as the wire's JSON; `family`, `given`, `free_text` and `non_disclosure` reach inside."""
    customer = {
        "identity_code": "010190-900X",
        "family_name": changes.pop("family", "Virtanen"),
        "given_names": changes.pop("given", "Aino"),
        "language": "fi",
        "non_disclosure": changes.pop("non_disclosure", False),
        "home_municipality": "837",
        "address": "Salainentie 7",
        "telephone": None,
    }
    row: dict[str, Any] = {
        "table": "notice",
        "id": id,
        "version": 1,
        "kind": "social_work_need",
        "subtype": None,
        "urgent": False,
        "status": "new",
        "organisation": OWN,
        "municipality": "837",
        "created": "2026-11-18T07:12:00Z",
        "arrived": "2026-11-18T07:12:00Z",
        "due": "2026-11-27",
        "customer": customer,
        "content": {"free_text": changes.pop("free_text", None), "household": [], "expenses": []},
        "assignee": None,
        "assignee_name": None,
        "handled_at": None,
        "handled_by": None,
        "notes": [],
        "origin": None,
        "transferred_from": None,
    }
    return row | changes


def trace(id: str, **changes: Any) -> dict[str, Any]:  # noqa: A002
    """Return a trace as the wire's JSON."""
    row = {
        "table": "trace",
        "id": id,
        "version": 2,
        "kind": "social_work_need",
        "urgent": False,
        "due": "2026-11-27",
        "at": "2026-11-19T09:00:00Z",
        "by": "Laura Koski",
        "from_municipality": "837",
        "to_organisation": OTHER,
        "to_municipality": "091",
        "reason": "Muuttanut",
        "state": "sent",
    }
    return row | changes


def fill(store: Store, rows: Iterable[Mapping[str, Any]], *, generation: int = 1) -> None:
    """Put rows into the generation of notices that is shown; traces and announcements get the two after it."""
    rows = list(rows)
    place = {"notice": generation, "trace": generation + 1, "announcement": generation + 2}
    with store.write() as db:
        for table, own in place.items():
            replica.put_rows(db, own, [row for row in rows if row["table"] == table])
        scopes = ((f"notices:{OWN}", generation), (f"traces:{OWN}", generation + 1), ("announcements", generation + 2))
        db.executemany("INSERT OR REPLACE INTO replica.scope (name, generation) VALUES (?, ?)", scopes)


def flip(path: Path, offset: int) -> None:
    """Turn one byte of a file around."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0xFF]))


def named(store: Store) -> list[str]:
    """Return the aggregates of the commands that still say whom they are about."""
    with store.read() as db:
        rows = db.execute("SELECT aggregate FROM main.command WHERE json_type(label, '$.customer') = 'text'").fetchall()
    return sorted(row[0] for row in rows)
