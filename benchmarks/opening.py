"""Opening the store of a full inbox to its first row ÷ stdlib sqlite3 opening a plain file of the same rows.

What has to be more: two files instead of one, each opened under the lock of its folder with a key that is read from its
wrap and proved by a page that is decrypted and checked, both put into write-ahead mode, the versions of their tables
compared, what an interrupted end left behind looked for, and each page on the way to the first row decrypted.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Final

from benchmarks.fill import demo_profile
from benchmarks.ratios import Row
from benchmarks.world import county
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.services.session import current_folder
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import DemoKeys

FIRST: Final = (
    "SELECT id, body FROM {}notice WHERE generation = (SELECT max(generation) FROM {}notice) AND open = 1"
    " ORDER BY due, arrived, tie LIMIT 1"
)
ROUNDS: Final = 41


def store_of(home: Path) -> Store:
    """Open the store in `home` with the replica of the county."""
    profile = demo_profile(home)
    folder = current_folder(profile)
    store = Store.open(folder, DemoKeys(folder, profile), SystemClock(), RandomIds())
    store.attach(county().business_id)
    return store


def ours(home: Path) -> float:
    """Return the seconds to the first row of the list."""
    start = time.perf_counter()
    store = store_of(home)
    with store.read() as db:
        row = db.execute(FIRST.format("replica.", "replica.")).fetchone()
    found = time.perf_counter() - start
    store.close()
    if row is None:
        raise AssertionError("an empty inbox")
    return found


def bare(path: Path) -> float:
    """Return the seconds to the same row of the plain file."""
    start = time.perf_counter()
    db = sqlite3.connect(path)
    row = db.execute(FIRST.format("", "")).fetchone()
    found = time.perf_counter() - start
    db.close()
    if row is None:
        raise AssertionError("an empty file")
    return found


def copy_plain(home: Path, path: Path) -> None:
    """Write the notices in `home`, with their indexes, into a plain file."""
    path.unlink(missing_ok=True)
    store, plain = store_of(home), sqlite3.connect(path)
    plain.execute("PRAGMA journal_mode = WAL")
    with store.read() as db:
        made = "SELECT sql FROM replica.sqlite_schema WHERE tbl_name = 'notice' AND sql IS NOT NULL ORDER BY type DESC"
        for (statement,) in db.execute(made).fetchall():
            plain.execute(statement)
        rows = db.execute("SELECT * FROM replica.notice")
        marks = ",".join("?" * len(rows.description))
        plain.executemany(f"INSERT INTO notice VALUES ({marks})", rows)
    plain.commit()
    plain.close()
    store.close()


def store_open(home: Path, folder: Path) -> Row:
    """Measure both in turn, with the files in the system's cache.

    Both are so short that other work on the machine is most of what is seen of them: the best of each counts.
    """
    path = folder / "plain.db"
    copy_plain(home, path)
    pairs = [(ours(home), bare(path)) for _ in range(ROUNDS)]
    mine, theirs = min(first for first, _ in pairs), min(second for _, second in pairs)
    detail = f"{mine * 1000:.2f} ms ÷ {theirs * 1000:.2f} ms"
    return Row("store open to first row ÷ sqlite3 with a plain file", mine / theirs, 8.0, detail=detail)
