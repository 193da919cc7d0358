"""The whole app against the real backend: a list goes when its mandate does, not when somebody opens it next."""

from __future__ import annotations

import json
from typing import Any

from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.list_rows import ListRowsScreen
from kelmu_tui.services.session import put_secrets, secret
from kelmu_tui.sync.status import Connection
from tests.screens.house import House, at_work, running
from tests.screens.support import text_of
from tests.screens.test_typing import revoke
from tests.store.list_rows import published, row
from tests.widgets.support import until

ROWS = [row(number, name=f"Salainen, Aino {number}") for number in range(40)]


def rows_lying(app: KelmuApp) -> int:
    assert app._store is not None
    with app._store.read() as db:
        return int(db.execute("SELECT count(*) FROM replica.list_row").fetchone()[0])


async def reading(app: KelmuApp, pilot: Any) -> None:
    """Have a list here and read it."""
    await at_work(app, pilot)
    assert app.desk is not None
    desk = app.desk
    under_way = await desk.run(desk.lists.begin, published(len(ROWS)))
    under_way = await desk.run(desk.lists.take, under_way, ROWS)
    await desk.run(desk.lists.finish, under_way)
    await pilot.press("3")
    await until(pilot, lambda: "10/2026" in text_of(app), "the list on the shelf")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ListRowsScreen) and "Salainen" in text_of(app), "its rows")


async def test_a_mandate_that_ends_takes_the_list_when_the_feed_tells(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await reading(app, pilot)
        revoke(house, app, keep=["social_assistance_and_social_care"])
        app.action_main_sync()
        await until(pilot, lambda: "Salainen" not in text_of(app), "an empty screen")
        await until(pilot, lambda: rows_lying(app) == 0, "the end of the rows")


async def test_a_mandate_that_ends_by_date_takes_the_list_without_a_connection(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await reading(app, pilot)
        house.transport.cut = True
        await until(pilot, lambda: app._status.state is not Connection.ONLINE, "being cut off")
        assert app._store is not None
        info = json.loads(secret(app._store, "session") or "")
        for grant in (grant for one in info["organisations"] for grant in one["grants"]):
            if grant["mandate"] != "social_assistance_and_social_care":
                grant["valid_to"] = "2026-01-01"
        put_secrets(app._store, {"session": json.dumps(info)})
        assert "Salainen" in text_of(app)
        app._minute()
        await until(pilot, lambda: "Salainen" not in text_of(app), "an empty screen")
        await until(pilot, lambda: rows_lying(app) == 0, "the end of the rows")
