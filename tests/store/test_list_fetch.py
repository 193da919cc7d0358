"""Lists as they are fetched: whole or not at all, however often a fetch breaks off, and gone when they end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.domain.lists import read_period, retention
from kelmu_tui.platform.paths import Profile
from kelmu_tui.store import expiry, feed, list_fetch, list_pages, lists, schema
from kelmu_tui.store.changes import Changed
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.keys import DemoKeys
from kelmu_tui.store.list_fetch import Fetch, Incomplete, Overtaken
from kelmu_tui.store.list_pages import ListQuery
from kelmu_tui.store.lists import Copy
from kelmu_tui.sync import pull
from tests.store.build import NOW, OWN, FixedClock, fill, notice, open_store
from tests.store.conftest import OpenStore
from tests.store.list_rows import LIST, LIST_TABLES, PERIOD, fetch, held, published, row
from tests.support.raw import opened_with

DAY = timedelta(days=1)
ROWS = [row(number) for number in range(10)]
EVERYTHING = ListQuery()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(folder: Path, clock: FixedClock) -> Iterator[Store]:
    found = open_store(folder, clock)
    found.attach(OWN)
    yield found
    found.close()


def ids(store: Store, copy: Copy | None) -> list[str]:
    if copy is None:
        return []
    with store.read() as db:
        return [one.id for one in list_pages.every(db, copy, EVERYTHING)]


def erased(store: Store) -> int:
    """Delete all that has gone; return in how many steps."""
    steps = 0
    while True:
        with store.write("replica") as db:
            steps += 1
            if lists.erase(db, rows=4):
                return steps


def rows_lying(store: Store) -> int:
    with store.read() as db:
        return int(db.execute("SELECT count(*) FROM replica.list_row").fetchone()[0])


def places_lying(store: Store) -> int:
    with store.read() as db:
        return int(db.execute("SELECT count(*) FROM replica.list_order").fetchone()[0])


# --- fetching -------------------------------------------------------------------------------------------------------


def test_nothing_is_shown_before_the_end_and_everything_from_then_on(store: Store) -> None:
    heard: list[Changed] = []
    store.listen(heard.append)
    under_way = list_fetch.put_rows(store, list_fetch.begin(store, published(10)), ROWS[:6])
    assert held(store) is None
    with store.read() as db:
        (entry,) = lists.shelf(db, NOW)
    assert (entry.copy, entry.staged) == (None, 6)
    list_fetch.finish(store, list_fetch.put_rows(store, under_way, ROWS[6:]))
    copy = held(store)
    assert copy is not None
    assert (copy.rows, copy.persons, copy.fetched_at) == (10, 10, NOW)
    assert ids(store, copy) == [one["id"] for one in ROWS]
    assert all(change.tables == {"list"} and change.keys == {LIST} for change in heard)


@pytest.mark.parametrize("broken_after", range(11))
def test_a_fetch_goes_on_where_it_broke_off(opened: OpenStore, broken_after: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(list_fetch, "STEP_ROWS", 1)
    monkeypatch.setattr(list_fetch, "STEP_PLACES", 3)
    first = opened()
    first.attach(OWN)
    list_fetch.put_rows(first, list_fetch.begin(first, published(10)), ROWS[:broken_after])
    first.close()
    store = opened()
    store.attach(OWN)
    again = list_fetch.begin(store, published(10))
    assert (again.rows, again.after) == (broken_after, ROWS[broken_after - 1]["id"] if broken_after else None)
    list_fetch.finish(store, list_fetch.put_rows(store, again, ROWS[broken_after:]))
    assert ids(store, held(store)) == [one["id"] for one in ROWS]
    with store.read() as db:
        assert not lists.erasing(db)


@pytest.mark.parametrize("written", range(5))
def test_an_end_that_broke_off_is_done_again(store: Store, written: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_fetch, "STEP_PLACES", 3)
    under_way = list_fetch.put_rows(store, list_fetch.begin(store, published(10)), ROWS)
    own, calls = list_fetch._own, 0

    def failing(db: Any, fetch_: Fetch) -> str:
        nonlocal calls
        calls += 1
        if calls > written:
            raise StoreFull
        return own(db, fetch_)

    monkeypatch.setattr(list_fetch, "_own", failing)
    with pytest.raises(StoreFull):
        list_fetch.finish(store, under_way)
    assert held(store) is None
    monkeypatch.setattr(list_fetch, "_own", own)
    list_fetch.finish(store, list_fetch.begin(store, published(10)))
    assert ids(store, held(store)) == [one["id"] for one in ROWS]


def test_rows_of_another_version_are_not_gone_on_with(store: Store) -> None:
    list_fetch.put_rows(store, list_fetch.begin(store, published(10)), ROWS[:4])
    again = list_fetch.begin(store, published(6, version=2))
    assert (again.rows, again.after) == (0, None)
    list_fetch.finish(store, list_fetch.put_rows(store, again, ROWS[4:]))
    assert ids(store, held(store)) == [one["id"] for one in ROWS[4:]]
    erased(store)
    assert rows_lying(store) == 6


def test_a_fetch_that_lay_too_long_begins_anew(store: Store, clock: FixedClock) -> None:
    list_fetch.put_rows(store, list_fetch.begin(store, published(10)), ROWS[:4])
    clock.at = NOW + lists.RESUMABLE
    assert list_fetch.begin(store, published(10)).rows == 0


def test_rows_are_as_many_as_were_announced_or_nothing_is_kept(store: Store) -> None:
    with pytest.raises(Incomplete):
        list_fetch.finish(store, list_fetch.put_rows(store, list_fetch.begin(store, published(9)), ROWS))
    assert held(store) is None
    erased(store)
    assert rows_lying(store) == 0


def test_of_two_fetches_of_the_same_one_goes_on(store: Store) -> None:
    first, second = list_fetch.begin(store, published(10)), list_fetch.begin(store, published(10))
    first = list_fetch.put_rows(store, first, ROWS[:5])
    with pytest.raises(Overtaken):
        list_fetch.put_rows(store, second, ROWS[:5])
    list_fetch.finish(store, list_fetch.put_rows(store, first, ROWS[5:]))
    with pytest.raises(Overtaken):
        list_fetch.put_rows(store, first, ROWS[5:])
    assert ids(store, held(store)) == [one["id"] for one in ROWS]


def test_a_cancelled_fetch_leaves_nothing(store: Store) -> None:
    under_way = list_fetch.put_rows(store, list_fetch.begin(store, published(10)), ROWS[:4])
    list_fetch.cancel(store, under_way)
    assert list_fetch.staged(store, LIST, PERIOD) is None
    erased(store)
    assert rows_lying(store) == 0


def test_cancelling_what_is_whole_by_now_destroys_nothing(store: Store) -> None:
    under_way = list_fetch.put_rows(store, list_fetch.begin(store, published(10)), ROWS[:4])
    list_fetch.finish(store, list_fetch.put_rows(store, under_way, ROWS[4:]))
    list_fetch.cancel(store, under_way)
    with pytest.raises(Overtaken):
        list_fetch.finish(store, under_way)
    assert ids(store, held(store)) == [one["id"] for one in ROWS]


# --- published anew, withdrawn --------------------------------------------------------------------------------------


def test_a_newer_version_takes_the_place_of_the_old_one_in_one_step(store: Store) -> None:
    old = fetch(store, ROWS)
    under_way = list_fetch.begin(store, published(2, version=2))
    under_way = list_fetch.put_rows(store, under_way, ROWS[:2])
    assert held(store) == old
    list_fetch.finish(store, under_way)
    new = held(store)
    assert new is not None
    assert (new.version, ids(store, new)) == (2, ["r00000", "r00001"])
    assert erased(store) > 2, "in bounded steps"
    assert rows_lying(store) == 2


def test_what_is_withdrawn_goes_at_once_and_what_is_newer_stays(store: Store) -> None:
    fetch(store, ROWS, period="2026-09", version=3)
    fetch(store, ROWS)
    with store.write("replica") as db:
        told = [published(10, withdrawn=True), published(10, period="2026-09", version=2, withdrawn=True)]
        assert lists.announce(db, told, [LIST]) == [LIST]
        assert [one.period for one in lists.counts(db, LIST)] == ["2026-09"]
    assert held(store) is None
    assert held(store, period="2026-09") is not None


def test_a_fetch_of_what_is_withdrawn_ends(store: Store) -> None:
    under_way = list_fetch.put_rows(store, list_fetch.begin(store, published(10)), ROWS[:4])
    with store.write("replica") as db:
        assert lists.withdraw(db, LIST, PERIOD, 1)
    with pytest.raises(Overtaken):
        list_fetch.put_rows(store, under_way, ROWS[4:])


def test_the_shelf_tells_what_is_published_and_what_is_here(store: Store) -> None:
    fetch(store, ROWS)
    fetch(store, ROWS, period="2026-08")
    list_fetch.put_rows(store, list_fetch.begin(store, published(10, period="2026-09")), ROWS[:4])
    with store.write("replica") as db:
        told = [published(10, version=2), published(10, period="2026-09"), published(5, period="2026-07")]
        lists.announce(db, told, [LIST])
        lists.announce(db, [*told[:2], published(5, period="2026-06")], [LIST])
        found = lists.shelf(db, NOW)
    assert [one.period for one in found] == ["2026-10", "2026-09", "2026-08", "2026-06"]
    assert [one.publication is None for one in found] == [False, False, True, False]
    assert [one.outdated for one in found] == [True, False, False, False]
    assert [one.staged for one in found] == [None, 4, None, None]


# --- ends -----------------------------------------------------------------------------------------------------------


def test_a_copy_ends_by_the_retention_or_when_the_backend_says(store: Store, clock: FixedClock) -> None:
    fetch(store, ROWS)
    under_way = list_fetch.put_rows(store, list_fetch.begin(store, published(10, period="2026-09")), ROWS)
    list_fetch.finish(store, under_way, expires=NOW + DAY)
    clock.at = NOW + DAY
    assert held(store, period="2026-09") is None
    assert held(store) is not None
    clock.at = NOW + retention().kept - timedelta(microseconds=1)
    assert held(store) is not None
    clock.at = NOW + retention().kept
    assert held(store) is None, "swept or not"
    while expiry.sweep(store) or lists_erasing(store):
        pass
    assert rows_lying(store) == 0
    with store.read() as db:
        assert [one.rows for one in lists.counts(db, LIST)] == [10, 10], "numbers alone stay"


def lists_erasing(store: Store) -> bool:
    with store.read() as db:
        return lists.erasing(db)


def test_counts_are_kept_for_a_year_and_a_month(store: Store) -> None:
    period = read_period("2025-01")
    for number in range(15):
        fetch(store, ROWS[: number % 3 + 1], period=period.next(number).key)
    with store.read() as db:
        found = lists.counts(db, LIST)
    assert len(found) == retention().compared
    assert found[0].period == "2025-03"
    assert [one.rows for one in found[:3]] == [3, 1, 2]


def test_the_broom_goes_on_until_nothing_is_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "STEP_ROWS", 1)
    fetch(store, ROWS)
    fetch(store, ROWS[:1], version=2)
    steps = 0
    while not pull.sweep(store):
        steps += 1
        assert steps < 100
    assert rows_lying(store) == 1
    assert not lists_erasing(store)


@pytest.mark.parametrize("way", ["time", "withdrawn", "replaced", "cancelled", "mandate", "shut_out"])
def test_nothing_of_an_ended_list_lies_on_in_the_pages(store: Store, clock: FixedClock, way: str) -> None:
    key = DemoKeys(store.folder, Profile("demo", store.folder, store.folder)).key(f"replica-{OWN}.db")

    def lying() -> list[str]:
        return opened_with(store.folder, key, [b"neula-name", b"neulatie", b"neula name"])

    fill(store, [notice("n1")])
    needle = {"name": "neula-name", "address": "neulatie 1"}
    many = [row(number, **needle) for number in range(300)]
    if way == "cancelled":
        list_fetch.cancel(store, list_fetch.put_rows(store, list_fetch.begin(store, published(300)), many))
    else:
        fetch(store, many)
    assert lying()
    with store.write("replica") as db:
        match way:
            case "time":
                clock.at = NOW + retention().kept
            case "withdrawn":
                lists.withdraw(db, LIST, PERIOD, 1)
            case "mandate":
                assert lists.keep_only(db, frozenset({"list_other"})) == [LIST]
            case "shut_out":
                assert "list" in feed.shut_out(db).tables
                assert feed.unscrubbed(db)
    if way == "replaced":
        fetch(store, [row(1)], version=2)
    while not pull.sweep(store):
        pass
    assert lying() == []


def test_only_the_lists_that_are_open_stay(store: Store) -> None:
    other = "list_front_veterans_supplement"
    fetch(store, ROWS)
    with store.write("replica") as db:
        lists.announce(db, [published(1, list_=other, period="2025")], [other])
        assert lists.keep_only(db, frozenset({LIST})) == [other]
        assert lists.keep_only(db, frozenset({LIST})) == []
        assert [one.list for one in lists.shelf(db, NOW)] == [LIST]
        assert lists.keep_only(db, frozenset()) == [LIST]
        assert not lists.any_held(db)
        assert lists.shelf(db, NOW) == []
    expiry.erase_lists(store)
    assert rows_lying(store) == 0


def test_a_long_list_goes_in_steps_and_nothing_of_it_is_shown_meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "STEP_PLACES", 4)
    fetch(store, ROWS)
    with store.write("replica") as db:
        lists.keep_only(db, frozenset())
    lying = []
    done = False
    while not done:
        lying.append((rows_lying(store), places_lying(store)))
        with store.write("replica") as db:
            assert lists.copies(db, NOW) == []
            done = lists.erase(db, 3)
    assert lying == [(10, 10), (7, 10), (4, 10), (1, 10), (0, 10), (0, 6), (0, 2), (0, 0)]


# --- files of before ------------------------------------------------------------------------------------------------


def test_a_replica_of_before_takes_lists(opened: OpenStore) -> None:
    store = opened()
    store.attach(OWN)
    fill(store, [notice("n1")])
    with store.write() as db:
        for table in LIST_TABLES:
            db.execute(f"DROP TABLE replica.{table}")
    store.db.execute("PRAGMA replica.user_version = 3")
    store.close()
    again = opened()
    again.attach(OWN)
    assert again.db.execute("PRAGMA replica.user_version").fetchone() == (schema.REPLICA_VERSION,)
    assert fetch(again, ROWS).rows == 10
    with again.read() as db:
        assert db.execute("SELECT id FROM replica.notice").fetchall() == [("n1",)]
