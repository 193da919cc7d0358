"""A day's work on a store, for the loss of power: commands saved, pages pulled, a replica destroyed and filled again.

What was done is marked in the journal: `saved <id>`, `state <digest>` after each commit to the replica, `last <digest>`
of what is shown in the end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from kelmu_tui.store import feed
from kelmu_tui.store.database import Store
from kelmu_tui.store.page import Page
from tests.ordeal import disk
from tests.store.build import OWN

ROUNDS: Final = 130
ROWS: Final = 60
CHUNK: Final = 20

Tell = Callable[[str, str], None]


def main(order: Mapping[str, Any]) -> int:
    """Go through a day from the first start on, writing down what is done to the files."""
    path = Path(order["folder"])
    disk.watch(path, Path(order["journal"]))
    store = disk.opened(path)
    disk.mark(f"state {disk.digest(store)}")
    work_through(store, lambda word, text: disk.mark(f"{word} {text}"))
    disk.mark(f"last {visible(store)}")
    store.close()
    return 0


def work_through(store: Store, tell: Tell) -> None:
    """Save commands and pull pages, going on from wherever the store stands; nothing is done twice."""
    _fill(store, tell)
    known = set(disk.commands(store))
    for number in range(ROUNDS):
        if f"day{number}" not in known:
            disk.save(store, f"day{number}", number)
            tell("saved", f"day{number}")
        seq = 10 + 2 * number
        _pull(store, tell, disk.page(seq, *(disk.changed(n, seq) for n in range(number % 9)), more=True))
        _pull(store, tell, disk.page(seq + 1, *(disk.changed(n, seq) for n in range(50, 55))))
        if number % 20 == 9:
            store.scrub()
        if number == ROUNDS // 2 and "midday" not in known:
            disk.save(store, "midday")
            tell("saved", "midday")
            store.destroy_replica()
            store.attach(OWN)
            tell("state", disk.digest(store))
            _fill(store, tell)


def _fill(store: Store, tell: Tell) -> None:
    with store.read() as db:
        begun = feed.state(db)
    if begun.cursor is None:
        _pull(store, tell, disk.page(5)._replace(kind="reset"))
    with store.read() as db:
        scopes = feed.state(db).scopes
    for scope in scopes:
        if scope.filling is not None and scope.need is None:
            for start in range(0, ROWS, CHUNK):
                rows = [disk.row(n, 1) for n in range(start, start + CHUNK)]
                with store.write("replica") as db:
                    feed.fill(db, disk.NOTICES, scope.filling, disk.EPOCH, rows)
                tell("state", disk.digest(store))
            with store.write("replica") as db:
                feed.end_fill(db, disk.NOTICES, scope.filling, disk.EPOCH, 6)
            tell("state", disk.digest(store))
    _pull(store, tell, disk.page(6))


def _pull(store: Store, tell: Tell, answer: Page) -> None:
    disk.take(store, answer)
    tell("state", disk.digest(store))


def visible(store: Store) -> str:
    """Return a digest of the rows that are shown."""
    with store.read() as db:
        rows = db.execute(
            "SELECT id, version, body FROM replica.notice WHERE generation IN"
            " (SELECT generation FROM replica.scope) ORDER BY id"
        ).fetchall()
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
