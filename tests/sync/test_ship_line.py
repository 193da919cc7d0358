"""Views reach the backend exactly once and in order, whatever the line and the process do."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kelmu_tui.api.contract import ViewReceipt
from kelmu_tui.api.errors import ProblemAnswer
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store.database import Store
from kelmu_tui.sync import push, ship
from tests.sync.simulation.disk import Crash, FragileStore, Keys
from tests.sync.simulation.record import HandClock, Record
from tests.sync.viewing import (
    Desk,
    backup_of,
    barred,
    carry,
    look,
    restore,
    subjects,
)

# --- crashes and lines ----------------------------------------------------------------------------------------------


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
        store = FragileStore.open(folder / "ledger", Keys(), clock, SeededIds(fuse))
        assert isinstance(store, FragileStore)
        store.fuse = fuse - 1
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
                reopened = FragileStore.open(folder / "ledger", Keys(), clock, SeededIds(fuse + 1000))
                assert isinstance(reopened, FragileStore)
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
        self.backups = [backup_of(self.record, 0)]
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
            restore(self.record, self.dice.choice(self.backups))
        else:
            self.backups.append(backup_of(self.record, len(self.backups)))

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
