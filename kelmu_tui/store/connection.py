"""One encrypted connection: how files are opened and attached, and what the driver's errors mean."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlcipher3.dbapi2 as driver

from kelmu_tui.store import files
from kelmu_tui.store.errors import StoreCorrupt, StoreError, StoreFull, StoreUnavailable
from kelmu_tui.store.keys import salt_of
from kelmu_tui.store.migrations import statements
from kelmu_tui.store.schema import REPLICA, REPLICA_STEPS, REPLICA_VERSION

Opened = TypeVar("Opened")

BUSY_TIMEOUT: Final = 5.0
"""Seconds that a transaction waits for another process before `StoreUnavailable("busy")`."""
LOOK_AGAIN: Final = 0.002
"""Seconds between two looks whether the other process has let go."""
CACHE_KIB: Final = 16 * 1024
CHECKPOINT_PAGES: Final = 4000
"""Pages in the write-ahead log before they are moved home: a first fill writes the same index pages many times."""
_FULL, _IOERR, _BUSY, _LOCKED, _READONLY, _CANTOPEN, _CORRUPT, _NOTADB = 13, 10, 5, 6, 8, 14, 11, 26
_UNAVAILABLE: Final = {_IOERR: "io", _BUSY: "busy", _LOCKED: "busy", _READONLY: "read_only", _CANTOPEN: "open"}


class Connection(driver.Connection):  # type: ignore[misc]
    """A connection with a place for what was computed from its rows (`memo`, cleared when the replica changes)."""

    memo: dict[str, Any]


def typed(error: driver.DatabaseError) -> StoreError | None:
    """Return the error of ours that stands for one of the driver; None for a mistake in a statement."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == _FULL:
        return StoreFull()
    if code in (_CORRUPT, _NOTADB):
        return StoreCorrupt()
    return StoreUnavailable(_UNAVAILABLE[code]) if code in _UNAVAILABLE else None


def misses_replica(error: Exception) -> bool:
    """Tell whether a statement failed for want of the attached replica."""
    told = str(error)
    return isinstance(error, driver.OperationalError) and (
        told == "unknown database replica" or told.startswith("no such table: replica.")
    )


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turn the driver's errors into ours; a mistake in a statement stays what it is."""
    try:
        yield
    except driver.DatabaseError as error:
        ours = typed(error)
        if ours is None:
            raise
        raise ours from error


def connect(path: Path, key: bytes) -> Connection:
    """Open a file as `main`, proving the key by reading a row.

    Raises:
        StoreCorrupt: the key does not open the file, or its first page is damaged.
    """
    db: Connection = driver.connect(
        str(path), timeout=BUSY_TIMEOUT, isolation_level=None, factory=Connection, check_same_thread=False
    )
    try:
        db.memo = {}
        # Before anything else: the cipher writes its errors to stderr, that is into the middle of the screen.
        db.execute("PRAGMA cipher_log_level = NONE")
        db.execute(f'PRAGMA key = "{_literal(key)}"')
        with typed_errors():
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            for pragma in ("foreign_keys = ON", "trusted_schema = OFF", "mmap_size = 0", "temp_store = MEMORY"):
                db.execute(f"PRAGMA {pragma}")
            _prepare(db, "main", "FULL")
    except BaseException:
        db.close()
        raise
    return db


def attach(db: Connection, path: Path, key: bytes) -> bool:
    """Attach a file as `replica`, make its tables when it is new and say whether it was.

    Raises:
        StoreCorrupt: as `connect`; nothing is attached then.
    """
    with typed_errors():
        db.execute("ATTACH DATABASE ? AS replica KEY ?", (str(path), _literal(key)))
    try:
        with typed_errors():
            fresh: bool = db.execute("SELECT count(*) FROM replica.sqlite_schema").fetchone()[0] == 0
            _prepare(db, "replica", "NORMAL")
            if fresh:
                _create_replica(db)
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        db.execute("DETACH DATABASE replica")
        raise
    return fresh


