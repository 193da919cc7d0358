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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from kelmu_tui.platform.clock import Clock, boot_id
from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.paths import NETWORK_FILE_SYSTEMS, UnsafePath, file_system, private_folder
from kelmu_tui.store import connection, files
from kelmu_tui.store.changes import EVERYTHING, Changed
from kelmu_tui.store.connection import Connection, typed_errors
from kelmu_tui.store.errors import NoReplica, OnNetworkDisk, StoreUnavailable
from kelmu_tui.store.keys import KeySource
from kelmu_tui.store.opening import INCIDENTS, LEDGER_FILE, PURGE, Incident, OpenFiles

_BUSINESS_ID: Final = re.compile(r"[0-9]{7}-[0-9]")
File = Literal["main", "replica"]
_LOCK: Final[dict[File, str]] = {
    "main": "UPDATE main.secret SET value = value WHERE 0",
    "replica": "UPDATE replica.revision SET number = number WHERE 0",
}
"""Statements that change nothing and take the lock of one file; BEGIN IMMEDIATE would take those of both."""


class Store(OpenFiles):
    """The local truth of one user. One thread uses it at a time; `store.thread` gives it one of its own.

    Attributes:
        patience: seconds that a transaction waits for another process before `StoreUnavailable("busy")`.
    """

    patience: float = connection.BUSY_TIMEOUT

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
        return self._organisation if self._spoilt is None else self._spoilt[0]

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Files moved aside since the store was opened."""
        return tuple(self._incidents)

    # --- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection in a snapshot; inside another transaction, in that one."""
        with self._lock, self._guarded():
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
            with self._guarded():
                db = self.db
                if db.in_transaction:
                    raise AssertionError("a transaction inside a transaction could commit half of the outer one")
                self._changes.forget()
                try:
                    connection.begin(db, _LOCK[file], self.patience)
                    with self._whole():
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
        with self._lock, self._guarded():
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

    # --- lock --------------------------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Close the files and drop their keys; every use raises `StoreLocked` until `unlock`.

        Listeners, incidents and the attached organisation stay.
        """
        with self._lock:
            if self._locked or (self._db is None and self._spoilt is None):
                return
            if self._db is not None and self._db.in_transaction:
                raise AssertionError("a unit of work cannot lock the store that it works on")
            organisation, self._spoilt = self.organisation, None
            self._close_connection()
            self._organisation = organisation
            self._keys.drop()
            self._locked = True

    def unlock(self, keys: KeySource) -> None:
        """Open the files again and signal a change of everything: other processes went on meanwhile.

        Raises:
            StoreError: as `open`; the store stays locked, and `keys` are dropped.
        """
        with self._lock:
            if not self._locked:
                return
            organisation, self._keys, self._organisation = self._organisation, keys, None
            try:
                with typed_errors():
                    self._open_ledger()
                    self._resume_purges()
                    self._attach(organisation)
            except BaseException:
                self._close_connection()
                self._organisation = organisation
                keys.drop()
                raise
            self._locked = False
            self._changes.add(EVERYTHING, ())
        self._changes.tell()

    def use_keys(self, keys: KeySource) -> None:
        """Take the keys from another source from now on: what opens the wraps was changed."""
        with self._lock:
            self._keys.drop()
            self._keys = keys

    # --- the replica -------------------------------------------------------------------------------------------------

    def attach(self, organisation: str) -> None:
        """Attach the replica of `organisation` (business ID), made when there is none; detach another one first."""
        if _BUSINESS_ID.fullmatch(organisation) is None:
            raise ValueError("not a business ID")
        with self._lock, self._guarded():
            self._attach(organisation)

    def detach(self) -> None:
        """Close the attached replica, if any."""
        with self._lock, self._guarded():
            self._attach(None)

    def destroy_replica(self, organisation: str | None = None) -> None:
        """Destroy a replica, the attached one by default: its key first, then its files; resumed after a crash.

        Raises:
            NoReplica: none is attached and none was named.
        """
        organisation = organisation or self.organisation
        if organisation is None:
            raise NoReplica
        if _BUSINESS_ID.fullmatch(organisation) is None:
            raise ValueError("not a business ID")
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO secret VALUES (?, '')", (PURGE + organisation,))
        with self._lock, self._guarded():
            if organisation == self._organisation:
                self._attach(None)
            self._purge(organisation)

    def scrub(self) -> bool:
        """Empty both write-ahead logs: what was deleted must not live on in them. False when a reader is in the way."""
        with self._lock, self._guarded():
            return not self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    def set_aside_broken(self) -> tuple[Incident, ...]:
        """Check every page of both files, move broken ones aside and open fresh ones in their place.

        Returns:
            The incidents of this check and those found since the last one, none when all pages are sound.
        """
        with self._lock, self._guarded(mending=True):
            organisation, known = self._organisation, len(self._incidents)
            broken = self._broken()
            if broken:
                for name in broken:
                    files.read_through(self.folder / name)
                self._reopen(organisation)
                broken = self._broken()
            if broken:
                self._close_connection()
                for name in broken:
                    self._set_aside(name, "corrupt")
                self._open_ledger()
                self._attach(organisation)
            first, self._untold = known if self._untold is None else self._untold, None
            return tuple(self._incidents[first:])

    def _broken(self) -> list[str]:
        """Return the names of the files of which a page fails its check."""
        named: list[tuple[File, str]] = [("main", LEDGER_FILE)]
        if self._organisation is not None:
            named.append(("replica", self._replica_file(self._organisation)))
        return [name for schema, name in named if not connection.sound(self.db, schema)]

    def close(self) -> None:
        """Close the connection and drop the keys; a second time does nothing."""
        with self._lock:
            self._spoilt = None
            self._close_connection()
            self._keys.drop()


__all__ = ["EVERYTHING", "INCIDENTS", "LEDGER_FILE", "PURGE", "Changed", "Connection", "Incident", "Store"]
