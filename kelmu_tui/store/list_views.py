"""Saved views of lists: which columns, in which order, with which filter, under a name of the user's own.

They stand in the ledger, since the replica can go at any moment. All functions work inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.store.list_pages import ListQuery, SortKey
from kelmu_tui.store.outbox import stamp

MOST: Final = 50
"""Views of one list that a user can have in an organisation."""


class TooMany(ValueError):
    """There are as many views of the list as there can be."""


class Owner(NamedTuple):
    """Whose views they are, and of which list."""

    user: str
    organisation: str
    list: str


class SavedView(NamedTuple):
    """A view under its name.

    Attributes:
        columns: ids of the list's columns, in the order in which they are shown.
    """

    name: str
    columns: tuple[str, ...]
    query: ListQuery


_OWNED: Final = "user = ? AND organisation = ? AND list = ?"


def save(db: Any, owner: Owner, view: SavedView, now: datetime) -> None:
    """Keep a view, in the place of one of the same name.

    Raises:
        TooMany: as there.
    """
    names = {one.name for one in views(db, owner)}
    if view.name not in names and len(names) >= MOST:
        raise TooMany
    query = view.query
    body = {
        "columns": view.columns,
        "sort": query.sort,
        "text": query.text,
        "municipality": query.municipality,
    }
    db.execute(
        "INSERT OR REPLACE INTO main.list_view (user, organisation, list, name, body, saved_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (*owner, view.name, json.dumps(body, ensure_ascii=False, separators=(",", ":")), stamp(now)),
    )


def views(db: Any, owner: Owner, known: Iterable[str] | None = None) -> list[SavedView]:
    """Return the views of a list by name.

    Args:
        known: the columns that the list has; what a view says of others is left out.
    """
    rows = db.execute(
        f"SELECT name, body FROM main.list_view WHERE {_OWNED} ORDER BY name",  # noqa: S608
        owner,
    )
    have = None if known is None else frozenset(known)
    return [_view(name, json.loads(body), have) for name, body in rows]


def drop(db: Any, owner: Owner, name: str) -> bool:
    """Forget a view; False when there is none."""
    return bool(db.execute(f"DELETE FROM main.list_view WHERE {_OWNED} AND name = ?", (*owner, name)).rowcount)  # noqa: S608


def _view(name: str, body: dict[str, Any], known: frozenset[str] | None) -> SavedView:
    sort = tuple(SortKey(column, down) for column, down in body["sort"] if known is None or column in known)
    columns = tuple(column for column in body["columns"] if known is None or column in known)
    return SavedView(name, columns, ListQuery(sort, body["text"], body["municipality"]))
