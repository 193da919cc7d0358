"""Customers' files end by what the feed says and by time, also when nobody looks at them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kelmu_tui.store import feed
from kelmu_tui.store.database import Store
from kelmu_tui.sync import pull
from tests.store.customer_lines import answer, head, payment, payments
from tests.sync.simulation.record import HandClock, Record
from tests.sync.test_pull import read


@pytest.mark.parametrize("way", ["pull", "time"])
def test_files_whose_time_is_over_go_without_anybody_looking(
    store: Store, record: Record, clock: HandClock, way: str
) -> None:
    read(store, record)
    answer(store, head(clock.now(), kept=timedelta(hours=1)), payments(payment("m1")))
    clock.at += timedelta(seconds=3601)
    if way == "pull":
        pull.sweep(store)
    else:
        pull.keep_time(store)
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM replica.customer").fetchone() == (0,)


def test_files_go_with_the_last_mandate(store: Store, record: Record, clock: HandClock) -> None:
    read(store, record)
    ask = pull.next_ask(store)
    assert ask is not None
    answer(store, head(clock.now()), payments(payment("m1")))
    pull.shut_out(store, ask)
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM replica.customer").fetchone() == (0,)
        assert not feed.unscrubbed(db)
