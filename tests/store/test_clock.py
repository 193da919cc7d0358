"""The trusted time: carried on by the machine's count of seconds, whatever anybody does to the wall clock."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from kelmu_tui.store.clock import KEEP_EVERY, TOLERANCE, TrustedClock
from kelmu_tui.store.database import Store
from tests.store.build import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
jumps = st.timedeltas(min_value=timedelta(days=-4000), max_value=timedelta(days=4000))
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))


class Machine:
    """A wall clock that is set at will and seconds that are not."""

    def __init__(self) -> None:
        self.wall = NOW
        self.seconds = 1000.0

    def now(self) -> object:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, span: timedelta) -> None:
        """Let time pass, on both."""
        self.wall += span
        self.seconds += span.total_seconds()

    def restart(self) -> None:
        """Start the machine again: the count begins anew."""
        self.seconds = 5.0


def kept_by(store: Store, clock: TrustedClock) -> None:
    with store.write() as db:
        clock.keep(db)


def opened(store: Store, machine: Machine, boot: str = "first") -> TrustedClock:
    """Return the clock of another process that opens the same ledger."""
    clock = TrustedClock(machine, boot)  # type: ignore[arg-type]
    with store.read() as db:
        clock.load(db)
    return clock


@given(st.lists(st.tuples(jumps, spans), max_size=6))
def test_once_the_backend_was_heard_the_wall_clock_does_not_matter(moves: list[tuple[timedelta, timedelta]]) -> None:
    machine = Machine()
    clock = TrustedClock(machine, "first")  # type: ignore[arg-type]
    clock.hear(NOW + DAY)
    passed = timedelta(0)
    for jump, span in moves:
        machine.wall = NOW + jump
        machine.pass_by(span)
        passed += span
        assert abs(clock.now() - (NOW + DAY + passed)) < timedelta(milliseconds=1)
        assert not clock.behind


def test_another_process_of_the_same_run_knows_the_time_too(store: Store) -> None:
    machine = Machine()
    clock = opened(store, machine)
    clock.hear(NOW + DAY)
    kept_by(store, clock)
    machine.wall = NOW - 3650 * DAY
    machine.seconds += 3600
    assert opened(store, machine).now() == NOW + DAY + HOUR


def test_after_a_restart_time_does_not_go_back_and_a_clock_behind_is_told(store: Store) -> None:
    machine = Machine()
    clock = opened(store, machine)
    clock.hear(NOW + DAY)
    kept_by(store, clock)
    machine.restart()
    late = opened(store, machine, "second")
    assert late.now() == NOW + DAY
    assert late.behind
    machine.pass_by(HOUR)
    assert late.now() == NOW + DAY + HOUR  # it does not stand still either: what waits must become due
    machine.wall = NOW + 2 * DAY
    assert late.now() == NOW + 2 * DAY
    late.hear(NOW + HOUR)
    assert late.now() == NOW + HOUR
    assert not late.behind


def test_without_a_name_of_the_run_a_count_holds_for_its_process_alone(store: Store) -> None:
    machine = Machine()
    clock = opened(store, machine, "")
    clock.hear(NOW + DAY)
    kept_by(store, clock)
    machine.wall = NOW + 3 * DAY
    assert clock.now() == NOW + DAY
    assert opened(store, machine, "").now() == NOW + 3 * DAY


def test_a_late_answer_turns_nothing_back_but_the_backend_is_believed(store: Store) -> None:
    machine = Machine()
    clock = opened(store, machine)
    clock.hear(NOW)
    machine.pass_by(timedelta(seconds=30))
    clock.hear(NOW + timedelta(seconds=5))
    assert clock.now() == NOW + timedelta(seconds=30)
    clock.hear(NOW - DAY)
    assert clock.now() == NOW - DAY


def test_it_is_kept_every_few_minutes_and_after_a_jump(store: Store) -> None:
    machine = Machine()
    clock = opened(store, machine)
    assert clock.due()
    kept_by(store, clock)
    machine.pass_by(KEEP_EVERY - timedelta(seconds=1))
    assert not clock.due()
    machine.pass_by(timedelta(seconds=1))
    assert clock.due()
    kept_by(store, clock)
    clock.hear(NOW - TOLERANCE - HOUR)
    assert clock.due()


def test_what_is_kept_and_unreadable_counts_as_nothing(store: Store) -> None:
    with store.write() as db:
        db.execute("INSERT INTO secret VALUES ('clock', '{\"at\": 5}')")
    clock = opened(store, Machine())
    assert clock.now() == NOW
