"""The whole app against the real backend in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from textual.pilot import Pilot

from kelmu_backend.database.engine import Database
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.platform.settings import Loaded, Settings
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.sync.status import Connection
from tests.screens.support import TERMINAL, text_of
from tests.widgets.support import until

URL = "http://127.0.0.1:9"


class Switch(httpx.AsyncBaseTransport):
    """The way to the backend; it can be cut."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app)
        self.cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut", request=request)
        return await self._inner.handle_async_request(request)


class House:
    """A backend with a small population, and apps that use it."""

    def __init__(self, folder: Path, transport: Switch, database: Database) -> None:
        self.folder = folder
        self.transport = transport
        self.database = database

    def app(self, home: str = "home", *, demo: bool = True, name: str = "demo", **options: Any) -> KelmuApp:
        """Make an app in a home of its own; `demo` is for personas at the door, the name `demo` for open keys."""
        root = self.folder / home
        loaded = options.pop("loaded", Loaded(Settings(language="fi")))
        return KelmuApp(
            Profile(name, root, root / "settings.toml"),
            loaded.settings,
            URL,
            terminal=TERMINAL,
            demo=Handle() if demo else None,
            loaded=loaded,
            ids=SeededIds(home),
            transport=self.transport,
            **options,
        )


class Handle:
    """Stands for the hold on a demo's backend."""

    browser = False


@asynccontextmanager
async def running(app: KelmuApp, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[Any]]:
    async with app.run_test(size=size) as pilot:
        yield pilot


async def at_work(app: KelmuApp, pilot: Pilot[Any], persona: int = 0) -> InboxScreen:
    """Sign in as a persona of the list and wait until the inbox is filled."""
    await until(
        pilot,
        lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready and app.screen.rows.current is not None,
    )
    await pilot.pause()
    for _ in range(persona):
        await pilot.press("j")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")
    screen = app.screen
    assert isinstance(screen, InboxScreen)
    await until(pilot, lambda: screen.ready and screen.rows.count > 0 and not screen.rows.busy, "notices")
    await until(pilot, lambda: app._status.state is Connection.ONLINE, "a connection")
    await pilot.pause()
    return screen


def fits(app: KelmuApp, size: tuple[int, int], text: str) -> bool:
    """Whether the screen has taken a new size and shows `text` in it."""
    return app.screen.size == size and text in text_of(app)
