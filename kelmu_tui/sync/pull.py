"""Pull, as synchronous units of work over the store: what to ask next, and what an answer does.

The network is the caller's. An answer is taken only for the question that the replica still stands at, so that a
late or doubled one does nothing. The replica is written first; `follow_up` then carries over to the ledger what the
new state means for commands, and can be repeated at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kelmu_tui.api.answers import SnapshotPart, SnapshotRows, row_dict
from kelmu_tui.api.contract import Change, Changes, SnapshotEnd, SnapshotStart
from kelmu_tui.store import (
    aftermath,
    claim_drafts,
    drafts,
    expiry,
    feed,
    lease,
    lists,
    outbox,
    replica,
    sweeping,
    views,
)
from kelmu_tui.store.database import Store
from kelmu_tui.store.page import Entry, Page

PROGRESS_ROWS: Final = 1000
"""Rows of a fill between two tellings of how far it is."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the feed for what follows `cursor`; `idle` when there is nothing to hurry for and the poll may be held."""

    organisation: str
    cursor: str | None
    idle: bool


@dataclass(frozen=True, slots=True)
class Fill:
    """Stream the snapshot of `scope` behind `after` into `generation`."""

    organisation: str
    epoch: str
    scope: str
    generation: int
    after: str | None


@dataclass(frozen=True, slots=True)
class Pulled:
    """What an answer did: `applied` is False for a late one; `more` pages wait."""

    applied: bool
    more: bool = False


def next_ask(store: Store) -> Ask | None:
    """Return the next question to the feed, None without an organisation."""
    organisation = store.organisation
    if organisation is None:
        return None
    with store.read() as db:
        now = feed.state(db)
    return Ask(organisation, now.cursor, idle=now.cursor is not None and not now.filling)


def next_fill(store: Store) -> Fill | None:
    """Return the next fill that still has rows to come, notices first."""
    organisation = store.organisation
    if organisation is None:
        return None
    with store.read() as db:
        now = feed.state(db)
    for scope in now.scopes:
        if scope.filling is not None and scope.need is None and now.epoch is not None:
            return Fill(organisation, now.epoch, scope.name, scope.filling, scope.after)
    return None


def take_changes(store: Store, ask: Ask, answer: Changes) -> Pulled:
    """Store an answer of the feed with its cursor in one transaction, then what follows from it."""
    if store.organisation != ask.organisation:
        return Pulled(applied=False)
    with store.write("replica") as db:
        if feed.state(db).cursor != ask.cursor:
            return Pulled(applied=False)
        effect = feed.apply(db, _page(answer))
        if effect is None:
            # Deltas of an epoch we don't stand in: only a reset can help, so it is asked for.
            feed.forget_cursor(db)
            return Pulled(applied=False)
        store.changed(*effect.tables, keys=effect.told())
    set_right = store.clock.hear(answer.server_time)
    expiry.bring_back(store)
    follow_up(store)
    if set_right:
        _hasten(store)
    _tidy(store)
    return Pulled(applied=True, more=answer.more)


def shut_out(store: Store, ask: Ask) -> None:
    """Take a 403 of the feed itself: not one mandate for the organisation is left, so everything of it goes."""
    if store.organisation != ask.organisation:
        return
    with store.write("replica") as db:
        effect = feed.shut_out(db)
        store.changed(*effect.tables, keys=effect.told())
    follow_up(store, shut_out=True)


def take_part(store: Store, fill: Fill, part: SnapshotPart) -> bool:
    """Store a part of a snapshot; False when the fill is no longer wanted and the stream can be closed."""
    if store.organisation != fill.organisation:
        return False
    if isinstance(part, SnapshotEnd):
        _restore_orders(store)
    with store.write("replica") as db:
        if isinstance(part, SnapshotStart):
            store.changed("scope")
            return part.epoch == fill.epoch and feed.expect(db, fill.scope, fill.generation, fill.epoch, part.count)
        if isinstance(part, SnapshotRows):
            wanted = feed.fill(db, fill.scope, fill.generation, fill.epoch, part.rows)
            if wanted and feed.progress(db)[0] % PROGRESS_ROWS < len(part.rows):
                store.changed("state")
            return wanted
        return feed.end_fill(db, fill.scope, fill.generation, fill.epoch, part.head)


