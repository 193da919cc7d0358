"""Every view of a customer has exactly one event, committed before it is painted: online, offline, in two terminals."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from kelmu_backend.database import tables
from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.base import KeyedScreen
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.customer_pages import TextScreen
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.services.case_file import Form
from tests.backend.customers.support import code
from tests.screens.support import text_of
from tests.widgets.support import until

from .terminals import Place, Terminal

ONE, TWO, THREE = code(900), code(901), code(902)
PURPOSE = "supplementary_social_assistance"
CASE = "123/26"
MATTER: dict[str, Any] = {
    "id": "m1",
    "benefit": "sickness_allowance",
    "kind": "appeal",
    "received": "2026-10-01",
    "stage": "received",
    "missing": [],
    "office": "Toimisto-1",
}


def event(view: str, subject: str | None, purpose: str | None = PURPOSE) -> tuple[str, str | None, str | None, Any]:
    return view, subject, purpose, CASE if purpose else None


@pytest.fixture
def place(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Three people of one household, the first with a notice in the inbox; nothing may be painted unlogged."""
    for number, one in enumerate((ONE, TWO, THREE), 1):
        place.register.add(f"p{number}", one, noticed=number == 1, household="home")
    place.register.rows("p1", Section.PENDING, MATTER)
    painted = KeyedScreen._compositor_refresh

    def refresh(screen: KeyedScreen[Any]) -> None:
        app: Any = screen.app
        painted(screen)
        if isinstance(screen, CustomerScreen | TextScreen) and app._store is not None:
            customer = screen.customer if isinstance(screen, CustomerScreen) else screen._customer
            if f"Sukunimi-{customer}" in text_of(app):
                logged = [one[:2] for one in Terminal(app, None).logged()]  # type: ignore[arg-type]
                view = "customer" if isinstance(screen, CustomerScreen) else "customer_copy"
                assert (view, customer) in logged, "painted before it was logged"

    monkeypatch.setattr(KeyedScreen, "_compositor_refresh", refresh)
    return place


async def told(place: Place, terminal: Terminal) -> list[Any]:
    """Return what the backend was told once that is all there is to tell."""

    def all_told() -> bool:
        with terminal.store.read() as db:
            return bool(db.execute("SELECT min(received_at IS NOT NULL) FROM main.view_event").fetchone()[0])

    terminal.app._poke()
    await until(terminal.pilot, all_told, "receipts for all views")
    with place.register.world.database.read() as connection:
        events = tables.view_event.c
        doubled = select(events.number).group_by(events.chain, events.number).having(func.count() > 1)
        assert connection.execute(doubled).all() == []
    return place.told()


async def test_each_view_of_a_day_has_its_event_and_is_told_once(place: Place) -> None:
    async with place.terminal() as terminal:
        expected = []

        async def does(*keys: str, logs: list[Any]) -> None:
            await terminal.press(*keys)
            expected.extend(logs)
            assert terminal.logged() == expected, keys

        await terminal.look_up(ONE)
        await terminal.settled()
        await does(logs=[event("customer", "p1")])
        await does("2", "3", "4", "1", "n", "K", "q", logs=[])
        await does("c", logs=[event("customer:code", "p1")])
        assert ONE in terminal.text
        await does("y", "enter", logs=[event("customer_copy", "p1")])
        await does("2", "e", logs=[event("customer_copy", "p1")])
        await does("y", "q", logs=[])
        await terminal.press("1", "H")
        assert "Sukunimi-p2" in terminal.text
        await does("down", "enter", logs=[event("customer", "p2")])
        assert terminal.file.customer == "p2"
        await does("q", logs=[])
        assert isinstance(terminal.app.screen, InboxScreen)
        await does("2", logs=[event("customer_list", None, None)])
        await does("enter", logs=[event("customer", "p1")])
        await does("q", logs=[])
        await does("i", "enter", logs=[event("customer", "p1")])
        assert terminal.file.customer == "p1"
        assert await told(place, terminal) == expected
    done = [(outcome, person) for outcome, person, _ in place.register.logged()]
    assert done == [("done", "p1"), ("done", "p2"), ("done", "p1")]


