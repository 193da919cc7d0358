"""The lock: nothing is seen, nothing is open, nothing is lost, and only what opens the files opens it."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot

from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.platform.settings import Loaded, Settings
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.lock import LockScreen, wait_after
from kelmu_tui.screens.note import NoteScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.screens.sign_in import SignInScreen
from kelmu_tui.services.network import end_session
from kelmu_tui.services.passphrase import change
from kelmu_tui.services.session import current_folder
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreLocked
from kelmu_tui.store.keys import PassphraseKeys
from kelmu_tui.store.schema import LEDGER_VERSION
from kelmu_tui.sync.leader import is_led
from kelmu_tui.sync.status import Connection
from kelmu_tui.widgets.block_field import BlockField
from kelmu_tui.widgets.chrome import Caption
from tests.screens.house import House, at_work, fits, running
from tests.screens.locked import GOOD, behind_passphrase, cheap_derivation, filled, names, shut, typed
from tests.screens.support import LANGUAGES, SIZES, check_grid, text_of
from tests.screens.test_lease import Ahead
from tests.widgets.support import picture, until

NEW = "neljä sinistä purjetta"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_derivation(monkeypatch)


def effect(app: KelmuApp) -> str:
    return app.screen.query_one("#effect", Caption).text


def profile_of(house: House) -> Profile:
    root = house.folder / "home"
    return Profile("default", root, root / "settings.toml")


def other(house: House, passphrase: str = GOOD) -> Store:
    """Open the user's store as another terminal would."""
    folder = current_folder(profile_of(house))
    return Store.open(folder, PassphraseKeys(folder, passphrase), SystemClock(), SeededIds("other"))


async def test_everything_is_where_it_was_with_the_text_that_was_being_typed(house: House) -> None:
    app = house.app(name="default")
    async with running(app) as pilot:
        inbox = await behind_passphrase(app, pilot)
        await pilot.press("j", "j", "x", "j", "x", "j", "n")
        await until(pilot, lambda: isinstance(app.screen, NoteScreen) and app.screen.ready, "the note")
        await typed(pilot, "kesken oleva lause")
        where, marks, hidden = inbox.rows.current_key, set(inbox.rows.marks), names(inbox)
        store, folder = app._store, current_folder(profile_of(house))
        assert store is not None
        assert is_led(folder)
        assert any(name in text_of(app) for name in hidden)

        await pilot.press("ctrl+l")
        await shut(app, pilot)
        assert not any(name in text_of(app) for name in hidden)
        assert "kesken" not in text_of(app)
        assert not is_led(folder), "another terminal may lead"
        with pytest.raises(StoreLocked), store.read():
            pass
        for key in ("escape", "ctrl+p", "f1", "ctrl+s", "down", "tab", "ctrl+l"):
            await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, LockScreen)

        await typed(pilot, "aivan jotain muuta", "enter")
        await until(pilot, lambda: effect(app) == app.t("errors.store.wrong_passphrase"), "the refusal")
        assert store.locked
        await typed(pilot, GOOD, "enter")
        await until(pilot, lambda: isinstance(app.screen, NoteScreen), "the note")
        assert app.screen.query_one(BlockField).text == "kesken oleva lause"
        await until(pilot, lambda: not inbox.rows.busy, "the list to be read again")
        assert (inbox.rows.current_key, set(inbox.rows.marks)) == (where, marks)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is inbox, "the inbox")
        await until(pilot, lambda: app._status.state is Connection.ONLINE, "a connection")
        await until(pilot, lambda: app._status.queued == 0, "the note to be sent")
        assert is_led(folder)


class Still(SystemClock):
    """A count of seconds that stands until a test moves it."""

    seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


async def test_three_wrong_passphrases_make_the_next_try_wait(house: House) -> None:
    app = house.app(name="default")
    async with running(app) as pilot:
        await behind_passphrase(app, pilot)
        await pilot.press("ctrl+l")
        screen = await shut(app, pilot)
        app.clock = clock = Still()
        for wrong in range(1, 5):
            await typed(pilot, "väärä tunnuslause", "enter")
            await until(pilot, lambda wrong=wrong: screen._wrong == wrong and not screen._trying, f"refusal {wrong}")  # type: ignore[misc]
            assert (screen._left() > 0) == (wrong >= 3)
            if wrong >= 3:
                assert app.t("lock.wait", seconds=2 ** (wrong - 3)) in effect(app)
                await typed(pilot, GOOD, "enter")
                await pilot.pause()
                assert not screen._trying
                clock.seconds += 2 ** (wrong - 3)
                await until(pilot, lambda: effect(app) == app.t("lock.again"), "the end of the wait")
                await pilot.press(*["backspace"] * len(GOOD))
        await typed(pilot, GOOD, "enter")
        await filled(app, pilot)


def test_the_waits_double_up_to_a_minute() -> None:
    assert [wait_after(wrong) for wrong in range(1, 12)] == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_without_a_key_it_locks_by_itself_and_the_late_key_does_nothing(house: House) -> None:
    clock = Ahead()
    app = house.app(clock=clock, loaded=Loaded(Settings(language="fi", lock_minutes=3)))
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        where = inbox.rows.current_key
        clock.by += timedelta(minutes=2, seconds=50)
        await pilot.press("j")
        await until(pilot, lambda: inbox.rows.current_key != where, "the next row")
        where = inbox.rows.current_key
        clock.by += timedelta(minutes=2, seconds=50)
        app._look_again()
        assert not app.locked, "the key counts"
        clock.by += timedelta(seconds=10)
        app._look_again()
        await shut(app, pilot)
        assert app.t("lock.idle", count=3) in effect(app)
        await pilot.press("enter")
        await filled(app, pilot)
        clock.by += timedelta(minutes=3)
        await pilot.press("j")
        await shut(app, pilot)
        await pilot.press("enter")
        assert (await filled(app, pilot)).rows.current_key == where


