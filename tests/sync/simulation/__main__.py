"""Replay one seed, or try many: `python -m tests.sync.simulation 17 [--count 1000] [--steps 200]`."""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from kelmu_backend import feed, pull
from tests.sync.simulation.bugs import PLANTS
from tests.sync.simulation.record import build
from tests.sync.simulation.run import Violation, simulate

parser = argparse.ArgumentParser()
parser.add_argument("seed", type=int)
parser.add_argument("--count", type=int, default=1)
parser.add_argument("--steps", type=int, default=200)
parser.add_argument("--plant", choices=sorted(PLANTS), help="break the protocol in this way")
options = parser.parse_args()
feed.PAGE, pull.SNAPSHOT_PAGE = 3, 2  # type: ignore[misc]
patch = pytest.MonkeyPatch()
if options.plant:
    PLANTS[options.plant](patch)
with tempfile.TemporaryDirectory() as name:
    template = Path(name) / "template.db"
    build(template)
    failures = 0
    reached: Counter[str] = Counter()
    for seed in range(options.seed, options.seed + options.count):
        try:
            reached += simulate(seed, template, steps=options.steps)
        except Violation as violation:
            failures += 1
            print(violation)
    print(dict(reached))
    print(f"{options.count} seeds, {failures} failed")
