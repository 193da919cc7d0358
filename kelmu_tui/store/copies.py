"""What the ledger knows of sealed copies: how far each has come, and when it is destroyed.

    sealed → begun → whole → received      the way of every good copy: not told yet, perhaps told, all there, receipt
    lost           the backend has something else, or nothing: it is taken away there, and brought up again
    withdrawn      the user took the sending back; what the backend has of it is to be removed there
    broken         the copy is not what was sealed
    ended          nothing is left to be done about it

A copy has a key until the receipt comes, the sending is taken back or its mandate ends: forgetting the key destroys
it, and the file is removed afterwards (`tidy`). All other functions work inside the caller's transaction and touch the
ledger only.
"""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from kelmu_tui.store import files, sealed
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import LONGEST_WAIT, stamp


class State(StrEnum):
    """States of a copy."""

    SEALED = "sealed"
    BEGUN = "begun"
    WHOLE = "whole"
    RECEIVED = "received"
    LOST = "lost"
    WITHDRAWN = "withdrawn"
    BROKEN = "broken"
    ENDED = "ended"


class NewCopy(NamedTuple):
    """A copy that was made; `removed` names what was taken out of the file before (`content.Cleaned`)."""

    document: str
    size: int
    key: bytes
    pages: int | None
    removed: tuple[str, ...]


class Due(NamedTuple):
    """A copy that is to be uploaded now, or taken away from the backend when it has no key any more.

    Attributes:
        begun: the backend may have heard of it: it is asked first.
        anew: what the backend has of it is not what was announced.
        attempt: names this try, so that what comes of an older one misses.
    """

    document: str
    sending: str
    organisation: str
    size: int
    key: bytes | None
    begun: bool
    anew: bool
    attempt: int

    def __repr__(self) -> str:
        return f"Due({self.document!r})"  # and never the key


class Held(NamedTuple):
    """A copy as it is told to the user."""

    document: str
    size: int
    sent: int
    state: State
    pages: int | None
    removed: tuple[str, ...]
    problem: dict[str, Any] | None


def add(db: Any, sending: str, organisation: str, made: Iterable[NewCopy]) -> None:
    """Note the copies of a sending, in the order of its documents."""
    db.executemany(
        "INSERT INTO main.sealed_copy (document, sending, place, organisation, size, key, state, pages, removed)"
        " VALUES (?, ?, ?, ?, ?, ?, 'sealed', ?, ?)",
        [
            (one.document, sending, place, organisation, one.size, one.key, one.pages, json.dumps(one.removed))
            for place, one in enumerate(made)
        ],
    )


# --- what is to be done ---------------------------------------------------------------------------------------------

_DUE: Final = "(k.due_at IS NULL OR k.due_at <= ? OR k.due_at > ?)"
_COLUMNS: Final = "k.document, k.sending, k.organisation, k.size, k.key, k.state, k.attempts"
_TO_SEND: Final = (
    "FROM main.sealed_copy AS k JOIN main.command AS c ON c.aggregate = k.sending AND c.verb = 'document-send'"
    " WHERE c.state = 'queued' AND k.key IS NOT NULL AND k.state IN ('sealed', 'begun', 'lost')"
)
_TO_REMOVE: Final = "FROM main.sealed_copy AS k WHERE k.state = 'withdrawn'"


def due(db: Any, now: datetime) -> Due | None:
    """Return what is to be done next: sendings in their order, documents in theirs; then what was taken back.

    A time further away than `outbox.LONGEST_WAIT` counts as come.
    """
    when = (stamp(now), stamp(now + LONGEST_WAIT))
    for part, order in ((_TO_SEND, "c.number, k.place"), (_TO_REMOVE, "k.sending, k.place")):
        row = db.execute(f"SELECT {_COLUMNS} {part} AND {_DUE} ORDER BY {order} LIMIT 1", when).fetchone()
        if row is not None:
            document, sending, organisation, size, key, state, attempts = row
            known, anew, key = state != State.SEALED, state == State.LOST, None if key is None else bytes(key)
            return Due(document, sending, organisation, size, key, known, anew, attempts)
    return None


