"""Old and altered ledgers are found out by the backend and barred, and begin again with what was not told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kelmu_tui.api.errors import ProblemAnswer
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store import chain, lease, views
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import ViewsBarred
from kelmu_tui.sync import ship
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import A, HandClock, Record
from tests.sync.viewing import (
    Desk,
    barred,
    carry,
    chain_of,
    look,
    numbers,
    spoil,
    subjects,
)


@pytest.fixture
def desk(record: Record) -> Desk:
    return Desk(record)


# --- old and altered ledgers ----------------------------------------------------------------------------------------


def put_back(store: Store, folder: Path, clock: HandClock, after: int, desk: Desk) -> Store:
    """Copy the ledger, go on with `after` looks that are shipped, and put the copy back."""
    store.close()
    shutil.copytree(folder, folder.with_name("copy"))
    going_on = Store.open(folder, Keys(), clock, SeededIds(11))
    look(going_on, *subjects(after, 101))
    carry(going_on, desk)
    going_on.close()
    shutil.rmtree(folder)
    shutil.move(folder.with_name("copy"), folder)
    return Store.open(folder, Keys(), clock, SeededIds(12))


@pytest.mark.parametrize("shipped", [True, False])
def test_an_old_copy_that_goes_on_is_found_and_barred(
    store: Store, desk: Desk, clock: HandClock, tmp_path: Path, shipped: bool
) -> None:
    look(store, *subjects(5))
    if shipped:
        carry(store, desk)
    old = put_back(store, tmp_path / "aino", clock, 2, desk)
    look(old, "seen-again", "and-again", "and-more")
    carry(old, desk)
    assert barred(old) == "view_chain_forked"
    assert desk.found() == [("forked", 6, 6, True)]
    assert desk.told() == [*subjects(5), *subjects(2, 101)]
    with pytest.raises(ViewsBarred):
        look(old, "nothing")
    with pytest.raises(ViewsBarred):
        lease.check(old)
    assert ship.next_step(old) is None
    assert ship.waiting(old).events == 0
    # At the next sign-in another chain begins, with what has not been told.
    with old.write() as db:
        views.begin_again(db, "aino", old.ids)
    lease.check(old)
    look(old, "fresh")
    first = chain_of(old)
    carry(old, desk)
    assert desk.told(first) == ["seen-again", "and-again", "and-more", "fresh"]
    assert desk.found() == [("forked", 6, 6, True), ("restarted", 0, 0, True)]
    assert (desk.whole(), barred(old)) == (True, None)
    with old.read() as db:
        assert views.verify(db) is None
    old.close()


def test_an_old_copy_that_only_repeats_is_barred_by_the_receipt(
    store: Store, desk: Desk, clock: HandClock, tmp_path: Path
) -> None:
    look(store, *subjects(3))
    old = put_back(store, tmp_path / "aino", clock, 2, desk)
    carry(old, desk)
    assert barred(old) == "view_chain_forked"
    assert desk.told() == [*subjects(3), *subjects(2, 101)]
    with old.write() as db:
        views.begin_again(db, "aino", old.ids)
    assert numbers(old) == [], "everything in it had been told"
    old.close()


def test_a_ledger_whose_end_was_cut_off_is_barred(store: Store, desk: Desk) -> None:
    look(store, *subjects(5))
    carry(store, desk)
    spoil(store, "DELETE FROM view_event WHERE number > 3")
    look(store, "again")
    carry(store, desk)
    assert (barred(store), desk.found()) == ("view_chain_forked", [("forked", 4, 4, True)])


@pytest.mark.parametrize(
    ("statement", "kind", "number"),
    [
        ("UPDATE view_event SET body = replace(body, 'n0003', 'n0009') WHERE number = 3", "forged", 3),
        ("UPDATE view_event SET body = replace(body, 'aino', 'bo') WHERE number = 3", "forged", 3),
        ("UPDATE view_event SET hash = zeroblob(32) WHERE number = 3", "forged", 3),
        ("UPDATE view_event SET previous = zeroblob(32) WHERE number = 3", "forged", 3),
        ("UPDATE view_event SET number = 9 - number WHERE number > 2 AND number < 7", None, 3),
        ("UPDATE view_event SET body = 'garbage' WHERE number = 3", "forged", 3),
        ("UPDATE secret SET value = replace(hex(zeroblob(32)), '0', '1') WHERE key = 'chain_key'", "unsigned", 0),
        ("UPDATE secret SET value = 'x' WHERE key = 'chain_key'", None, 0),
        ("UPDATE view_event SET hash = x'00' WHERE number = 3", None, 0),
    ],
)
def test_an_altered_ledger_is_barred(store: Store, desk: Desk, statement: str, kind: str | None, number: int) -> None:
    look(store, *subjects(2))
    carry(store, desk)
    look(store, *subjects(4, 3))
    if "9 - number" in statement:
        spoil(store, "UPDATE view_event SET number = -number WHERE number > 2")
        spoil(store, "UPDATE view_event SET number = 9 + number WHERE number < 0")
        kind = "forged"
    else:
        spoil(store, statement)
    carry(store, desk)
    assert barred(store) is not None
    assert desk.found() == ([(kind, number, number, True)] if kind is not None else [])
    assert desk.told() == subjects(2)
    with pytest.raises(ViewsBarred):
        lease.check(store)


def test_events_taken_out_of_the_middle_leave_a_gap(store: Store, desk: Desk) -> None:
    look(store, *subjects(6))
    spoil(store, "DELETE FROM view_event WHERE number IN (3, 4)")
    carry(store, desk)
    assert desk.told() == ["n0001", "n0002", "n0005", "n0006"]
    assert desk.found() == [("gap", 3, 4, True)]
    assert (desk.whole(), barred(store)) == (True, None)


def test_a_ledger_copied_to_another_user_is_barred(store: Store, desk: Desk) -> None:
    look(store, *subjects(2))
    carry(store, desk)
    spoil(store, "DELETE FROM secret WHERE key = 'chain_known'")
    look(store, "n0003")
    step = ship.next_step(store)
    assert isinstance(step, ship.Register)
    with pytest.raises(ProblemAnswer) as caught:
        desk.answer(step, "bertta")
    assert ship.refused(store, step, caught.value)
    assert barred(store) == "view_chain_taken"
    assert desk.found() == [("taken", 0, 0, True)]


def test_what_cannot_be_read_is_not_carried_over(store: Store, desk: Desk) -> None:
    look(store, *subjects(7))
    for number, body in enumerate(("garbage", "[1,2]", '{"number":3}', "[" * 500, '["x",1,2,3,4,5,6,7]'), 2):
        with store.write() as db:
            db.execute("UPDATE view_event SET body = ? WHERE number = ?", (body, number))
    carry(store, desk)
    assert barred(store) == "view_chain_forged"
    with store.write() as db:
        views.begin_again(db, "bertta", store.ids)
    assert numbers(store) == [], "nothing of another user's goes into the log of this one"


def test_what_can_be_read_is_carried_over(store: Store, desk: Desk) -> None:
    look(store, *subjects(4))
    spoil(store, "UPDATE view_event SET body = 'garbage' WHERE number = 2")
    carry(store, desk)
    assert desk.told() == ["n0001"]
    with store.write() as db:
        views.begin_again(db, "aino", store.ids)
    carry(store, desk)
    assert desk.told(chain_of(store)) == ["n0003", "n0004"]
    assert barred(store) is None


def test_for_what_rows_left_is_carried_over(store: Store, desk: Desk) -> None:
    with store.write() as db:
        chain.ensure(db, store.ids)
        subject = "list_lms_300_days/2026-10"
        event = views.ViewEvent(
            store.clock.now(), "aino", A.business_id, "list_export", subject, 9, None, reason="Seuranta"
        )
        views.log(db, event)
        views.begin_again(db, "aino", store.ids)
        (body,) = db.execute("SELECT body FROM view_event").fetchone()
    assert json.loads(body)["reason"] == "Seuranta"
    carry(store, desk)
    assert desk.told(chain_of(store)) == [subject]
    assert desk.whole()


def test_purpose_and_case_are_carried_over_with_what_has_none(store: Store, desk: Desk) -> None:
    look(store, "n0001")
    with store.write() as db:
        event = views.ViewEvent(
            store.clock.now(), "aino", A.business_id, "customer", "p1", 2, None, "social_work", "1/26"
        )
        views.log(db, event)
        listed = json.dumps([3, event.at.isoformat(), "aino", A.business_id, "notice", "n0002", 1, None])
        previous = db.execute("SELECT hash FROM view_event WHERE number = 2").fetchone()[0]
        values = (3, previous, views.chained(previous, listed), listed)
        db.execute("INSERT INTO view_event (number, previous, hash, body) VALUES (?, ?, ?, ?)", values)
        views.begin_again(db, "aino", store.ids)
        bodies = [json.loads(row[0]) for row in db.execute("SELECT body FROM view_event ORDER BY number")]
    assert [body["subject"] for body in bodies] == ["n0001", "p1", "n0002"]
    assert [body.get("case_reference") for body in bodies] == [None, "1/26", None]
    assert "purpose" not in bodies[0], "an event about a notice is the text that it always was"
    carry(store, desk)
    assert desk.told(chain_of(store)) == ["n0001", "p1", "n0002"]
    assert desk.whole()
