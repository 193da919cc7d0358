"""What the tests of a misbehaving disk share: the preloaded library, the jobs done under it, and what must hold after.

A work is done in a child of a `Nursery` that has the library, and told on stdout: `saved <id>`, `error <code>
<reason>`, `operations <number>`.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from kelmu_tui.platform.paths import Profile
from kelmu_tui.store import connection, feed, files, outbox, replica, views
from kelmu_tui.store.database import LEDGER_FILE, Store
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.keys import DemoKeys
from kelmu_tui.store.migrations import STEPS, statements
from kelmu_tui.store.outbox import Draft
from kelmu_tui.store.page import Entry, Page
from tests.ordeal.nursery import ROOT
from tests.store.build import NOW, OWN, notice, open_store
from tests.support.requirements import program

EPOCH: Final = "epoch-1"
NOTICES: Final = f"notices:{OWN}"
SAVED: Final = 3
"""Commands that the job `save` saves, each in a transaction of its own."""

_LIBRARY: Final = "libfaulty_io.so"


# --- the library ----------------------------------------------------------------------------------------------------


def build(folder: Path) -> Path:
    """Compile the library into `folder`; without a compiler the test is skipped, or fails where all is required."""
    library = folder / _LIBRARY
    source = Path(__file__).with_name("faulty_io.c")
    command = [program("gcc"), "-shared", "-fPIC", "-O1", "-Wall", "-o", str(library), str(source), "-ldl", "-lpthread"]
    built = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert built.returncode == 0, built.stderr
    return library


@cache
def _library() -> Any:
    return ctypes.CDLL(None)  # preloaded, so its functions stand beside those of the C library


def watch(folder: Path, journal: Path | None = None) -> None:
    """Watch the files of `folder` from now on, and write down in `journal` what is done to them."""
    handle = -1 if journal is None else os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    _library().faulty_watch(str(folder).encode(), handle)


def mark(text: str) -> None:
    """Put a mark into the journal."""
    _library().faulty_mark(text.encode())


# --- folders to begin with ------------------------------------------------------------------------------------------


def page(seq: int, *changes: Entry, more: bool = False, revoked: tuple[str, ...] = ()) -> Page:
    """Return an answer of the feed."""
    granted = () if revoked else (NOTICES,)
    until = NOW + timedelta(hours=12)
    return Page(
        "delta", EPOCH, f"cursor-{seq}", seq, more, changes, granted, (), revoked, 1, "lease", until, NOW
    )  # fmt: skip


def row(number: int, version: int) -> dict[str, Any]:
    """Return a notice as the wire brings it."""
    return notice(f"n{number:02}", version=version, family=f"Sukunimi{number}")


def changed(number: int, version: int) -> Entry:
    """Return a change of a notice."""
    found = row(number, version)
    return Entry(NOTICES, found["id"], version, "up", found)


def begin(folder: Path) -> None:
    """Make a store at work: rows shown, a fill under way, a staged page, commands, views, tokens."""
    store = open_store(folder)
    store.attach(OWN)
    with store.write("replica") as db:
        feed.apply(db, page(5)._replace(kind="reset", granted=(NOTICES, "announcements")))
        feed.fill(db, NOTICES, 1, EPOCH, [row(n, 1) for n in range(60)])
        feed.end_fill(db, NOTICES, 1, EPOCH, 5)
    with store.write("replica") as db:
        feed.apply(db, page(6))
    with store.write("replica") as db:
        feed.fill(db, "announcements", 2, EPOCH, [])
        feed.end_fill(db, "announcements", 2, EPOCH, 7)
    with store.write("replica") as db:
        feed.apply(db, page(7, *(changed(n, 2) for n in range(10)), more=True))
    for number in range(4):
        save(store, f"old{number}")
    with store.write() as db:
        frozen = outbox.freeze(db, "old0")
        assert frozen is not None
        views.log(db, views.ViewEvent(NOW, "u", OWN, "notice", "n01", 1, None))
        db.execute("INSERT INTO secret VALUES ('refresh_token', 'opaque')")
    store.close()


def begin_first_version(folder: Path) -> None:
    """Make a ledger as the first version of the program left it, with two commands and a token."""
    open_store(folder).close()
    files.remove(folder / LEDGER_FILE)
    files.create(folder / LEDGER_FILE)
    db = connection.connect(folder / LEDGER_FILE, DemoKeys(folder, Profile("demo", folder, folder)).key(LEDGER_FILE))
    for statement in statements(STEPS[0]):
        db.execute(statement)
    for number in range(2):
        db.execute(
            "INSERT INTO command (id, user, organisation, aggregate, verb, payload, label, base_version, schema, lease,"
            " state, created_at) VALUES (?, 'u', ?, 'n1', 'note', '{\"text\": \"x\"}', '{}', 4, 1, 'lease', 'queued',"
            " '2026-11-20T08:00:00.000000+00:00')",
            (f"old{number}", OWN),
        )
    db.execute("INSERT INTO secret VALUES ('refresh_token', 'opaque')")
    db.execute("PRAGMA user_version = 1")
    db.close()


def save(store: Store, name: str, number: int = 1) -> None:
    """Save a note on a notice as a command called `name`."""
    draft = Draft("u", OWN, f"n{number:02}", "note", {"text": name}, {}, 1, "lease")
    with store.write() as db:
        outbox.append(db, draft, id=name, now=NOW)


# --- jobs -----------------------------------------------------------------------------------------------------------

Work = Callable[[Store], None]


def _save(store: Store) -> None:
    with store.read() as db:
        found = {name for (name,) in db.execute("SELECT id FROM main.command")}
    for number in range(SAVED):
        if f"new{number}" not in found:
            save(store, f"new{number}", number)
            tell("saved", f"new{number}")


def _stage(store: Store) -> None:
    take(store, page(8, *(changed(n, 3) for n in range(20)), more=True))


def _checkpoint(store: Store) -> None:
    take(store, page(9, changed(11, 2)))


def _revoke(store: Store) -> None:
    take(store, page(9, revoked=(NOTICES,)))
    store.scrub()


def take(store: Store, answer: Page) -> None:
    """Store an answer of the feed unless it was stored before."""
    with store.write("replica") as db:
        if feed.state(db).seq < answer.seq:
            feed.apply(db, answer)


def _destroy(store: Store) -> None:
    store.destroy_replica(OWN)


WORKS: Final[Mapping[str, Work]] = {
    "save": _save,
    "stage": _stage,
    "checkpoint": _checkpoint,
    "revoke": _revoke,
    "purge": _destroy,
}
"""Jobs over an open store; `open` is the other one."""


def main(order: Mapping[str, Any]) -> int:
    """Do a piece of work while the n-th file operation fails.

    Without `dies` it is done once more when the fault is over: the same process must be able to go on. With it the
    process ends where the fault has shown, as in a crash.
    """
    path, work = Path(order["folder"]), order["work"]
    watch(path)
    store = None if work == "open" else opened(path)
    _library().faulty_fail(order["nth"], order["error"], order["dies"])
    try:
        if store is None:
            store = opened(path)
        else:
            WORKS[work](store)
    except StoreError as error:
        tell("error", error.code, error.reason or "-")
    tell("operations", _library().faulty_count())
    if order["dies"]:
        os._exit(0)
    _library().faulty_fail(0, 0, False)
    if store is None:
        store = opened(path)
    if work != "open":
        WORKS[work](store)
    store.close()
    return 0


def tell(*words: object) -> None:
    """Say a line at once and whole."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def opened(path: Path) -> Store:
    """Open a store with its replica."""
    store = open_store(path)
    try:
        store.attach(OWN)
    except BaseException:
        store.close()
        raise
    return store


