"""Planted bugs: each breaks the protocol in one place, and the simulation has to notice."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import pytest
from sqlalchemy import delete

from kelmu_backend import commands
from kelmu_backend import feed as backend_feed
from kelmu_backend import views as backend_views
from kelmu_backend.database import tables
from kelmu_backend.lease import Leases
from kelmu_tui.services.inbox import Inbox
from kelmu_tui.store import aftermath, details, expiry, feed, lease, outbox, replica, views
from kelmu_tui.store.database import Store
from kelmu_tui.sync import backoff, leader, pull, push, ship
from tests.sync.simulation import claim_bugs


class Plant(NamedTuple):
    """A bug, and the number of seeds within which it has to be found."""

    plant: Callable[[pytest.MonkeyPatch], None]
    seeds: int = 300


def no_memory(patch: pytest.MonkeyPatch) -> None:
    """The backend forgets what it has answered."""
    patch.setattr(commands, "_remembered", lambda *_: None)


def restore_keeps_epoch(patch: pytest.MonkeyPatch) -> None:
    """After a restore the backend pretends that nothing happened."""
    patch.setattr(backend_feed, "new_epoch", lambda *_: "")


def settle_at_acknowledgement(patch: pytest.MonkeyPatch) -> None:
    """An applied command is no longer shown before the replica has caught up."""
    original = outbox.acknowledge

    def acknowledge(db: Any, id: str, **values: Any) -> None:  # noqa: A002
        original(db, id, **values)
        db.execute("UPDATE main.command SET state = 'settled' WHERE id = ?", (id,))

    patch.setattr(outbox, "acknowledge", acknowledge)


def cursor_before_rows(patch: pytest.MonkeyPatch) -> None:
    """The cursor is committed, then the rows."""

    def take(store: Any, ask: pull.Ask, answer: Any) -> pull.Pulled:
        page = pull._page(answer)
        with store.write() as db:
            if feed.state(db).cursor != ask.cursor:
                return pull.Pulled(applied=False)
            feed._set(db, cursor=page.cursor, seq=page.seq)
        store.may_crash()
        store.may_crash()
        store.may_crash()
        with store.write() as db:
            feed.apply(db, page)
        pull.follow_up(store)
        return pull.Pulled(applied=True, more=page.more)

    patch.setattr(pull, "take_changes", take)


def removal_ignores_generation(patch: pytest.MonkeyPatch) -> None:
    """A removal takes the row out of every scope: the sender's own trace too."""
    original = feed._checkpoint

    def checkpoint(db: Any, seq: int, effect: feed.Effect) -> None:
        removed = db.execute("SELECT id FROM replica.staged WHERE op = 'rm'").fetchall()
        original(db, seq, effect)
        db.executemany("DELETE FROM replica.trace WHERE id = ?", removed)

    patch.setattr(feed, "_checkpoint", checkpoint)


def timer_stops(patch: pytest.MonkeyPatch) -> None:
    """A failed command is never tried again."""

    def never(now: datetime, *_: Any, **__: Any) -> datetime:
        return now + timedelta(minutes=59)

    patch.setattr(backoff, "due", never)


def bytes_made_anew(patch: pytest.MonkeyPatch) -> None:
    """Each attempt demands the version that the replica has by now."""
    original = outbox.freeze

    def freeze(db: Any, id: str) -> outbox.Frozen | None:  # noqa: A002
        frozen = original(db, id)
        if frozen is None:
            return None
        row = db.execute("SELECT max(version) FROM replica.notice WHERE id = ?", (frozen.aggregate,)).fetchone()
        return frozen._replace(if_match=max(frozen.if_match, row[0] or 0))

    patch.setattr(outbox, "freeze", freeze)


def no_checkpoint(patch: pytest.MonkeyPatch) -> None:
    """Every page becomes visible by itself."""
    original = feed.apply
    patch.setattr(feed, "apply", lambda db, page: original(db, page._replace(more=False)))


def no_tombstones(patch: pytest.MonkeyPatch) -> None:
    """A fill brings back what a delta has removed."""
    patch.setattr(feed, "put_fill_rows", lambda db, generation, rows: replica.put_rows(db, generation, rows))


