"""Units of work of pulling, where a process dies between two of them or the replica knows nothing."""

from __future__ import annotations

import pytest

from kelmu_tui.store import feed, outbox
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import Draft, State
from kelmu_tui.sync import pull
from tests.sync.simulation.record import INBOX, LOOK_UP, A, HandClock, Record


def read(store: Store, record: Record) -> None:
    """Ask once, and fill what has to be filled."""
    ask = pull.next_ask(store)
    assert ask is not None
    answer = record.changes("aino", ask.cursor)
    assert not isinstance(answer, Exception)
    pull.take_changes(store, ask, answer)


def log_size(store: Store) -> int:
    """Return the size of the replica's write-ahead log in bytes."""
    return (store.folder / f"replica-{A.business_id}.db-wal").stat().st_size


def acknowledged(store: Store, clock: HandClock) -> str:
    """Save a command and let the backend have applied it."""
    key = store.ids.new()
    with store.write() as db:
        outbox.append(db, Draft("aino", A.business_id, "n0001", "take", {}, {}, 1, "lease"), id=key, now=clock.now())
        outbox.freeze(db, key)
        outbox.acknowledge(db, key, seq=9, version=2, epoch="epoch", now=clock.now())
    return key


def state(store: Store, key: str) -> State:
    """Return a command's state."""
    with store.read() as db:
        found = outbox.command(db, key)
    assert found is not None
    return found.state


def test_a_purge_whose_log_was_not_emptied_is_finished_at_the_next_start(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(store, record)
    record.regrant("aino", LOOK_UP)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "scrub", lambda _: False)  # as when the process dies before it, or a reader is in the way
        read(store, record)
    assert log_size(store) > 0
    pull.follow_up(store)
    with store.read() as db:
        assert not feed.unscrubbed(db)
    before = log_size(store)
    pull.follow_up(store)
    assert log_size(store) == before, "once is enough"


def test_a_purge_empties_the_log_at_once(store: Store, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    read(store, record)
    record.regrant("aino", LOOK_UP)
    sizes = []
    original = Store.scrub

    def scrub(self: Store) -> bool:
        done = original(self)
        sizes.append(log_size(self))
        return done

    monkeypatch.setattr(Store, "scrub", scrub)
    read(store, record)
    assert sizes == [0]


def test_shut_out_with_a_replica_that_never_heard_anything_a_command_is_settled(store: Store, clock: HandClock) -> None:
    key = acknowledged(store, clock)
    pull.follow_up(store)
    assert state(store, key) is State.ACKNOWLEDGED, "the backend has not been heard: nobody knows"
    ask = pull.next_ask(store)
    assert ask is not None
    pull.shut_out(store, ask)
    assert state(store, key) is State.SETTLED


def test_shut_out_after_a_restore_nobody_heard_of_commands_are_offered_again_when_the_mandate_is_back(
    store: Store, record: Record, clock: HandClock
) -> None:
    read(store, record)
    key = acknowledged(store, clock)
    record.back_up()
    record.restore()
    record.regrant("aino")
    ask = pull.next_ask(store)
    assert ask is not None
    pull.shut_out(store, ask)
    record.regrant("aino", INBOX, LOOK_UP)
    read(store, record)
    assert state(store, key) is State.QUEUED
