"""The client's disk: a store that dies or fails where it is told to, keys, and files that are torn or put back."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlcipher3.dbapi2 as driver

from kelmu_tui.store.connection import Connection
from kelmu_tui.store.database import File, Store

_CODES: Final = {"disk_full": 13, "io_read": 10, "io_write": 10, "io_commit": 10, "busy": 5}
_WRITING: Final = ("INSERT", "UPDATE", "DELETE", "CREATE", "WITH")
COMPANIONS: Final = ("", "-wal")


class Crash(BaseException):
    """The process dies here."""


class Keys:
    """Keys of a user's files; a file whose key was forgotten gets another one, so that its old bytes stay closed.

    Attributes:
        wrong: files for which a key is given out that is not theirs.
        forgotten: how many keys were destroyed.
        store: whose process dies between two steps of a purge.
    """

    def __init__(self) -> None:
        self._generation: dict[str, int] = {}
        self.forgotten = 0
        self.wrong: set[str] = set()
        self.store: FragileStore | None = None

    def key(self, name: str) -> bytes:
        """Return the key of a file."""
        mark = "wrong" if name in self.wrong else str(self._generation.get(name, 0))
        return hashlib.sha256(f"{name} {mark}".encode()).digest()

    def holds(self, name: str) -> bool:
        """Tell that no file was begun: none is missed that is empty."""
        return False

    def drop(self) -> None:
        """Nothing is kept."""

    def forget(self, name: str) -> None:
        """Make the old key unknown."""
        self._step()
        self.forgotten += 1
        self._generation[name] = self._generation.get(name, 0) + 1
        self._step()

    def set_aside(self, stamp: str) -> Path:
        """Nothing is kept."""
        raise AssertionError

    def _step(self) -> None:
        if self.store is not None and self.store.purging:
            self.store.may_crash()


class Failing:
    """A connection one of whose next statements fails, as SQLite would fail it."""

    def __init__(self, db: Connection, plan: Plan) -> None:
        self._db = db
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, sql: str, *values: Any) -> Any:
        """Run a statement, or fail."""
        self._plan.look(self._db, sql)
        return self._db.execute(sql, *values)

    def executemany(self, sql: str, values: Any) -> Any:
        """Run a statement for many values, or fail."""
        self._plan.look(self._db, sql)
        return self._db.executemany(sql, values)


class Plan:
    """The `count`-th statement of its kind fails; `fired` once it has."""

    def __init__(self, fault: str, count: int, *, undone: bool) -> None:
        self.fault = fault
        self.fired = False
        self._count = count
        self._undone = undone

    def look(self, db: Connection, sql: str) -> None:
        """Fail if it is this statement's turn.

        Raises:
            driver.OperationalError: as the driver would raise it.
        """
        if self.fired or not self._concerns(sql):
            return
        self._count -= 1
        if self._count >= 0:
            return
        self.fired = True
        if db.in_transaction and (self._undone or self.fault == "io_commit"):
            # After some failures SQLite undoes the transaction by itself, after others it leaves that to the program.
            db.execute("ROLLBACK")
        error = driver.OperationalError(self.fault)
        error.sqlite_errorcode = _CODES[self.fault]
        raise error

    def _concerns(self, sql: str) -> bool:
        match self.fault:
            case "io_read":
                return sql.startswith("SELECT")
            case "io_commit":
                return sql == "COMMIT"
            case "busy":
                return sql.endswith("WHERE 0")
            case _:
                return sql.startswith(_WRITING) and not sql.endswith("WHERE 0")


class FragileStore(Store):
    """A store whose process may die before or after any commit, and whose disk may say no.

    Attributes:
        fuse: chances to die that are left; None while nothing threatens.
        plan: what the disk refuses.
        purging: whether a replica is being destroyed: the process may die between those steps too.
        lost: scopes that were purged and whose old pages may still lie in the log.
    """

    patience = 0.0  # a busy file is told at once: nobody here lets go while one waits
    fuse: int | None = None
    plan: Plan | None = None
    purging = False

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.lost: set[str] = set()

    @property
    def db(self) -> Connection:
        """The connection, with its faults."""
        if self.purging:
            self.may_crash()
        db = super().db
        return db if self.plan is None else Failing(db, self.plan)  # type: ignore[return-value]

    @contextmanager
    def write(self, file: File = "main") -> Iterator[Connection]:
        """Give a transaction that may be the last."""
        with super().write(file) as db:
            yield db
            self.may_crash()
        self.may_crash()

    def may_crash(self) -> None:
        """Die, when the fuse has burnt down."""
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                raise Crash

    def scrub(self) -> bool:
        """Empty the logs, and note whether that of the replica is empty then."""
        done = super().scrub()
        if self.organisation is not None:
            log = self.folder / f"{self._replica_file(self.organisation)}-wal"
            if not log.exists() or log.stat().st_size == 0:
                self.lost.clear()
        return done

    def _purge(self, organisation: str) -> None:
        self.purging = True
        if isinstance(self._keys, Keys):
            self._keys.store = self
        try:
            super()._purge(organisation)
        finally:
            self.purging = False


def make_plan(fault: str, dice: random.Random) -> Plan:
    """Return a failure of the disk: most come soon, some late in a long unit of work."""
    count = 0 if fault in ("busy", "io_commit") else dice.choice((0, 1, 2, 4, 8, 16))
    return Plan(fault, count, undone=dice.random() < 0.5)


def copy(folder: Path, name: str, to: Path) -> None:
    """Copy a file and its log aside, between two transactions."""
    for companion in COMPANIONS:
        source, target = folder / f"{name}{companion}", to / f"{name}{companion}"
        target.unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, target)


def put_back(folder: Path, name: str, source: Path) -> None:
    """Put an old copy of a file in its place; no process has it open."""
    for companion in (*COMPANIONS, "-shm"):
        (folder / f"{name}{companion}").unlink(missing_ok=True)
    for companion in COMPANIONS:
        if (source / f"{name}{companion}").exists():
            shutil.copyfile(source / f"{name}{companion}", folder / f"{name}{companion}")
            (folder / f"{name}{companion}").chmod(0o600)


def tear(path: Path, dice: random.Random) -> None:
    """Turn over some bytes in several pages of a file that no process has open."""
    data = bytearray(path.read_bytes())
    for _ in range(12):
        data[dice.randrange(16, len(data))] ^= 0xFF
    path.write_bytes(data)
