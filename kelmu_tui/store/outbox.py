"""The outbox: every command the user gave, from the moment it is saved until it is settled or ended by the user.

    queued → sending → acknowledged → settled           the way of every good command
    refused      the backend said no; a conflict item waits for the user
    blocked      stands behind a refused one on the same notice
    undeliverable    never sent, and the mandate it needs has ended
    reissued, discarded  ended by the user

All functions work inside the caller's transaction and touch the ledger only. Local order is `number`; there is never
more than one command of a notice in flight, and what was once sent is sent again byte for byte.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.notices import COMMUTES

SCHEMA: Final = 1
LONGEST_WAIT: Final = timedelta(hours=1)
"""No command waits longer than this for its next attempt. One that seems to was put off by a clock that was wrong."""
PARALLEL: Final = 4
"""Notices whose commands are in flight at the same time."""
KEPT: Final = timedelta(days=7)
"""How long ended commands stay while the backend is heard: after a restore of it they are offered again."""
OFFERED: Final = timedelta(days=80)
"""How old a command may be that is offered again: whoever was away for long, and still within the backend's memory."""


class State(StrEnum):
    """States of a command as they stand in the ledger."""

    QUEUED = "queued"
    SENDING = "sending"
    ACKNOWLEDGED = "acknowledged"
    SETTLED = "settled"
    REFUSED = "refused"
    BLOCKED = "blocked"
    UNDELIVERABLE = "undeliverable"
    REISSUED = "reissued"
    DISCARDED = "discarded"


PENDING: Final = (State.QUEUED, State.SENDING, State.ACKNOWLEDGED, State.BLOCKED)
"""States whose effect the screen shows on top of the replica."""
_PENDING_SQL: Final = "('queued', 'sending', 'acknowledged', 'blocked')"


class Draft(NamedTuple):
    """A command as the user gave it; `base_version` is the notice's version in the replica at that moment."""

    user: str
    organisation: str
    aggregate: str
    verb: str
    payload: Mapping[str, Any]
    label: Mapping[str, Any]
    base_version: int
    lease: str


class Command(NamedTuple):
    """A row of the outbox."""

    number: int
    id: str
    user: str
    organisation: str
    aggregate: str
    verb: str
    payload: dict[str, Any]
    label: dict[str, Any]
    base_version: int
    after: str | None
    schema: int
    lease: str
    state: State
    if_match: int | None
    body: bytes | None
    attempts: int
    due_at: str | None
    created_at: str
    ended_at: str | None
    ack_seq: int | None
    ack_version: int | None
    ack_epoch: str | None
    problem: dict[str, Any] | None


class Frozen(NamedTuple):
    """What goes on the wire: the same on every attempt. `attempt` names this sending, so that late answers miss."""

    id: str
    organisation: str
    aggregate: str
    verb: str
    if_match: int
    body: bytes
    lease: str
    schema: int
    attempt: int


_COLUMNS: Final = (
    "number, id, user, organisation, aggregate, verb, payload, label, base_version, after, schema, lease, state, "
    "if_match, body, attempts, due_at, created_at, ended_at, ack_seq, ack_version, ack_epoch, problem"
)


def stamp(at: datetime) -> str:
    """Return an instant as the ledger stores it: UTC, fixed width, so that text order is time order."""
    return at.isoformat(timespec="microseconds")


def _command(row: tuple[Any, ...]) -> Command:
    values = list(row)
    values[6], values[7], values[12] = json.loads(row[6]), json.loads(row[7]), State(row[12])
    values[22] = json.loads(row[22]) if row[22] is not None else None
    return Command(*values)


# --- reading --------------------------------------------------------------------------------------------------------