def next_due(db: Any) -> str | None:
    """Return when the next thing is to be done, None when nothing waits; an empty text means now."""
    found = [db.execute(f"SELECT min(coalesce(k.due_at, '')) {part}").fetchone()[0] for part in (_TO_SEND, _TO_REMOVE)]
    return min((text for text in found if text is not None), default=None)


def hasten(db: Any, sending: str | None = None) -> int:
    """Make what waits for a later time due now, of one sending or of all; return how many copies."""
    changed = db.execute(
        "UPDATE main.sealed_copy SET due_at = NULL WHERE due_at NOT NULL AND (?1 IS NULL OR sending = ?1)", (sending,)
    )
    return int(changed.rowcount)


def begin(db: Any, document: str) -> None:
    """Note that the backend is told of a copy now, or once more."""
    db.execute(
        "UPDATE main.sealed_copy SET state = CASE state WHEN 'sealed' THEN 'begun' ELSE state END,"
        " attempts = attempts + 1, due_at = NULL WHERE document = ?",
        (document,),
    )


def wanted(db: Any, one: Due) -> bool:
    """Tell whether this very try still counts: nobody took the sending back, and no later one was begun."""
    row = db.execute(
        "SELECT 1 FROM main.sealed_copy AS k WHERE document = ?1 AND attempts = ?2 AND CASE WHEN ?3 THEN"
        " state = 'withdrawn' ELSE state IN ('begun', 'lost') AND key IS NOT NULL AND EXISTS (SELECT 1"
        " FROM main.command WHERE aggregate = k.sending AND verb = 'document-send' AND state = 'queued') END",
        (one.document, one.attempt, one.key is None),
    ).fetchone()
    return row is not None


def progressed(db: Any, document: str, sent: int) -> None:
    """Note how many bytes the backend has."""
    db.execute("UPDATE main.sealed_copy SET sent = ?, state = 'begun' WHERE document = ?", (sent, document))


def came_whole(db: Any, document: str) -> None:
    """Note that the backend has every byte."""
    db.execute(
        "UPDATE main.sealed_copy SET state = 'whole', sent = size, due_at = NULL, problem = NULL WHERE document = ?",
        (document,),
    )


def begin_anew(db: Any, document: str) -> None:
    """Note that the backend has nothing of a copy, or not any more."""
    db.execute(
        "UPDATE main.sealed_copy SET state = 'sealed', sent = 0, due_at = NULL WHERE document = ? AND key IS NOT NULL",
        (document,),
    )


def postpone(db: Any, document: str, due_at: datetime | None, problem: Mapping[str, Any]) -> None:
    """Let a copy wait until `due_at` (None: as soon as sending goes on)."""
    db.execute(
        "UPDATE main.sealed_copy SET due_at = ?, problem = ? WHERE document = ?",
        (stamp(due_at) if due_at is not None else None, json.dumps(problem), document),
    )


# --- ends -----------------------------------------------------------------------------------------------------------


def received(db: Any, sending: str) -> None:
    """Destroy the copies of a sending whose receipt has come."""
    db.execute(
        "UPDATE main.sealed_copy SET key = NULL, state = 'received', due_at = NULL WHERE sending = ? AND key NOT NULL",
        (sending,),
    )


def withdraw(db: Any, sending: str) -> None:
    """Destroy the copies of a sending that the user has taken back; what the backend may have is to be removed."""
    db.execute(
        "UPDATE main.sealed_copy SET key = NULL, due_at = NULL, attempts = attempts + 1,"
        " state = CASE WHEN state = 'sealed' THEN 'ended' ELSE 'withdrawn' END"
        " WHERE sending = ? AND (key NOT NULL OR state = 'broken')",
        (sending,),
    )