def settle_while_filling(patch: pytest.MonkeyPatch) -> None:
    """A command is settled although its scope still shows rows from before."""
    original = aftermath.settle
    patch.setattr(aftermath, "settle", lambda db, org, **values: original(db, org, **(values | {"filling": False})))


def no_recovery(patch: pytest.MonkeyPatch) -> None:
    """What was in flight at a crash stays there."""
    patch.setattr(outbox, "recover", lambda db: 0)


def followers_go_on(patch: pytest.MonkeyPatch) -> None:
    """A command is sent although its predecessor was refused."""
    patch.setattr(outbox, "_block_followers", lambda *_: None)


def no_second_offer(patch: pytest.MonkeyPatch) -> None:
    """What a restore of the backend lost stays lost."""
    patch.setattr(aftermath, "offer_again", lambda *_, **__: [])


def revoked_rows_stay(patch: pytest.MonkeyPatch) -> None:
    """A scope that ended is no longer shown, but its rows stay in the file."""
    patch.setattr(replica, "purge", lambda db, *generations: None)


# --- of the anchor's list, and about the other invariants -----------------------------------------------------------


def memory_apart(patch: pytest.MonkeyPatch) -> None:
    """The backend stores what it has answered in another transaction, which now and then does not happen."""
    original = commands.run
    count = 0

    def run(connection: Any, envelope: Any, *values: Any) -> Any:
        nonlocal count
        count += 1
        verdict = original(connection, envelope, *values)
        if count % 5 == 0:
            connection.execute(delete(tables.memo).where(tables.memo.c.key == envelope.key))
        return verdict

    patch.setattr(commands, "run", run)


def delete_on_send(patch: pytest.MonkeyPatch) -> None:
    """A command is gone from the ledger once it is on its way."""
    original = push.take_due

    def take_due(store: Any, *values: Any) -> Any:
        sent = original(store, *values)
        if sent:
            with store.write() as db:
                db.executemany("DELETE FROM main.command WHERE id = ?", [(item.id,) for item in sent])
        return sent

    patch.setattr(push, "take_due", take_due)


def audit_after_show(patch: pytest.MonkeyPatch) -> None:
    """What is shown is written down afterwards."""
    original = Inbox._look

    def look(inbox: Any, view: str, id: str) -> Any:  # noqa: A002
        with lease.within(inbox._store) as db:
            found = details.detail(db, id)
        original(inbox, view, id)
        return found

    patch.setattr(Inbox, "_look", look)


def page_splits_sequence(patch: pytest.MonkeyPatch) -> None:
    """A page of the feed ends in the middle of a transfer."""

    def page(connection: Any, scopes: Any, seq: int) -> Any:
        names = sorted(scopes)
        found = connection.execute(
            backend_feed._PAGE, {"scopes": names, "seq": seq, "limit": backend_feed.PAGE + 1}
        ).all()
        return found[: backend_feed.PAGE], len(found) > backend_feed.PAGE

    patch.setattr(backend_feed, "page", page)


def old_fill_accepted(patch: pytest.MonkeyPatch) -> None:
    """Rows of a fill that has been given up go into the one that has begun since."""

    def current(original: Any) -> Any:
        def call(db: Any, scope: str, generation: int, epoch: str, *values: Any) -> Any:
            now = feed.state(db)
            filling = next((found.filling for found in now.scopes if found.name == scope), None)
            return original(db, scope, filling or generation, now.epoch or epoch, *values)

        return call

    for name in ("expect", "fill", "end_fill"):
        patch.setattr(feed, name, current(getattr(feed, name)))


def late_answers_taken(patch: pytest.MonkeyPatch) -> None:
    """An answer of the feed is taken whatever the replica has read since."""
    original = pull.take_changes

    def take(store: Any, ask: pull.Ask, answer: Any) -> pull.Pulled:
        with store.read() as db:
            now = feed.state(db)
        return original(store, pull.Ask(ask.organisation, now.cursor, ask.idle), answer)

    patch.setattr(pull, "take_changes", take)


