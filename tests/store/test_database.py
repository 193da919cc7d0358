"""The files: opening, versions, transactions, what other processes do, and ends."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as driver

from kelmu_tui.store import migrations, overlay, replica, schema
from kelmu_tui.store.database import EVERYTHING, LEDGER_FILE, Changed, File, Store
from kelmu_tui.store.errors import (
    LedgerTooNew,
    NoReplica,
    OnNetworkDisk,
    StoreUnavailable,
)
from kelmu_tui.store.wraps import WRAPS_FILE
from tests.store.build import OWN, fill, notice, open_store
from tests.store.conftest import OpenStore
from tests.store.secrets_table import put_secret, secrets_of
from tests.support import raw

REPLICA_FILE = f"replica-{OWN}.db"


# --- opening --------------------------------------------------------------------------------------------------------


def test_what_is_committed_is_there_after_reopening(opened: OpenStore) -> None:
    first = opened()
    put_secret(first, "a")
    first.close()
    assert secrets_of(opened()) == ["a"]


def test_pragmas_are_those_that_were_decided(store: Store) -> None:
    def ask(pragma: str) -> object:
        return store.db.execute(f"PRAGMA {pragma}").fetchone()[0]

    assert ask("main.synchronous") == 2
    assert ask("replica.synchronous") == 1
    for name in ("main", "replica"):
        assert ask(f"{name}.journal_mode") == "wal"
        assert ask(f"{name}.secure_delete") == 1
        assert ask(f"{name}.cache_size") == -16 * 1024
    assert ask("foreign_keys") == 1
    assert ask("trusted_schema") == 0
    assert ask("mmap_size") == 0


def test_files_are_ours_alone_whatever_the_umask(folder: Path, opened: OpenStore) -> None:
    old = os.umask(0)
    try:
        store = opened()
        store.attach(OWN)
        fill(store, [notice("n1")])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
            path.name: 0o600 for path in folder.iterdir()
        }
    finally:
        os.umask(old)


def test_a_planted_link_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    (folder / LEDGER_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable) as caught:
        open_store(folder)
    assert caught.value.reason == "unsafe"
    assert not (tmp_path / "elsewhere").exists()


def test_nothing_of_the_rows_lies_open_in_any_file(folder: Path, store: Store) -> None:
    needles = ("Marjaneula", "Salainentie", "010190-900X")
    fill(store, [notice(f"n{n}", family="Marjaneula") for n in range(300)])
    put_secret(store, "token", "Marjaneula")
    files = [path for path in folder.iterdir() if path.name != WRAPS_FILE]
    assert any(path.name.endswith("-wal") and path.stat().st_size for path in files)
    for path in files:
        data = path.read_bytes()
        assert not any(needle.encode() in data for needle in needles), path.name
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(folder / LEDGER_FILE).execute("SELECT * FROM secret")


# --- what is refused, versions --------------------------------------------------------------------------------------


def test_a_network_disk_is_refused_before_anything_is_made(
    folder: Path, opened: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kelmu_tui.store.database.file_system", lambda path: "nfs4")
    with pytest.raises(OnNetworkDisk):
        opened()
    assert list(folder.iterdir()) == []


def test_a_newer_ledger_is_left_alone(folder: Path, opened: OpenStore) -> None:
    store = opened()
    put_secret(store, "a")
    store.db.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(LedgerTooNew) as caught:
        open_store(folder)
    assert (caught.value.found, caught.value.known) == (99, schema.LEDGER_VERSION)
    assert not [path for path in folder.iterdir() if "corrupt" in path.name]


def test_each_released_ledger_leads_to_todays(opened: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened()
    put_secret(store, "a")
    store.close()
    steps = (
        *migrations.STEPS,
        "CREATE TABLE later (a TEXT); -- a comment; with a semicolon\nINSERT INTO later VALUES ('x')",
    )
    monkeypatch.setattr("kelmu_tui.store.opening.STEPS", steps)
    monkeypatch.setattr("kelmu_tui.store.opening.LEDGER_VERSION", len(steps))
    again = opened()
    assert secrets_of(again) == ["a"]
    assert again.db.execute("SELECT a FROM later").fetchall() == [("x",)]
    assert again.db.execute("PRAGMA user_version").fetchone() == (len(steps),)


def test_a_replica_of_another_version_is_made_anew(folder: Path, opened: OpenStore) -> None:
    store = opened()
    store.attach(OWN)
    fill(store, [notice("n1")])
    store.db.execute("PRAGMA replica.user_version = 99")
    store.detach()
    store.attach(OWN)
    assert store.db.execute("SELECT count(*) FROM replica.notice").fetchone() == (0,)
    assert store.incidents == ()
    assert not [path.name for path in folder.iterdir() if ".old-" in path.name]


# --- transactions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("held", "other"), [("main", "replica"), ("replica", "main")])
def test_a_transaction_keeps_others_from_its_own_file_alone(
    opened: OpenStore, monkeypatch: pytest.MonkeyPatch, held: File, other: File
) -> None:
    monkeypatch.setattr(Store, "patience", 0.05)
    one, two = opened(), opened()
    for store in (one, two):
        store.attach(OWN)
    with one.write(held):
        with two.write(other) as db:
            db.execute(
                "INSERT INTO main.secret VALUES ('a', 'b')"
                if other == "main"
                else "INSERT INTO replica.state VALUES ('a', 'b')"
            )
        with pytest.raises(StoreUnavailable, match="busy"), two.write(held):
            pass


def test_a_failed_write_leaves_nothing_and_tells_nobody(store: Store) -> None:
    heard: list[Changed] = []
    store.listen(heard.append)

    def fail() -> None:
        with store.write() as db:
            db.execute("INSERT INTO secret VALUES ('a', 'b')")
            store.changed("secret", keys=["a"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert secrets_of(store) == []
    assert heard == []
    put_secret(store, "b")
    assert heard == [Changed(frozenset({"secret"}), frozenset({"b"}))]


def test_changes_without_keys_mean_any_row(store: Store) -> None:
    heard: list[Changed] = []
    stop = store.listen(heard.append)
    with store.write():
        store.changed("notice", keys=["a"])
        store.changed("command")
    assert heard == [Changed(frozenset({"notice", "command"}), frozenset())]
    stop()
    with store.write():
        store.changed("notice")
    assert len(heard) == 1


def test_a_write_inside_a_transaction_is_a_mistake(store: Store) -> None:
    with store.write(), store.read() as db:
        assert db.in_transaction
    with pytest.raises(AssertionError), store.write(), store.write():
        pass
    with store.read() as db:
        assert db.execute("SELECT 1").fetchone() == (1,)


def test_two_processes_see_each_other_through_poll(opened: OpenStore) -> None:
    one, two = opened(), opened()
    for store in (one, two):
        store.attach(OWN)
        store.poll()
    heard: list[Changed] = []
    two.listen(heard.append)
    assert not two.poll()
    put_secret(one, "a")
    assert two.poll()
    assert not two.poll()
    assert heard == [Changed(EVERYTHING)]
    fill(one, [notice("n1")])
    assert two.poll()
    put_secret(two, "b")
    assert not two.poll(), "the own commit is no news"
    assert one.poll()
    assert secrets_of(one) == ["a", "b"]


def test_rows_of_an_organisation_that_was_left_are_missed_by_name(store: Store) -> None:
    fill(store, [notice("n1")])
    store.detach()
    for look in (overlay.frame, lambda db: db.execute("SELECT * FROM replica.notice")):
        with pytest.raises(NoReplica), store.read() as db:
            look(db)
    with pytest.raises(driver.OperationalError), store.read() as db:
        db.execute("SELECT * FROM main.mistake")


def test_a_replica_destroyed_by_another_process_is_let_go(opened: OpenStore) -> None:
    one, two = opened(), opened()
    for store in (one, two):
        store.attach(OWN)
    fill(one, [notice("n1")])
    one.destroy_replica()
    assert two.poll()
    with two.read() as db:
        assert db.execute("SELECT count(*) FROM replica.notice").fetchone() == (0,)


# --- ends -----------------------------------------------------------------------------------------------------------


def test_a_destroyed_replica_is_gone_with_its_key(folder: Path, store: Store) -> None:
    fill(store, [notice("n1")])
    store.destroy_replica()
    assert store.organisation is None
    assert not list(folder.glob("replica-*"))
    assert "replica" not in (folder / WRAPS_FILE).read_text()
    with pytest.raises(NoReplica):
        store.destroy_replica()


def test_an_interrupted_destruction_is_finished_at_the_next_start(folder: Path, opened: OpenStore) -> None:
    store = opened()
    store.attach(OWN)
    fill(store, [notice("n1")])
    put_secret(store, f"purge:{OWN}", "")
    store.close()
    again = opened()
    assert not list(folder.glob("replica-*"))
    assert secrets_of(again) == []


def test_deleted_rows_leave_no_fragment_for_the_holder_of_the_key(folder: Path, store: Store) -> None:
    rows = [notice(f"n{n:04d}", family="Poistettava", free_text="neulanen " * 40) for n in range(400)]
    fill(store, rows)
    store.scrub()
    key, needles = store._key(REPLICA_FILE), (b"oistettava", b"neulanen")
    for needle in needles:
        assert raw.opened_with(folder, key, [needle]) == [REPLICA_FILE], "the search finds what is there"
    with store.write() as db:
        for n in range(400):
            replica.remove(db, 1, f"n{n:04d}")
        db.execute("INSERT INTO replica.notice_text (notice_text) VALUES ('integrity-check')")
    store.scrub()
    assert raw.opened_with(folder, key, needles) == []
