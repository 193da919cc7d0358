"""Somebody who has signed in, for the tests of services: session, store and a clock that tests move."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kelmu_tui.domain.capabilities import NOTICES_INBOX, mandates, opens_for
from kelmu_tui.domain.organisations import OrganisationType

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TODAY = date(2026, 11, 23)
FIRST, SECOND = "9900080-0", "9900050-1"
MANDATE = next(m.id for m in mandates().values() if NOTICES_INBOX in opens_for(m, OrganisationType.WELLBEING_COUNTY))


class Time:
    """A clock that tests and waits move."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOW).total_seconds()

    async def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def organisation(code: str, name: str, **changes: Any) -> dict[str, Any]:
    grant: dict[str, Any] = {
        "mandate": MANDATE,
        "kind": "mandate_to_act",
        "principal": code,
        "employer": code,
        "chain": [],
        "valid_from": "2026-01-01",
        "valid_to": None,
    }
    return {
        "business_id": code,
        "name": {"fi": name, "sv": f"{name} sv", "en": f"{name} en"},
        "type": "wellbeing_county",
        "county": "06",
        "municipalities": ["837"],
        "agreement_from": "2025-01-01",
        "agreement_to": None,
        "capabilities": [],
        "grants": [grant],
        "supervisor": False,
        **changes,
    }


def session_text(*organisations: dict[str, Any], **changes: Any) -> str:
    return json.dumps(
        {
            "user": {"id": "u1", "name": "Outi Rautio", "language": "fi"},
            "organisations": organisations or [organisation(FIRST, "Pirkanmaa")],
            "announcements": [],
            "lease": {"id": "l1", "until": (NOW + timedelta(hours=12)).isoformat()},
            "server_time": NOW.isoformat(),
            "demo": True,
            **changes,
        }
    )
