"""What the store can tell of itself without telling anything of anybody: sizes, counts, versions, what waits.

Nothing that these functions return names a person, a notice or a place on the disk.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import State

SCHEMAS: Final = (("main", "ledger"), ("replica", "replica"))
"""Names of the attached files in statements, and what they are called elsewhere."""
SHORT: Final = 8
"""Characters that are kept of an identifier: enough to compare two, too few to use one."""


class FileSize(NamedTuple):
    """A file of the store by its name alone; write-ahead logs and files moved aside are files of their own."""

    name: str
    bytes: int


class Database(NamedTuple):
    """One attached file: `version` of its tables, `pages` in all and `free` of them, rows of each table."""

    name: str
    version: int
    page_bytes: int
    pages: int
    free: int
    rows: dict[str, int]


class Waiting(NamedTuple):
    """The command that has waited longest: `id` shortened, `code` and `request_id` of its last failure if any."""

    id: str
    verb: str
    state: State
    created_at: datetime
    attempts: int
    due_at: datetime | None
    code: str | None
    request_id: str


def files(store: Store) -> tuple[FileSize, ...]:
    """Return the files of the databases in the user's folder with their sizes."""
    found = []
    for path in sorted(store.folder.glob("*.db*")):
        try:
            found.append(FileSize(path.name, path.stat().st_size))
        except FileNotFoundError:  # a write-ahead log goes when the last connection is closed
            continue
    return tuple(found)


def databases(db: Any) -> tuple[Database, ...]:
    """Return what the attached files hold, the ledger first."""
    tables = db.execute(
        "SELECT schema, name FROM pragma_table_list WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
    ).fetchall()
    found = []
    for schema, name in SCHEMAS:
        own = sorted(table for where, table in tables if where == schema)
        if own:
            version, page_bytes, pages, free = (
                _pragma(db, schema, what) for what in ("user_version", "page_size", "page_count", "freelist_count")
            )
            rows = {table: _count(db, schema, table) for table in own}
            found.append(Database(name, version, page_bytes, pages, free, rows))
    return tuple(found)


def _pragma(db: Any, schema: str, name: str) -> int:
    return int(db.execute(f"PRAGMA {schema}.{name}").fetchone()[0])


def _count(db: Any, schema: str, table: str) -> int:
    return int(db.execute(f'SELECT count(*) FROM {schema}."{table}"').fetchone()[0])  # noqa: S608 - names of our own


def filled(db: Any) -> dict[int, int]:
    """Return how many rows have come into each generation that is being filled."""
    rows = db.execute("SELECT substr(key, 8), value FROM replica.state WHERE key GLOB 'filled:*'")
    return {int(generation): int(count) for generation, count in rows}


def oldest_waiting(db: Any) -> Waiting | None:
    """Return the oldest command that the backend has not answered yet."""
    row = db.execute(
        "SELECT id, verb, state, created_at, attempts, due_at, problem FROM main.command"
        " WHERE state IN ('queued', 'sending') ORDER BY number LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    id_, verb, state, created, attempts, due, problem = row
    told = json.loads(problem) if problem is not None else {}
    return Waiting(
        id_[:SHORT],
        verb,
        State(state),
        datetime.fromisoformat(created),
        attempts,
        datetime.fromisoformat(due) if due is not None else None,
        told.get("code"),
        str(told.get("request_id") or ""),
    )


def unshipped(db: Any) -> int:
    """Return how many views the backend has not confirmed yet."""
    return int(db.execute("SELECT count(*) FROM main.view_event WHERE received_at IS NULL").fetchone()[0])