def _restore_orders(store: Store) -> None:
    """Make the indexes that a long fill laid aside, each in a transaction of its own: it reads every row."""
    with store.read() as db:
        missing = replica.missing_orders(db)
    for statement in missing:
        with store.write("replica") as db:
            db.execute(statement)


def follow_up(store: Store, *, shut_out: bool = False) -> None:
    """Carry the replica's state over to the commands: offer again after a restore, settle, set aside, forget names.

    What was purged is taken out of the log first. One ledger transaction, and none when there is nothing to do; done
    after every answer and at each start, since a crash may have come between the replica's commit and this.

    Args:
        shut_out: the backend has said that nothing is granted; a replica that never heard anything else tells nothing.
    """
    organisation = store.organisation
    if organisation is None:
        return
    _scrub(store)
    with store.read() as db:
        now = feed.state(db)
        held = [scope.name for scope in now.scopes]
        if now.epoch is None and not shut_out:
            return
        too_much = aftermath.tells_too_much(db, organisation, held)
        if not too_much and not aftermath.concerned(db, organisation, now.epoch):
            return
    at = store.clock.now()
    with store.write() as db:
        again = aftermath.offer_again(db, organisation, epoch=now.epoch, now=at) if now.epoch is not None else []
        settled = aftermath.settle(
            db,
            organisation,
            epoch=now.epoch,
            checkpoint=now.checkpoint,
            filling=now.filling,
            now=at,
            nowhere=not now.scopes,
        )
        stranded = aftermath.strand(db, organisation, held, at)
        forgotten = aftermath.forget_customers(db, organisation, held) if too_much else []
        touched = {*again, *settled, *stranded, *forgotten}
        if touched:
            store.changed("command", "conflict", keys=touched)
        if too_much:
            store.changed("claim_draft")
    if too_much:
        store.scrub()


def _hasten(store: Store) -> None:
    """Let nothing wait for a time that was reckoned by a clock which may have been wrong."""
    now = store.clock.now()
    with store.write() as db:
        if outbox.hasten(db, now, lambda: now):
            store.changed("command")


def _tidy(store: Store) -> None:
    """Every few minutes in which the backend is heard, write down the time and forget what has ended long ago."""
    organisation, now = store.organisation, store.clock.now()
    if organisation is not None and store.clock.due():
        with store.write() as db:
            aftermath.sweep(db, organisation, ended_before=now - outbox.KEPT)
            drafts.sweep(db, now)
            claim_drafts.sweep(db, now)
            views.forget(db, outbox.stamp(now - views.KEPT))
        keep_time(store)


def _scrub(store: Store) -> None:
    """Let nothing of a scope that ended live on in the log; a crash or a reader puts that off until the next time."""
    with store.read() as db:
        if not feed.unscrubbed(db):
            return
    if store.scrub():
        with store.write("replica") as db:
            feed.scrubbed(db)


def keep_time(store: Store) -> None:
    """Write down what time it is and until when the lease runs, every few minutes; what has ended goes by the way."""
    if store.clock.due():
        expiry.sweep(store)
        with store.write() as db:
            store.clock.keep(db)
            lease.keep(db)


def sweep(store: Store) -> bool:
    """Delete a little of what nobody sees any more; True when nothing is left."""
    if store.organisation is None:
        return True
    expiry.sweep(store)
    with store.read() as db:
        if not sweeping.waiting(db):
            return not lists.erasing(db)
    with store.write("replica") as db:
        return sweeping.sweep(db)


def _page(answer: Changes) -> Page:
    return Page(
        kind=answer.kind,
        epoch=answer.epoch,
        cursor=answer.cursor,
        seq=answer.seq,
        more=answer.more,
        # A row of a kind that this program does not know has no place here: it is of a scope that is not kept either.
        changes=[_entry(change) for change in answer.changes if change.op == "rm" or change.row is not None],
        granted=answer.granted,
        added=answer.added,
        revoked=answer.revoked,
        session_revision=answer.session_revision,
        lease=answer.lease.id,
        lease_until=answer.lease.until,
        at=answer.server_time,
    )


def _entry(change: Change) -> Entry:
    row = row_dict(change.row) if change.row is not None else None
    return Entry(change.scope, change.id, change.version, change.op, row)
