"""The files under the store: opened with their keys, migrated, moved aside when they do not open, destroyed.

Nothing here asks who may; `database.Store` is the one door to it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.store import connection, files, sealed
from kelmu_tui.store.changes import Changes
from kelmu_tui.store.clock import TrustedClock
from kelmu_tui.store.connection import Connection, typed_errors
from kelmu_tui.store.errors import (
    KeysLost,
    LedgerTooNew,
    NoReplica,
    StoreClosed,
    StoreCorrupt,
    StoreLocked,
    StoreUnavailable,
)
from kelmu_tui.store.keys import KeySource, salt_of
from kelmu_tui.store.migrations import STEPS, statements
from kelmu_tui.store.schema import LEDGER_VERSION

LEDGER_FILE: Final = "ledger.db"
PURGE: Final = "purge:"
"""Prefix of the ledger's `secret` rows that say which replica is being destroyed."""
INCIDENTS: Final = ("corrupt", "wrong_key", "keys_lost", "keyring_forgot", "emptied")


class Incident(NamedTuple):
    """A file that did not open: `kind` is one of `INCIDENTS`; it lies now at `moved_to`.

    `corrupt`: a page is damaged. `wrong_key`: it is of another key. `keys_lost`: wraps are damaged.
    `keyring_forgot`: the keyring does not know the wraps' secret any more. `emptied`: nothing was left in it.
    """

    file: str
    kind: str
    moved_to: Path
    at: datetime


