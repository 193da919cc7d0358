"""Writers of the backend's rows: what the wire brought goes into its tables, the search index is kept in step.

Rows come as the wire's JSON (dicts that sync has validated) and belong to a *generation*, which is one filling of one
scope; generations are unique over all scopes. All of these run inside a `Store.write` of the caller, which also
registers what changed. Tombstones of a filling generation are the caller's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kelmu_tui.domain.notices import OPEN_STATUSES
from kelmu_tui.store.migrations import statements
from kelmu_tui.store.schema import REPLICA
from kelmu_tui.store.words import kind_ranks, municipality_ranks, notice_words, sort_key, tie

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_OPEN: Final = frozenset(status.value for status in OPEN_STATUSES)
_LAST: Final = 10**6
"""Rank of what the catalogue does not know: a newer backend may know more kinds than this program."""
_LOOKUP: Final = 500
_PLAIN: Final = ("trace", "announcement", "follow", "claim", "account", "sending")
"""Tables that a row is simply deleted from: nothing searches their words."""
_ENDING: Final = ("follow", "sending")
"""Of these, the ones whose rows may end by themselves."""
MANY_ROWS: Final = 5_000
"""Rows from which a first fill does without the indexes of the lists' orders."""
_ORDERS: Final = {
    statement.split()[2].removeprefix("replica."): statement
    for statement in statements(REPLICA)
    if statement.startswith("CREATE INDEX replica.notice_by_")
}
_DELETE_BODY: Final = "DELETE FROM replica.claim_body WHERE generation = ? AND id = ?"
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

