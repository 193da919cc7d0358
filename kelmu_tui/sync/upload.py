"""Uploading documents, as synchronous units of work over the store: what goes up next, and what an answer does to it.

    every byte has arrived                       whole: the command that says whose documents they are becomes due
    the backend stands elsewhere, or nowhere     asked, or created again
    408, 425, 429, 5xx, no answer                again, with backoff; what arrived stays there
    401, 426                                     waits until somebody acts
    403                                          the sending is refused, and the feed is asked at once
    any other problem                            the sending is refused; its copies stay until the user acts
    the copy is not what was sealed              the sending is refused, and that copy destroyed

A sending that the backend refuses because it has lost what was uploaded is given again with a new key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kelmu_tui.api.errors import (
    ApiError,
    ProblemAnswer,
    SignInNeeded,
    Unreachable,
    UpdateNeeded,
    UploadElsewhere,
    UploadGone,
)
from kelmu_tui.domain.documents import CopyFault, SendRefusal
from kelmu_tui.store import copies, endings, feed, outbox
from kelmu_tui.store.copies import Due
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreError
from kelmu_tui.sync import backoff

TABLE: Final = "sending"
"""What is told as changed."""
ROUNDS: Final = 3
"""How often a sending is given again by itself when the backend has lost its documents."""
AT_ONCE: Final = 3
"""Answers in a row that the upload stands elsewhere after which it waits: two terminals may be at it."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an answer means beyond its document, as `push.Pushed`; `following` is what goes up next."""

    pull_now: bool = False
    sign_in: bool = False
    update: bool = False
    reached: bool = True
    following: Due | None = None


def start(store: Store) -> None:
    """Make everything due soon, as `push.start`; what was under way is asked where it stands."""
    hasten(store)
    copies.tidy(store)


def hasten(store: Store) -> None:
    """Make everything that waits due now: the user asked, or the network is back."""
    with store.read() as db:
        if copies.next_due(db) is None:
            return
    with store.write() as db:
        if copies.hasten(db):
            store.changed(TABLE)


def take(store: Store) -> Due | None:
    """Return what is to go up now, or to be taken away there; noted as begun before."""
    now = store.clock.now()
    with store.read() as db:
        if copies.due(db, now) is None:
            return None
    with store.write() as db:
        return _take(store, db, now)


def _take(store: Store, db: Any, now: datetime) -> Due | None:
    found = copies.due(db, now)
    if found is None:
        return None
    copies.begin(db, found.document)
    store.changed(TABLE, keys=(found.sending,))
    return found._replace(attempt=found.attempt + 1)


def next_due(store: Store) -> float | None:
    """Return seconds until something is to be done, None when nothing waits."""
    with store.read() as db:
        text = copies.next_due(db)
    if text is None:
        return None
    if not text:
        return 0.0
    rest = datetime.fromisoformat(text) - store.clock.now()
    return 0.0 if rest > outbox.LONGEST_WAIT else max(0.0, rest.total_seconds())


def waits(store: Store) -> bool:
    """Tell whether anything is to go up, or to be taken away there, now or later."""
    with store.read() as db:
        return copies.next_due(db) is not None


def progressed(store: Store, one: Due, sent: int) -> bool:
    """Note how many bytes are up; False when nobody wants them any more."""
    with store.write() as db:
        if not copies.wanted(db, one):
            return False
        copies.progressed(db, one.document, sent)
        store.changed(TABLE, keys=(one.sending,))
        return True


def done(store: Store, one: Due, *, go_on: bool = False) -> Uploaded:
    """Note that the backend has every byte of a document, or nothing of one that was taken back.

    Args:
        go_on: begin what comes next as well; each transaction waits for the disk.
    """
    now = store.clock.now()
    with store.write() as db:
        if copies.wanted(db, one):
            if one.key is None:
                copies.removed(db, one.document)
            else:
                copies.came_whole(db, one.document)
            store.changed(TABLE, "command", keys=(one.sending,))
        return Uploaded(following=_take(store, db, now) if go_on else None)