def command(db: Any, id: str) -> Command | None:  # noqa: A002
    """Return a command by its id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM main.command WHERE id = ?", (id,)).fetchone()  # noqa: S608
    return _command(row) if row is not None else None


def pending(db: Any, organisation: str, aggregates: Iterable[str] | None = None) -> list[Command]:
    """Return the commands whose effect is shown, in local order; of `aggregates` only, if given."""
    sql = f"SELECT {_COLUMNS} FROM main.command WHERE state IN {_PENDING_SQL} AND organisation = ?"  # noqa: S608
    values: list[Any] = [organisation]
    if aggregates is not None:
        sql += " AND aggregate IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(list(aggregates)))
    return [_command(row) for row in db.execute(sql + " ORDER BY number", values)]


def counts(db: Any) -> dict[State, int]:
    """Return how many commands there are in each state that occurs."""
    return {State(state): n for state, n in db.execute("SELECT state, count(*) FROM main.command GROUP BY state")}


def open_conflicts(db: Any) -> int:
    """Return the number of refusals the user has not acted on."""
    return int(db.execute("SELECT count(*) FROM main.conflict WHERE ended IS NULL").fetchone()[0])


# --- saving ---------------------------------------------------------------------------------------------------------


def place(db: Any, organisation: str, aggregate: str) -> tuple[State, str | None]:
    """Return in which state and behind which command the next one on a notice begins."""
    last = db.execute(
        f"SELECT id, state FROM main.command WHERE aggregate = ? AND organisation = ? AND state IN {_PENDING_SQL}"  # noqa: S608
        " ORDER BY number DESC LIMIT 1",
        (aggregate, organisation),
    ).fetchone()
    if last is None:
        return State.QUEUED, None
    return State.BLOCKED if last[1] == State.BLOCKED else State.QUEUED, last[0]


def append(db: Any, draft: Draft, *, id: str, now: datetime) -> str:  # noqa: A002
    """Save a command behind the pending ones of the same notice and return its id, which is its idempotency key.

    It is saved when the caller's transaction is committed, not before.
    """
    state, after = place(db, draft.organisation, draft.aggregate)
    db.execute(
        "INSERT INTO main.command (id, user, organisation, aggregate, verb, payload, label, base_version, after,"
        " schema, lease, state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            id,
            draft.user,
            draft.organisation,
            draft.aggregate,
            draft.verb,
            _json(draft.payload),
            _json(draft.label),
            draft.base_version,
            after,
            SCHEMA,
            draft.lease,
            state.value,
            stamp(now),
        ),
    )
    return id


# --- sending --------------------------------------------------------------------------------------------------------


def recover(db: Any) -> int:
    """Put what was in flight when the last leader died back into the queue; same key, same bytes."""
    return int(db.execute("UPDATE main.command SET state = 'queued' WHERE state = 'sending'").rowcount)


def hasten(db: Any, now: datetime, until: Callable[[], datetime]) -> int:
    """Give what waits longer than `until()` that time, each its own; return how many commands moved."""
    rows = db.execute("SELECT id FROM main.command WHERE state = 'queued' AND due_at > ?", (stamp(now),)).fetchall()
    db.executemany(
        "UPDATE main.command SET due_at = min(due_at, ?) WHERE id = ?", [(stamp(until()), row[0]) for row in rows]
    )
    return len(rows)


_WHOLE: Final = (
    "(verb <> 'document-send' OR body IS NOT NULL OR NOT EXISTS (SELECT 1 FROM main.sealed_copy AS k"
    " WHERE k.sending = c.aggregate AND k.state NOT IN ('whole', 'received')))"
)
"""Documents are sent once the backend has every byte of each. What was sent once is sent again, whatever has become of
their copies: the backend's memory tells what came of it."""


def due(db: Any, now: datetime, limit: int = PARALLEL) -> list[str]:
    """Return the commands that may go out now: the first open one of each notice, oldest first.

    A time further away than `LONGEST_WAIT` counts as come.
    """
    in_flight = db.execute("SELECT count(*) FROM main.command WHERE state = 'sending'").fetchone()[0]
    rows = db.execute(
        "SELECT id FROM main.command AS c WHERE state = 'queued' AND (due_at IS NULL OR due_at <= ? OR due_at > ?)"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM main.command AS p WHERE p.aggregate = c.aggregate"
        " AND p.organisation = c.organisation AND p.number < c.number AND p.state IN ('queued', 'sending'))"
        f" AND {_WHOLE} ORDER BY number LIMIT ?",
        (stamp(now), stamp(now + LONGEST_WAIT), max(0, limit - in_flight)),
    )
    return [row[0] for row in rows]


def next_due(db: Any) -> str | None:
    """Return when the next queued command is due, None when nothing is queued; an empty text means now."""
    row = db.execute(
        "SELECT min(coalesce(due_at, '')) FROM main.command AS c WHERE state = 'queued'"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM main.command AS p WHERE p.aggregate = c.aggregate"
        " AND p.organisation = c.organisation AND p.number < c.number AND p.state IN ('queued', 'sending'))"
        f" AND {_WHOLE}"
    ).fetchone()
    return row[0] if row is not None else None


def freeze(db: Any, id: str) -> Frozen | None:  # noqa: A002
    """Take a queued command into flight and fix what is sent, once and for all; None when it is not queued."""
    found = command(db, id)
    if found is None or found.state is not State.QUEUED:
        return None
    body = found.body if found.body is not None else wire_body(found.verb, found.payload)
    if_match = found.if_match if found.if_match is not None else _expected_version(db, found)
    db.execute(
        "UPDATE main.command SET state = 'sending', body = ?, if_match = ?, attempts = attempts + 1, due_at = NULL"
        " WHERE id = ?",
        (body, if_match, id),
    )
    return Frozen(
        id, found.organisation, found.aggregate, found.verb, if_match, body, found.lease, found.schema,
        found.attempts + 1,
    )  # fmt: skip


