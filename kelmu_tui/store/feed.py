"""The replica's place in the backend's feed: cursor, scopes, staging, checkpoints and fills.

Pages are staged together with their cursor and become visible only at a checkpoint, all at once. A scope that is new
or has to be read again is filled into a generation of its own beside the shown one; meanwhile its deltas go there
too, with tombstones against rows that the snapshot brings late. The generation is shown from the first checkpoint
that has reached the fill's end. A scope that is no longer granted is gone in the transaction that stores the cursor.

All functions work inside the caller's transaction and touch the replica only.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.store import customers, lists, replica, scopes, sweeping
from kelmu_tui.store.outbox import stamp
from kelmu_tui.store.page import Entry, Page

NO_CHECKPOINT: Final = -1
MANY_KEYS: Final = 200
"""More changed rows than this are told as "any row" to the listeners."""


class Scope(NamedTuple):
    """A scope of the feed: `generation` is shown (0: none yet), `filling` is being filled behind `after`.

    `need` is the head of the snapshot's end; None while rows are still to come.
    """

    name: str
    generation: int
    filling: int | None
    after: str | None
    need: int | None
    expected: int | None


class FeedState(NamedTuple):
    """Where the replica stands. `cursor` is None before the first answer and when it has to be asked afresh."""

    epoch: str | None
    cursor: str | None
    seq: int
    checkpoint: int
    session_revision: int | None
    synced_at: datetime | None
    lease: str | None
    scopes: tuple[Scope, ...]

    @property
    def filling(self) -> bool:
        """Whether any scope still shows rows of before its fill, or none."""
        return any(scope.filling is not None for scope in self.scopes)


class Effect:
    """What a page did, for listeners and for what has to follow it."""

    def __init__(self) -> None:
        self.tables = {"state"}
        self.keys: set[str] = set()
        self.any_row = False

    def all_of(self, scope: str) -> None:
        """Note that any row of `scope` may look different."""
        self.tables |= {*scopes.tables(scope), "scope"}
        self.any_row = True

    def told(self) -> frozenset[str]:
        """Return the changed ids; none stands for any row."""
        return frozenset() if self.any_row or len(self.keys) > MANY_KEYS else frozenset(self.keys)


# --- state ----------------------------------------------------------------------------------------------------------


def state(db: Any) -> FeedState:
    """Return where the replica stands."""
    values = dict(db.execute("SELECT key, value FROM replica.state"))
    rows = db.execute("SELECT name, generation, filling, after_id, need, expected FROM replica.scope").fetchall()
    revision, synced = values.get("session_revision"), values.get("synced_at")
    return FeedState(
        epoch=values.get("epoch"),
        cursor=values.get("cursor"),
        seq=int(values.get("seq", NO_CHECKPOINT)),
        checkpoint=int(values.get("checkpoint", NO_CHECKPOINT)),
        session_revision=int(revision) if revision is not None else None,
        synced_at=datetime.fromisoformat(synced) if synced is not None else None,
        lease=values.get("lease"),
        scopes=tuple(sorted((Scope(*row) for row in rows), key=lambda scope: scopes.fill_key(scope.name))),
    )


def progress(db: Any) -> tuple[int, int]:
    """Return rows filled and rows expected of the fills under way."""
    values = dict(db.execute("SELECT key, value FROM replica.state WHERE key GLOB 'filled:*'"))
    rows = db.execute("SELECT filling, expected FROM replica.scope WHERE filling IS NOT NULL").fetchall()
    filled = sum(int(values.get(_filled(generation), 0)) for generation, _ in rows)
    return filled, sum(expected or 0 for _, expected in rows)


def _set(db: Any, **values: object) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO replica.state (key, value) VALUES (?, ?)",
        [(key, str(value)) for key, value in values.items()],
    )


def _filled(generation: int) -> str:
    return f"filled:{generation}"


def _epoch(generation: int) -> str:
    """Return the key of the epoch of a generation's rows: after a restore what is shown is of the one before."""
    return f"epoch:{generation}"


def _forget(db: Any, generation: int) -> None:
    """Forget what is kept of a generation besides its rows."""
    db.execute("DELETE FROM replica.state WHERE key IN (?, ?)", (_filled(generation), _epoch(generation)))


# --- pages ----------------------------------------------------------------------------------------------------------


def apply(db: Any, page: Page) -> Effect | None:
    """Store a page with its cursor and show what it completes; None when it belongs to another epoch.

    A page may come twice: versions guard every row.
    """
    before = state(db)
    effect = Effect()
    if page.kind == "reset":
        _reset(db, before, page, effect)
    elif page.epoch != before.epoch:
        return None
    else:
        _delta(db, before, page, effect)
    _set(
        db,
        epoch=page.epoch,
        cursor=page.cursor,
        seq=page.seq,
        session_revision=page.session_revision,
        lease=page.lease,
        lease_until=stamp(page.lease_until),
    )
    if not page.more:
        _set(db, synced_at=stamp(page.at))
    return effect


