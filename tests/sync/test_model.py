"""The protocol itself, on the fast model: 500 seeds a run, and every planted bug noticed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from tests.sync.model.bugs import Bug
from tests.sync.model.run import STEPS, run
from tests.sync.model.server import Violation

SEEDS = 500
BATCH = 125
RARE = {
    Bug.SHOWN_BEFORE_LOGGED: 60,
    Bug.NO_TOMBSTONES: 200,
    Bug.OTHER_EPOCH_SETTLES: 200,
    Bug.SETTLED_WHILE_FILLING: 200,
}
"""Planted bugs that few seeds meet; for the others `USUAL` seeds are plenty."""
USUAL = 60


@pytest.mark.parametrize("first", range(1, SEEDS + 1, BATCH))
def test_all_invariants_hold_at_every_step(first: int) -> None:
    reached: Counter[str] = Counter()
    for seed in range(first, first + BATCH):
        reached += run(seed, steps=STEPS)
    for event in ("settled", "refused", "blocked", "undeliverable", "crash", "restored", "sleep", "turn the clock"):
        assert reached[event], f"no seed of the batch met {event}"


@pytest.mark.parametrize("bug", list(Bug))
def test_a_planted_bug_is_found(bug: Bug) -> None:
    def search() -> None:
        for seed in range(1, RARE.get(bug, USUAL) + 1):
            run(seed, bugs=frozenset((bug,)))

    with pytest.raises(Violation, match=rf"replay: python -m tests\.sync\.model replay \d+ --steps 400 --plant {bug}"):
        search()


def test_a_seed_is_the_same_run_everywhere() -> None:
    program = "from tests.sync.model.run import run; print(sorted(run(7).items()))"
    told = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert told == {f"{sorted(run(7).items())}\n"}