class OpenFiles:
    """The ledger of one user and the replica attached to it."""

    def __init__(self, folder: Path, keys: KeySource, clock: Clock, ids: Ids, boot: str) -> None:
        self.folder = folder
        self.clock = TrustedClock(clock, boot)
        self.ids = ids
        self._keys = keys
        self._incidents: list[Incident] = []
        self._untold: int | None = None
        """Place of the first incident of a new connection that `set_aside_broken` has yet to return."""
        self._organisation: str | None = None
        self._db: Connection | None = None
        self._lock = threading.RLock()
        self._changes = Changes()
        self._versions: tuple[int, ...] = ()
        self._identity: tuple[int, int] | None = None
        self._locked = False
        self._spoilt: tuple[str | None] | None = None
        """The organisation to attach again, while the connection answers nothing but errors."""
        self._begun: list[str] = []
        """Organisations whose replica was being destroyed when the ledger was opened."""

    @property
    def db(self) -> Connection:
        """The open connection; outside `read` and `write` only for pragmas.

        Raises:
            StoreLocked: the store is locked.
            StoreClosed: the store is closed.
        """
        if self._db is None:
            raise StoreLocked if self._locked else StoreClosed
        return self._db

    @property
    def locked(self) -> bool:
        """Whether the files are closed and their keys dropped, until `unlock`."""
        return self._locked

    # --- opening -----------------------------------------------------------------------------------------------------

    def _open_ledger(self) -> None:
        with files.locked(self.folder):
            path = self.folder / LEDGER_FILE
            known = self._keys.holds(LEDGER_FILE)
            key = self._key(LEDGER_FILE)
            if not files.create(path) and known and files.is_empty(path):
                # A crash in the first moments of a ledger looks the same, and then there is nothing to miss.
                self._incidents.append(Incident(LEDGER_FILE, "emptied", path, self.clock.now()))
            try:
                connection.insist(path, lambda: self._begin(path, key))
            except StoreCorrupt:
                self._close_connection()
                self._set_aside(LEDGER_FILE, files.why_closed(path, salt_of(key)))
                files.create(path)
                self._begin(path, key)
        self._versions = self._data_versions()

    def _begin(self, path: Path, key: bytes) -> None:
        self._close_connection()
        with typed_errors(), self._whole():
            self._db = connection.connect(path, key)
            self._migrate()
            self.clock.load(self._db)
            begun = self._db.execute("SELECT key FROM main.secret WHERE key GLOB ?", (PURGE + "*",)).fetchall()
        self._begun = [key.removeprefix(PURGE) for (key,) in begun]

    def _key(self, name: str) -> bytes:
        """Return the key of a file; wraps that can never be opened again are set aside and new ones begun."""
        try:
            return self._keys.key(name)
        except KeysLost as lost:
            if name != LEDGER_FILE and self._opens_ledger():
                # Setting the whole file aside would cost the ledger, and what is undelivered in it.
                self._keys.forget(name)
                return self._keys.key(name)
            moved = self._keys.set_aside(self._stamp())
            kind = "keyring_forgot" if lost.reason == "keyring_forgot" else "keys_lost"
            self._incidents.append(Incident(moved.name, kind, moved, self.clock.now()))
            return self._keys.key(name)

    def _opens_ledger(self) -> bool:
        try:
            return self._keys.holds(LEDGER_FILE) and bool(self._keys.key(LEDGER_FILE))
        except KeysLost:
            return False

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
        path, key = self.folder / name, self._key(name)
        files.create(path)
        return connection.insist(path, lambda: connection.attach(self.db, path, key))

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
        stamp = f"corrupt-{self._stamp()}"
        moved = files.set_aside(self.folder / name, stamp)
        copies = sealed.folder(self.folder)
        if name == LEDGER_FILE and copies.exists():
            # Its keys alone open the sealed copies: whoever mends the one needs the others.
            files.set_aside(copies, stamp)
        self._incidents.append(Incident(name, kind, moved, self.clock.now()))

    def _stamp(self) -> str:
        return f"{self.clock.now():%Y%m%dT%H%M%S}-{self.ids.new()[:6]}"

    # --- after an error ----------------------------------------------------------------------------------------------

    @contextmanager
    def _guarded(self, *, mending: bool = False) -> Iterator[None]:
        """Type the driver's errors, and begin with a new connection when the last error has spoilt this one.

        The cipher takes a page that the disk did not give for one that fails its check, and answers everything on
        that connection with the same error from then on, also when the disk is well again.

        Raises:
            NoReplica: rows of an organisation are wanted, and none is attached.
            StoreCorrupt: a page failed its check meanwhile, also when no statement said so; or beginning anew moved a
                file aside, which whoever is not `mending` has to hear of.
        """
        with typed_errors():
            if self._spoilt is not None and not (self._db is not None and self._db.in_transaction):
                self._reopen(*self._spoilt)
                if self._untold is not None and not mending:
                    raise StoreCorrupt
            attached = self._organisation
            try:
                with typed_errors(), self._whole():
                    yield
            except StoreUnavailable as error:
                if isinstance(error, StoreCorrupt) or error.reason == "io":
                    self._spoilt = self._spoilt or (attached,)
                raise
            except Exception as error:
                # A unit of work that waited while its organisation was left: there is nothing it could read.
                if self._organisation is None and connection.misses_replica(error):
                    raise NoReplica from error
                raise

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Let nothing be taken for read or written when a page fails its check meanwhile.

        Raises:
            StoreCorrupt: one does, whatever was made of it.
        """
        try:
            yield
        except Exception as error:
            if not isinstance(error, StoreCorrupt) and self._torn():
                raise StoreCorrupt from error
            raise
        if self._torn():
            raise StoreCorrupt

    def _torn(self) -> bool:
        db = self._db
        if db is None:
            return False
        return connection.torn(db, "main") or (self._organisation is not None and connection.torn(db, "replica"))

    def _reopen(self, organisation: str | None) -> None:
        self._spoilt = (organisation,)
        known = len(self._incidents)
        self._close_connection()
        try:
            self._open_ledger()
            self._resume_purges()
            self._attach(organisation)
        finally:
            if self._untold is None and len(self._incidents) > known:
                self._untold = known
        self._spoilt = None

    # --- ends --------------------------------------------------------------------------------------------------------

    def _resume_purges(self) -> None:
        while self._begun:
            with suppress(StoreCorrupt):  # the files are gone all the same, and the mark stands for another time
                self._purge(self._begun[-1])
            self._begun.pop()

    def _purge(self, organisation: str) -> None:
        name = self._replica_file(organisation)
        with files.locked(self.folder):
            self._keys.forget(name)
            for path in (self.folder / name, *self.folder.glob(f"{name}.*-*[0-9a-f]")):  # and what was set aside of it
                files.remove(path)
        with typed_errors(), self._whole():
            self.db.execute("DELETE FROM secret WHERE key = ?", (PURGE + organisation,))

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

    @staticmethod
    def _rollback(db: Connection) -> None:
        # A full disk or an I/O error may have rolled back already; a second ROLLBACK would hide the real error.
        db.memo.clear()
        if db.in_transaction:
            db.execute("ROLLBACK")
