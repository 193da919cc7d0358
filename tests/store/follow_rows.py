"""Rows of customers who are followed, as the feed brings them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from kelmu_tui.api.contract import FollowChange, FollowRow
from kelmu_tui.domain.following import What
from kelmu_tui.domain.sections import Section
from kelmu_tui.store import replica
from kelmu_tui.store.database import Store
from tests.store.build import NOW, OWN

GENERATION = 9


def change(number: int, at: datetime = NOW, what: What = What.DECISION, **more: Any) -> FollowChange:
    """Return a change of which the day is that of `at`."""
    values: dict[str, Any] = {
        "id": f"change{number}",
        "at": at,
        "section": Section.DECISIONS,
        "row": f"row{number}",
        "benefit": "general_housing_allowance",
        "what": what,
        "day": at.date(),
    }
    return FollowChange(**values | more)


def followed(id: str, *changes: FollowChange, version: int = 1, **more: Any) -> dict[str, Any]:  # noqa: A002
    """Return a follow that began yesterday."""
    values: dict[str, Any] = {
        "id": id,
        "version": version,
        "customer": f"customer-{id}",
        "name": f"Virtanen, {id.title()}",
        "masked_code": "******-*12X",
        "purpose": "social_work",
        "case_reference": "123/26",
        "since": NOW - timedelta(days=1),
        "until": NOW + timedelta(days=89),
        "changes": list(changes),
    }
    return FollowRow(**values | more).model_dump(mode="json")


def hold(store: Store, rows: Iterable[dict[str, Any]], user: str = "user") -> None:
    """Put follows into the generation that is shown."""
    with store.write() as db:
        replica.put_rows(db, GENERATION, rows)
        db.execute(
            "INSERT OR REPLACE INTO replica.scope (name, generation) VALUES (?, ?)",
            (f"follows:{OWN}:{user}", GENERATION),
        )
        store.changed("follow")