_PUT_NOTICE: Final = (
    "INSERT OR REPLACE INTO replica.notice (rowid, generation, id, tie, version, kind, kind_rank, subtype, urgent,"
    " status, open, organisation, municipality, municipality_rank, arrived, due, customer, customer_key,"
    " non_disclosure, assignee, assignee_name, transferred_from, body, expires)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_INSERT_WORDS: Final = "INSERT INTO replica.notice_text (rowid, words) VALUES (?, ?)"
_MERGE_WORDS: Final = "INSERT INTO replica.notice_text (notice_text, rank) VALUES ('merge', ?)"
_DELETE_WORDS: Final = "INSERT INTO replica.notice_text (notice_text, rowid, words) VALUES ('delete', ?, ?)"


def microseconds(instant: str | datetime) -> int:
    """Return an instant (ISO text with offset, or aware) as microseconds since 1970 in UTC."""
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    return (instant - EPOCH) // _MICROSECOND


def instant(microseconds: int) -> datetime:
    """Return the UTC instant that `microseconds` stands for."""
    return EPOCH + timedelta(microseconds=microseconds)


def put_rows(db: Any, generation: int, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows of any table into a generation, each over an older version of itself, and count those written.

    A row older than the stored one is left out: feed and snapshot may bring the same row in either order.
    """
    tables: dict[str, list[Mapping[str, Any]]] = {name: [] for name in ("notice", *_PLAIN)}
    for row in rows:
        tables[row["table"]].append(row)
    written = sum(
        _put_notices(db, generation, tables["notice"][start : start + _LOOKUP])
        for start in range(0, len(tables["notice"]), _LOOKUP)
    )
    written += _put_traces(db, generation, tables["trace"])
    written += _put_announcements(db, generation, tables["announcement"])
    written += sum(_put_ending(db, generation, table, tables[table]) for table in _ENDING)
    if tables["claim"] or tables["account"]:
        from kelmu_tui.store import claim_writers  # brings rules that no start should pay

        written += claim_writers.put_claims(db, generation, tables["claim"])
        written += claim_writers.put_accounts(db, generation, tables["account"])
    if written:
        _touch(db)
    return written


def lay_orders_aside(db: Any, expected: int) -> None:
    """Drop the indexes of the lists' orders before a first fill of many rows; `missing_orders` brings them back.

    Rows come in the order of their ids, so each chunk would touch, encrypt and log nearly every page of each of these
    indexes again. That is half of a long fill. While any notices are shown, or lie there, the indexes stay.
    """
    in_use = "SELECT 1 FROM replica.scope WHERE generation <> 0 AND name GLOB 'notices:*'"
    if expected >= MANY_ROWS and not db.execute(f"{in_use} UNION ALL SELECT 1 FROM replica.notice LIMIT 1").fetchone():  # noqa: S608
        for name in _ORDERS:
            db.execute(f"DROP INDEX IF EXISTS replica.{name}")


def missing_orders(db: Any) -> tuple[str, ...]:
    """Return the statements that make the indexes laid aside anew; before a generation is shown all have to be run."""
    known = {name for (name,) in db.execute("SELECT name FROM replica.sqlite_schema WHERE type = 'index'")}
    return tuple(statement for name, statement in _ORDERS.items() if name not in known)


def remove(db: Any, generation: int, id: str, version: int | None = None) -> bool:  # noqa: A002
    """Remove a row from a generation unless the stored one is newer than `version`; say whether it was there."""
    limit = 1 << 62 if version is None else version
    found = db.execute(
        "SELECT rowid, body FROM replica.notice WHERE generation = ? AND id = ? AND version <= ?",
        (generation, id, limit),
    ).fetchone()
    if found is not None:
        _delete_notices(db, [found])
        _touch(db)
        return True
    for table in _PLAIN:
        gone = db.execute(
            f"DELETE FROM replica.{table} WHERE generation = ? AND id = ? AND version <= ?",  # noqa: S608
            (generation, id, limit),
        )
        if gone.rowcount:
            if table == "claim":
                db.execute(_DELETE_BODY, (generation, id))
            _touch(db)
            return True
    return False


def delete_notices(db: Any, found: Iterable[Sequence[Any]]) -> None:
    """Delete notices given as rows that begin with rowid and body."""
    _delete_notices(db, [(row[0], row[1]) for row in found])
    _touch(db)


def drop_generation(db: Any, generation: int, limit: int) -> bool:
    """Delete at most `limit` rows of a generation that is no longer shown; say whether nothing is left of it.

    Its words are only marked in the search index, where nobody finds them any more; `erase_words` has to follow.
    """
    found = db.execute(
        "SELECT rowid, body FROM replica.notice WHERE generation = ? LIMIT ?", (generation, limit)
    ).fetchall()
    if found:
        _erase_at_once(db, False)
        _delete_notices(db, found)
        _erase_at_once(db, True)
        _touch(db)
    if len(found) == limit or _drop_claims(db, generation, limit) == limit:
        return False
    for table in (*_PLAIN, "tombstone"):
        db.execute(f"DELETE FROM replica.{table} WHERE generation = ?", (generation,))  # noqa: S608
    return True


def _drop_claims(db: Any, generation: int, limit: int) -> int:
    gone = db.execute(
        "DELETE FROM replica.claim WHERE generation = ?1 AND id IN"
        " (SELECT id FROM replica.claim WHERE generation = ?1 LIMIT ?2) RETURNING id",
        (generation, limit),
    ).fetchall()
    db.executemany(_DELETE_BODY, [(generation, id_) for (id_,) in gone])
    return len(gone)


def erase_words(db: Any, pages: int, *, begin: bool) -> bool:
    """Merge about `pages` pages of the search index, so that marked words are left behind; True when all are gone.

    Args:
        begin: take in the whole index anew; the steps after that go on with it.
    """
    before = db.total_changes
    db.execute(_MERGE_WORDS, (-pages if begin else pages,))
    return bool(db.total_changes - before < 2)  # as SQLite describes it: one change is the command itself


def purge(db: Any, *generations: int) -> None:
    """Delete whole generations at once: a revoked scope must be gone in the transaction that stores its cursor.

    Afterwards `Store.scrub` empties the write-ahead log, where old pages may still lie.
    """
    marks = ",".join("?" * len(generations))
    others = db.execute(f"SELECT 1 FROM replica.notice WHERE generation NOT IN ({marks}) LIMIT 1", generations)  # noqa: S608
    if others.fetchone() is None:
        # Nothing else is indexed: dropping the whole index is a hundred times cheaper than taking out each word.
        db.execute("INSERT INTO replica.notice_text (notice_text) VALUES ('delete-all')")
        db.execute(f"DELETE FROM replica.notice WHERE generation IN ({marks})", generations)  # noqa: S608
    for generation in generations:
        while not drop_generation(db, generation, _LOOKUP):
            pass
    db.execute("INSERT INTO replica.notice_text (notice_text) VALUES ('optimize')")
    _touch(db)


def _erase_at_once(db: Any, yes: bool) -> None:
    """Say whether a deleted word goes from the search index at once, or is marked for `erase_words`."""
    db.execute("INSERT INTO replica.notice_text (notice_text, rank) VALUES ('secure-delete', ?)", (int(yes),))


def _touch(db: Any) -> None:
    db.execute("UPDATE replica.revision SET number = number + 1")


def _delete_notices(db: Any, found: Sequence[tuple[int, str]]) -> None:
    db.executemany(_DELETE_WORDS, [(rowid, notice_words(json.loads(body))) for rowid, body in found])
    db.executemany("DELETE FROM replica.notice WHERE rowid = ?", [(rowid,) for rowid, _ in found])


def _put_notices(db: Any, generation: int, rows: Sequence[Mapping[str, Any]]) -> int:
    newest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["id"] not in newest or row["version"] >= newest[row["id"]]["version"]:
            newest[row["id"]] = row
    if not newest:
        return 0
    marks = ",".join("?" * len(newest))
    stored = db.execute(
        f"SELECT rowid, id, version, body FROM replica.notice WHERE generation = ? AND id IN ({marks})",  # noqa: S608
        (generation, *newest),
    ).fetchall()
    words = {id_: notice_words(row) for id_, row in newest.items()}
    places: dict[str, int] = {}
    outdated = []
    for rowid, id_, version, body in stored:
        if version > newest[id_]["version"]:
            del newest[id_]
        elif notice_words(json.loads(body)) == words[id_]:
            # Most changes are of state and worker. Taking words out of the index for good costs fifty times as much
            # as writing the row, so the row keeps its place and the index is left alone.
            places[id_] = rowid
        else:
            outdated.append((rowid, body))
    if outdated:
        _delete_notices(db, outdated)
    free = db.execute("SELECT coalesce(max(rowid), 0) FROM replica.notice").fetchone()[0] + 1
    fresh = {id_: free + number for number, id_ in enumerate(id_ for id_ in newest if id_ not in places)}
    places |= fresh
    db.executemany(_PUT_NOTICE, [_notice(places[id_], generation, row) for id_, row in newest.items()])
    db.executemany(_INSERT_WORDS, [(rowid, words[id_]) for id_, rowid in fresh.items()])
    return len(newest)


def _notice(rowid: int, generation: int, row: Mapping[str, Any]) -> tuple[Any, ...]:
    customer = row["customer"]
    name = f"{customer['family_name']}, {customer['given_names']}"
    return (
        rowid,
        generation,
        row["id"],
        tie(row["id"]),
        row["version"],
        row["kind"],
        kind_ranks().get(row["kind"], _LAST),
        row.get("subtype"),
        row["urgent"],
        row["status"],
        row["status"] in _OPEN,
        row["organisation"],
        row["municipality"],
        municipality_ranks().get(row["municipality"], _LAST),
        microseconds(row["arrived"]),
        row["due"],
        name,
        sort_key(name),
        bool(customer.get("non_disclosure")),
        row.get("assignee"),
        row.get("assignee_name"),
        row.get("transferred_from"),
        _text(row),
        microseconds(row["expires_at"]) if row.get("expires_at") else None,
    )


def _put_traces(db: Any, generation: int, rows: Sequence[Mapping[str, Any]]) -> int:
    before = db.total_changes
    db.executemany(
        "INSERT INTO replica.trace (generation, id, version, at, due, body) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT (generation, id) DO UPDATE SET version = excluded.version, at = excluded.at, due = excluded.due,"
        " body = excluded.body WHERE excluded.version >= version",
        [(generation, r["id"], r["version"], microseconds(r["at"]), r["due"], _text(r)) for r in rows],
    )
    return int(db.total_changes - before)


def _put_announcements(db: Any, generation: int, rows: Sequence[Mapping[str, Any]]) -> int:
    before = db.total_changes
    db.executemany(
        "INSERT INTO replica.announcement (generation, id, version, starts, ends, body) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT (generation, id) DO UPDATE SET version = excluded.version, starts = excluded.starts,"
        " ends = excluded.ends, body = excluded.body WHERE excluded.version >= version",
        [(generation, r["id"], r["version"], r["starts"], r.get("ends"), _text(r)) for r in rows],
    )
    return int(db.total_changes - before)


def _put_ending(db: Any, generation: int, table: str, rows: Sequence[Mapping[str, Any]]) -> int:
    before = db.total_changes
    db.executemany(
        f"INSERT INTO replica.{table} (generation, id, version, expires, body) VALUES (?,?,?,?,?)"  # noqa: S608
        " ON CONFLICT (generation, id) DO UPDATE SET version = excluded.version, expires = excluded.expires,"
        " body = excluded.body WHERE excluded.version >= version",
        [
            (generation, r["id"], r["version"], microseconds(end) if (end := r.get("expires_at")) else None, _text(r))
            for r in rows
        ],
    )
    return int(db.total_changes - before)


def _text(row: Mapping[str, Any]) -> str:
    return _ENCODER.encode(row)
