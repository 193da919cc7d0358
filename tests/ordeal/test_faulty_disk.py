"""Every file operation fails once, in turn: nothing saved is lost, nothing is half done, and the error has a name."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from kelmu_tui.platform.paths import Profile
from kelmu_tui.store import connection
from kelmu_tui.store.database import LEDGER_FILE, PURGE
from kelmu_tui.store.keys import DemoKeys
from tests.ordeal import disk
from tests.ordeal.nursery import Nursery
from tests.store.build import OWN, open_store

WORKS: Final = (*disk.WORKS, "open", "migrate")
ERRORS: Final = {"store_full", "store_unavailable", "store_corrupt"}
MOST: Final = 500
"""More operations than any of these works has: a run that never passes untouched is a failure of the test."""


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """A nursery whose children have the library."""
    folder = tmp_path_factory.mktemp("faulty")
    env = {**os.environ, "LD_PRELOAD": str(disk.build(folder))}
    with Nursery(folder / "stderr", "tests.ordeal.disk", env=env) as found:
        yield found


class Ordeal:
    """One work, attempted again and again on copies of the same folder."""

    def __init__(self, nursery: Nursery, place: Path, work: str) -> None:
        self.nursery = nursery
        self.work = "open" if work == "migrate" else work
        self.source, self.folder = place / "begun" / "one", place / "users" / "one"
        (disk.begin_first_version if work == "migrate" else disk.begin)(self.source)
        self.before = self._digest(self.source)
        self.expected = self._commands(self.source)
        self.attempt(0, 0, dies=False)
        self.after = self._digest(self.folder)

    def attempt(self, nth: int, error: int, *, dies: bool) -> list[list[str]]:
        """Attempt the work on a new copy and return what was told."""
        disk.copy(self.source, self.folder)
        order = {"folder": str(self.folder), "work": self.work, "nth": nth, "error": error, "dies": dies}
        told = self.nursery.run("tests.ordeal.disk", order)
        assert {words[1] for words in told if words[0] == "error"} <= ERRORS
        return told

    def attempt_all(self, error: int, *, dies: bool) -> None:
        """Let each operation fail in turn, until a run has passed untouched."""
        for nth in range(1, MOST):
            told = self.attempt(nth, error, dies=dies)
            self._check([words[1] for words in told if words[0] == "saved"], finished=not dies)
            if int(next(words[1] for words in told if words[0] == "operations")) < nth:
                assert nth > 3, "the library saw nothing"
                return
        pytest.fail("no run passed untouched")

    def _check(self, saved: Sequence[str], *, finished: bool) -> None:
        """Open what is left in a process of its own, and find all that was told and nothing half done."""
        wraps = json.loads((self.folder / "wraps.json").read_text())["wraps"]
        if f"replica-{OWN}.db" not in wraps and not self._purges():
            assert not list(self.folder.glob("replica-*.db*")), "a key is gone and its file is not"
        store = open_store(self.folder)
        try:
            assert not self._purges(), "a purge is finished by the next start"
            store.attach(OWN)
            disk.check_whole(store)
            found = disk.commands(store)
            assert found[: len(self.expected)] == self.expected
            assert [name for name in found if name in set(saved)] == saved
            assert len(found) - len(self.expected) <= len(saved) + 1
            state = disk.digest(store)
            assert state == self.after if finished else state in (self.before, self.after)
        finally:
            store.close()

    def _purges(self) -> bool:
        """Tell whether the ledger says that a replica is being destroyed."""
        key = DemoKeys(self.folder, Profile("demo", self.folder, self.folder)).key(LEDGER_FILE)
        db = connection.connect(self.folder / LEDGER_FILE, key)
        try:
            return bool(db.execute("SELECT 1 FROM secret WHERE key GLOB ?", (PURGE + "*",)).fetchall())
        finally:
            db.close()

    def _digest(self, folder: Path) -> str:
        with closing(open_store(folder)) as store:
            store.attach(OWN)
            return disk.digest(store)

    def _commands(self, folder: Path) -> list[str]:
        with closing(open_store(folder)) as store:
            return disk.commands(store)


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
@pytest.mark.parametrize("work", WORKS)
def test_each_operation_fails_once(nursery: Nursery, tmp_path: Path, work: str, error: int) -> None:
    """The same process goes on after the fault, and ends where it would have ended without."""
    Ordeal(nursery, tmp_path, work).attempt_all(error, dies=False)
    assert nursery.complaints == ""


@pytest.mark.parametrize("work", WORKS)
def test_the_disk_goes_away_and_the_process_with_it(nursery: Nursery, tmp_path: Path, work: str) -> None:
    """From the n-th operation on nothing works any more, and the process ends: the next start finds all in order."""
    Ordeal(nursery, tmp_path, work).attempt_all(errno.EIO, dies=True)
    assert nursery.complaints == ""