def lease_ignored(patch: pytest.MonkeyPatch) -> None:
    """Rows are shown however long the backend has not been heard."""
    patch.setattr(lease, "_check", lambda *_: None)


def rows_outlive_themselves(patch: pytest.MonkeyPatch) -> None:
    """Rows whose time is over are shown on."""
    patch.setattr(expiry, "sweep", lambda _: 0)


def ended_early_stays_gone(patch: pytest.MonkeyPatch) -> None:
    """What a clock that was ahead has ended is not asked for again."""
    patch.setattr(expiry, "bring_back", lambda _: None)


def two_leaders(patch: pytest.MonkeyPatch) -> None:
    """The lead is taken without asking whether somebody has it."""

    def take(lock: Any) -> bool:
        lock._handle = lock._handle if lock._handle is not None else os.open(lock._path, os.O_RDWR | os.O_CREAT, 0o600)
        return True

    patch.setattr(leader.LeaderLock, "try_acquire", take)


def purge_not_resumed(patch: pytest.MonkeyPatch) -> None:
    """A replica that was being destroyed when the process died stays."""
    patch.setattr(Store, "_resume_purges", lambda _: None)


def no_scrub(patch: pytest.MonkeyPatch) -> None:
    """Rows that were taken away live on in the log."""
    patch.setattr(Store, "scrub", lambda _: True)


def old_commands_run(patch: pytest.MonkeyPatch) -> None:
    """The backend carries out commands of any age."""
    patch.setattr(Leases, "is_current", lambda *_: True)


def clocks_trusted(patch: pytest.MonkeyPatch) -> None:
    """What waits until a time that a wrong clock has set waits until then."""
    patch.setattr(outbox, "LONGEST_WAIT", timedelta(days=10_000))
    patch.setattr(pull, "_hasten", lambda _: None)  # either of the two would do


def receipt_before_answer(patch: pytest.MonkeyPatch) -> None:
    """A look counts as told once it is on its way."""
    original = ship.next_step

    def next_step(store: Any) -> Any:
        step = original(store)
        if isinstance(step, ship.Batch):
            with store.write() as db:
                views.received(db, step.last, "2026-01-01T00:00:00.000000+00:00")
        return step

    patch.setattr(ship, "next_step", next_step)


def forks_not_found(patch: pytest.MonkeyPatch) -> None:
    """The backend takes other looks under the numbers it has, and clients believe any receipt."""
    original = backend_views._Appending.take

    def take(appending: Any, event: Any) -> Any:
        found = original(appending, event)
        return None if found is backend_views.Finding.FORKED else found

    patch.setattr(backend_views._Appending, "take", take)
    patch.setattr(views, "agrees", lambda *_: True)


def refusal_without_conflict(patch: pytest.MonkeyPatch) -> None:
    """A refused command is not told."""
    original = outbox.refuse

    def refuse(db: Any, id: str, *values: Any) -> None:  # noqa: A002
        original(db, id, *values)
        db.execute("DELETE FROM main.conflict WHERE command = ?", (id,))

    patch.setattr(outbox, "refuse", refuse)


PLANTS: Final[dict[str, Plant]] = {
    plant.__name__: Plant(plant)
    for plant in (
        no_memory,
        memory_apart,
        delete_on_send,
        restore_keeps_epoch,
        settle_at_acknowledgement,
        cursor_before_rows,
        removal_ignores_generation,
        timer_stops,
        bytes_made_anew,
        audit_after_show,
        page_splits_sequence,
        no_checkpoint,
        no_tombstones,
        old_fill_accepted,
        late_answers_taken,
        no_recovery,
        followers_go_on,
        no_second_offer,
        revoked_rows_stay,
        no_scrub,
        lease_ignored,
        rows_outlive_themselves,
        ended_early_stays_gone,
        two_leaders,
        purge_not_resumed,
        old_commands_run,
        clocks_trusted,
        refusal_without_conflict,
        receipt_before_answer,
        forks_not_found,
        *claim_bugs.PLANTS,
    )
} | {"settle_while_filling": Plant(settle_while_filling, 4000)}
"""Every planted bug by name."""
