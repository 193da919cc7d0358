"""The one connection to the two encrypted files, and the rules of its transactions.

`ledger.db` of a user is the main database, `replica-<business id>.db` of the chosen organisation is attached as
`replica` (`schema.py`). Keys are raw, so that opening costs no key derivation, and proved by reading one row. A file
that does not open is moved aside as `*.corrupt-<stamp>`, never deleted, and told in `Store.incidents`.

**A transaction writes only one of the two files**, and locks only that one: a long fill of the replica keeps no other
terminal from saving a command. WAL over attached files is not atomic at a power loss: what needs both writes the
replica first and then an idempotent mark in the ledger. The ledger is synced at each commit; the
replica may lose its last commits at a power loss, never its consistency, and pulls them again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from kelmu_tui.platform.clock import Clock, boot_id
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.paths import NETWORK_FILE_SYSTEMS, UnsafePath, file_system, private_folder
from kelmu_tui.store import connection, files
from kelmu_tui.store.changes import EVERYTHING, Changed, Changes
from kelmu_tui.store.clock import TrustedClock
from kelmu_tui.store.connection import Connection, typed_errors
from kelmu_tui.store.errors import KeysLost, LedgerTooNew, NoReplica, OnNetworkDisk, StoreCorrupt, StoreUnavailable
from kelmu_tui.store.keys import KeySource, salt_of
from kelmu_tui.store.migrations import STEPS, statements
from kelmu_tui.store.schema import LEDGER_VERSION

LEDGER_FILE: Final = "ledger.db"
_BUSINESS_ID: Final = re.compile(r"[0-9]{7}-[0-9]")
File = Literal["main", "replica"]
_LOCK: Final[dict[File, str]] = {
    "main": "UPDATE main.secret SET value = value WHERE 0",
    "replica": "UPDATE replica.revision SET number = number WHERE 0",
}
"""Statements that change nothing and take the lock of one file; BEGIN IMMEDIATE would take those of both."""
_PURGE: Final = "purge:"
"""Prefix of the ledger's `secret` rows that say which replica is being destroyed."""


class Incident(NamedTuple):
    """A file that did not open: `kind` is `corrupt`, `wrong_key` or `keys_lost`; it lies now at `moved_to`."""

    file: str
    kind: str
    moved_to: Path
    at: datetime


