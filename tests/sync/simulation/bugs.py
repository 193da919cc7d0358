"""Planted bugs: each breaks the protocol in one place, and the simulation has to notice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from kelmu_backend import commands
from kelmu_backend import feed as backend_feed
from kelmu_tui.store import aftermath, feed, outbox, replica
from kelmu_tui.sync import backoff, pull

Plant = Callable[[pytest.MonkeyPatch], None]


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
    patch.setattr(replica, "purge", lambda db, generation: None)


PLANTS: Final[dict[str, Plant]] = {
    plant.__name__: plant
    for plant in (
        no_memory,
        restore_keeps_epoch,
        settle_at_acknowledgement,
        cursor_before_rows,
        removal_ignores_generation,
        timer_stops,
        bytes_made_anew,
        no_checkpoint,
        no_tombstones,
        settle_while_filling,
        no_recovery,
        followers_go_on,
        no_second_offer,
        revoked_rows_stay,
    )
}
