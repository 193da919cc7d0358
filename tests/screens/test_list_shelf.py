"""The shelf of lists: every state of a period, fetching and stopping, what is closed and why, and being offline."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kelmu_tui.api.errors import Timeout
from kelmu_tui.domain.capabilities import Denied
from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.screens.fetches import FRESH
from kelmu_tui.screens.list_rows import ListRowsScreen
from kelmu_tui.screens.list_shelf import ListsScreen
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.lists import NotHere
from kelmu_tui.store import told
from kelmu_tui.store.list_fetch import Overtaken
from kelmu_tui.sync.status import Connection
from tests.screens.lists import VETERANS, ListsOffice, listing, looks, words
from tests.screens.support import LANGUAGES, check_grid, press, settled
from tests.services.customers import WIDE
from tests.services.signed_in import MANDATE
from tests.store.list_rows import LIST, PERIOD, published, row
from tests.widgets.support import until

ROWS = [row(number) for number in range(8)]


def screen(app: ListsOffice) -> ListsScreen:
    assert isinstance(app.screen, ListsScreen)
    return app.screen


def states(app: ListsOffice) -> dict[str, str]:
    """Return what stands in the last column, by list and period."""
    shown = screen(app)
    return {"/".join(one.which): shown.cells(one)["state"].text for one in shown.rows.rows}


def some(app: ListsOffice) -> None:
    """Let there be a period of every kind."""
    app.hold(published(8), ROWS)
    app.hold(published(8, list_=VETERANS, period="2025"), [_veteran(number) for number in range(8)])
    app.publish(published(8), ROWS)
    app.publish(published(8, period="2026-09"), ROWS)
    app.publish(published(8, period="2026-08", withdrawn=True), ROWS)
    app.publish(published(8, list_=VETERANS, period="2025", version=2), [])
    app.publish(published(8, period="2026-07"), ROWS)
    app.lists.take(app.lists.begin(published(8, period="2026-07")), ROWS[:3])


def _veteran(number: int) -> dict[str, object]:
    return {
        "id": f"v{number}",
        "name": f"Virtanen, Aino {number}",
        "identity_code": f"{number:06d}-900X",
        "municipality": "837",
    }


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_state_of_a_period(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with listing(tmp_path, size, language=language) as (app, pilot):
        some(app)
        await press(pilot, "3")
        t, found = app.t, states(app)
        assert app.refreshed == 1
        assert found[f"{LIST}/{PERIOD}"] == t("lists.here", at=t.formats.moment(app.now(), app.now()))
        assert found[f"{LIST}/2026-09"] == t("lists.not_here")
        assert found[f"{LIST}/2026-08"] == t("lists.withdrawn")
        assert found[f"{LIST}/2026-07"] == t("lists.part_here", count=3)
        assert found[f"{VETERANS}/2025"] == t("lists.anew")
        assert found["list_highest_care_allowance/"] == t("lists.none_published")
        closed = [one for one in screen(app).rows.rows if isinstance(one.denied, Denied)]
        assert closed == screen(app).rows.rows[-len(closed) :]
        assert len(closed) == 9
        check_grid(app, size)
        assert t("lists.heading") in words(app)
        assert "10/2026" in words(app)
        assert looks(app) == []


async def test_a_closed_list_says_why_and_what_would_open_it(tmp_path: Path) -> None:
    async with listing(tmp_path, (120, 40), language="en", mandates=(MANDATE,)) as (app, pilot):
        await press(pilot, "3")
        assert all(one.denied is not None for one in screen(app).rows.rows)
        text = words(app)
        assert app.t("errors.reason.no_mandate")[:40] in text
        assert app.t("organisations.needed") in text
        assert "suomi.fi/valtuudet" in text
        await press(pilot, "enter")
        assert isinstance(app.screen, ListsScreen)
        await press(pilot, "f")
        assert app.lists.shelf() == ()


async def test_fetching_shows_how_far_it_is_and_opens(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.publish(published(8), ROWS)
        app.gate.clear()
        await press(pilot, "3")
        await pilot.press("f")
        await until(pilot, lambda: "50%" in words(app), "half of it")
        assert "4/8 rows" in words(app)
        app.gate.set()
        await settled(pilot)
        assert app.t("lists.fetched") in words(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, ListRowsScreen)
        assert looks(app) == [("list_rows", f"{LIST}/{PERIOD}", 8)]


@pytest.mark.parametrize("key", ["f", "escape"])
async def test_a_fetch_is_stopped_and_goes_on(tmp_path: Path, key: str) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.publish(published(8), ROWS)
        app.gate.clear()
        await press(pilot, "3")
        await pilot.press("f")
        await until(pilot, lambda: "50%" in words(app), "half of it")
        await press(pilot, key)
        await until(pilot, lambda: "lists.fetch" not in app.tasks.names, "the end")
        await settled(pilot)
        assert states(app)[f"{LIST}/{PERIOD}"] == app.t("lists.part_here", count=4)
        app.gate.set()
        await press(pilot, "f")
        assert app.lists.shelf()[0].copy is not None


async def test_a_fetch_goes_on_behind_other_screens(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.publish(published(8), ROWS)
        app.gate.clear()
        await press(pilot, "3")
        await pilot.press("f")
        await until(pilot, lambda: "50%" in words(app), "half of it")
        await pilot.press("1")
        await until(pilot, lambda: app.screen is app.inbox, "the inbox")
        app.gate.set()
        await settled(pilot)
        await press(pilot, "3")
        assert app.lists.shelf()[0].copy is not None
        assert app.t("lists.here_text", key="enter")[:30] in words(app)


async def test_a_fetch_that_fails_says_why(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.publish(published(8), ROWS)
        await press(pilot, "3")
        app.refused = Timeout()
        await press(pilot, "f")
        assert states(app)[f"{LIST}/{PERIOD}"] == app.t("lists.failed")
        assert app.t("errors.api.timeout")[:30] in words(app)
        app.refused = None
        await press(pilot, "f")
        assert app.lists.shelf()[0].copy is not None


@pytest.mark.parametrize(
    ("failure", "text"),
    [(NotHere(), "lists.not_published"), (Overtaken(), "lists.overtaken"), (NotAllowed("list"), "lists.not_any_more")],
)
async def test_a_fetch_that_cannot_be_says_so(tmp_path: Path, failure: Exception, text: str) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.publish(published(8), ROWS)
        await press(pilot, "3")
        app.refused = failure
        await press(pilot, "f")
        assert app.t(text)[:40] in words(app)


async def test_what_is_here_is_not_fetched_again(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.hold(published(8), ROWS)
        app.publish(published(8), ROWS)
        await press(pilot, "3", "f")
        assert app.t("lists.already_here", key="enter")[:30] in words(app)


async def test_offline_it_says_since_when_the_publications_are_known(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.publish(published(8), ROWS)
        await press(pilot, "3")
        app.set_status(state=Connection.OFFLINE)
        await settled(pilot)
        at = app.t.formats.moment(app.now(), app.now())
        assert app.t("lists.offline_at", at=at) in words(app)
        await press(pilot, "f")
        assert app.t("actions.why.offline")[:20] in words(app)
        await press(pilot, "q", "r", "3")
        assert app.refreshed == 1


async def test_what_was_told_is_known_after_a_restart(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.set_status(state=Connection.OFFLINE)
        await press(pilot, "3")
        assert app.t("lists.offline_never") in words(app)
        assert states(app)[f"{LIST}/"] == app.t("lists.not_known")
        app.publish(published(8), ROWS)
        await app.refresh_lists()
        await settled(pilot)
        assert app.t("lists.offline_at", at=app.t.formats.moment(app.now(), app.now())) in words(app)
        assert states(app)[f"{VETERANS}/"] == app.t("lists.none_published")
        # As after a restart: nothing but the store knows of it.
        app._fetches = None
        app.set_status(state=Connection.ONLINE)
        await press(pilot, "q", "3")
        assert app.t("lists.known_at", at=app.t.formats.moment(app.now(), app.now())) in words(app)
        assert app.refreshed == 1


async def test_it_asks_when_the_connection_comes(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        app.set_status(state=Connection.CONNECTING)
        await press(pilot, "3")
        assert app.refreshed == 0
        app.set_status(state=Connection.ONLINE)
        await settled(pilot)
        assert app.refreshed == 1
        app.set_status(state=Connection.OFFLINE)
        app.set_status(state=Connection.ONLINE)
        await settled(pilot)
        assert app.refreshed == 1


async def test_what_was_told_long_ago_is_asked_again(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        await app.refresh_lists()
        with app.store.write("replica") as db:
            told.note(db, told.What.LISTS, list(catalogue()), app.now() - FRESH - timedelta(seconds=1))
        await press(pilot, "3")
        assert app.refreshed == 2


async def test_an_idle_screen_does_not_go_on_asking(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        await press(pilot, "3")
        assert app.refreshed == 1
        app.time.at += 2 * FRESH
        app.update_frames()
        await settled(pilot)
        assert app.refreshed == 1


async def test_asking_anew(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en") as (app, pilot):
        await press(pilot, "3")
        assert states(app)[f"{LIST}/"] == app.t("lists.none_published")
        app.publish(published(8), ROWS)
        await press(pilot, "r")
        assert (app.refreshed, app.pokes) == (2, 1)
        assert states(app)[f"{LIST}/{PERIOD}"] == app.t("lists.not_here")


async def test_a_mandate_that_ends_takes_the_list(tmp_path: Path) -> None:
    async with listing(tmp_path, language="en", mandates=(MANDATE, WIDE)) as (app, pilot):
        app.hold(published(8), ROWS)
        await press(pilot, "3", "enter")
        assert isinstance(app.screen, ListRowsScreen)
        app.give(MANDATE)
        await press(pilot, "slash", "a", "enter")
        assert app.t("lists.not_any_more") in words(app)
        assert list(app.screen.rows.rows) == []