class Store:
    """The local truth of one user. One thread uses it at a time; `store.thread` gives it one of its own."""

    def __init__(self, folder: Path, keys: KeySource, clock: Clock, ids: Ids, boot: str) -> None:
        self.folder = folder
        self.clock = TrustedClock(clock, boot)
        self.ids = ids
        self._keys = keys
        self._incidents: list[Incident] = []
        self._organisation: str | None = None
        self._db: Connection | None = None
        self._lock = threading.RLock()
        self._changes = Changes()
        self._versions: tuple[int, ...] = ()
        self._identity: tuple[int, int] | None = None

    @classmethod
    def open(cls, folder: Path, keys: KeySource, clock: Clock, ids: Ids, boot: str | None = None) -> Store:
        """Open or create the ledger in `folder`; finish what an interrupted `destroy_replica` left.

        Args:
            boot: names the machine's present run, for the trusted time; read from the system by default.

        Raises:
            KeysUnavailable: the keys cannot be had (keyring, passphrase).
            LedgerTooNew: a newer program wrote the ledger; nothing was touched.
            StoreFull, StoreUnavailable: the disk says no, or is not of this machine.
        """
        try:
            private_folder(folder)
        except UnsafePath as error:
            raise StoreUnavailable("unsafe") from error
        except OSError as error:
            raise files.unavailable(error) from error
        if file_system(folder) in NETWORK_FILE_SYSTEMS:
            raise OnNetworkDisk
        store = cls(folder, keys, clock, ids, boot_id() if boot is None else boot)
        try:
            with typed_errors():
                store._open_ledger()
                store._resume_purges()
        except BaseException:
            store.close()
            raise
        return store

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def organisation(self) -> str | None:
        """Business ID of the attached organisation."""
        return self._organisation

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Files moved aside since the store was opened."""
        return tuple(self._incidents)

    @property
    def db(self) -> Connection:
        """The open connection; outside `read` and `write` only for pragmas.

        Raises:
            StoreUnavailable: the store is closed.
        """
        if self._db is None:
            raise StoreUnavailable("closed")
        return self._db

    # --- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection in a snapshot; inside another transaction, in that one."""
        with self._lock, typed_errors():
            db = self.db
            if db.in_transaction:
                yield db
                return
            db.execute("BEGIN")
            try:
                yield db
                # Not a rollback: what was computed into temporary tables on the way is to stay.
                db.execute("COMMIT")
            except BaseException:
                self._rollback(db)
                raise

    @contextmanager
    def write(self, file: File = "main") -> Iterator[Connection]:
        """Give the connection in a transaction that is committed at the end, or undone when anything is raised.

        The unit of work takes at most 50 ms, since the other processes of the user wait for it, and writes only
        `file`: the ledger (`main`) or the attached replica. Listeners hear what `changed` collected, after the commit.
        """
        with self._lock:
            with typed_errors():
                db = self.db
                if db.in_transaction:
                    raise AssertionError("a transaction inside a transaction could commit half of the outer one")
                self._changes.forget()
                db.execute("BEGIN")
                try:
                    db.execute(_LOCK[file])
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    self._changes.forget()
                    self._rollback(db)
                    raise
            self._changes.tell()

    def changed(self, *tables: str, keys: Iterable[str] = ()) -> None:
        """Say inside `write` which tables changed, and which ids when they are few; no ids means any."""
        self._changes.add(tables, keys)

    def listen(self, callback: Callable[[Changed], None]) -> Callable[[], None]:
        """Call `callback` after each commit that changed something, on the committing thread; it must not raise.

        Returns:
            A function that ends it.
        """
        return self._changes.listen(callback)

    def poll(self) -> bool:
        """Tell whether another process has committed since the last look, and signal a change of everything then."""
        with self._lock, typed_errors():
            replaced = self._replaced()
            if replaced:
                self._attach(self._organisation)
            found = self._data_versions()
            if found == self._versions and not replaced:
                return False
            self._versions = found
            self.clock.load(self.db)
            self._changes.add(EVERYTHING, ())
        self._changes.tell()
        return True

    @staticmethod
    def _rollback(db: Connection) -> None:
        # A full disk or an I/O error may have rolled back already; a second ROLLBACK would hide the real error.
        db.memo.clear()
        if db.in_transaction:
            db.execute("ROLLBACK")

    # --- the replica -------------------------------------------------------------------------------------------------

    def attach(self, organisation: str) -> None:
        """Attach the replica of `organisation` (business ID), made when there is none; detach another one first."""
        if _BUSINESS_ID.fullmatch(organisation) is None:
            raise ValueError("not a business ID")
        with self._lock, typed_errors():
            self._attach(organisation)

    def detach(self) -> None:
        """Close the attached replica, if any."""
        with self._lock, typed_errors():
            self._attach(None)

    def destroy_replica(self, organisation: str | None = None) -> None:
        """Destroy a replica, the attached one by default: its key first, then its files; resumed after a crash.

        Raises:
            NoReplica: none is attached and none was named.
        """
        organisation = organisation or self._organisation
        if organisation is None:
            raise NoReplica
        if _BUSINESS_ID.fullmatch(organisation) is None:
            raise ValueError("not a business ID")
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO secret VALUES (?, '')", (_PURGE + organisation,))
        with self._lock, typed_errors():
            if organisation == self._organisation:
                self._attach(None)
            self._purge(organisation)

    def scrub(self) -> bool:
        """Empty both write-ahead logs: what was deleted must not live on in them. False when a reader is in the way."""
        with self._lock, typed_errors():
            return not self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    def set_aside_broken(self) -> tuple[Incident, ...]:
        """Check every page of both files, move broken ones aside and open fresh ones in their place.

        Returns:
            The incidents of this check, none when all pages are sound.
        """
        with self._lock, typed_errors():
            organisation, before = self._organisation, len(self._incidents)
            replica = None if organisation is None else self._replica_file(organisation)
            broken = [
                name
                for schema, name in (("main", LEDGER_FILE), ("replica", replica))
                if name is not None and not connection.sound(self.db, schema)
            ]
            if broken:
                self._close_connection()
                for name in broken:
                    self._set_aside(name, "corrupt")
                self._open_ledger()
                self._attach(organisation)
            return tuple(self._incidents[before:])

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        with self._lock:
            self._close_connection()

    # --- opening -----------------------------------------------------------------------------------------------------

    def _open_ledger(self) -> None:
        with files.locked(self.folder):
            key = self._key(LEDGER_FILE)
            path = self.folder / LEDGER_FILE
            files.create(path)
            try:
                self._connect(path, key)
            except StoreCorrupt:
                # A damaged page may be met behind the first one too: what can't be opened can't be mended either.
                self._close_connection()
                self._set_aside(LEDGER_FILE, files.why_closed(path, salt_of(key)))
                files.create(path)
                self._connect(path, key)
        self._versions = self._data_versions()

    def _connect(self, path: Path, key: bytes) -> None:
        self._db = connection.connect(path, key)
        with typed_errors():
            self._migrate()
            self.clock.load(self.db)

    def _key(self, name: str) -> bytes:
        """Return the key of a file; wraps that can never be opened again are set aside and new ones begun."""
        try:
            return self._keys.key(name)
        except KeysLost:
            moved = self._keys.set_aside(self._stamp())
            self._incidents.append(Incident(moved.name, "keys_lost", moved, self.clock.now()))
            return self._keys.key(name)

    def _migrate(self) -> None:
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        try:
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found > LEDGER_VERSION:
                raise LedgerTooNew(found, LEDGER_VERSION)
            for step in STEPS[found:]:
                for statement in statements(step):
                    db.execute(statement)
            if found < LEDGER_VERSION:
                db.execute(f"PRAGMA user_version = {LEDGER_VERSION}")
            db.execute("COMMIT")
        except BaseException:
            self._rollback(db)
            raise

    def _attach(self, organisation: str | None) -> None:
        db = self.db
        if self._organisation is not None:
            self._organisation = None
            self._identity = None
            db.memo.clear()
            db.execute("DETACH DATABASE replica")
        if organisation is None:
            self._versions = self._data_versions()
            return
        name = self._replica_file(organisation)
        with files.locked(self.folder):
            try:
                fresh = self._attach_file(name)
            except StoreCorrupt:
                self._set_aside(name, files.why_closed(self.folder / name, salt_of(self._key(name))))
                fresh = self._attach_file(name)
            if not fresh and not connection.renew_replica(db):
                # Everything in it can be pulled again; a shape that this version does not know can't be read.
                db.execute("DETACH DATABASE replica")
                self._keys.forget(name)
                old = files.set_aside(self.folder / name, f"old-{self._stamp()}")
                self._attach_file(name)
                files.remove(old)
        found = (self.folder / name).stat()
        self._identity = (found.st_dev, found.st_ino)
        self._organisation = organisation
        self._versions = self._data_versions()

    def _attach_file(self, name: str) -> bool:
        path = self.folder / name
        files.create(path)
        return connection.attach(self.db, path, self._key(name))

    def _replaced(self) -> bool:
        """Tell whether another process has destroyed the replica's file under us."""
        if self._organisation is None:
            return False
        try:
            found = (self.folder / self._replica_file(self._organisation)).stat()
        except FileNotFoundError:
            return True
        return (found.st_dev, found.st_ino) != self._identity

    def _set_aside(self, name: str, kind: str) -> None:
        moved = files.set_aside(self.folder / name, f"corrupt-{self._stamp()}")
        self._incidents.append(Incident(name, kind, moved, self.clock.now()))

    def _stamp(self) -> str:
        return f"{self.clock.now():%Y%m%dT%H%M%S}-{self.ids.new()[:6]}"

    # --- ends --------------------------------------------------------------------------------------------------------

    def _resume_purges(self) -> None:
        rows = self.db.execute("SELECT key FROM secret WHERE key GLOB ?", (_PURGE + "*",)).fetchall()
        for (key,) in rows:
            self._purge(key.removeprefix(_PURGE))

    def _purge(self, organisation: str) -> None:
        name = self._replica_file(organisation)
        with files.locked(self.folder):
            self._keys.forget(name)
            files.remove(self.folder / name)
        self.db.execute("DELETE FROM secret WHERE key = ?", (_PURGE + organisation,))

    def _close_connection(self) -> None:
        db, self._db, self._organisation = self._db, None, None
        if db is not None:
            db.close()

    def _data_versions(self) -> tuple[int, ...]:
        schemas = ("main",) if self._organisation is None else ("main", "replica")
        found = [int(self.db.execute(f"PRAGMA {schema}.data_version").fetchone()[0]) for schema in schemas]
        return (*found, *(self._identity or ()))

    @staticmethod
    def _replica_file(organisation: str) -> str:
        return f"replica-{organisation}.db"


__all__ = ["EVERYTHING", "LEDGER_FILE", "Changed", "Connection", "Incident", "Store"]
