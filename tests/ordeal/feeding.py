"""The reading half of a sync without a backend: pages and fills as the feed brings them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kelmu_tui.store import feed, replica, sweeping
from kelmu_tui.store.database import Store
from kelmu_tui.store.page import Entry, Page
from kelmu_tui.sync.line import YIELD_SECONDS

CHUNK: Final = 250
EPOCH: Final = "0" * 32


def page(store: Store, seq: int, *, kind: str = "delta", changes: Sequence[Entry] = (), more: bool = False) -> Page:
    """Return an answer of the feed at `seq` for the scope of the attached organisation's notices."""
    now = datetime.now(UTC)
    return Page(
        kind=kind, epoch=EPOCH, cursor=f"cursor-{seq}", seq=seq, more=more, changes=changes, granted=(scope(store),),
        added=(), revoked=(), session_revision=1, lease="lease", lease_until=now + timedelta(hours=12), at=now,
    )  # fmt: skip


def scope(store: Store) -> str:
    """Return the name of the scope of the attached organisation's notices."""
    return f"notices:{store.organisation}"


def change(store: Store, row: Mapping[str, Any]) -> Entry:
    """Return the entry of the feed that brings a row."""
    return Entry(scope(store), row["id"], row["version"], "up", row)


def take(store: Store, answer: Page) -> None:
    """Store an answer with its cursor, in one transaction."""
    with store.write("replica") as db:
        assert feed.apply(db, answer) is not None


def fill(store: Store, rows: Sequence[Mapping[str, Any]], seq: int) -> Iterator[None]:
    """Fill the scope with `rows` from the beginning, a transaction at each step; the page that follows flips it."""
    name = scope(store)
    take(store, page(store, seq, kind="reset"))
    with store.read() as db:
        (generation,) = [item.filling for item in feed.state(db).scopes if item.name == name]
    assert generation is not None
    with store.write("replica") as db:
        feed.expect(db, name, generation, EPOCH, len(rows))
    yield
    for start in range(0, len(rows), CHUNK):
        with store.write("replica") as db:
            assert feed.fill(db, name, generation, EPOCH, rows[start : start + CHUNK])
        yield
    with store.read() as db:
        missing = replica.missing_orders(db)
    for statement in missing:
        with store.write("replica") as db:
            db.execute(statement)
    with store.write("replica") as db:
        assert feed.end_fill(db, name, generation, EPOCH, seq)


def sweep(store: Store) -> None:
    """Delete what nobody sees any more."""
    done = False
    while not done:
        with store.write("replica") as db:
            done = sweeping.sweep(db)
        time.sleep(YIELD_SECONDS)