async def test_offline_views_are_logged_and_told_when_the_network_is_back(place: Place) -> None:
    async with place.terminal() as terminal:
        await terminal.look_up(ONE)
        await terminal.settled()
        expected = [event("customer", "p1")]
        assert await told(place, terminal) == expected
        await terminal.press("q")
        place.wire.cut = True
        await terminal.offline()
        await terminal.press("2", "enter")
        expected += [event("customer_list", None, None), event("customer", "p1")]
        await terminal.press("2")
        assert "Sairauspäiväraha" in terminal.text
        await terminal.press("c", "y", "enter", "e", "q", "q")
        expected += [event("customer:code", "p1"), event("customer_copy", "p1"), event("customer_copy", "p1")]
        await terminal.press("i", "enter")
        expected.append(event("customer", "p1"))
        assert terminal.app.t("customer_view.find_held") in terminal.words
        desk = terminal.app.desk
        assert desk is not None
        text = await desk.run(desk.customers.exported, "p1", (Section.PENDING,), Translator("fi"), Form.PAGES)
        assert text is not None
        expected.append(event("customer_export", "p1"))
        assert terminal.logged() == expected
        assert len(place.told()) == 1
        place.wire.cut = False
        terminal.app._poke()
        await terminal.online()
        assert await told(place, terminal) == expected
    assert [row[:2] for row in place.register.logged()] == [("done", "p1")]


async def test_offline_from_the_start_the_file_of_before_is_shown_and_told_later(place: Place) -> None:
    async with place.terminal() as terminal:
        await terminal.look_up(ONE)
        await terminal.settled()
    place.wire.cut = True
    async with place.terminal(signed_in=True) as terminal:
        await terminal.press("2", "enter")
        assert terminal.file.customer == "p1"
        expected = [event("customer", "p1"), event("customer_list", None, None), event("customer", "p1")]
        assert terminal.logged() == expected
        place.wire.cut = False
        terminal.app._poke()
        await terminal.online()
        assert await told(place, terminal) == expected


async def test_each_of_a_household_is_looked_up_and_viewed_apart(place: Place) -> None:
    async with place.terminal() as terminal:
        await terminal.look_up(ONE)
        await terminal.settled()
        await terminal.press("H", "enter")
        assert terminal.file.customer == "p1"
        assert [row[:2] for row in place.register.logged()] == [("done", one) for one in ("p1", "p2", "p3")]
        assert terminal.logged() == [event("customer", "p1")], "what was fetched has not been seen"
        for one in ("p2", "p3"):
            await terminal.show(one)
        expected = [event("customer", one) for one in ("p1", "p2", "p3")]
        assert terminal.logged() == expected
        assert await told(place, terminal) == expected


async def test_two_terminals_on_one_customer_log_a_look_each(place: Place) -> None:
    async with place.terminal() as first, place.terminal(signed_in=True) as second:
        await first.look_up(ONE)
        await first.settled()
        await until(second.pilot, lambda: "Sukunimi" not in second.text)
        await second.press("2", "enter")
        expected = [event("customer", "p1"), event("customer_list", None, None), event("customer", "p1")]
        assert (first.file.customer, second.file.customer) == ("p1", "p1")
        assert first.logged() == second.logged() == expected
        # What one of them fetches is another answer for both: each looks at it once more.
        place.register.world.clock.pass_by(minutes=1)
        place.register.rows("p1", Section.PENDING, MATTER | {"id": "m2", "benefit": "student_financial_aid"})
        await first.press("r", "2")
        await until(first.pilot, lambda: first.file.rows.count == 2, "both matters")
        await second.press("2")
        await until(second.pilot, lambda: second.file.rows.count == 2, "both matters in the other terminal")
        await first.settled()
        await second.settled()
        expected += [event("customer", "p1")] * 2
        assert first.logged() == expected
        assert await told(place, first) == expected
    assert [row[:2] for row in place.register.logged()] == [("done", "p1")] * 2
