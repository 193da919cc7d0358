"""The whole app against the real backend in the same process: in, at work, another organisation, out."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import delete, select, update

from kelmu_backend.database import tables
from kelmu_backend.identity import families
from kelmu_tui.actions import Context
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.settings import Loaded, Settings, SettingsProblem
from kelmu_tui.screens.about import AboutScreen
from kelmu_tui.screens.closed import ClosedScreen
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.organisations import OrganisationsScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.screens.sign_in import SignInScreen
from kelmu_tui.store.rows import NoticeLine
from kelmu_tui.sync.status import Connection
from tests.screens.house import House, at_work, fits, running
from tests.screens.support import LANGUAGES, SIZES, check_grid, text_of
from tests.widgets.support import until


async def test_from_the_persona_to_a_notice_of_the_backend(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        screen = await at_work(app, pilot)
        check_grid(app, (80, 24))
        first = screen.rows.current_key
        await pilot.press("a")

        def taken() -> bool:
            with house.database.read() as connection:
                column = tables.notice.c.assignee
                return connection.execute(select(column).where(tables.notice.c.id == first)).scalar() is not None

        await until(pilot, taken, "the backend to know")
        await until(pilot, lambda: app._status.queued == 0, "an empty outbox")


async def test_the_second_start_needs_no_sign_in_and_no_backend(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        screen = await at_work(app, pilot)
        count = screen.rows.count
    house.transport.cut = True
    again = house.app()
    async with running(again) as pilot:
        await until(pilot, lambda: isinstance(again.screen, InboxScreen) and again.screen.ready, "the inbox")
        inbox = again.screen
        assert isinstance(inbox, InboxScreen)
        await until(pilot, lambda: inbox.rows.count == count, "the same notices")
        await until(pilot, lambda: again._status.state is Connection.OFFLINE, "being offline")
        row = next(row for row in inbox.rows.rows if isinstance(row, NoticeLine) and row.assignee is None)
        inbox.rows.jump(row.id)
        await pilot.press("a")
        await until(pilot, lambda: "↑1" in text_of(again), "a queued command")
        house.transport.cut = False
        await pilot.press("colon", *"synk")
        await pilot.pause()
        await pilot.press("escape")
        again.action_main_sync()
        await until(pilot, lambda: again._status.queued == 0 and again._status.state is Connection.ONLINE, "being back")


async def test_two_people_see_what_the_other_does(house: House) -> None:
    one, two = house.app("one"), house.app("two")
    async with running(one) as first, running(two) as second:
        inbox = await at_work(one, first, 0)
        other = await at_work(two, second, 1)
        key = inbox.rows.current_key
        await first.press("d")
        await until(second, lambda: key not in [row.id for row in other.rows.rows], "the row to leave")


async def test_somebody_without_a_mandate_gets_the_explanation(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await until(
            pilot, lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready and app.screen.rows.count > 3
        )
        people = app.screen
        assert isinstance(people, PersonasScreen)
        with house.database.read() as connection:
            with_grants = set(connection.execute(select(tables.grant.c.user)).scalars())
        nobody = next(row for row in people.rows.rows if row.id not in with_grants)
        people.rows.jump(nobody.id)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ClosedScreen), "the explanation")
        await pilot.pause()
        assert "suomi.fi/valtuudet" in text_of(app)
        check_grid(app, (80, 24))


async def test_another_organisation_is_a_clean_change(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await until(
            pilot, lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready and app.screen.rows.count > 3
        )
        people = app.screen
        assert isinstance(people, PersonasScreen)
        several = next(row for row in people.rows.rows if "k.f." in row.organisation)
        people.rows.jump(several.id)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, OrganisationsScreen), "the choice")
        choice = app.screen
        assert isinstance(choice, OrganisationsScreen)
        await until(pilot, lambda: choice.rows.count > 1)
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the first inbox")
        assert app.desk is not None
        before = app.desk.session.organisation.business_id
        await until(pilot, lambda: app._status.state is Connection.ONLINE, "a connection")
        await pilot.press("o")
        await until(
            pilot,
            lambda: isinstance(app.screen, OrganisationsScreen) and app.screen.ready and app.screen.rows.count > 1,
        )
        await pilot.pause()
        await pilot.press("j", "enter")
        await until(
            pilot,
            lambda: app.desk is not None and app.desk.session.organisation.business_id != before,
            "another organisation",
        )
        await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the second inbox")


async def test_a_mandate_that_ends_closes_the_inbox(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        assert app.desk is not None
        user = app.desk.session.user_id
        with house.database.write() as connection:
            connection.execute(delete(tables.grant).where(tables.grant.c.user == user))
            connection.execute(
                update(tables.app_user)
                .where(tables.app_user.c.id == user)
                .values(grant_revision=tables.app_user.c.grant_revision + 1)
            )
        app.action_main_sync()
        await until(pilot, lambda: isinstance(app.screen, ClosedScreen), "the explanation")


async def test_a_session_that_ended_goes_on_after_a_new_sign_in(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        screen = await at_work(app, pilot)
        assert app.desk is not None
        user = app.desk.session.user_id
        with house.database.write() as connection:
            assert families.end_all(connection, user, SystemClock().now()) == 1
        app.action_main_sync()
        await until(pilot, lambda: app._status.state is Connection.SIGNED_OUT, "the end of the session")
        assert app.t("sign_in.ended", key="r") in " ".join(text_of(app).split())
        await pilot.press("n", *"huomio", "ctrl+s")
        await until(pilot, lambda: app._status.queued == 1, "the note to be saved")
        app.desk.poke()
        await until(pilot, lambda: app._status.state is Connection.SIGNED_OUT, "the try to end as before")
        # Told once: the end of the session does not take the place of what was just done.
        assert "Muistiinpano lisätty." in text_of(app)
        await pilot.press("r")
        again = await at_work(app, pilot)
        assert again is not screen
        await until(pilot, lambda: app._status.queued == 0, "what was saved meanwhile to be sent")


async def test_the_key_for_signing_in_again_works_while_a_command_is_being_tried(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        assert app.desk is not None
        with house.database.write() as connection:
            assert families.end_all(connection, app.desk.session.user_id, SystemClock().now()) == 1
        app.action_main_sync()
        await until(pilot, lambda: app._status.state is Connection.SIGNED_OUT, "the end of the session")
        app.desk.poke()
        assert app._status.state is Connection.CONNECTING
        app.action_main_sync()
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen), "the door")
        await at_work(app, pilot)


async def test_signing_out_asks_first_and_leads_back_to_the_door(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await app.action_main_sign_out()
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen), "the question")
        await pilot.pause()
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen), "the door")
        assert not list((house.folder / "home" / "users").glob("*/replica-*.db"))
        await at_work(app, pilot)


async def test_without_a_demo_the_way_in_is_the_code(house: House) -> None:
    app = house.app(demo=False)
    async with running(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, SignInScreen) and "/sign-in" in text_of(app), "the code")
        assert app.screen.context is Context.SIGN_IN  # type: ignore[attr-defined]


async def test_about_shows_versions_and_mistakes_in_the_settings(house: House) -> None:
    problem = SettingsProblem(3, "colour", "unknown")
    loaded = Loaded(Settings(language="fi", keys={"inbox.take": "ctrl+c", "nope.nope": "x"}), (problem,))
    app = house.app(loaded=loaded)
    async with running(app, (120, 40)) as pilot:
        await at_work(app, pilot)
        await pilot.press("I")
        await until(pilot, lambda: "textual" in text_of(app), "the facts")
        text = " ".join(text_of(app).split())
        assert "8.2.8" in text
        assert app.t("help.line", line=3) in text
        assert "nope.nope" in text
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_people_and_the_facts_in_every_language_and_size(house: House, language: str) -> None:
    app = house.app(language=language)
    async with running(app) as pilot:
        await until(pilot, lambda: "Outi" in text_of(app), "the people")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, partial(fits, app, size, "Outi"), "the people")
            check_grid(app, size)
            assert app.t("sign_in.who") in text_of(app)
        await at_work(app, pilot)
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, AboutScreen) and app.screen.ready, "the facts")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, partial(fits, app, size, app.t("help.about_text").split()[0]), "the facts")
            check_grid(app, size)
            assert app.t("actions.app.help.label") in text_of(app).splitlines()[-1]


async def test_a_language_that_was_chosen_is_remembered(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: "Obehandlade" in text_of(app), "Swedish")
    assert 'language = "sv"' in (house.folder / "home" / "settings.toml").read_text()