def _reset(db: Any, before: FeedState, page: Page, effect: Effect) -> None:
    """Begin new fills of everything granted; what is shown stays until they are complete."""
    known = {scope.name: scope for scope in before.scopes}
    for name in known.keys() - set(page.granted):
        _purge(db, known[name], effect)
    db.execute("DELETE FROM replica.staged")
    if page.epoch != before.epoch:
        _set(db, checkpoint=NO_CHECKPOINT)
    for name in scopes.known(page.granted):
        _begin_fill(db, name, known.get(name), page.epoch)
    effect.tables.add("scope")


def _delta(db: Any, before: FeedState, page: Page, effect: Effect) -> None:
    known = {scope.name: scope for scope in before.scopes}
    for name in page.revoked:
        if name in known:
            _purge(db, known.pop(name), effect)
    for entry in page.changes:
        scope = known.get(entry.scope)
        if scope is None:
            continue
        if scope.filling is None:
            _stage(db, entry)
        else:
            _into_fill(db, scope.filling, entry)
    for name in scopes.known(page.added):
        _begin_fill(db, name, known.get(name), page.epoch)
        effect.tables.add("scope")
    if not page.more:
        _checkpoint(db, page.seq, effect)


def _stage(db: Any, entry: Entry) -> None:
    body = json.dumps(entry.row, ensure_ascii=False) if entry.row is not None else None
    db.execute(
        "INSERT INTO replica.staged (scope, id, version, op, body) VALUES (?, ?, ?, ?, ?)",
        (entry.scope, entry.id, entry.version, entry.op, body),
    )


def _into_fill(db: Any, generation: int, entry: Entry) -> None:
    if entry.op == "up" and entry.row is not None:
        put_fill_rows(db, generation, [entry.row])
        return
    replica.remove(db, generation, entry.id, entry.version)
    # The snapshot may still bring an older row of it: without a mark it would come back to life.
    db.execute(
        "INSERT INTO replica.tombstone (generation, id, version) VALUES (?, ?, ?)"
        " ON CONFLICT (generation, id) DO UPDATE SET version = max(version, excluded.version)",
        (generation, entry.id, entry.version),
    )


def _checkpoint(db: Any, seq: int, effect: Effect) -> None:
    """Show everything staged and every fill that is complete by now: one step for the reader."""
    generations = dict(db.execute("SELECT name, generation FROM replica.scope WHERE filling IS NULL"))
    staged = db.execute("SELECT scope, id, version, op, body FROM replica.staged ORDER BY number").fetchall()
    for scope, id_, version, op, body in staged:
        generation = generations.get(scope)
        if generation is None:
            continue
        if op == "up" and body is not None:
            replica.put_rows(db, generation, [json.loads(body)])
        else:
            replica.remove(db, generation, id_, version)
        effect.tables |= scopes.tables(scope)
        effect.keys.add(id_)
    db.execute("DELETE FROM replica.staged")
    _set(db, checkpoint=seq)
    ready = db.execute(
        "SELECT name, generation, filling, after_id, need, expected FROM replica.scope"
        " WHERE filling IS NOT NULL AND need <= ?",
        (seq,),
    ).fetchall()
    for row in ready:
        _flip(db, Scope(*row), effect)


# --- fills ----------------------------------------------------------------------------------------------------------


def _begin_fill(db: Any, name: str, known: Scope | None, epoch: str) -> None:
    if known is not None and known.filling is not None:
        _abandon(db, known.filling)
    row = db.execute("SELECT value FROM replica.state WHERE key = 'generation'").fetchone()
    generation = int(row[0]) + 1 if row is not None else 1
    _set(db, **{"generation": generation, _epoch(generation): epoch})
    db.execute("DELETE FROM replica.staged WHERE scope = ?", (name,))
    db.execute(
        "INSERT INTO replica.scope (name, generation, filling) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
        " SET filling = excluded.filling, after_id = NULL, need = NULL, expected = NULL",
        (name, known.generation if known is not None else 0, generation),
    )


def expect(db: Any, scope: str, generation: int, epoch: str, count: int) -> bool:
    """Note the start of a fill's stream; False when the fill is no longer wanted."""
    if not _wanted(db, scope, generation, epoch):
        return False
    if "notice" in scopes.tables(scope):
        replica.lay_orders_aside(db, count)
    # A resumed stream counts what is left or what there is, depending on the backend: the larger view is kept.
    db.execute("UPDATE replica.scope SET expected = max(coalesce(expected, 0), ?) WHERE name = ?", (count, scope))
    return True


