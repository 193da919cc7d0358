"""What was looked at reaches the backend from the running app; an altered log takes everything from the screen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from kelmu_backend import view_checks
from kelmu_backend.database import tables
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.store import chain
from kelmu_tui.store.database import Store
from kelmu_tui.store.rows import NoticeLine
from tests.screens.house import House, at_work, running
from tests.screens.support import text_of
from tests.widgets.support import until


def told(house: House) -> list[str]:
    """Return what the backend knows of views."""
    with house.database.read() as connection:
        return list(connection.execute(select(tables.view_event.c.view)).scalars())


def found(house: House) -> list[str]:
    with house.database.read() as connection:
        return [finding.kind.value for finding in view_checks.findings(connection)]


def alter(store: Store) -> None:
    """Change what the newest event says and let it wait."""
    with store.write() as db:
        db.execute(
            "UPDATE view_event SET received_at = NULL, body = replace(body, '\"rows\":', '\"rows\":1')"
            " WHERE number = (SELECT max(number) FROM view_event)"
        )
        store.changed("view_event")


def barred(store: Store) -> bool:
    with store.read() as db:
        return chain.barred(db)


async def test_an_altered_log_leads_to_the_sign_in_and_a_new_log(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        names = [row.customer for row in inbox.rows.rows if isinstance(row, NoticeLine)]
        store: Any = app._store
        assert app._link is not None
        app._link.engine.poke()
        await until(pilot, lambda: bool(told(house)), "views at the backend")
        assert found(house) == []
        await app._link.thread.run(alter, store)
        app._link.engine.poke()
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready, "the sign-in")
        await until(pilot, lambda: app.t("errors.store.views_barred")[:40] in text_of(app), "the reason")
        assert not [name for name in names if name in text_of(app)]
        assert found(house) == ["forged"]
        inbox = await at_work(app, pilot)
        assert isinstance(inbox, InboxScreen)
        assert app._link is not None
        assert app._store is not None
        assert not await app._link.thread.run(barred, app._store)
        app._link.engine.poke()
        await until(pilot, lambda: found(house) == ["forged", "restarted"], "the new log")
