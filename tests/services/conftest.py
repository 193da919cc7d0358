"""A store of somebody who has signed in, and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services import session as sessions
from kelmu_tui.services.session import put_secrets
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import DemoKeys
from kelmu_tui.store.thread import StoreThread
from tests.services.invoices import AtWork, at_invoices
from tests.services.signed_in import Time, session_text


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile("demo", tmp_path / "data" / "demo", tmp_path / "settings.toml")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(profile: Profile, time: Time) -> Iterator[Store]:
    folder = sessions.user_folder(profile, "", "u1")
    for parent in (profile.root, profile.users):
        parent.mkdir(parents=True, exist_ok=True)
    opened = Store.open(folder, DemoKeys(folder, profile), time, SeededIds(1))
    put_secrets(opened, {"session": session_text(), "device": "d" * 32})
    sessions.make_current(profile, folder)
    yield opened
    opened.close()


@pytest.fixture
def at_work(profile: Profile, store: Store) -> AtWork:
    """Gives the context of somebody who may see the invoices over a list."""
    return lambda one: at_invoices(profile, store, one)


@pytest.fixture
def thread(store: Store) -> Iterator[StoreThread]:
    """The store's thread."""
    found = StoreThread(store)
    yield found
    found.close()