# --- what must hold -------------------------------------------------------------------------------------------------


def copy(source: Path, target: Path) -> None:
    """Put a copy of a folder in the place of `target`."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def commands(store: Store) -> list[str]:
    """Return the names of all commands in their order."""
    with store.read() as db:
        return [name for (name,) in db.execute("SELECT id FROM main.command ORDER BY number")]


def check_whole(store: Store) -> None:
    """Check every page, the chain of views and the search index of a store with its replica."""
    assert store.set_aside_broken() == ()
    assert store.incidents == ()
    with store.read() as db:
        assert views.verify(db) is None
        assert db.execute("SELECT value FROM secret WHERE key = 'refresh_token'").fetchall() == [("opaque",)]
    with store.write("replica") as db:
        db.execute("INSERT INTO replica.notice_text (notice_text) VALUES ('integrity-check')")


def digest(store: Store) -> str:
    """Return a digest of everything the replica holds: what it shows, what it fills, what it has staged."""
    tables = {
        "state": "key, value",
        "scope": "name, generation, filling, after_id, need, expected",
        "notice": "generation, id, version, body",
        "staged": "scope, id, version, op, body",
        "tombstone": "generation, id, version",
    }
    with store.read() as db:
        content = {
            table: db.execute(f"SELECT {columns} FROM replica.{table} ORDER BY {columns}").fetchall()
            for table, columns in tables.items()
        }
        orders = sorted(replica.missing_orders(db))
    return hashlib.sha256(json.dumps([content, orders]).encode()).hexdigest()
