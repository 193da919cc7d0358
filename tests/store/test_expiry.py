"""Rows end when the backend said they would: no query returns them from then on, and nothing of them stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kelmu_tui.domain.capabilities import NOTICES_INBOX
from kelmu_tui.domain.organisations import OrganisationType, social_care_organiser
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.services.inbox import Inbox
from kelmu_tui.store import connection, expiry, feed, lease, schema
from kelmu_tui.store.changes import Changed
from kelmu_tui.store.database import Store
from kelmu_tui.store.rows import ActiveOrganisation, ActiveSession, Query, View
from tests.store.build import NOW, OWN, FixedClock, fill, notice, open_store
from tests.store.conftest import OpenStore
from tests.store.list_rows import LIST_TABLES

HOUR = timedelta(hours=1)
PIRKANMAA = social_care_organiser("837")
SESSION = ActiveSession(
    "u",
    "Laura Koski",
    ActiveOrganisation(OWN, PIRKANMAA.name, OrganisationType.WELLBEING_COUNTY, "06", PIRKANMAA.municipalities),
    frozenset({NOTICES_INBOX}),
    "device",
    "lease",
)


def ending(id: str, after: timedelta) -> dict[str, object]:  # noqa: A002
    return notice(id, status="handled", family=f"Loppu{id}", expires_at=(NOW + after).isoformat())


def names(store: Store) -> list[str]:
    with store.read() as db:
        return [row[0] for row in db.execute("SELECT id FROM replica.notice ORDER BY id")]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(folder: Path, clock: FixedClock) -> Store:  # type: ignore[misc]
    found = open_store(folder, clock)
    found.attach(OWN)
    fill(found, [notice("n1"), ending("n2", HOUR), ending("n3", 2 * HOUR)])
    yield found
    found.close()


def test_every_way_to_a_row_ends_at_its_time(store: Store, clock: FixedClock) -> None:
    inbox = Inbox(store, SESSION, clock, SeededIds(1))
    query = Query(View.ALL)

    def reached() -> set[str]:
        listed = {line.id for line in inbox.page(query)}
        assert inbox.count(query) == len(listed) == inbox.counts()[View.ALL]
        assert {line.id for line in inbox.lines(query, ["n1", "n2", "n3"])} == listed
        assert {id_ for id_ in ("n1", "n2", "n3") if inbox.rank(query, id_) is not None} == listed
        assert {id_ for id_ in ("n1", "n2", "n3") if inbox.read(id_) is not None} == listed
        return listed

    assert reached() == {"n1", "n2", "n3"}
    clock.at = NOW + HOUR - timedelta(microseconds=1)
    assert reached() == {"n1", "n2", "n3"}
    clock.at = NOW + HOUR
    assert reached() == {"n1", "n3"}
    clock.at = NOW + 3 * HOUR
    assert reached() == {"n1"}


@pytest.mark.parametrize("view", ["page", "count", "read"])
def test_the_first_look_after_the_time_finds_nothing(store: Store, clock: FixedClock, view: str) -> None:
    inbox = Inbox(store, SESSION, clock, SeededIds(1))
    clock.at = NOW + HOUR
    if view == "read":
        assert inbox.read("n2") is None
    elif view == "count":
        assert inbox.count(Query(View.ALL, text="loppun2")) == 0
    else:
        assert inbox.page(Query(View.ALL, text="loppun2")) == []


def test_listeners_hear_of_it_and_many_go_in_steps(
    store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "AT_ONCE", 1)
    heard: list[Changed] = []
    store.listen(heard.append)
    clock.at = NOW + 2 * HOUR
    assert expiry.sweep(store) == 2
    assert [(*change.tables, *change.keys) for change in heard] == [("notice", "n2"), ("notice", "n3")]
    assert expiry.sweep(store) == 0
    assert len(heard) == 2


def test_neither_index_nor_log_keeps_it(store: Store, clock: FixedClock, folder: Path) -> None:
    clock.at = NOW + 2 * HOUR
    with lease.within(store):
        pass
    assert names(store) == ["n1"]
    with store.read() as db:
        assert not db.execute("SELECT 1 FROM replica.notice_text WHERE notice_text MATCH '\"loppun2\" *'").fetchall()
    assert (folder / f"replica-{OWN}.db-wal").stat().st_size == 0


def test_a_replica_of_the_first_version_is_shown_and_filled_anew(
    folder: Path, clock: FixedClock, opened: OpenStore
) -> None:
    store = opened()
    store.attach(OWN)
    fill(store, [notice("n1")])
    with store.write() as db:
        db.execute("INSERT INTO replica.state VALUES ('cursor', 'c'), ('epoch', 'e')")
        for table in ("customer", "customer_section", "customer_look", "follow", "follow_seen", *LIST_TABLES):
            db.execute(f"DROP TABLE replica.{table}")
        db.execute("DROP INDEX replica.notice_by_code")
        db.execute("DROP INDEX replica.notice_expiry")
        db.execute("ALTER TABLE replica.notice DROP COLUMN expires")
    store.db.execute("PRAGMA replica.user_version = 1")
    store.close()
    again = opened()
    again.attach(OWN)
    assert again.db.execute("PRAGMA replica.user_version").fetchone() == (schema.REPLICA_VERSION,)
    assert names(again) == ["n1"]
    with again.read() as db:
        assert feed.state(db).cursor is None
    fill(again, [ending("n2", HOUR)])
    assert names(again) == ["n1", "n2"]
    assert connection.sound(again.db, "replica")


@pytest.mark.parametrize(("told", "asked_anew"), [(NOW, True), (NOW + 3 * HOUR, False)], ids=["ahead", "right"])
def test_what_a_clock_ahead_has_ended_is_asked_for_again_once_the_time_is_told(
    store: Store, clock: FixedClock, told: datetime, asked_anew: bool
) -> None:
    with store.write("replica") as db:
        feed._set(db, cursor="c")
    clock.at = NOW + 3 * HOUR
    assert expiry.sweep(store) == 2
    store.clock.hear(told)
    for _ in range(2):  # the second time there is nothing left to judge
        expiry.bring_back(store)
        with store.read() as db:
            assert (feed.state(db).cursor is None) is asked_anew


def test_what_ends_by_the_backends_time_is_never_asked_for_again(store: Store, clock: FixedClock) -> None:
    with store.write("replica") as db:
        feed._set(db, cursor="c")
    store.clock.hear(NOW + HOUR)
    assert expiry.sweep(store) == 1
    store.clock.hear(NOW)
    expiry.bring_back(store)
    with store.read() as db:
        assert feed.state(db).cursor == "c"
