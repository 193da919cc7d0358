"""Views reach the backend exactly once and in order, whatever the line, the process and the disk do; old and altered
ledgers are found out and barred."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kelmu_tui.api.contract import ViewBatch, ViewReceipt
from kelmu_tui.api.errors import ProblemAnswer
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store import chain, lease, outbox, views
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import ViewsBarred
from kelmu_tui.sync import push, ship
from tests.sync.simulation.player import Crash, FragileStore, Keys
from tests.sync.simulation.record import HandClock, Record
from tests.sync.viewing import Desk, answer_of, barred, carry, chain_of, look


@pytest.fixture
def desk(record: Record) -> Desk:
    return Desk(record)


def numbers(store: Store) -> list[tuple[int, bool]]:
    """Return the events of the ledger, and whether each was received."""
    with store.read() as db:
        rows = db.execute("SELECT number, received_at IS NOT NULL FROM view_event ORDER BY number")
        return [(number, bool(received)) for number, received in rows]


def subjects(count: int, start: int = 1) -> list[str]:
    return [f"n{number:04d}" for number in range(start, start + count)]


def spoil(store: Store, statement: str) -> None:
    """Do something to the ledger that only its owner's key makes possible."""
    with store.write() as db:
        db.execute(statement)


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


# --- crashes and lines ----------------------------------------------------------------------------------------------


@pytest.fixture
def fragile(tmp_path: Path, clock: HandClock) -> Iterator[FragileStore]:
    store = FragileStore.open(tmp_path / "aino", Keys(), clock, SeededIds(1))
    assert isinstance(store, FragileStore)
    yield store
    store.close()


class CountedStore(FragileStore):
    """A store whose process dies at one commit, before or after it."""

    fuse: int = -1

    def may_crash(self) -> None:
        """Die when the fuse has burnt down."""
        self.fuse -= 1
        if self.fuse == 0:
            raise Crash


@pytest.mark.parametrize("loses", ["nothing", "requests", "answers"])
def test_a_crash_between_any_two_commits_costs_nothing(
    tmp_path: Path, template: Path, clock: HandClock, loses: str
) -> None:
    """Look, register, ship, look, ship with a crash at the n-th commit, for every n there is."""
    fuse, crashed = 0, True
    while crashed:
        fuse += 1
        crashed = False
        folder = tmp_path / f"{loses}-{fuse}"
        folder.mkdir(mode=0o700)
        record = Record(template, folder, clock, fuse)
        desk, shown = Desk(record), list[str]()
        store = CountedStore.open(folder / "ledger", Keys(), clock, SeededIds(fuse))
        assert isinstance(store, CountedStore)
        store.fuse = fuse
        wanted = iter(subjects(7))
        lost = 0
        while True:
            try:
                for subject in wanted:
                    look(store, subject)
                    shown.append(subject)
                    if subject in ("n0003", "n0006"):
                        break
                step = ship.next_step(store)
                if step is None:
                    if len(shown) >= 6:
                        break
                    continue
                if loses == "requests" and (lost := lost + 1) % 2:
                    continue
                receipt = desk.answer(step)
                if loses == "answers" and (lost := lost + 1) % 2:
                    continue
                ship.answered(store, step, receipt)
            except Crash:
                crashed = True
                store.close()
                reopened = CountedStore.open(folder / "ledger", Keys(), clock, SeededIds(fuse + 1000))
                assert isinstance(reopened, CountedStore)
                store = reopened
                push.start(store)
        with store.read() as db:
            logged = [row[0] for row in db.execute("SELECT body ->> 'subject' FROM view_event ORDER BY number")]
        store.close()
        # A crash right after the commit of a look: it was logged, and nobody saw anything.
        assert [subject for subject in logged if subject in shown] == shown
        assert desk.told() == logged
        assert (desk.found(), desk.whole()) == ([], True)
        record.close()
    assert fuse > 15


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32), steps=st.integers(20, 120))
def test_whatever_the_line_and_the_backend_do_each_view_is_told_once(
    tmp_path_factory: pytest.TempPathFactory, template: Path, seed: int, steps: int
) -> None:
    """Requests and answers are lost, doubled and late, the ledger is swept, the backend comes back from a backup."""
    line = Line(template, tmp_path_factory.mktemp("line"), seed)
    for _ in range(steps):
        line.step()
    line.end()


