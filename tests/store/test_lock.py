"""The lock of a store: closed and without keys, the same object as before when it is open again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.store import keys
from kelmu_tui.store.database import EVERYTHING, Changed, Store
from kelmu_tui.store.errors import KeysChanged, LedgerTooNew, StoreLocked, WrongPassphrase
from kelmu_tui.store.keys import PassphraseKeys, rewrap
from kelmu_tui.store.schema import LEDGER_VERSION
from kelmu_tui.store.thread import StoreThread
from tests.store.build import OTHER, OWN, FixedClock, fill, notice
from tests.store.secrets_table import put_secret, secrets_of

GOOD, NEW = "kolme punaista venettä", "neljä sinistä purjetta"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "ARGON2_MEMORY_KIB", 64)
    monkeypatch.setattr(keys, "ARGON2_PASSES", 1)


def opened(folder: Path, passphrase: str = GOOD) -> Store:
    return Store.open(folder, PassphraseKeys(folder, passphrase), FixedClock(), RandomIds())


@pytest.fixture
def store(folder: Path) -> Store:
    found = opened(folder)
    found.attach(OWN)
    fill(found, [notice("n1")])
    put_secret(found, "kept")
    return found


def test_nothing_can_be_done_with_a_locked_store(store: Store) -> None:
    store.lock()
    store.lock()
    assert store.locked
    assert store.organisation == OWN
    for use in (store.read, store.write):
        with pytest.raises(StoreLocked), use():
            pass
    for deed in (store.poll, store.scrub, store.detach, store.destroy_replica, store.set_aside_broken):
        with pytest.raises(StoreLocked):
            deed()
    with pytest.raises(StoreLocked):
        store.attach(OTHER)
    store.close()


def test_everything_is_there_again_and_listeners_look_anew(folder: Path, store: Store) -> None:
    heard: list[Changed] = []
    store.listen(heard.append)
    store.lock()
    other = opened(folder)
    put_secret(other, "meanwhile")
    other.close()
    assert heard == []
    store.unlock(PassphraseKeys(folder, GOOD))
    assert heard == [Changed(EVERYTHING)]
    assert secrets_of(store) == ["kept", "meanwhile"]
    with store.read() as db:
        assert db.execute("SELECT id FROM replica.notice").fetchall() == [("n1",)]
    assert not store.poll(), "what was read is no news"
    store.unlock(PassphraseKeys(folder, "whatever this is"))
    assert len(heard) == 1
    store.close()


def test_a_wrong_passphrase_leaves_it_locked(folder: Path, store: Store) -> None:
    store.lock()
    with pytest.raises(WrongPassphrase):
        store.unlock(PassphraseKeys(folder, NEW))
    assert store.locked
    assert store.organisation == OWN
    store.unlock(PassphraseKeys(folder, GOOD))
    assert secrets_of(store) == ["kept"]
    store.close()


def test_a_newer_ledger_leaves_it_locked_and_untouched(folder: Path, store: Store) -> None:
    store.lock()
    other = opened(folder)
    other.db.execute(f"PRAGMA user_version = {LEDGER_VERSION + 1}")
    other.close()
    with pytest.raises(LedgerTooNew):
        store.unlock(PassphraseKeys(folder, GOOD))
    assert store.locked
    assert not list(folder.glob("*.corrupt-*"))


def test_a_replica_destroyed_behind_the_lock_is_begun_anew(folder: Path, store: Store) -> None:
    store.lock()
    other = opened(folder)
    other.destroy_replica(OWN)
    other.close()
    store.unlock(PassphraseKeys(folder, GOOD))
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM replica.notice").fetchone() == (0,)
    store.close()


def test_the_keys_are_overwritten_and_the_passphrase_is_let_go(folder: Path) -> None:
    source = PassphraseKeys(folder, GOOD)
    store = Store.open(folder, source, FixedClock(), RandomIds())
    assert source._passphrase is None, "one derivation is all it is needed for"
    assert source._derived is not None
    derived = source._derived[1]
    assert any(derived)
    store.lock()
    assert not any(derived)
    with pytest.raises(KeysChanged):
        source.key("ledger.db")


def test_a_lock_waits_for_the_unit_of_work(store: Store) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def work() -> None:
        with store.write() as db:
            inside.set()
            go_on.wait(30)
            db.execute("INSERT INTO secret VALUES ('late', '')")

    worker = threading.Thread(target=work)
    worker.start()
    inside.wait(30)
    locker = threading.Thread(target=store.lock)
    locker.start()
    go_on.set()
    worker.join(30)
    locker.join(30)
    with pytest.raises(StoreLocked):
        store.poll()
    store.unlock(PassphraseKeys(store.folder, GOOD))
    assert secrets_of(store) == ["kept", "late"]
    store.close()


def test_a_unit_of_work_cannot_lock_its_own_store(store: Store) -> None:
    with pytest.raises(AssertionError), store.write():
        store.lock()
    assert not store.locked
    store.close()


async def test_the_thread_and_its_callers_survive_the_lock(folder: Path, store: Store) -> None:
    thread = StoreThread(store)
    await thread.run(store.lock)
    with pytest.raises(StoreLocked):
        await thread.run(secrets_of, store)
    await thread.run(store.unlock, PassphraseKeys(folder, GOOD))
    assert await thread.run(secrets_of, store) == ["kept"]
    thread.close()
    store.close()


# --- another terminal changed what opens the files ------------------------------------------------------------------


def test_an_open_store_goes_on_and_asks_when_it_needs_a_key(folder: Path, store: Store) -> None:
    rewrap(PassphraseKeys(folder, GOOD), PassphraseKeys(folder, NEW))
    put_secret(store, "more")
    with pytest.raises(KeysChanged) as caught:
        store.attach(OTHER)
    assert caught.value.reason == "passphrase"
    store.lock()
    with pytest.raises(WrongPassphrase):
        store.unlock(PassphraseKeys(folder, GOOD))
    store.unlock(PassphraseKeys(folder, NEW))
    store.attach(OTHER)
    assert secrets_of(store) == ["kept", "more"]
    store.close()


def test_the_terminal_that_changed_it_takes_the_new_keys(folder: Path, store: Store) -> None:
    fresh = PassphraseKeys(folder, NEW)
    rewrap(PassphraseKeys(folder, GOOD), fresh)
    store.use_keys(fresh)
    store.attach(OTHER)
    store.close()
    again = opened(folder, NEW)
    again.attach(OTHER)
    assert again.incidents == ()
    again.close()
