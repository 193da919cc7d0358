"""The protocol's invariants on the real store and the real backend, and the proof that breaking it is noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sync.simulation.bugs import PLANTS
from tests.sync.simulation.faults import FAULTS, IMPOSSIBLE, POSSIBLE, STATES, Weather, contradicted, share
from tests.sync.simulation.run import Outcome, Violation, simulate

SEEDS = 50
STEPS = 200
BATCH = 10
CLAIM_EVENTS = (
    *("claim-register settled", "claim-register refused", "claim-change settled", "claim-cancel settled", "Kela: Pay"),
)
CHEAP: dict[str, int] = {
    "audit_after_show": 3,
    "claim_draft_stays": 2,
    "claim_end_without_reason": 3,
    "claim_input_lost": 3,
    "claim_registered_twice": 3,
    "cursor_before_rows": 8,
    "delete_on_send": 2,
    "followers_go_on": 3,
    "late_answers_taken": 20,
    "lease_ignored": 12,
    "memory_apart": 5,
    "no_checkpoint": 5,
    "no_memory": 2,
    "no_recovery": 3,
    "no_scrub": 24,
    "page_splits_sequence": 3,
    "removal_ignores_generation": 2,
    "restore_keeps_epoch": 18,
    "settle_at_acknowledgement": 3,
    "timer_stops": 9,
}
"""Planted bugs that few seeds find, with their seeds; `python -m tests.sync.simulation plants` tries all of them."""


@pytest.mark.parametrize("first", range(1, SEEDS + 1, BATCH))
def test_all_invariants_hold_at_every_step(template: Path, first: int) -> None:
    met = Outcome()
    for seed in range(first, first + BATCH):
        met += simulate(seed, template, steps=STEPS)
    # A run in which nothing happens proves nothing.
    for event in ("settled", "refused", "blocked", "note settled", *CLAIM_EVENTS):
        assert met.events[event], f"no seed of the batch met {event}"
    assert share(met.reached) > 0.4
    assert contradicted(met.reached) == []


@pytest.mark.parametrize("name", sorted(CHEAP))
def test_a_planted_bug_is_found(template: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    PLANTS[name].plant(monkeypatch)

    def search() -> None:
        for seed in range(1, CHEAP[name] + 1):
            simulate(seed, template, steps=STEPS)

    with pytest.raises(Violation, match=r"replay: python -m tests\.sync\.simulation replay"):
        search()


def test_a_seed_is_the_same_run_in_every_process(template: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.sync.simulation.run import simulate;"
        "print(simulate(11, Path(sys.argv[1]), steps=120).digest)"
    )
    digests = {simulate(11, template, steps=120).digest}
    for salt in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(template)],
            env={"PYTHONHASHSEED": salt, "PATH": ""},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert simulate(12, template, steps=120).digest not in digests


def test_every_seed_has_a_weather_of_its_own() -> None:
    for name in FAULTS:
        on = [Weather(seed).on(name) for seed in range(1, SEEDS + 1)]
        if FAULTS[name].odds:
            assert 10 < sum(on) < 45, name


def test_pairs_are_either_possible_or_have_a_reason() -> None:
    pairs = {(name, state) for name in FAULTS for state in STATES}
    assert set(IMPOSSIBLE) <= pairs
    assert POSSIBLE | set(IMPOSSIBLE) == pairs
    assert all(IMPOSSIBLE.values())
