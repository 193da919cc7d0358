"""The disk says no, and the process dies: what was acknowledged is there."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreClosed, StoreFull, StoreUnavailable
from tests.store.build import OTHER, open_store
from tests.store.conftest import OpenStore
from tests.store.secrets_table import put_secret, secrets_of


def test_a_full_disk_is_typed_and_costs_nothing(store: Store) -> None:
    put_secret(store, "a")
    pages = store.db.execute("PRAGMA main.page_count").fetchone()[0]
    store.db.execute(f"PRAGMA main.max_page_count = {pages + 1}")
    with pytest.raises(StoreFull) as caught, store.write() as db:
        db.execute("INSERT INTO secret VALUES ('big', ?)", ("x" * 100_000,))
    assert caught.value.code == "store_full"
    assert secrets_of(store) == ["a"]
    put_secret(store, "b")
    assert secrets_of(store) == ["a", "b"]


def test_a_busy_file_is_typed(opened: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "patience", 0.01)
    one, two = opened(), opened()
    with one.write(), pytest.raises(StoreUnavailable) as caught, two.write():
        pass
    assert caught.value.reason == "busy"


def test_a_closed_store_is_typed(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreClosed), store.read():
        pass


def test_a_folder_that_is_a_file_is_typed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        open_store(tmp_path / "file")


def test_organisations_are_business_ids(store: Store) -> None:
    for name in ("../x", "", OTHER + "x"):
        with pytest.raises(ValueError, match="business ID"):
            store.attach(name)


WRITER = """
import sys
from pathlib import Path
from tests.store.build import open_store
store = open_store(Path(sys.argv[1]))
n = int(sys.argv[2])
while True:
    with store.write() as db:
        db.execute("INSERT INTO secret VALUES (?, ?)", (f"{n:09d}", "x" * 500))
    print(n, flush=True)
    n += 1
"""


def test_kill_minus_nine_costs_no_acknowledged_commit(folder: Path, opened: OpenStore) -> None:
    begin = 0
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(begin)],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(40)]
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        acknowledged = [int(line) for line in (*said, *rest.splitlines()) if line.strip()]
        store = opened()
        kept = {int(key) for key in secrets_of(store)}
        store.close()
        assert store.incidents == ()
        assert set(acknowledged) <= kept
        assert len(kept) <= acknowledged[-1] + 2, "at most one commit may have been made and not told"
        begin = max(kept) + 1
