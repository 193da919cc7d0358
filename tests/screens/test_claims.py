"""The list of claims: every state, day and risk, views, orders, sums, where it leads, and its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from textual.screen import Screen

from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER
from kelmu_tui.domain.claims.life import Status
from kelmu_tui.i18n import LANGUAGES
from kelmu_tui.screens.choose import ChooseScreen
from kelmu_tui.screens.claim import ClaimScreen
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.claims import ClaimsScreen
from kelmu_tui.screens.closed import ClosedPartScreen
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.customer_find import FindScreen
from kelmu_tui.screens.customers import CustomersScreen
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.services.claim_views import ClaimOrder, ClaimView, Wanted
from kelmu_tui.services.claim_words import status_name
from kelmu_tui.services.customer_text import purpose_name
from kelmu_tui.services.known import OPENERS
from kelmu_tui.sync.status import Connection
from tests.screens.claims import (
    CLAIMANT,
    COLLEAGUE,
    at,
    cells,
    claim,
    claiming,
    editing,
    ids,
    in_every_state,
    listing,
    shown,
    top,
    words,
)
from tests.screens.support import HOSTILE, SESSION, SIZES, check_grid, press, settled, text_of, type_text
from tests.store.build import NOW
from tests.store.customer_lines import answer, head
from tests.widgets.support import until

OPEN_ONES = ["heard", "late", "registered", "handled", "paid", "protected"]


# --- what is shown --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_state_in_words(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with listing(tmp_path, in_every_state(), size, language=language) as (app, pilot):
        t = app.t
        assert ids(app) == OPEN_ONES
        found = {id_: cells(app, id_)["state"] for id_ in OPEN_ONES}
        assert found["registered"] == status_name(Status.REGISTERED, t)
        assert found["handled"] == status_name(Status.IN_HANDLING, t)
        assert found["paid"] == status_name(Status.IN_FORCE, t)
        assert found["heard"] == t("claim_view.heard_until", day=t.formats.relative_date(date(2026, 12, 4), NOW.date()))
        assert found["late"] == t("claim_view.state_late", state=status_name(Status.REGISTERED, t))
        check_grid(app, size)
        for id_ in OPEN_ONES:
            await at(app, pilot, id_)
            check_grid(app, size)
        await press(pilot, "v", "end")
        check_grid(app, size)
        await press(pilot, "escape")


async def test_the_closed_ones_have_a_view(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state(), (120, 40), language="en") as (app, pilot):
        await press(pilot, "v")
        assert isinstance(app.screen, ChooseScreen)
        text = text_of(app)
        for view in ClaimView:
            assert app.t.choice("claim_view.view", view) in text
        await type_text(pilot, "closed")
        await press(pilot, "enter")
        assert sorted(ids(app)) == ["cancelled", "ended", "rejected"]
        assert app.t.choice("claim_view.view", ClaimView.CLOSED) in words(app)
        await press(pilot, "q")  # back to the open ones first
        assert ids(app) == OPEN_ONES
        await press(pilot, "q")
        assert top(app) is app.inbox


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (ClaimView.OPEN, OPEN_ONES),
        (ClaimView.NEEDS_ME, ["heard", "late"]),
        (ClaimView.DRAFTS, []),
        (ClaimView.IN_FORCE, ["paid", "protected"]),
        (ClaimView.SOON, ["soon"]),
        (ClaimView.CLOSED, ["cancelled", "ended", "rejected"]),
    ],
)
async def test_the_views(tmp_path: Path, view: ClaimView, expected: list[str]) -> None:
    rows = in_every_state()
    if view is ClaimView.SOON:
        rows.append(claim("soon", payment_day="2026-11-24", status=Status.REGISTERED))
    async with listing(tmp_path, rows, (120, 40)) as (app, pilot):
        screen = shown(app)
        screen.change_wanted(screen.wanted._replace(view=view))
        await settled(pilot)
        assert sorted(ids(app)) == sorted(expected)
        if not expected:
            assert app.t("claim_view.none_in_view", key="v") in words(app)


async def test_the_orders(tmp_path: Path) -> None:
    rows = [
        claim("first", family="Öhman", amount="10.00", payment_day="2026-12-04", status=Status.REGISTERED),
        claim("second", family="Aalto", amount="30.00", payment_day="2027-01-07", status=Status.REGISTERED),
        claim("third", family="Mäki", amount="20.00", payment_day="2026-11-30", status=Status.REGISTERED)
        | {"benefit": "child_benefit"},
    ]
    async with listing(tmp_path, rows, language="en") as (app, pilot):
        screen = shown(app)
        orders = {
            ClaimOrder.DUE: ["third", "first", "second"],
            ClaimOrder.NAME: ["second", "third", "first"],
            ClaimOrder.AMOUNT: ["second", "third", "first"],
        }
        for order, expected in orders.items():
            screen.change_wanted(screen.wanted._replace(order=order))
            await settled(pilot)
            assert ids(app) == expected, order
        await press(pilot, "s")
        await type_text(pilot, "benefit")
        await press(pilot, "enter")
        assert ids(app)[0] == "third"
        assert app.t.choice("claim_view.order", ClaimOrder.BENEFIT) in words(app)


async def test_the_sums_stand_in_the_head(tmp_path: Path) -> None:
    rows = [
        claim("a", amount="100.00", payments=[{"on": "2026-11-06", "amount": "40.00"}]),
        claim("b", amount="200.50"),
        claim("c", amount="50.00", last=None),
    ]
    async with listing(tmp_path, rows, language="en") as (app, pilot):
        assert "claimed €300.50 + €50.00/mo paid €40.00" in words(app)
        await press(pilot, "slash")
        await type_text(pilot, "200.50")
        await press(pilot, "enter")
        assert ids(app) == ["b"]
        assert "claimed €200.50" in words(app)


async def test_a_list_of_names_is_a_look_and_so_is_more_of_it(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state()) as (app, pilot):
        assert app.looks() == [("claim_list", None, 9)]
        app.hold([claim("paid", family="Lahti", version=2)])
        await settled(pilot)
        assert len(app.looks()) == 1
        app.hold([claim("new")])
        await settled(pilot)
        assert app.looks()[1:] == [("claim_list", None, 10)]


async def test_none_yet_and_not_here_yet(tmp_path: Path) -> None:
    async with claiming(tmp_path, language="en") as (app, pilot):
        await press(pilot, "5")
        assert app.t("claim_view.none", key="n") in words(app)
        assert app.t("claim_view.about")[:40] in words(app)
        assert app.looks() == []
        app.set_status(synced_at=None, state=Connection.CONNECTING)
        await settled(pilot)
        assert app.t("claim_view.not_here_yet") in words(app)


async def test_names_from_outside_are_text(tmp_path: Path) -> None:
    rows = [claim("x", family=HOSTILE, registered_by=HOSTILE, editing=editing(NOW + timedelta(minutes=2)))]
    async with listing(tmp_path, rows, (120, 40)) as (app, _):
        check_grid(app, (120, 40))
        assert "[b]x[/]" in text_of(app)


async def test_somebody_else_at_a_claim_is_seen_and_gone_after_a_while(tmp_path: Path) -> None:
    rows = [claim("x", status=Status.REGISTERED, editing=editing(NOW + timedelta(minutes=2)))]
    async with listing(tmp_path, rows, language="en") as (app, pilot):
        assert cells(app, "x")["state"] == app.t("claim_view.editing", who="M. Meri")
        assert app.t("claim_view.editing_text", who=COLLEAGUE) in words(app)
        app.time.at = NOW + timedelta(minutes=3)
        app.update_frames()
        await settled(pilot)
        assert cells(app, "x")["state"] == status_name(Status.REGISTERED, app.t)


async def test_a_new_day_makes_days_nearer_and_may_list_more(tmp_path: Path) -> None:
    rows = [
        claim("far", status=Status.REGISTERED, payment_day="2026-11-28"),
        claim("near", status=Status.HEARING, hearing_until="2026-11-21"),
    ]
    async with listing(tmp_path, rows, (120, 40), language="en") as (app, pilot):
        shown(app).change_wanted(Wanted(ClaimView.SOON))
        await settled(pilot)
        assert ids(app) == ["near"]
        for hours, day in ((0, "tomorrow"), (15, "today")):
            app.time.at = NOW + timedelta(hours=hours)
            app.update_frames()
            await settled(pilot)
            assert f"{day} €412.50" in words(app)
        assert ids(app) == ["near", "far"]


async def test_being_offline_is_seen_in_what_is_said_of_a_row(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x")], language="en") as (app, pilot):
        assert app.desk is not None
        await app.thread.run(app.desk.claims.end, ["x"], date(2026, 12, 31), "care_ended")
        await settled(pilot)
        what = app.t.choice("claim_view.pending", "claim-end")
        assert app.t("claim_view.on_its_way", what=what)[:30] in words(app)
        app.set_status(state=Connection.OFFLINE)
        await settled(pilot)
        assert app.t("claim_view.waits_text", what=what)[:30] in words(app)


async def test_changing_beside_somebody_is_asked_first(tmp_path: Path) -> None:
    rows = [claim("x", status=Status.REGISTERED, editing=editing(NOW + timedelta(minutes=2)))]
    async with listing(tmp_path, rows, language="en") as (app, pilot):
        await press(pilot, "e")
        assert isinstance(app.screen, ConfirmScreen)
        assert COLLEAGUE in words(app)
        await press(pilot, "enter")  # the cursor begins on waiting
        assert ids(app) == ["x"]
        await press(pilot, "e", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen), "the form")


# --- where it leads -------------------------------------------------------------------------------------------------


async def test_the_payee_is_looked_up_or_shown_when_at_hand(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x")], language="en") as (app, pilot):
        await press(pilot, "i")
        await until(pilot, lambda: isinstance(app.screen, FindScreen), "the question")
        assert "Virtanen, Aino" in words(app)
        assert purpose_name("payment_claim", app.t) in words(app)
        await press(pilot, "escape")
        assert app.desk is not None
        assert app.desk.customers.last_case() is None, "nobody was looked up for anything"
        found = head()
        answer(app.store, found)
        app.hold([claim("y", code=found.person.identity_code)])
        await settled(pilot)
        await at(app, pilot, "y")
        await press(pilot, "i")
        await until(pilot, lambda: isinstance(app.screen, CustomerScreen), "the file")


async def test_opening_a_claim_and_coming_back_keeps_the_place(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state()) as (app, pilot):
        await at(app, pilot, "paid")
        await press(pilot, "enter")
        assert isinstance(app.screen, ClaimScreen)
        await press(pilot, "q")
        assert shown(app).rows.current_key == "paid"


async def test_one_at_a_time_where_only_one_can_be_meant(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("a"), claim("b")], language="en") as (app, pilot):
        await press(pilot, "asterisk")
        for key in ("e", "C", "K", "w", "y", "i"):
            await press(pilot, key)
            assert app.t("claim_view.one_at_a_time") in words(app), key


# --- closed ---------------------------------------------------------------------------------------------------------


async def test_without_the_mandate_the_section_explains_itself(tmp_path: Path) -> None:
    async with claiming(tmp_path, session=SESSION, language="en") as (app, pilot):
        app.give("benefit_viewing")
        await press(pilot, "5")
        await until(pilot, lambda: isinstance(app.screen, ClosedPartScreen), "the explanation")
        assert app.t.choice("organisations.capability", "payment_claims_register") in words(app)
        assert "suomi.fi/valtuudet" in words(app)
        check_grid(app, (80, 24))


async def test_when_the_mandate_ends_nothing_is_shown_any_more(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state(), language="en") as (app, pilot):
        assert "Lahti" in words(app)
        app.lose()
        await settled(pilot)
        assert ids(app) == []
        assert "Lahti" not in words(app)
        assert app.t("claim_view.closed") in words(app)
        await press(pilot, "d", "c", "e")
        assert app.commands() == []


async def test_the_section_has_its_place_in_the_line(tmp_path: Path) -> None:
    async with listing(tmp_path, in_every_state(), (80, 24), language="en") as (app, _):
        line = text_of(app).splitlines()[1]
        assert "5 Claims" in line
        assert len(line) == 80
    assert CLAIMANT.capabilities > SESSION.capabilities


@pytest.mark.parametrize(
    ("opened_by", "first"),
    [
        ({"notices_inbox", PAYMENT_CLAIMS_REGISTER}, InboxScreen),
        ({"customer_lookup", PAYMENT_CLAIMS_REGISTER}, CustomersScreen),
        ({PAYMENT_CLAIMS_REGISTER, "list_front_veterans_supplement"}, ClaimsScreen),
        ({PAYMENT_CLAIMS_REGISTER}, ClaimsScreen),
    ],
)
async def test_claims_alone_open_the_app(tmp_path: Path, opened_by: set[str], first: type[Screen[None]]) -> None:
    async with claiming(tmp_path) as (app, _):
        assert app.desk is not None
        session = app.desk.session._replace(capabilities=frozenset(opened_by))
        assert type(KelmuApp._first_screen(replace(app.desk, session=session))) is first
    assert opened_by & OPENERS


async def test_as_the_first_screen_it_is_not_left(tmp_path: Path) -> None:
    async with claiming(tmp_path, in_every_state(), language="en") as (app, pilot):
        assert app.desk is not None
        await app.pop_screen()
        await app.push_screen(ClaimsScreen(app.desk))
        await settled(pilot)
        await press(pilot, "q")
        assert isinstance(top(app), ClaimsScreen)
        assert app.t("common.quit_hint", key="ctrl+q") in words(app)


async def test_a_municipality_is_told_who_makes_claims(tmp_path: Path) -> None:
    async with claiming(tmp_path, session=SESSION, language="en") as (app, pilot):
        app.give("benefit_viewing", kind="municipality")
        await press(pilot, "5")
        await until(pilot, lambda: isinstance(app.screen, ClosedPartScreen), "the explanation")
        assert app.t("claim_view.only_some")[:60] in words(app)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_help_lists_what_can_be_done_here(tmp_path: Path, language: str) -> None:
    async with listing(tmp_path, in_every_state(), (120, 40), language=language) as (app, pilot):
        await press(pilot, "question_mark")
        await type_text(pilot, app.t("actions.claims.prolong.label"))
        assert app.t("actions.claims.prolong.help")[:40] in words(app)
