"""Fetching a list: rows are staged as they come, and shown from one moment on, when all of them are here.

Every step is a transaction of at most 50 ms. A fetch that broke off goes on behind the last row that was committed;
one of another version begins anew. Two processes may fetch the same: the step of one that the other has overtaken
finds that and ends.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.lists import ColumnType, retention
from kelmu_tui.store import lists
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_values import Layout, fresh_columns, layout, teach
from kelmu_tui.store.lists import Publication
from kelmu_tui.store.replica import microseconds

STEP_ROWS: Final = 1000
"""Rows written in one transaction: about 20 ms."""
PUT_ROWS: Final = 250
"""Rows of one statement."""
STEP_PLACES: Final = 10_000
"""Places of the order written in one transaction."""


class Overtaken(Exception):
    """What was being fetched has ended meanwhile, or another process goes on with it."""


class Incomplete(Exception):
    """The rows that came are not as many as were announced; nothing of them is kept."""


class Fetch(NamedTuple):
    """A fetch under way.

    Attributes:
        copy: number of the staged copy.
        rows: rows here.
        after: id of the last one, None before the first.
        expected: rows announced.
    """

    copy: int
    list: str
    period: str
    version: int
    rows: int
    after: str | None
    expected: int


def begin(store: Store, publication: Publication) -> Fetch:
    """Begin a fetch, or go on with the one that broke off, when it is of the same version.

    Raises:
        KeyError: the catalogue has no such list.
        StoreError: the disk does not take it.
    """
    columns = fresh_columns(publication.list)
    now = store.clock.now()
    with store.write("replica") as db:
        found = _staged(db, publication.list, publication.period)
        if found is not None and _goes_on(db, found, publication, columns, now):
            return found._replace(expected=publication.rows)
        if found is not None:
            lists.abandon(db, found.copy)
        number = db.execute(
            "INSERT INTO replica.list_copy (list, period, version, published, state, columns, expected, expires)"
            " VALUES (?, ?, ?, ?, 'staged', ?, ?, ?)",
            (
                publication.list,
                publication.period,
                publication.version,
                microseconds(publication.published_at),
                columns,
                publication.rows,
                microseconds(now + lists.RESUMABLE),
            ),
        ).lastrowid
        store.changed("list", keys=(publication.list,))
    return Fetch(number, publication.list, publication.period, publication.version, 0, None, publication.rows)


def staged(store: Store, list_: str, period: str) -> Fetch | None:
    """Return the fetch of a period that is under way or broke off."""
    with store.read() as db:
        return _staged(db, list_, period)


def _staged(db: Any, list_: str, period: str) -> Fetch | None:
    row = db.execute(
        "SELECT number, list, period, version, rows, after, expected FROM replica.list_copy"
        " WHERE list = ? AND period = ? AND state = 'staged'",
        (list_, period),
    ).fetchone()
    return None if row is None else Fetch(*row)


def _goes_on(db: Any, found: Fetch, publication: Publication, columns: str, now: datetime) -> bool:
    now_, until = microseconds(now), microseconds(now + lists.RESUMABLE)
    changed = db.execute(
        "UPDATE replica.list_copy SET expected = ?, expires = ? WHERE number = ? AND version = ? AND columns = ?"
        " AND rows <= ? AND expires > ?",
        (publication.rows, until, found.copy, publication.version, columns, publication.rows, now_),
    )
    return bool(changed.rowcount)


def put_rows(store: Store, fetch: Fetch, rows: Sequence[Mapping[str, Any]]) -> Fetch:
    """Stage rows in the order in which they came, and return how far the fetch is.

    Raises:
        Overtaken: as there.
        StoreError: the disk does not take them; what was committed before stays.
    """
    for start in range(0, len(rows), STEP_ROWS):
        fetch = _put(store, fetch, rows[start : start + STEP_ROWS])
    return fetch


def _put(store: Store, fetch: Fetch, rows: Sequence[Mapping[str, Any]]) -> Fetch:
    form = layout(fetch.list, fresh_columns(fetch.list))
    first = (fetch.copy << lists.SHIFT) + fetch.rows
    records = [form.record(first + number, fetch.copy, row) for number, row in enumerate(rows)]
    after = rows[-1]["id"]
    with store.write("replica") as db:
        sums = json.loads(_own(db, fetch))
        for start in range(0, len(records), PUT_ROWS):
            part = records[start : start + PUT_ROWS]
            db.execute(form.put(len(part)), list(chain.from_iterable(part)))
        _add_up(form, sums, records)
        db.execute(
            "UPDATE replica.list_copy SET rows = rows + ?, after = ?, sums = ? WHERE number = ?",
            (len(rows), after, json.dumps(sums), fetch.copy),
        )
    return fetch._replace(rows=fetch.rows + len(rows), after=after)


def _own(db: Any, fetch: Fetch) -> str:
    """Return the sums so far, provided that the copy is as this fetch left it."""
    row = db.execute(
        "SELECT sums FROM replica.list_copy WHERE number = ? AND state = 'staged' AND rows = ? AND after IS ?",
        (fetch.copy, fetch.rows, fetch.after),
    ).fetchone()
    if row is None:
        raise Overtaken
    return str(row[0])


def _add_up(form: Layout, sums: dict[str, int], records: Sequence[Sequence[Any]]) -> None:
    for column in form.of(ColumnType.EUROS):
        at = 6 + int(form.place(column)[1:])
        sums[column] = sums.get(column, 0) + sum(record[at] or 0 for record in records)


def cancel(store: Store, fetch: Fetch) -> None:
    """Destroy what came; a fetch that is to go on later is simply left."""
    with store.write("replica") as db:
        lists.abandon(db, fetch.copy)
        store.changed("list", keys=(fetch.list,))


# --- the end of a fetch ---------------------------------------------------------------------------------------------


def finish(store: Store, fetch: Fetch, *, expires: datetime | None = None) -> None:
    """Put the rows into their order and show them in place of the copy of before.

    Args:
        expires: from then on it may not be shown, when the backend says so; never later than the retention.

    Raises:
        Incomplete, Overtaken: as there.
        StoreError: the disk does not take it; `finish` can be called again.
    """
    if fetch.rows != fetch.expected:
        with store.write("replica") as db:
            _own(db, fetch)
            lists.abandon(db, fetch.copy)
            store.changed("list", keys=(fetch.list,))
        raise Incomplete
    _order(store, fetch)
    with store.read() as db:
        persons = db.execute(
            "SELECT count(DISTINCT person) FROM replica.list_row WHERE row >= ? AND row < ?", lists.span(fetch.copy)
        ).fetchone()[0]
    with store.write("replica") as db:
        _own(db, fetch)
        _show(db, fetch, persons, store.clock.now(), expires)
        store.changed("list", keys=(fetch.list,))


def _order(store: Store, fetch: Fetch) -> None:
    """Write the order in which the list is opened, by name; what an interrupted call wrote stays, as it is the same."""
    form = layout(fetch.list, fresh_columns(fetch.list))
    with store.read() as db:
        done = db.execute("SELECT count(*) FROM replica.list_order WHERE copy = ?", (fetch.copy,)).fetchone()[0]
        if done == fetch.rows:
            return
        teach(db)
        found = db.execute(
            f"SELECT row FROM replica.list_row WHERE row >= ? AND row < ? ORDER BY {form.order()}",  # noqa: S608
            lists.span(fetch.copy),
        )
        order = array("q", (row[0] for row in found))
    for start in range(done, len(order), STEP_PLACES):
        part = order[start : start + STEP_PLACES]
        with store.write("replica") as db:
            _own(db, fetch)
            db.executemany(
                "INSERT INTO replica.list_order (copy, place, row) VALUES (?, ?, ?)",
                [(fetch.copy, place, row) for place, row in enumerate(part, start + 1)],
            )


def _show(db: Any, fetch: Fetch, persons: int, now: datetime, expires: datetime | None) -> None:
    kept = now + retention().kept
    end = kept if expires is None else min(kept, expires)
    db.execute(
        "UPDATE replica.list_copy SET state = 'gone' WHERE list = ? AND period = ? AND state = 'whole'",
        (fetch.list, fetch.period),
    )
    db.execute(
        "UPDATE replica.list_copy SET state = 'whole', persons = ?, fetched = ?, expires = ? WHERE number = ?",
        (persons, microseconds(now), microseconds(end), fetch.copy),
    )
    lists.count(db, fetch.list, fetch.period, fetch.version, fetch.rows, persons)