def begin(db: Connection, lock: str, patience: float) -> None:
    """Begin a transaction and take the write lock of a file by the statement `lock`, within `patience` seconds.

    SQLite's own wait looks only ten times a second after a while. Beside a process that writes one transaction after
    another, which leaves the file free for a fraction of a millisecond each time, it waits for seconds, or too long.
    """
    ends = time.monotonic() + patience  # the other process waits for no clock of ours
    db.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            if not db.in_transaction:  # also when a failed statement has undone it
                db.execute("BEGIN")
            try:
                db.execute(lock)
                return
            except driver.OperationalError as error:
                ours = typed(error)
                if ours is None or ours.reason != "busy" or time.monotonic() >= ends:
                    raise
            time.sleep(LOOK_AGAIN)
    finally:
        db.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT * 1000)}")


def insist(path: Path, opening: Callable[[], Opened]) -> Opened:
    """Open a file by `opening`, and once more when it seems damaged: the cipher takes a page that the disk did not
    give for a damaged one, and nothing may be moved aside for that.

    Raises:
        StoreCorrupt: it is damaged, or of another key.
        StoreUnavailable: the disk does not give it.
    """
    try:
        return opening()
    except StoreCorrupt:
        files.read_through(path)
        return opening()


def renew_replica(db: Connection) -> bool:
    """Bring the attached replica to today's version; False when this program cannot: it has to be pulled again."""
    found = db.execute("PRAGMA replica.user_version").fetchone()[0]
    if found == REPLICA_VERSION:
        return True
    if not all(version in REPLICA_STEPS for version in range(found, REPLICA_VERSION)) or found > REPLICA_VERSION:
        return False
    db.execute("BEGIN IMMEDIATE")
    try:
        for version in range(found, REPLICA_VERSION):
            for statement in statements(REPLICA_STEPS[version]):
                db.execute(statement)
        db.execute(f"PRAGMA replica.user_version = {REPLICA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return True


def sound(db: Connection, schema: str) -> bool:
    """Tell whether every page of a file passes its check."""
    try:
        found = db.execute(f"PRAGMA {schema}.quick_check(1)").fetchall()
    except (driver.DatabaseError, MemoryError) as error:
        if torn(db, schema) or (isinstance(error, driver.DatabaseError) and isinstance(typed(error), StoreCorrupt)):
            return False
        raise
    return bool(found == [("ok",)]) and not torn(db, schema)


def torn(db: Connection, schema: str) -> bool:
    """Tell whether a page of a file has failed its check on this connection.

    Nothing else tells it of the second and later pages of a long value: the cipher gives zeros for such a page, so
    that the value ends early and the statement succeeds. What is written after that fails for reasons of any kind
    (no memory, read-only).
    """
    return bool(db.execute(f"PRAGMA {schema}.cipher_status").fetchone() == ("0",))


def _literal(key: bytes) -> str:
    """Write a raw key and its salt the way SQLCipher takes them, so that no key is derived."""
    return f"x'{key.hex()}{salt_of(key).hex()}'"


def _prepare(db: Connection, schema: str, synchronous: str) -> None:
    db.execute(f"PRAGMA {schema}.journal_mode = WAL").fetchone()
    db.execute(f"PRAGMA {schema}.secure_delete = ON").fetchone()
    db.execute(f"PRAGMA {schema}.cache_size = -{CACHE_KIB}")
    db.execute(f"PRAGMA {schema}.synchronous = {synchronous}")
    db.execute(f"PRAGMA {schema}.journal_size_limit = {CHECKPOINT_PAGES * 4096}").fetchone()
    db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").fetchone()


def _create_replica(db: Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement in statements(REPLICA):
        db.execute(statement)
    db.execute("INSERT INTO replica.revision VALUES (0)")
    # Without this option deleted words stay in the index until a merge happens to drop them.
    db.execute("INSERT INTO replica.notice_text (notice_text, rank) VALUES ('secure-delete', 1)")
    db.execute(f"PRAGMA replica.user_version = {REPLICA_VERSION}")
    db.execute("COMMIT")
