"""A backend with a small population for tests of the whole app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kelmu_backend.app import create_app
from kelmu_backend.config import Config
from kelmu_backend.database.engine import Database
from kelmu_backend.population import filling, world
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import SeededIds
from tests.screens.house import URL, House, Switch


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    url = f"sqlite:///{tmp_path / 'kelmu.db'}"
    database = Database(url)
    database.migrate()
    clock = SystemClock()
    filling.fill(database, world.generate(5, clock.now(), people=400, notices=300), ids=SeededIds(5))
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    app = create_app(Config(url, URL, True, secrets, clock=clock, background=False, hints=False))
    async with app.router.lifespan_context(app):
        yield House(tmp_path, Switch(app), database)
    database.dispose()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the user's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setattr(Path, "home", lambda: folder)
    monkeypatch.setenv("HOME", str(folder))
    return folder
