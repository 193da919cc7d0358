"""Leaving: what is not sent is sent, kept or discarded as the user says; and another passphrase for coming back."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from kelmu_backend.database import tables
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.new_passphrase import NewPassphraseScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.screens.sign_out import SignOutScreen
from kelmu_tui.screens.typed import TypedScreen
from kelmu_tui.services.session import user_folder
from kelmu_tui.services.unsent import unsent
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import NoReplica, WrongPassphrase
from kelmu_tui.store.keys import DemoKeys, PassphraseKeys
from kelmu_tui.store.rows import NoticeLine
from kelmu_tui.sync.status import Connection
from kelmu_tui.widgets.chrome import Caption
from tests.screens.house import URL, House, at_work, running
from tests.screens.locked import GOOD, behind_passphrase, cheap_derivation, filled, shut, typed
from tests.screens.support import LANGUAGES, SIZES, check_grid, text_of
from tests.widgets.support import picture, until

NEW = "neljä sinistä purjetta"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_derivation(monkeypatch)


async def taken_offline(house: House, app: KelmuApp, pilot: Pilot[Any]) -> str:
    """Cut the line and take a notice; return its id."""
    inbox = await at_work(app, pilot)
    house.transport.cut = True
    app.action_main_sync()
    await until(pilot, lambda: app._status.state is Connection.OFFLINE, "being offline")
    row = next(row for row in inbox.rows.rows if isinstance(row, NoticeLine) and row.assignee is None)
    inbox.rows.jump(row.id)
    await pilot.press("a")
    await until(pilot, lambda: app._status.queued == 1, "a queued command")
    return row.id


async def asked(app: KelmuApp, pilot: Pilot[Any]) -> SignOutScreen:
    await app.action_main_sign_out()
    await until(pilot, lambda: isinstance(app.screen, SignOutScreen) and app.screen.ready, "the question")
    await pilot.pause()
    assert isinstance(app.screen, SignOutScreen)
    return app.screen


async def at_the_door(app: KelmuApp, pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready, "the door")


def assignee(house: House, notice: str) -> str | None:
    column = tables.notice.c.assignee
    with house.database.read() as connection:
        found = connection.execute(column.table.select().where(tables.notice.c.id == notice)).mappings().one()
    return found["assignee"] if found["assignee"] is None else str(found["assignee"])


def left(house: House, app: KelmuApp, user: str) -> int:
    """Return how many commands wait in the ledger that was closed."""
    folder = user_folder(app.where, URL, user)
    store = Store.open(folder, DemoKeys(folder, app.where), SystemClock(), SeededIds("left"))
    try:
        assert not list(folder.glob("replica-*"))
        return unsent(store)
    finally:
        store.close()


async def test_going_on_to_work_is_the_first_answer(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await taken_offline(house, app, pilot)
        await asked(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")
        await asked(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")
        assert app._status.queued == 1


async def test_what_is_kept_is_sent_after_the_next_sign_in(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        notice = await taken_offline(house, app, pilot)
        assert app.desk is not None
        user = app.desk.session.user_id
        await asked(app, pilot)
        await pilot.press("down", "down", "enter")
        await at_the_door(app, pilot)
        assert left(house, app, user) == 1
        house.transport.cut = False
        await at_work(app, pilot)
        await until(pilot, lambda: assignee(house, notice) is not None, "the backend to know")


async def test_sending_first_says_what_did_not_go_and_signs_out_when_all_has_gone(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        notice = await taken_offline(house, app, pilot)
        screen = await asked(app, pilot)
        await pilot.press("down", "enter")
        await until(
            pilot,
            lambda: screen.query_one("#effect", Caption).text == app.t("sign_in.out_not_sent", count=1),
            "what did not go",
        )
        house.transport.cut = False
        await pilot.press("enter")
        await at_the_door(app, pilot)
        assert assignee(house, notice) is not None


async def test_what_waited_while_the_organisation_was_left_says_nothing_and_ends_nothing(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await app.stop_engine()
        desk, store, said = app.desk, app._store, text_of(app)
        assert desk is not None
        assert store is not None
        await desk.run(store.detach)
        with pytest.raises(NoReplica):
            await desk.run(desk.announcements.current)
        app.spawn("late", desk.run(desk.announcements.current))
        await until(pilot, lambda: "late" not in app.tasks.names, "the late look to end")
        assert text_of(app) == said
        assert app.is_running


async def test_what_comes_after_the_sign_out_says_nothing_and_ends_nothing(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        desk = app.desk
        assert desk is not None
        app.spawn("app.left", app._sign_in_again())
        await at_the_door(app, pilot)
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen) and app.screen.rows.count > 3, "the people")
        await pilot.pause()
        said = text_of(app)
        app.spawn("late", desk.run(desk.announcements.current))
        await until(pilot, lambda: "late" not in app.tasks.names, "the late look to end")
        assert text_of(app) == said
        assert app.is_running


async def test_discarding_has_to_be_typed(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        await app.stop_engine()
        row = next(row for row in inbox.rows.rows if isinstance(row, NoticeLine) and row.assignee is None)
        inbox.rows.jump(row.id)
        await pilot.press("a")
        assert app.desk is not None
        store, user, run = app._store, app.desk.session.user_id, app.desk.run
        assert store is not None
        assert await run(unsent, store) == 1
        await asked(app, pilot)
        await pilot.press("down", "down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, TypedScreen) and app.screen.ready, "the word")
        await typed(pilot, "juu", "enter")
        await pilot.pause()
        assert isinstance(app.screen, TypedScreen)
        await pilot.press("ctrl+u")
        await typed(pilot, "Poista", "enter")
        await at_the_door(app, pilot)
        assert left(house, app, user) == 0
        assert assignee(house, row.id) is None


async def test_what_may_have_been_applied_cannot_be_discarded_and_is_told(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await taken_offline(house, app, pilot)
        assert app.desk is not None
        user = app.desk.session.user_id
        await asked(app, pilot)
        await pilot.press("down", "down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, TypedScreen) and app.screen.ready, "the word")
        await typed(pilot, "poista", "enter")
        await at_the_door(app, pilot)
        await until(pilot, lambda: app.t("sign_in.out_left", count=1)[:40] in text_of(app), "what stays")
        assert left(house, app, user) == 1


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_questions_fit_every_size_in_every_language(house: House, language: str) -> None:
    app = house.app(language=language)
    async with running(app) as pilot:
        await taken_offline(house, app, pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: app.screen.size == size, "the size")  # type: ignore[misc]
            await asked(app, pilot)
            await pilot.press("down", "enter")
            failed = app.t("sign_in.out_not_sent", count=1)
            effect = app.screen.query_one("#effect", Caption)
            await until(pilot, lambda failed=failed, effect=effect: effect.text == failed, "the refusal")  # type: ignore[misc]
            await whole(app, pilot, size)
            await pilot.press("down", "down", "enter")
            await until(pilot, lambda: isinstance(app.screen, TypedScreen) and app.screen.ready, "the word")
            await whole(app, pilot, size)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")


async def whole(app: KelmuApp, pilot: Pilot[Any], size: tuple[int, int]) -> None:
    """Wait for the picture, and look whether the dialog has room for all it says."""
    await until(pilot, lambda: len(picture(app)) == size[1] and not app.screen._layout_required, "the picture")
    await pilot.pause()
    check_grid(app, size)
    box = app.screen.query_one("#box").region
    assert app.screen.query(Caption).last().region.bottom <= box.bottom - 1, text_of(app)


# --- another passphrase ---------------------------------------------------------------------------------------------


async def new_passphrase(app: KelmuApp, pilot: Pilot[Any]) -> NewPassphraseScreen:
    app.action_main_passphrase()
    await until(pilot, lambda: isinstance(app.screen, NewPassphraseScreen) and app.screen.ready, "the dialog")
    assert isinstance(app.screen, NewPassphraseScreen)
    return app.screen


async def test_another_passphrase_opens_from_then_on(house: House) -> None:
    app = house.app(name="default")
    async with running(app) as pilot:
        await behind_passphrase(app, pilot)
        screen = await new_passphrase(app, pilot)

        def says(text: str) -> bool:
            return screen.query_one("#effect", Caption).text == text

        for old, new, again, text in (
            ("ei se ollut näin", NEW, NEW, "errors.store.wrong_passphrase"),
            (GOOD, "lyhyt", "lyhyt", "errors.weak.short"),
            (GOOD, "salasana12345", "salasana12345", "errors.weak.common"),
            (GOOD, NEW, NEW + "t", "common.passphrase_differs"),
        ):
            for word in (old, new, again):
                await typed(pilot, word, "enter")
            await until(pilot, lambda text=text: says(app.t(text)), text)  # type: ignore[misc]
        for word in (GOOD, NEW, NEW):
            await typed(pilot, word, "enter")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")
        assert app.t("lock.changed") in text_of(app)
        assert app._store is not None
        folder = app._store.folder
        with pytest.raises(WrongPassphrase):
            Store.open(folder, PassphraseKeys(folder, GOOD), SystemClock(), SeededIds(1))
        # Its own keys go on: an organisation begun now gets a wrap by the new one.
        app._store.attach("9900050-1")
        app._store.attach(app.desk.session.organisation.business_id if app.desk else "")
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        await typed(pilot, NEW, "enter")
        await filled(app, pilot)


async def test_the_demo_has_no_passphrase_to_change(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        app.action_main_passphrase()
        await until(pilot, lambda: app.t("lock.no_passphrase")[:30] in text_of(app), "why")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_dialog_fits_every_size_in_every_language(house: House, language: str) -> None:
    app = house.app(name="default", language=language)
    async with running(app) as pilot:
        await behind_passphrase(app, pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: app.screen.size == size, "the size")  # type: ignore[misc]
            screen = await new_passphrase(app, pilot)
            for word in ("väärä sana tässä", NEW, NEW):
                await typed(pilot, word, "enter")
            refused = app.t("errors.store.wrong_passphrase")
            effect = screen.query_one("#effect", Caption)
            await until(pilot, lambda effect=effect, refused=refused: effect.text == refused, "the refusal")  # type: ignore[misc]
            await whole(app, pilot, size)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")


# --- where nothing is kept ------------------------------------------------------------------------------------------


async def test_quitting_a_run_that_keeps_nothing_asks_about_what_is_not_sent(house: House) -> None:
    app = house.app()
    root = house.folder / "home"
    app.where = Profile("demo", root, root / "settings.toml", ephemeral=True)
    async with running(app) as pilot:
        await taken_offline(house, app, pilot)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.screen.ready, "the question")
        assert app.t("sign_in.lost_at_quit", count=1)[:30] in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")
        await asked(app, pilot)
        assert app.t("sign_in.out_keep") not in text_of(app), "nothing is kept here"
        await pilot.press("escape", "ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.screen.ready, "the question")
        await pilot.press("down", "enter")
        await until(pilot, lambda: app._exit, "the end")
    assert not list(root.glob("users/*/wraps.json"))
    assert not (root / "settings.toml").exists()
