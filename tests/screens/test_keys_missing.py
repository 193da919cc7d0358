"""Keys and files that are missing, on the screen: at the start, behind the lock, and while somebody works."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import keyring.errors
import pytest
from textual.pilot import Pilot

from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.services.session import current_folder
from kelmu_tui.store import keyring_keys
from kelmu_tui.store.database import LEDGER_FILE, Store
from kelmu_tui.store.keys import DemoKeys
from kelmu_tui.store.wraps import WRAPS_FILE
from tests.screens.house import House, at_work, running
from tests.screens.locked import filled, shut
from tests.screens.support import LANGUAGES, text_of
from tests.store.build import flip
from tests.store.test_keys import Ring
from tests.widgets.support import until


class Keyring(Ring):
    """A keyring that can be locked."""

    locked = False

    def get_password(self, service: str, name: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked
        return super().get_password(service, name)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    made = Keyring()
    monkeypatch.setattr(keyring_keys, "ALLOWED_BACKENDS", frozenset({f"{Keyring.__module__}.Keyring"}))
    monkeypatch.setattr(keyring_keys, "_system_keyring", lambda: made)
    return made


def folder_of(house: House, name: str) -> Any:
    root = house.folder / "home"
    return current_folder(Profile(name, root, root / "settings.toml"))


async def says(app: KelmuApp, pilot: Pilot[Any], text: str) -> None:
    """Wait until the first words of `text` are shown; of the longest piece, where a file's name parts it."""
    words = " ".join(max(text.split("\0"), key=len).split()[:5])
    await until(pilot, lambda: words in " ".join(text_of(app).split()), text)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_keyring_opens_the_lock_once_it_is_open_itself(house: House, ring: Keyring, language: str) -> None:
    app = house.app(name="default", language=language)
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        await says(app, pilot, app.t("lock.how.keyring", key="enter"))
        ring.locked = True
        await pilot.press("enter")
        await says(app, pilot, app.t("errors.keys.keyring_locked"))
        assert app.locked
        ring.locked = False
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is inbox, "the inbox")


async def test_a_keyring_that_forgot_leads_to_the_door_and_says_so(house: House, ring: Keyring) -> None:
    app = house.app(name="default")
    async with running(app) as pilot:
        await at_work(app, pilot)
        await pilot.press("ctrl+l")
        await shut(app, pilot)
        ring.secrets.clear()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen), "the door")
        await says(app, pilot, app.t("errors.incident.keyring_forgot", file="\0"))
        await at_work(app, pilot)


Damage = Callable[[Any], str]


def damaged_wraps(folder: Any) -> str:
    (folder / WRAPS_FILE).write_text("{")
    return "errors.incident.keys_lost"


def misplaced_wraps(folder: Any) -> str:
    path = folder / WRAPS_FILE
    path.write_text(path.read_text().replace(folder.name, "0" * 16))
    return "errors.store.keys_misplaced"


def another_key(folder: Any) -> str:
    (folder / LEDGER_FILE).write_bytes(bytes(range(256)) * 64)
    return "errors.incident.wrong_key"


def first_page(folder: Any) -> str:
    flip(folder / LEDGER_FILE, 100)
    return "errors.incident.corrupt"


def emptied(folder: Any) -> str:
    (folder / LEDGER_FILE).write_bytes(b"")
    return "errors.incident.emptied"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("damage", [damaged_wraps, misplaced_wraps, another_key, first_page, emptied])
async def test_the_start_says_what_is_wrong(house: House, damage: Damage, language: str) -> None:
    first = house.app()
    async with running(first) as pilot:
        await at_work(first, pilot)
    key = damage(folder_of(house, "demo"))
    app = house.app(language=language)
    async with running(app) as pilot:
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen), "the door")
        await says(app, pilot, app.t(key, file="\0"))


async def test_a_page_that_breaks_while_somebody_works_costs_a_new_fill(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        count, store = inbox.rows.count, app._store
        assert store is not None
        assert app.desk is not None
        run = app.desk.run
        path = store.folder / f"replica-{store.organisation}.db"

        def spoil() -> None:
            store.scrub()
            for page in range(8, path.stat().st_size // 4096):
                flip(path, page * 4096 + 50)
            store.db.execute("PRAGMA shrink_memory").fetchall()

        await run(spoil)
        await pilot.press("j")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen) and app.screen is not inbox, "another inbox")
        assert [(i.file, i.kind) for i in store.incidents] == [(path.name, "corrupt")]
        await says(app, pilot, app.t("errors.incident.corrupt", file="\0"))
        assert (await filled(app, pilot)).rows.count == count


async def test_a_replica_that_broke_behind_the_lock_is_set_aside_and_filled(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        count = inbox.rows.count
        store = app._store
        assert store is not None
        organisation, folder = store.organisation, store.folder
        await pilot.press("ctrl+l")  # closed, so that the pages are read from the disk again
        await shut(app, pilot)
        with closing(Store.open(folder, DemoKeys(folder, app.where), SystemClock(), SeededIds("x"))) as other:
            other.attach(organisation or "")
            other.scrub()
        path = folder / f"replica-{organisation}.db"
        for page in range(20, path.stat().st_size // 4096):
            flip(path, page * 4096 + 50)
        await pilot.press("enter")
        await until(pilot, lambda: len(store.incidents) == 1, "the damage to be found")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen) and app.screen is not inbox, "another inbox")
        assert [(i.file, i.kind) for i in store.incidents] == [(path.name, "corrupt")]
        await says(app, pilot, app.t("errors.incident.corrupt", file="\0"))
        assert (await filled(app, pilot)).rows.count == count
