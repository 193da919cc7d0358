"""Customers who are followed: rows of the feed, what is news, own commands on their way, and ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from kelmu_tui.domain.following import VERBS, FollowEnd, What
from kelmu_tui.domain.sections import looks_kept
from kelmu_tui.store import aftermath, expiry, follows, outbox, replica
from kelmu_tui.store.database import Store
from kelmu_tui.store.follows import Follow
from kelmu_tui.store.outbox import Draft
from tests.store.build import NOW, OWN, named
from tests.store.follow_rows import GENERATION, change, followed, hold

HOUR = timedelta(hours=1)
USER = "user"
NOTICES = f"notices:{OWN}"


def shown(store: Store, now: datetime = NOW) -> dict[str, Follow]:
    with store.read() as db:
        return {one.id: one for one in follows.follows(db, OWN, now)}


def give(store: Store, follow: str, verb: str, version: int = 1, **payload: Any) -> str:
    with store.write() as db:
        number = db.execute("SELECT count(*) FROM main.command").fetchone()[0]
        label = {"customer": "Virtanen, Uusi", "masked_code": "******-*12X"}
        draft = Draft(USER, OWN, follow, verb, payload, label, version, "lease")
        return outbox.append(db, draft, id=f"c{number}", now=NOW + number * timedelta(minutes=1))


BEGUN: dict[str, Any] = {"customer": "p9", "purpose": "social_work", "case_reference": None, "reason": None}


def test_what_happened_last_stands_first_and_what_ended_last(store: Store) -> None:
    hold(
        store,
        [
            followed("old", change(1, NOW - 3 * HOUR)),
            followed("new", change(2, NOW - HOUR), change(3, NOW - 2 * HOUR)),
            followed("over", change(4, NOW), ended=FollowEnd.CASE, expires_at=NOW + 30 * 24 * HOUR),
            followed("quiet"),
        ],
    )
    found = shown(store)
    assert list(found) == ["new", "old", "quiet", "over"]
    assert [one.what for one in found["new"].changes] == ["decision", "decision"]
    assert (found["over"].ended, found["quiet"].ended) == ("case", None)


def test_news_is_what_came_since_it_was_seen(store: Store) -> None:
    hold(store, [followed("a", change(1, NOW - HOUR)), followed("b", change(2, NOW - HOUR))])
    with store.write("replica") as db:
        follows.seen(db, ["a"], NOW)
    assert {id_: one.news for id_, one in shown(store).items()} == {"a": 0, "b": 1}
    hold(store, [followed("a", change(3, NOW + HOUR, What.PAYMENT), change(1, NOW - HOUR), version=2)])
    assert [one.new for one in shown(store)["a"].changes] == [True, False]
    with store.read() as db:
        assert follows.news(db, OWN, NOW) == 2
    with store.write("replica") as db:
        replica.remove(db, GENERATION, "a")
        follows.seen(db, ["b"], NOW)
        assert db.execute("SELECT id FROM replica.follow_seen").fetchall() == [("b",)]


def test_an_older_row_does_not_take_the_place_of_a_newer_one(store: Store) -> None:
    hold(store, [followed("a", version=3, case_reference="new")])
    hold(store, [followed("a", version=2, case_reference="old")])
    assert shown(store)["a"].case_reference == "new"


def test_a_follow_is_there_before_its_row_and_once_when_that_has_come(store: Store) -> None:
    hold(store, [])
    command = give(store, "f1", "follow-begin", 0, **BEGUN)
    found = shown(store)["f1"]
    assert (found.customer, found.name, found.pending, found.version) == ("p9", "Virtanen, Uusi", "begin", 0)
    assert found.until == NOW + looks_kept()
    with store.write() as db:
        outbox.freeze(db, command)
        outbox.acknowledge(db, command, seq=4, version=1, epoch="e", now=NOW)
    assert shown(store)["f1"].pending == "begin", "until the feed has brought it"
    hold(store, [followed("f1")])
    assert list(shown(store)) == ["f1"]
    assert shown(store)["f1"].pending is None


def test_own_commands_are_shown_by_the_rules(store: Store) -> None:
    hold(store, [followed("a"), followed("b"), followed("c", ended=FollowEnd.MANDATE)])
    give(store, "a", "follow-renew")
    give(store, "b", "follow-end")
    give(store, "b", "follow-renew")
    give(store, "c", "follow-renew")
    found = shown(store)
    assert (found["a"].until, found["a"].pending) == (NOW + looks_kept(), "renew")
    assert (found["b"].ended, found["b"].pending) == ("case", "end")
    assert (found["c"].ended, found["c"].pending) == ("mandate", None)


def test_begun_and_ended_without_a_network_is_ended(store: Store) -> None:
    hold(store, [])
    give(store, "f1", "follow-begin", 0, **BEGUN)
    give(store, "f1", "follow-end", 0)
    assert (shown(store)["f1"].ended, shown(store)["f1"].pending) == ("case", "end")


def test_time_ends_a_follow_that_nobody_has_ended(store: Store) -> None:
    hold(store, [followed("a", until=NOW)])
    assert shown(store, NOW - HOUR)["a"].ended is None
    assert shown(store, NOW)["a"].ended == "time"


def test_a_row_goes_when_the_backend_said(store: Store) -> None:
    hold(store, [followed("a", ended=FollowEnd.TIME, expires_at=NOW), followed("b")])
    assert list(shown(store)) == ["b"], "from that moment nothing of it is shown"
    assert expiry.sweep(store) == 1
    with store.read() as db:
        assert db.execute("SELECT id FROM replica.follow").fetchall() == [("b",)]


def test_the_bodies_are_those_of_the_contract() -> None:
    body = outbox.wire_body("follow-begin", BEGUN | {"by": "x"})
    assert body == b'{"customer":"p9","purpose":"social_work","case_reference":null,"reason":null}'
    assert outbox.wire_body("follow-end", {"by": "x"}) == b"{}"


@pytest.mark.parametrize(
    ("scopes", "stranded"),
    [([NOTICES, f"follows:{OWN}:{USER}"], []), ([NOTICES], ["f1"]), ([f"follows:{OWN}:{USER}"], ["n1"])],
)
def test_commands_are_set_aside_with_the_scope_they_need(store: Store, scopes: list[str], stranded: list[str]) -> None:
    give(store, "f1", "follow-begin", 0, **BEGUN)
    give(store, "n1", "take")
    with store.write() as db:
        assert aftermath.strand(db, OWN, scopes, NOW) == stranded


def test_names_go_with_the_mandate_that_showed_them(store: Store) -> None:
    give(store, "f1", "follow-begin", 0, **BEGUN)
    give(store, "n1", "take")
    both = [NOTICES, f"follows:{OWN}:{USER}"]

    with store.write() as db:
        assert not aftermath.tells_too_much(db, OWN, both)
        assert aftermath.tells_too_much(db, OWN, both[:1])
        assert aftermath.forget_customers(db, OWN, both[:1]) == ["f1"]
        assert not aftermath.tells_too_much(db, OWN, both[:1])
    assert named(store) == ["n1"]
    with store.write() as db:
        assert aftermath.forget_customers(db, OWN, ()) == ["f1", "n1"]
    assert named(store) == []


def test_a_generation_goes_with_its_follows(store: Store) -> None:
    hold(store, [followed("a")])
    with store.write() as db:
        replica.purge(db, GENERATION)
        assert db.execute("SELECT count(*) FROM replica.follow").fetchone() == (0,)


def test_verbs_are_told_apart_from_those_on_notices() -> None:
    assert all(aftermath.needed_scopes(verb, OWN) == {f"follows:{OWN}"} for verb in VERBS)
    assert aftermath.needed_scopes("take", OWN) == {NOTICES}
