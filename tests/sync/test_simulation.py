"""The protocol's invariants on the real store and the real backend, and the proof that breaking it is noticed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kelmu_backend import feed, pull
from tests.sync.simulation.bugs import PLANTS
from tests.sync.simulation.run import Violation, simulate

SEEDS = 50
STEPS = 200
BATCH = 10
CHEAP = {
    "no_memory": 10,
    "settle_at_acknowledgement": 5,
    "cursor_before_rows": 20,
    "timer_stops": 5,
    "bytes_made_anew": 20,
    "no_recovery": 20,
    "revoked_rows_stay": 20,
    "removal_ignores_generation": 20,
    "followers_go_on": 20,
}
"""Planted bugs that few seeds find, with the number of seeds they get here; `python -m tests.sync.simulation` tries
the others with more."""


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pages so small that a few rows need several."""
    monkeypatch.setattr(feed, "PAGE", 3)
    monkeypatch.setattr(pull, "SNAPSHOT_PAGE", 2)


@pytest.mark.parametrize("first", range(1, SEEDS + 1, BATCH))
def test_all_invariants_hold_at_every_step(template: Path, first: int) -> None:
    reached: Counter[str] = Counter()
    for seed in range(first, first + BATCH):
        reached += simulate(seed, template, steps=STEPS)
    # A run in which nothing happens proves nothing.
    for event in ("settled", "refused", "blocked", "crash", "note settled"):
        assert reached[event], f"no seed of the batch met {event}"


@pytest.mark.parametrize("name", sorted(CHEAP))
def test_a_planted_bug_is_found(template: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    PLANTS[name](monkeypatch)

    def search() -> None:
        for seed in range(1, CHEAP[name] + 1):
            simulate(seed, template, steps=STEPS)

    with pytest.raises(Violation, match=r"replay: python -m tests\.sync\.simulation"):
        search()
