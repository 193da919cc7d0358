"""What tests of the lock share: an app whose keys are behind a passphrase or in a keyring, and looks at its lock."""

from __future__ import annotations

from typing import Any, Final

import pytest
from textual.pilot import Pilot

from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.lock import LockScreen
from kelmu_tui.screens.passphrase import PassphraseScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.store import keys
from kelmu_tui.store.rows import NoticeLine
from kelmu_tui.sync.status import Connection
from tests.screens.house import at_work
from tests.screens.support import text_of
from tests.widgets.support import until

GOOD: Final = "kolme punaista venettä"


def cheap_derivation(patch: pytest.MonkeyPatch) -> None:
    """Let Argon2id be quick; what it costs is no part of these tests."""
    patch.setattr(keys, "ARGON2_MEMORY_KIB", 64)
    patch.setattr(keys, "ARGON2_PASSES", 1)


async def typed(pilot: Pilot[Any], text: str, *then: str) -> None:
    """Type a text and further keys."""
    await pilot.press(*("space" if letter == " " else letter for letter in text), *then)


async def behind_passphrase(app: KelmuApp, pilot: Pilot[Any]) -> InboxScreen:
    """Sign the first persona in, choose a passphrase and wait for the inbox."""
    await until(
        pilot,
        lambda: isinstance(app.screen, PersonasScreen) and app.screen.ready and app.screen.rows.current is not None,
    )
    await pilot.pause()
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, PassphraseScreen) and app.screen.ready, "the passphrase")
    await typed(pilot, GOOD, "enter")
    await typed(pilot, GOOD, "enter")
    return await filled(app, pilot)


async def filled(app: KelmuApp, pilot: Pilot[Any]) -> InboxScreen:
    """Wait for an inbox with notices, connected."""
    await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")
    screen = app.screen
    assert isinstance(screen, InboxScreen)
    await until(pilot, lambda: screen.ready and screen.rows.count > 0 and not screen.rows.busy, "notices")
    await until(pilot, lambda: app._status.state is Connection.ONLINE, "a connection")
    await pilot.pause()
    return screen


async def shut(app: KelmuApp, pilot: Pilot[Any]) -> LockScreen:
    """Wait until the app is locked and its files are closed."""
    await until(pilot, lambda: isinstance(app.screen, LockScreen) and app.screen.ready, "the lock")
    await until(pilot, lambda: app._store is not None and app._store.locked, "the files to be closed")
    await until(pilot, lambda: app.t("lock.title") in text_of(app), "the picture of the lock")
    assert isinstance(app.screen, LockScreen)
    return app.screen


def names(screen: InboxScreen) -> set[str]:
    """Return what must not be seen: the family names of the customers listed."""
    return {row.customer.split(",")[0] for row in screen.rows.rows if isinstance(row, NoticeLine)}


__all__ = ["at_work"]