class Line:
    """A ledger, a backend and a line between them on which anything may happen."""

    def __init__(self, template: Path, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = HandClock()
        self.record = Record(template, folder, self.clock, seed)
        self.store = Store.open(folder / "ledger", Keys(), self.clock, SeededIds(seed))
        self.desk = Desk(self.record)
        self.backups = [_backup(self.record, 0)]
        self.requests: list[ship.Register | ship.Batch] = []
        self.answers: list[tuple[ship.Register | ship.Batch, ViewReceipt | ProblemAnswer]] = []
        self.wanted: list[str] = []

    def step(self) -> None:
        """Let one thing happen."""
        self.clock.at += timedelta(minutes=self.dice.choice((1, 1, 1, 60)))
        steps = (
            self.look,
            self.look,
            self.send,
            self.send,
            self.arrive,
            self.arrive,
            self.answer,
            self.back,
            self.start,
        )
        self.dice.choice(steps)()

    def look(self) -> None:
        self.wanted.append(f"v{len(self.wanted):04d}")
        look(self.store, self.wanted[-1])

    def send(self) -> None:
        step = ship.next_step(self.store)
        if step is not None:
            self.requests.append(step)

    def arrive(self) -> None:
        """A request arrives; it may come again later."""
        if not self.requests:
            return
        step = self.dice.choice(self.requests)
        if self.dice.random() < 0.7:
            self.requests.remove(step)
        try:
            self.answers.append((step, self.desk.answer(step)))
        except ProblemAnswer as error:
            self.answers.append((step, error))

    def answer(self) -> None:
        """An answer arrives; it may come again later."""
        if not self.answers:
            return
        step, answer = found = self.dice.choice(self.answers)
        if self.dice.random() < 0.5:
            self.answers.remove(found)
        if isinstance(answer, ProblemAnswer):
            ship.refused(self.store, step, answer)
        else:
            ship.answered(self.store, step, answer)

    def back(self) -> None:
        """Make a backup of the record, or go back to one."""
        if self.dice.random() < 0.3:
            _restore(self.record, self.dice.choice(self.backups))
        else:
            self.backups.append(_backup(self.record, len(self.backups)))

    def start(self) -> None:
        push.start(self.store)

    def end(self) -> None:
        """Ship the rest over a good line and look at what there is."""
        self.look()
        carry(self.store, self.desk)
        assert barred(self.store) is None
        assert self.desk.told() == self.wanted
        assert [finding for finding in self.desk.found() if finding[3]] == []
        assert self.desk.whole()
        self.store.close()
        self.record.close()


def _backup(record: Record, number: int) -> Path:
    record.database.dispose()
    path = record._path.with_name(f"backup-{number}")
    shutil.copy(record._path, path)
    record._open()
    return path


def _restore(record: Record, backup: Path) -> None:
    record.database.dispose()
    for companion in record._path.parent.glob("record.db-*"):
        companion.unlink()
    shutil.copy(backup, record._path)
    record._open()


# --- the backend forgets --------------------------------------------------------------------------------------------


def test_after_a_restore_what_was_lost_is_told_again(store: Store, desk: Desk, record: Record) -> None:
    look(store, *subjects(3))
    carry(store, desk)
    backup = _backup(record, 0)
    look(store, *subjects(3, 4))
    carry(store, desk)
    _restore(record, backup)
    assert desk.told() == subjects(3)
    look(store, *subjects(1, 7))
    carry(store, desk)
    assert desk.told() == subjects(7)
    assert desk.found() == [("gap", 4, 6, False)]
    assert (desk.whole(), barred(store)) == (True, None)


def test_a_backend_that_does_not_know_the_chain_gets_it_anew(store: Store, desk: Desk, record: Record) -> None:
    backup = _backup(record, 0)
    look(store, *subjects(3))
    carry(store, desk)
    _restore(record, backup)
    look(store, *subjects(1, 4))
    carry(store, desk)
    assert desk.told() == subjects(4)
    assert (desk.found(), barred(store)) == ([], None)


def test_what_the_ledger_no_longer_has_stays_an_open_gap(
    store: Store, desk: Desk, record: Record, clock: HandClock
) -> None:
    backup = _backup(record, 0)
    look(store, *subjects(5))
    carry(store, desk)
    clock.at += views.KEPT + timedelta(minutes=1)
    look(store, *subjects(2, 6))
    carry(store, desk)
    push.start(store)
    assert numbers(store) == [(6, True), (7, True)]
    _restore(record, backup)
    look(store, *subjects(1, 8))
    carry(store, desk)
    assert desk.told() == subjects(3, 6)
    assert desk.found() == [("gap", 1, 5, True)]
    assert (desk.whole(), barred(store)) == (True, None)


def test_events_leave_a_week_after_their_receipt_and_the_newest_stays(
    store: Store, desk: Desk, clock: HandClock
) -> None:
    look(store, *subjects(3))
    push.start(store)
    carry(store, desk)
    clock.at += views.KEPT - timedelta(minutes=1)
    push.start(store)
    assert len(numbers(store)) == 3
    clock.at += timedelta(minutes=2)
    push.start(store)
    assert numbers(store) == [(3, True)]
    look(store, *subjects(2, 4))
    push.start(store)
    assert numbers(store) == [(4, False), (5, False)]
    carry(store, desk)
    assert desk.told() == subjects(5)
    assert desk.found() == []


def test_unshipped_events_never_leave(store: Store, clock: HandClock) -> None:
    look(store, *subjects(3))
    clock.at += timedelta(days=400)
    push.start(store)
    assert numbers(store) == [(1, False), (2, False), (3, False)]


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
