"""A backend with people, served in this process, and terminals that reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kelmu_backend.config import Config
from kelmu_backend.database.engine import Database
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import INBOX, LOOK_UP, A, HandClock, fill, grant, serve
from tests.backend.customers.support import Gate, Register

from .terminals import URL, Place
from .wire import Wire


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """Give a backend in which nobody is registered yet; `viewer` has an inbox and may look customers up for A."""
    address = f"sqlite:///{tmp_path / 'record' / 'kelmu.db'}"
    database = Database(address)
    database.migrate()
    database.dispose()
    clock, gate = HandClock(), Gate()
    config = Config(
        address,
        URL,
        demo=True,
        secret_folder=tmp_path / "secrets",
        clock=clock,
        ids=SeededIds(7),
        background=False,
        hints=False,
        wait=gate.wait,
    )
    async with serve(config, clock) as world:
        with world.database.write() as connection:
            fill(connection)
        register = Register(world, gate)
        register.grant("viewer", grant(INBOX, A), grant(LOOK_UP, A))
        yield Place(register, Wire(world.app), tmp_path / "homes")
