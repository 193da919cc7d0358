"""Views go to the backend in batches, are received, told again after a restore, and forgotten a week later."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kelmu_backend.problems import ProblemError
from kelmu_tui.api.contract import ViewBatch
from kelmu_tui.api.errors import ProblemAnswer
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store import chain, outbox, views
from kelmu_tui.store.database import Store
from kelmu_tui.sync import pull, push, ship
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import HandClock, Record
from tests.sync.viewing import (
    Desk,
    answer_of,
    backup_of,
    barred,
    carry,
    look,
    numbers,
    restore,
    subjects,
)


@pytest.fixture
def desk(record: Record) -> Desk:
    return Desk(record)


# --- the good way ---------------------------------------------------------------------------------------------------


def test_events_go_in_batches_and_are_received(store: Store, desk: Desk) -> None:
    wanted = subjects(430)
    look(store, *wanted)
    sizes = []
    while step := ship.next_step(store):
        if isinstance(step, ship.Batch):
            assert len(step.body) <= 64 * 1024
            sizes.append(len(ViewBatch.model_validate_json(step.body).events))
        ship.answered(store, step, desk.answer(step))
    assert sum(sizes) == 430
    assert max(sizes) <= 200
    assert len(sizes) < 6
    assert all(received for _, received in numbers(store))
    assert desk.told() == wanted
    assert (desk.found(), desk.whole(), barred(store)) == ([], True, None)
    assert ship.waiting(store) == ship.Waiting(0, known=True)


def test_a_long_text_makes_the_batch_shorter_and_never_empty(store: Store, desk: Desk) -> None:
    for number in range(60):
        look(store, f"{number:02d}" + "å" * 78)
    step = ship.next_step(store)
    assert isinstance(step, ship.Register)
    carry(store, desk)
    assert len(desk.told()) == 60


def test_events_from_before_ledgers_had_chains_are_shipped(store: Store, desk: Desk) -> None:
    with store.write() as db:
        for subject in subjects(3):
            views.log(db, views.ViewEvent(store.clock.now(), "aino", "9900080-0", "notice", subject, 1, None))
    assert ship.waiting(store) == ship.Waiting(3, known=False)
    carry(store, desk)
    assert desk.told() == subjects(3)


def test_answers_to_another_chain_and_a_doubled_receipt_do_nothing(store: Store, desk: Desk) -> None:
    look(store, *subjects(3))
    register = ship.next_step(store)
    assert isinstance(register, ship.Register)
    receipt = desk.answer(register)
    ship.answered(store, register, receipt)
    batch = ship.next_step(store)
    assert isinstance(batch, ship.Batch)
    first = desk.answer(batch)
    look(store, *subjects(2, 4))
    for _ in range(2):
        ship.answered(store, batch, first)
        assert numbers(store) == [(1, True), (2, True), (3, True), (4, False), (5, False)]
    with store.write() as db:
        chain.renew(db, store.ids)
    before = numbers(store)
    ship.answered(store, batch, first.model_copy(update={"number": 5}))
    error = ProblemAnswer(403, None)
    assert ship.refused(store, batch, error)
    assert (numbers(store), barred(store)) == (before, None)


# --- the backend forgets --------------------------------------------------------------------------------------------


def test_after_a_restore_what_was_lost_is_told_again(store: Store, desk: Desk, record: Record) -> None:
    look(store, *subjects(3))
    carry(store, desk)
    backup = backup_of(record, 0)
    look(store, *subjects(3, 4))
    carry(store, desk)
    restore(record, backup)
    assert desk.told() == subjects(3)
    look(store, *subjects(1, 7))
    carry(store, desk)
    assert desk.told() == subjects(7)
    assert desk.found() == [("gap", 4, 6, False)]
    assert (desk.whole(), barred(store)) == (True, None)


def test_a_backend_that_does_not_know_the_chain_gets_it_anew(store: Store, desk: Desk, record: Record) -> None:
    backup = backup_of(record, 0)
    look(store, *subjects(3))
    carry(store, desk)
    restore(record, backup)
    look(store, *subjects(1, 4))
    carry(store, desk)
    assert desk.told() == subjects(4)
    assert (desk.found(), barred(store)) == ([], None)


def hear(store: Store, record: Record) -> None:
    """Hear from the backend: only then is anything forgotten."""
    ask = pull.next_ask(store)
    assert ask is not None
    answer = record.changes("aino", ask.cursor)
    assert not isinstance(answer, ProblemError)
    assert pull.take_changes(store, ask, answer).applied


def test_what_the_ledger_no_longer_has_stays_an_open_gap(
    store: Store, desk: Desk, record: Record, clock: HandClock
) -> None:
    backup = backup_of(record, 0)
    look(store, *subjects(5))
    carry(store, desk)
    clock.at += views.KEPT + timedelta(minutes=1)
    look(store, *subjects(2, 6))
    carry(store, desk)
    hear(store, record)
    assert numbers(store) == [(6, True), (7, True)]
    restore(record, backup)
    look(store, *subjects(1, 8))
    carry(store, desk)
    assert desk.told() == subjects(3, 6)
    assert desk.found() == [("gap", 1, 5, True)]
    assert (desk.whole(), barred(store)) == (True, None)


def test_events_leave_a_week_after_their_receipt_and_the_newest_stays(
    store: Store, desk: Desk, record: Record, clock: HandClock
) -> None:
    look(store, *subjects(3))
    hear(store, record)
    carry(store, desk)
    clock.at += views.KEPT - timedelta(minutes=10)
    hear(store, record)
    assert len(numbers(store)) == 3
    clock.at += timedelta(minutes=20)
    hear(store, record)
    assert numbers(store) == [(3, True)]
    look(store, *subjects(2, 4))
    clock.at += timedelta(minutes=10)
    hear(store, record)
    assert numbers(store) == [(4, False), (5, False)]
    carry(store, desk)
    assert desk.told() == subjects(5)
    assert desk.found() == []


def test_unshipped_events_never_leave(store: Store, clock: HandClock) -> None:
    look(store, *subjects(3))
    clock.at += timedelta(days=400)
    push.start(store)
    assert numbers(store) == [(1, False), (2, False), (3, False)]


@pytest.mark.parametrize("status", [429, 500, 503, 400, 413, 422])
def test_other_answers_decide_nothing(store: Store, status: int) -> None:
    look(store, *subjects(2))
    step = ship.next_step(store)
    assert step is not None
    before = numbers(store)
    assert not ship.refused(store, step, ProblemAnswer(status, None))
    assert (numbers(store), barred(store)) == (before, None)
    again = ship.next_step(store)
    assert type(again) is type(step)


def test_the_key_of_a_chain_is_its_own(tmp_path: Path, clock: HandClock) -> None:
    found = set()
    for seed in range(3):
        store = Store.open(tmp_path / str(seed), Keys(), clock, SeededIds(seed))
        look(store, "n1")
        step = ship.next_step(store)
        assert isinstance(step, ship.Register)
        found.add((step.chain, step.registration.public_key))
        store.close()
    assert len({id_ for id_, _ in found}) == len({key for _, key in found}) == 3


def test_stamps_of_receipts_sort_as_text(clock: HandClock) -> None:
    assert outbox.stamp(clock.now()) < outbox.stamp(clock.now() + timedelta(microseconds=1))


def test_problems_pass_through_the_wire(desk: Desk) -> None:
    from kelmu_backend.problems import ProblemError
    from kelmu_tui.api.contract import ProblemCode

    head = {"number": 7, "hash": "0" * 64}
    error = answer_of(ProblemError(ProblemCode.VIEW_CHAIN_GAP, head=head))
    assert error.problem is not None
    assert error.problem.head is not None
    assert error.problem.head.model_dump() == head
