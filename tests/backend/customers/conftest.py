"""A backend with people: `viewer` looks customers up for A, `chief` supervises A, `boss` supervises B alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from kelmu_backend.config import Config, Maker
from kelmu_backend.database import tables
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import INBOX, LOOK_UP, URL, A, B, HandClock, fill, grant, serve

from .support import Gate, Register

PEOPLE = {
    "colleague": (A, LOOK_UP, None),
    "chief": (A, INBOX, A),
    "boss": (B, LOOK_UP, B),
}


@pytest.fixture
def maker() -> Maker | None:
    """Nothing is made; a test that wants it otherwise says so."""
    return None


@pytest.fixture
async def register(database_url: str, tmp_path: Path, maker: Maker | None) -> AsyncIterator[Register]:
    """Give a backend in which nobody is registered yet."""
    clock, gate = HandClock(), Gate()
    config = Config(
        database_url,
        URL,
        demo=True,
        secret_folder=tmp_path / "secrets",
        clock=clock,
        ids=SeededIds(7),
        background=False,
        maker=maker,
        wait=gate.wait,
    )
    async with serve(config, clock) as world:
        with world.database.write() as connection:
            fill(connection)
            for user, (organisation, _, supervised) in PEOPLE.items():
                row = {"id": user, "name": user.title(), "language": "fi", "employer": organisation.business_id}
                connection.execute(insert(tables.app_user), row | {"persona": True})
                if supervised is not None:
                    values = {"user": user, "organisation": supervised.business_id}
                    connection.execute(insert(tables.supervisor), values)
        found = Register(world, gate)
        for user, (organisation, mandate, _) in PEOPLE.items():
            found.grant(user, grant(mandate, organisation))
        yield found