def failed(store: Store, one: Due, error: ApiError | StoreError) -> Uploaded:
    """Take an upload that did not come to its end."""
    paused = isinstance(error, SignInNeeded | UpdateNeeded)
    now = store.clock.now()
    with store.write() as db:
        if copies.wanted(db, one):
            store.changed(TABLE, "command", "conflict", keys=(one.sending,))
            if isinstance(error, UploadGone):
                copies.begin_anew(db, one.document)
            if _for_good(one, error):
                _refuse(db, one, told(error), now)
                return Uploaded(pull_now=isinstance(error, ProblemAnswer) and error.status == 403)
            if not (isinstance(error, UploadGone | UploadElsewhere) and one.attempt % AT_ONCE):
                retry_after = error.retry_after if isinstance(error, ApiError) else None
                attempt = min(one.attempt, 12)
                due_at = None if paused else backoff.due(now, attempt, store.ids, retry_after)
                copies.postpone(db, one.document, due_at, told(error))
    return Uploaded(
        sign_in=isinstance(error, SignInNeeded),
        update=isinstance(error, UpdateNeeded),
        reached=not isinstance(error, Unreachable),
    )


def _for_good(one: Due, error: ApiError | StoreError) -> bool:
    """Tell whether trying again would be of no use; what is only to be taken away is tried on."""
    paused = isinstance(error, SignInNeeded | UpdateNeeded)
    return one.key is not None and isinstance(error, ProblemAnswer) and not error.retryable and not paused


def broke(store: Store, one: Due) -> None:
    """Take a copy that is not what was sealed: it is told, and never sent."""
    now = store.clock.now()
    with store.write() as db:
        if copies.wanted(db, one):
            _refuse(db, one, {"code": "rule_refused", "rule": CopyFault.BROKEN.value}, now)
            copies.broke(db, one.document)
            store.changed(TABLE, "command", "conflict", keys=(one.sending,))


def _refuse(db: Any, one: Due, problem: dict[str, Any], now: datetime) -> None:
    row = db.execute(
        "SELECT id FROM main.command WHERE aggregate = ? AND verb = 'document-send' AND state = 'queued'",
        (one.sending,),
    ).fetchone()
    outbox.refuse(db, row[0], problem, None, now)
    copies.postpone(db, one.document, None, problem)


def told(error: ApiError | StoreError) -> dict[str, Any]:
    """Return what is kept of a failure: codes only."""
    found: dict[str, Any] = {"code": error.code}
    if isinstance(error, ApiError):
        found["request_id"] = error.request_id
    if isinstance(error, ProblemAnswer):
        found["status"] = error.status
        if error.problem is not None and error.problem.rule is not None:
            found["rule"] = error.problem.rule
    return found


def mend(store: Store) -> int:
    """Give sendings again whose documents the backend has lost, and remove the files of what has ended.

    Returns:
        How many sendings were given again.
    """
    with store.read() as db:
        lost = _lost(db)
    if lost:
        with store.write() as db:
            lost = _lost(db)
            newest = None if store.organisation is None else feed.state(db).lease
            for command, sending in lost:
                endings.redo(db, command, version=None, lease=newest, ids=store.ids, now=store.clock.now())
                copies.lost(db, sending)
            store.changed(TABLE, "command", "conflict")
    copies.tidy(store)
    return len(lost)


def _lost(db: Any) -> list[tuple[str, str]]:
    rows = db.execute(
        "SELECT c.id, c.aggregate FROM main.command AS c JOIN main.conflict AS k ON k.command = c.id"
        " WHERE c.state = 'refused' AND c.verb = 'document-send' AND k.ended IS NULL AND k.rule = ?1"
        " AND (SELECT count(*) FROM main.command AS r WHERE r.aggregate = c.aggregate AND r.state = 'reissued') < ?2",
        (SendRefusal.UPLOAD.value, ROUNDS),
    ).fetchall()
    return [(id_, sending) for id_, sending in rows if copies.all_held(db, sending)]
