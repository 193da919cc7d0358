"""What the backend was not heard about for too long is taken from the screen, and comes back with a sign-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from typing import Any

from textual.pilot import Pilot

from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.sign_in import SignInScreen
from kelmu_tui.services.session import current_folder
from kelmu_tui.store import outbox
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import DemoKeys
from kelmu_tui.store.outbox import State
from kelmu_tui.store.rows import NoticeLine
from kelmu_tui.sync.status import Connection
from tests.screens.house import House, at_work, running
from tests.screens.support import text_of
from tests.widgets.support import until


class Ahead(SystemClock):
    """The machine's clock, later by what a test says."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.by

    def monotonic(self) -> float:
        return super().monotonic() + self.by.total_seconds()


class Turned(SystemClock):
    """The machine's clock with its hands turned; its count of seconds is another matter."""

    by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.by


@asynccontextmanager
async def cut_off(house: House, clock: Ahead) -> AsyncIterator[tuple[KelmuApp, Pilot[Any]]]:
    """Run the app of somebody who has signed in before, without a connection."""
    first = house.app()
    async with running(first) as pilot:
        await at_work(first, pilot)
    house.transport.cut = True
    app = house.app(demo=False, clock=clock)
    async with running(app) as pilot:
        await until(pilot, lambda: app._status.state is Connection.OFFLINE, "being offline")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen) and bool(app.screen.rows.rows), "notices")
        yield app, pilot


async def shut(app: KelmuApp, pilot: Pilot[Any]) -> str:
    """Wait until the sign-in stands in the place of everything and return what is shown."""
    await until(pilot, lambda: isinstance(app.screen, SignInScreen) and app.screen.ready, "the sign-in")
    await until(pilot, lambda: app.t("sign_in.lease_over")[:40] in text_of(app), "the reason")
    return text_of(app)


async def test_after_the_lease_nothing_is_shown_and_nothing_saved_is_lost(house: House) -> None:
    clock = Ahead()
    async with cut_off(house, clock) as (app, pilot):
        assert isinstance(app.screen, InboxScreen)
        names = [row.customer for row in app.screen.rows.rows if isinstance(row, NoticeLine)]
        row = next(row for row in app.screen.rows.rows if isinstance(row, NoticeLine) and row.assignee is None)
        app.screen.rows.jump(row.id)
        await pilot.press("a")
        await until(pilot, lambda: "↑1" in text_of(app), "a queued command")
        app._minute()
        await until(pilot, lambda: "app.lease" not in app.tasks.names, "the look at the lease")
        assert isinstance(app.screen, InboxScreen)
        clock.by = timedelta(hours=13)
        app._minute()
        shown = await shut(app, pilot)
        assert not [name for name in names if name in shown]
        assert app._store is None
    keys = DemoKeys(current_folder(app.where), app.where)
    with closing(Store.open(current_folder(app.where), keys, clock, SeededIds(1))) as store, store.read() as db:
        assert outbox.counts(db)[State.QUEUED] == 1


async def test_reading_on_after_the_lease_leads_there_too(house: House) -> None:
    clock = Ahead()
    async with cut_off(house, clock) as (app, pilot):
        clock.by = timedelta(hours=13)
        await pilot.press("s")
        await pilot.pause()
        await pilot.press("enter")
        await shut(app, pilot)


async def test_turning_the_wall_clock_changes_nothing_once_the_backend_was_heard(house: House) -> None:
    clock = Turned()
    app = house.app(clock=clock)
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        for by in (timedelta(days=1), timedelta(days=-1)):
            clock.by = by
            app._minute()
            row = next(row for row in inbox.rows.rows if isinstance(row, NoticeLine) and row.assignee is None)
            inbox.rows.jump(row.id)
            await pilot.press("a")
            await until(pilot, lambda: app._status.queued == 0, "an empty outbox")
            await until(pilot, lambda: not inbox.rows.busy, "a list that has been read")
            assert isinstance(app.screen, InboxScreen)