def fill(db: Any, scope: str, generation: int, epoch: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Put a chunk of a snapshot into its generation; False when the fill is no longer wanted."""
    if not _wanted(db, scope, generation, epoch):
        return False
    if rows:
        put_fill_rows(db, generation, rows)
        db.execute("UPDATE replica.scope SET after_id = ? WHERE name = ?", (rows[-1]["id"], scope))
        key = _filled(generation)
        found = db.execute("SELECT value FROM replica.state WHERE key = ?", (key,)).fetchone()
        _set(db, **{key: len(rows) + (int(found[0]) if found is not None else 0)})
    return True


def end_fill(db: Any, scope: str, generation: int, epoch: str, head: int) -> bool:
    """Note the end of a fill's stream: it is shown from the first checkpoint >= `head`."""
    if not _wanted(db, scope, generation, epoch):
        return False
    for statement in replica.missing_orders(db):
        db.execute(statement)
    db.execute("UPDATE replica.scope SET need = ? WHERE name = ?", (head, scope))
    return True


def put_fill_rows(db: Any, generation: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows into a filling generation, except those that a tombstone says are gone."""
    dead = dict(
        db.execute(
            "SELECT id, version FROM replica.tombstone WHERE generation = ? AND id IN (SELECT value FROM json_each(?))",
            (generation, json.dumps([row["id"] for row in rows])),
        )
    )
    replica.put_rows(db, generation, [row for row in rows if row["version"] > dead.get(row["id"], 0)])


def _wanted(db: Any, scope: str, generation: int, epoch: str) -> bool:
    row = db.execute(
        "SELECT 1 FROM replica.scope WHERE name = ? AND filling = ?"
        " AND (SELECT value FROM replica.state WHERE key = 'epoch') = ?",
        (scope, generation, epoch),
    ).fetchone()
    return row is not None


def _flip(db: Any, scope: Scope, effect: Effect) -> None:
    """Show the filled generation in place of the old one."""
    if scope.filling is None:
        return
    db.execute(
        "UPDATE replica.scope SET generation = filling, filling = NULL, after_id = NULL, need = NULL, expected = NULL"
        " WHERE name = ?",
        (scope.name,),
    )
    db.execute("DELETE FROM replica.tombstone WHERE generation = ?", (scope.filling,))
    db.execute("DELETE FROM replica.state WHERE key = ?", (_filled(scope.filling),))
    if scope.generation:
        _abandon(db, scope.generation)
    _touch(db)
    effect.all_of(scope.name)


# --- ends -----------------------------------------------------------------------------------------------------------


def _purge(db: Any, scope: Scope, effect: Effect) -> None:
    """Destroy a scope that is no longer granted: rows shown and filled, index, staging."""
    db.execute("DELETE FROM replica.scope WHERE name = ?", (scope.name,))
    db.execute("DELETE FROM replica.staged WHERE scope = ?", (scope.name,))
    own = [generation for generation in (scope.generation, scope.filling) if generation]
    for generation in own:
        _forget(db, generation)
    sweeping.purge(db, own)
    unscrub(db)
    _touch(db)
    effect.all_of(scope.name)


def unscrub(db: Any) -> None:
    """Note that pages of what has just been destroyed may lie on in the write-ahead log until it is emptied."""
    _set(db, unscrubbed=1)


def unscrubbed(db: Any) -> bool:
    """Tell whether pages of what has ended may still lie in the write-ahead log."""
    return db.execute("SELECT 1 FROM replica.state WHERE key = 'unscrubbed'").fetchone() is not None


def scrubbed(db: Any) -> None:
    """Note that they don't."""
    db.execute("DELETE FROM replica.state WHERE key = 'unscrubbed'")


def shut_out(db: Any) -> Effect:
    """Destroy all scopes, files and lists: nothing at all is granted any more. The next question starts anew."""
    effect = Effect()
    for tables, forget_all in (({"customer"}, customers.forget_all), ({"list", "invoice"}, lists.forget_all)):
        if forget_all(db):
            unscrub(db)
            effect.tables |= tables
            effect.any_row = True
    for scope in state(db).scopes:
        _purge(db, scope, effect)
    forget_cursor(db)
    return effect


def forget_cursor(db: Any) -> None:
    """Ask from the beginning next time; the answer is a reset, and what is shown stays until the fills are done."""
    db.execute("DELETE FROM replica.state WHERE key = 'cursor'")


def _abandon(db: Any, generation: int) -> None:
    _forget(db, generation)
    sweeping.abandon(db, generation)


def _touch(db: Any) -> None:
    db.execute("UPDATE replica.revision SET number = number + 1")