def destroy(db: Any, organisation: str) -> list[str]:
    """Destroy all copies for an organisation whose mandate has ended; return the sendings."""
    rows = db.execute(
        "UPDATE main.sealed_copy SET key = NULL, state = 'ended', due_at = NULL"
        " WHERE organisation = ? AND (key NOT NULL OR state = 'withdrawn') RETURNING sending",
        (organisation,),
    ).fetchall()
    return sorted({row[0] for row in rows})


def broke(db: Any, document: str) -> None:
    """Destroy a copy that is not what was sealed."""
    db.execute(
        "UPDATE main.sealed_copy SET key = NULL, state = 'broken', due_at = NULL WHERE document = ?", (document,)
    )


def removed(db: Any, document: str) -> None:
    """Note that the backend has nothing of a copy that was taken back."""
    db.execute("UPDATE main.sealed_copy SET state = 'ended', due_at = NULL WHERE document = ?", (document,))


def all_held(db: Any, sending: str) -> bool:
    """Tell whether every copy of a sending is still there: only then can it be sent (again)."""
    row = db.execute("SELECT count(*), count(key) FROM main.sealed_copy WHERE sending = ?", (sending,)).fetchone()
    return bool(row[0] and row[0] == row[1])


def again(db: Any, sending: str) -> None:
    """Ask the backend anew what it has of a sending that is given once more."""
    _back_to(db, sending, State.BEGUN)


def lost(db: Any, sending: str) -> None:
    """Bring the documents of a sending up again from the beginning."""
    _back_to(db, sending, State.LOST)


def _back_to(db: Any, sending: str, state: State) -> None:
    db.execute(
        "UPDATE main.sealed_copy SET state = ?, sent = 0, due_at = NULL, problem = NULL"
        " WHERE sending = ? AND key NOT NULL",
        (state.value, sending),
    )


def forget(db: Any) -> int:
    """Forget the copies of sendings that the outbox has forgotten; return how many."""
    return int(
        db.execute(
            "DELETE FROM main.sealed_copy WHERE key IS NULL AND state <> 'withdrawn' AND NOT EXISTS"
            " (SELECT 1 FROM main.command WHERE aggregate = sending AND verb = 'document-send')"
        ).rowcount
    )


# --- reading --------------------------------------------------------------------------------------------------------


def of(db: Any, sending: str) -> list[Held]:
    """Return the copies of a sending, in the order of its documents."""
    rows = db.execute(
        "SELECT document, size, sent, state, pages, removed, problem FROM main.sealed_copy WHERE sending = ?"
        " ORDER BY place",
        (sending,),
    ).fetchall()
    return [
        Held(
            document,
            size,
            sent,
            State(state),
            pages,
            tuple(json.loads(taken_out)),
            None if problem is None else json.loads(problem),
        )
        for document, size, sent, state, pages, taken_out, problem in rows
    ]


# --- files ----------------------------------------------------------------------------------------------------------


def tidy(store: Store) -> int:
    """Remove the files that no key opens any more, but not those that are being made; return how many.

    Repeatable: whatever a crash leaves is found the next time.

    Raises:
        StoreError: the disk says no.
    """
    if not sealed.strays(store.folder, _kept(store)):
        return 0
    gone = 0
    with files.locked(store.folder):
        for document in sealed.strays(store.folder, _kept(store)):
            handle = sealed.hold(store.folder, document)
            if handle is None:
                continue
            try:
                # Looked at again under the lock: whoever made it may have committed its key just before.
                if document not in _kept(store):
                    sealed.remove(store.folder, document)
                    gone += 1
            finally:
                os.close(handle)
    if gone:
        # The keys must not live on in the ledger's log either.
        store.scrub()
    return gone


def _kept(store: Store) -> set[str]:
    with store.read() as db:
        return {row[0] for row in db.execute("SELECT document FROM main.sealed_copy WHERE key IS NOT NULL")}
