"""One `Database` for both engines: short transactions over SQLAlchemy Core, synchronous.

A unit of work is a function that takes a connection and runs in one of three kinds of transaction:

    read()    a snapshot, nothing may be written
    record()  a snapshot whose reading is recorded in the audit log
    write()   changes the record

SQLite: one writer connection behind a lock, begun IMMEDIATE, so that no transaction fails half way because another
one wrote; readers apart, in WAL. PostgreSQL: `read` and `record` are REPEATABLE READ, since a page of the feed must
be read in one snapshot; `write` is READ COMMITTED with the row locks that the units of work take.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from kelmu_backend.database import schema
from kelmu_tui.platform.paths import private_folder

POOL: Final = 16
"""Connections of one process, as many as units of work run at once."""

STATEMENT_TIMEOUT: Final = 5_000
LOCK_TIMEOUT: Final = 3_000
"""Milliseconds before PostgreSQL gives up a statement, and a wait for a lock."""

TRIES: Final = 10
"""How often a unit of work is begun that others stand in the way of, each time after waiting for a lock at the most."""
_IN_THE_WAY: Final = frozenset({"55P03", "40P01", "40001", "23505"})
"""What PostgreSQL says then: no lock, deadlock, no order of both transactions, a key that somebody else has by now."""

BUSY_TIMEOUT: Final = 10_000
"""Milliseconds that SQLite waits for a writer in another process."""

T = TypeVar("T")


class Database:
    """The record, on SQLite or PostgreSQL.

    Args:
        url: SQLAlchemy URL. A SQLite database lies in a file; its folder is made and kept private.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.url: Final = parsed
        self.is_sqlite: Final = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database in (None, "", ":memory:"):
                raise ValueError("the record needs a file")
            _private_file(Path(str(parsed.database)))
            self._reader = _sqlite(parsed, "BEGIN", POOL)
            self._recorder = self._writer = _sqlite(parsed, "BEGIN IMMEDIATE", 1)
        else:
            self._writer = _postgresql(parsed)
            self._recorder = self._writer.execution_options(isolation_level="REPEATABLE READ")
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._lock = threading.Lock()
        self._watching = threading.Lock()
        self._watch = _watcher(str(parsed.database)) if self.is_sqlite else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection in a snapshot that cannot write."""
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def record(self) -> Iterator[Connection]:
        """Give a connection in a snapshot whose reading is recorded with it; commits at the end."""
        with self._begin(self._recorder) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that commits at the end and rolls back when the work raises."""
        with self._begin(self._writer) as connection:
            yield connection

    def insist(self, work: Callable[[Connection], T]) -> T:
        """Do in `write` what looks for itself what is left to do, and begin anew when others stood in the way.

        Raises:
            DBAPIError: they did `TRIES` times, or it failed otherwise.
        """
        for left in reversed(range(TRIES)):
            try:
                with self.write() as connection:
                    return work(connection)
            except DBAPIError as failure:
                if not left or getattr(failure.orig, "sqlstate", None) not in _IN_THE_WAY:
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def _begin(self, engine: Engine) -> Iterator[Connection]:
        if not self.is_sqlite:
            with engine.begin() as connection:
                yield connection
            return
        # Waiting here is fair and quiet; waiting in SQLite's busy handler is neither.
        with self._lock, engine.begin() as connection:
            yield connection

    def stamp(self) -> Hashable:
        """Return a value that stays the same exactly as long as no process commits anything.

        SQLite counts the commits that a connection did not make itself, which are all for this one; PostgreSQL tells
        which transactions a snapshot sees.
        """
        if self._watch is None:
            with self.read() as connection:
                return str(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())
        with self._watching:
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def migrate(self) -> bool:
        """Bring the schema to the newest revision; return whether there was anything to do."""
        with self.read() as connection:
            if schema.current(connection) == schema.HEAD:
                return False
        with self.write() as connection:
            schema.upgrade(connection)
        return True

    def dispose(self) -> None:
        """Close all connections."""
        if self._watch is not None:
            self._watch.close()
        self._reader.dispose()
        self._writer.dispose()


def _private_file(path: Path) -> None:
    """Make the record's file so that only we can read it; SQLite gives its companions the same mode."""
    private_folder(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _watcher(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _sqlite(url: URL, begin: str, size: int) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_reset_on_return=None,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT / 1000},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own idea of when to begin is switched off: `_begin` below says it.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            "temp_store=MEMORY",
            "secure_delete=ON",
            f"query_only={'OFF' if size == 1 else 'ON'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=POOL,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT} -c lock_timeout={LOCK_TIMEOUT} -c timezone=UTC",
            "application_name": "kelmu-backend",
        },
    )
