"""Files that are damaged, of another key or out of reach: told apart, moved aside or left alone, never deleted."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.store import connection, copies
from kelmu_tui.store.database import LEDGER_FILE, Store
from kelmu_tui.store.errors import StoreCorrupt, StoreLocked
from kelmu_tui.store.sealed import Seal
from kelmu_tui.store.wraps import WRAPS_FILE
from tests.store.build import OWN, fill, flip, notice
from tests.store.conftest import OpenStore
from tests.store.secrets_table import put_secret, secrets_of

REPLICA_FILE = f"replica-{OWN}.db"


def test_a_wrong_key_is_told_from_damage_and_nothing_is_deleted(folder: Path, opened: OpenStore) -> None:
    store = opened()
    put_secret(store, "a")
    store.close()
    (folder / WRAPS_FILE).unlink()
    again = opened()
    assert [(i.file, i.kind) for i in again.incidents] == [(LEDGER_FILE, "wrong_key")]
    assert again.incidents[0].moved_to.exists()
    assert secrets_of(again) == []


def test_a_damaged_ledger_is_moved_aside_and_a_new_one_works(folder: Path, opened: OpenStore) -> None:
    store = opened()
    put_secret(store, "a")
    store.scrub()
    seal = Seal(folder, "d" * 32)
    seal.write(b"of somebody")
    seal.finish()
    seal.close()
    store.close()
    flip(folder / LEDGER_FILE, 100)
    again = opened()
    assert [i.kind for i in again.incidents] == ["corrupt"]
    assert ".corrupt-" in again.incidents[0].moved_to.name
    # The keys of sealed copies lie in it: whoever mends it finds them beside it.
    assert copies.tidy(again) == 0
    (beside,) = folder.glob("sealed.corrupt-*")
    assert len(list(beside.iterdir())) == 1
    put_secret(again, "b")
    assert secrets_of(again) == ["b"]


def test_damage_behind_the_first_page_of_the_ledger_does_not_lock_it_up(folder: Path, opened: OpenStore) -> None:
    store = opened()
    put_secret(store, "a")
    store.scrub()
    store.close()
    for page in range(1, (folder / LEDGER_FILE).stat().st_size // 4096):
        flip(folder / LEDGER_FILE, page * 4096 + 50)
    again = opened()
    assert [(i.file, i.kind) for i in again.incidents] == [(LEDGER_FILE, "corrupt")]
    assert again.incidents[0].moved_to.exists()
    put_secret(again, "b")
    assert secrets_of(again) == ["b"]


def test_a_damaged_replica_costs_no_command(folder: Path, opened: OpenStore) -> None:
    store = opened()
    store.attach(OWN)
    put_secret(store, "a")
    store.scrub()
    store.close()
    flip(folder / REPLICA_FILE, 100)
    again = opened()
    again.attach(OWN)
    assert [(i.file, i.kind) for i in again.incidents] == [(REPLICA_FILE, "corrupt")]
    assert secrets_of(again) == ["a"]
    fill(again, [notice("n1")])


def test_damage_met_while_working_is_typed_and_can_be_set_aside(folder: Path, opened: OpenStore) -> None:
    store = opened()
    store.attach(OWN)
    fill(store, [notice(f"n{n}", free_text="x" * 3000) for n in range(200)])
    put_secret(store, "a")
    store.scrub()
    store.close()
    for page in range(60, 120):
        flip(folder / REPLICA_FILE, page * 4096 + 50)
    again = opened()
    again.attach(OWN)
    with pytest.raises(StoreCorrupt), again.read() as db:
        db.execute("SELECT sum(length(body)) FROM replica.notice").fetchone()
    incidents = again.set_aside_broken()
    assert [(i.file, i.kind) for i in incidents] == [(REPLICA_FILE, "corrupt")]
    assert again.organisation == OWN
    assert secrets_of(again) == ["a"]
    assert again.set_aside_broken() == ()


def test_damage_that_a_new_connection_finds_is_told_as_well(folder: Path, opened: OpenStore) -> None:
    store = opened()
    store.attach(OWN)
    fill(store, [notice(f"n{n}", free_text="x" * 3000) for n in range(200)])
    store.scrub()
    for page in range(8, (folder / REPLICA_FILE).stat().st_size // 4096):
        flip(folder / REPLICA_FILE, page * 4096 + 50)
    store.db.execute("PRAGMA shrink_memory").fetchall()
    for _ in range(2):  # the page, then the schema that a new connection reads
        with pytest.raises(StoreCorrupt), store.read() as db:
            db.execute("SELECT sum(length(body)) FROM replica.notice").fetchone()
    assert [(i.file, i.kind) for i in store.set_aside_broken()] == [(REPLICA_FILE, "corrupt")]
    assert store.set_aside_broken() == ()
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM replica.notice").fetchone() == (0,)


def test_lost_wraps_are_moved_aside_too(folder: Path, opened: OpenStore) -> None:
    opened().close()
    (folder / WRAPS_FILE).write_text("{ not json")
    again = opened()
    assert [i.kind for i in again.incidents] == ["keys_lost", "wrong_key"]


def test_a_page_that_the_disk_did_not_give_moves_nothing_aside(
    opened: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened()
    put_secret(store, "kept")
    store.close()
    real, failures = connection.connect, [StoreCorrupt()]

    def connect(path: Path, key: bytes) -> connection.Connection:
        if failures:
            raise failures.pop()
        return real(path, key)

    monkeypatch.setattr(connection, "connect", connect)
    again = opened()
    assert (again.incidents, secrets_of(again), failures) == ((), ["kept"], [])


def test_a_store_whose_connection_is_spoilt_can_be_locked(opened: OpenStore) -> None:
    store = opened()
    store.attach(OWN)
    with pytest.raises(StoreCorrupt), store.read():
        raise StoreCorrupt
    store.lock()
    assert (store.locked, store.organisation) == (True, OWN)
    with pytest.raises(StoreLocked):
        secrets_of(store)


def _furnish(store: Store) -> None:
    """Fill both files so that some values need several pages."""
    store.attach(OWN)
    fill(store, [notice(f"n{n}", free_text=f"{n} " + "x" * 9000) for n in range(4)])
    with store.write() as db:
        for n in range(40):
            db.execute("INSERT INTO secret VALUES (?, ?)", (f"k{n:02}", f"{n} " + "y" * (6000 if n % 8 == 0 else 90)))
    store.scrub()


def _everything(store: Store) -> list[list[Any]]:
    with store.read() as db:
        return [
            db.execute(statement).fetchall()
            for statement in (
                "SELECT * FROM main.secret WHERE key GLOB 'k*'",
                "SELECT id, body FROM replica.notice ORDER BY id",
                "SELECT * FROM replica.scope ORDER BY name",
            )
        ]


def _write(store: Store) -> None:
    with store.write() as db:
        db.execute("UPDATE secret SET value = value || 'z'")
    with store.write("replica") as db:
        db.execute("UPDATE replica.notice SET body = body || ' '")


@pytest.mark.parametrize("file", [LEDGER_FILE, REPLICA_FILE])
def test_whatever_page_is_damaged_nothing_wrong_is_read_and_nothing_goes_on_half(
    file: str, folder: Path, opened: OpenStore, tmp_path: Path
) -> None:
    store = opened()
    _furnish(store)
    whole = _everything(store)
    store.close()
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    met = 0
    for page in range((kept / file).stat().st_size // 4096):
        for work in (_everything, _write):
            shutil.rmtree(folder)
            shutil.copytree(kept, folder)
            flip(folder / file, page * 4096 + 200)
            again = opened()
            try:
                again.attach(OWN)
                if not again.incidents:
                    found = work(again)
                    assert found is None or found == whole
                    continue
            except StoreCorrupt:
                assert [(i.file, i.kind) for i in again.set_aside_broken()] == [(file, "corrupt")]
            met += 1
            assert [(i.file, i.kind) for i in again.incidents] == [(file, "corrupt")]
            _furnish(again) if file == LEDGER_FILE else fill(again, [notice("n9")])
            again.close()
    assert met > 20