def _expected_version(db: Any, found: Command) -> int:
    """Return the version to demand: the one the user saw, or the one the own predecessor made of it."""
    before = command(db, found.after) if found.after is not None else None
    if before is None or before.ack_version is None:
        return found.base_version
    if before.verb in COMMUTES and before.ack_version > (before.if_match or 0) + 1:
        # Somebody else's change went in between and the predecessor did not mind. This command does: what the
        # user decided on is not what stands there now.
        return found.base_version
    return max(found.base_version, before.ack_version)


def wire_body(verb: str, payload: Mapping[str, Any]) -> bytes:
    """Return the bytes of a command's body: the fields the contract knows for `verb`, compact, in a fixed order."""
    names = _BODY_FIELDS.get(verb, ())
    return _json({name: payload[name] for name in names}).encode()


_CLAIM_FIELDS: Final = (
    "payee", "basis", "benefit", "first", "last", "amount", "account", "reference", "grounds", "handler", "telephone",
    "care_first", "care_last", "assistance",
)  # fmt: skip
_BODY_FIELDS: Final = {
    "note": ("text",),
    "transfer": ("municipality", "reason"),
    "follow-begin": ("customer", "purpose", "case_reference", "reason"),
    "claim-register": _CLAIM_FIELDS,
    "claim-change": _CLAIM_FIELDS,
    "claim-prolong": ("last",),
    "claim-end": ("last", "reason"),
    "document-send": ("customer", "asked_by", "asked_on", "way", "case_reference", "documents"),
}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def in_flight(db: Any, id: str, attempt: int) -> bool:  # noqa: A002
    """Tell whether this very sending still waits for its answer."""
    row = db.execute(
        "SELECT 1 FROM main.command WHERE id = ? AND state = 'sending' AND attempts = ?", (id, attempt)
    ).fetchone()
    return row is not None


def acknowledge(db: Any, id: str, *, seq: int, version: int, epoch: str, now: datetime) -> None:  # noqa: A002
    """Note that the backend applied a command; it stays shown until the replica has caught up."""
    db.execute(
        "UPDATE main.command SET state = 'acknowledged', ack_seq = ?, ack_version = ?, ack_epoch = ?, due_at = NULL,"
        " ended_at = ?, problem = NULL WHERE id = ?",
        (seq, version, epoch, stamp(now), id),
    )


def postpone(db: Any, id: str, *, due_at: datetime | None, problem: Mapping[str, Any] | None) -> None:  # noqa: A002
    """Put a command in flight back into the queue until `due_at` (None: as soon as sending goes on)."""
    db.execute(
        "UPDATE main.command SET state = 'queued', due_at = ?, problem = ? WHERE id = ?",
        (stamp(due_at) if due_at is not None else None, _json(problem) if problem is not None else None, id),
    )


def refuse(db: Any, id: str, problem: Mapping[str, Any], current: str | None, now: datetime) -> None:  # noqa: A002
    """Note a refusal: the conflict item appears and the followers are blocked in the same transaction.

    Args:
        problem: `code`, and whatever of `rule`, `status`, `request_id` is known, of a refused document its place and
            `fault`; no free text.
        current: JSON of the row as the backend has it now.
    """
    db.execute(
        "UPDATE main.command SET state = 'refused', due_at = NULL, ended_at = ?, problem = ? WHERE id = ?",
        (stamp(now), _json(problem), id),
    )
    db.execute(
        "INSERT OR REPLACE INTO main.conflict (command, at, code, rule, current, ended) VALUES (?, ?, ?, ?, ?, NULL)",
        (id, stamp(now), str(problem.get("code", "internal")), problem.get("rule"), current),
    )
    _block_followers(db, id)


_FOLLOWERS: Final = (
    "WITH RECURSIVE follower (id) AS (SELECT id FROM main.command WHERE after = ?"
    " UNION SELECT c.id FROM main.command AS c JOIN follower AS f ON c.after = f.id)"
)


def _block_followers(db: Any, id: str) -> None:  # noqa: A002
    # Only what was never sent. After a restore of the backend a follower may have been applied before its predecessor
    # was offered again: it is sent once more, and the backend's memory tells what became of it.
    db.execute(
        f"{_FOLLOWERS} UPDATE main.command SET state = 'blocked', due_at = NULL WHERE state = 'queued'"  # noqa: S608
        " AND body IS NULL"
        " AND id IN (SELECT id FROM follower)",
        (id,),
    )
