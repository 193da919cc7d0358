"""A small backend for tests of client and backend together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kelmu_backend.app import create_app
from kelmu_backend.config import Config
from kelmu_tui.platform.ids import SeededIds
from tests.api.world import URL, World
from tests.sync.simulation.record import A, B, HandClock, Record, build


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Return a backend that holds three notices of A and one of B."""
    clock = HandClock()
    template = tmp_path / "template.db"
    build(template)
    record = Record(template, tmp_path, clock, 1)
    record.arrive(A, 3)
    record.arrive(B, 1)
    record.close()
    config = Config(
        f"sqlite:///{tmp_path / 'record.db'}",
        URL,
        demo=True,
        secret_folder=tmp_path / "secrets",
        clock=clock,
        ids=SeededIds(7),
        background=False,
    )
    app = create_app(config)
    async with app.router.lifespan_context(app):
        yield World(app.state.core, httpx.ASGITransport(app), clock)