async def test_an_idle_app_has_one_timer_for_it_and_sends_nothing(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        first = app._idle_timer
        await pilot.press("j", "k", "j")
        assert app._idle_timer is first, "a key starts no timer"


async def test_the_demo_opens_with_a_key_and_there_is_nothing_to_lock_at_the_door(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready)
        await pilot.press("ctrl+l")
        await until(pilot, lambda: app.t("lock.nothing") in text_of(app), "that there is nothing")
        await at_work(app, pilot)
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        assert " ".join(app.t("lock.how.demo", key="enter").split()[:4]) in " ".join(text_of(app).split())
        await pilot.press("enter")
        await filled(app, pilot)


async def test_a_locked_app_can_be_quit(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit, "the end")
    assert app.return_code == 0


# --- what happened meanwhile ----------------------------------------------------------------------------------------


async def test_a_replica_that_another_terminal_destroyed_is_filled_again(house: House) -> None:
    app = house.app(name="default")
    async with running(app) as pilot:
        inbox = await behind_passphrase(app, pilot)
        count, organisation = inbox.rows.count, app._store and app._store.organisation
        assert organisation
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        with closing(other(house)) as store:
            store.destroy_replica(organisation)
        await typed(pilot, GOOD, "enter")
        await until(pilot, lambda: app.screen is inbox and inbox.rows.count == count, "the same notices")


async def test_a_sign_out_elsewhere_leads_to_the_door(house: House) -> None:
    app = house.app(name="default")
    async with running(app) as pilot:
        hidden = names(await behind_passphrase(app, pilot))
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        with closing(other(house)) as store:
            await end_session(profile_of(house), store, None, SeededIds("out"))
        await typed(pilot, GOOD, "enter")
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen | SignInScreen), "the door")
        await until(pilot, lambda: app.t("sign_in.who") in text_of(app), "the picture of the door")
        assert not any(name in text_of(app) for name in hidden)


async def test_a_lease_that_ended_behind_the_lock_shows_nothing(house: House) -> None:
    clock = Ahead()
    app = house.app(name="default", clock=clock)
    async with running(app) as pilot:
        hidden = names(await behind_passphrase(app, pilot))
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        house.transport.cut = True
        clock.by += timedelta(hours=13)
        await typed(pilot, GOOD, "enter")
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen | SignInScreen), "the door")
        assert not any(name in text_of(app) for name in hidden)


async def test_a_ledger_of_a_newer_program_stays_closed(house: House) -> None:
    app = house.app(name="default")
    async with running(app) as pilot:
        await behind_passphrase(app, pilot)
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        with closing(other(house)) as store:
            store.db.execute(f"PRAGMA user_version = {LEDGER_VERSION + 1}")
        await typed(pilot, GOOD, "enter")
        await until(pilot, lambda: effect(app) == app.t("errors.store.ledger_too_new"), "the reason")
        assert app._store is not None
        assert app._store.locked


async def test_a_passphrase_changed_elsewhere_is_asked_for_when_a_key_is_needed(house: House) -> None:
    app = house.app(name="default")
    async with running(app) as pilot:
        inbox = await behind_passphrase(app, pilot)
        count = inbox.rows.count
        folder = current_folder(profile_of(house))
        change(profile_of(house), folder, lambda fresh: NEW if fresh else GOOD, keyring=False)
        await pilot.press("j")
        assert not app.locked, "what is open stays open"
        with closing(other(house, NEW)) as store:
            store.destroy_replica(app._store.organisation if app._store else None)
        await shut(app, pilot)
        assert effect(app) == app.t("errors.store.keys_changed")
        await typed(pilot, GOOD, "enter")
        await until(pilot, lambda: effect(app) == app.t("errors.store.wrong_passphrase"), "the refusal of the old one")
        await typed(pilot, NEW, "enter")
        await until(pilot, lambda: app.screen is inbox and inbox.rows.count == count, "the same notices")


# --- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["default", "demo"])
async def test_the_lock_fits_every_size_in_every_language(house: House, name: str, language: str) -> None:
    app = house.app(name=name, language=language)
    async with running(app) as pilot:
        inbox = await (behind_passphrase(app, pilot) if name == "default" else at_work(app, pilot))
        hidden = names(inbox)
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        for size in SIZES:
            await resized(app, pilot, size)
            check_grid(app, size)
            assert not any(name in text_of(app) for name in hidden)
            box = app.screen.query_one("#box").region
            assert app.screen.query(Caption).last().region.bottom <= box.bottom - 1, text_of(app)
            assert app.t("actions.lock.unlock.label") in text_of(app)
            assert app.t("actions.app.quit.label") in text_of(app)


async def resized(app: KelmuApp, pilot: Pilot[Any], size: tuple[int, int]) -> None:
    await pilot.resize_terminal(*size)
    await until(pilot, partial(fits, app, size, app.t("lock.title")), "the lock in its new size")
    await until(pilot, lambda: len(picture(app)) == size[1], "the whole picture")
