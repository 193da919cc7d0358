"""`python -m tests.sync.model run|replay|soak|plants`: seeds of the model from the command line."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from multiprocessing import Pool

from tests.sync.model.bugs import SEEDS, Bug
from tests.sync.model.run import STEPS, run
from tests.sync.model.server import Violation

PIECE = 100


def _piece(task: tuple[int, int, int, tuple[Bug, ...]]) -> tuple[Counter[str], list[str]]:
    first, count, steps, bugs = task
    reached: Counter[str] = Counter()
    broken = []
    for seed in range(first, first + count):
        try:
            reached += run(seed, steps=steps, bugs=frozenset(bugs))
        except Violation as violation:
            broken.append(str(violation))
    return reached, broken


def _many(first: int, count: int, steps: int, workers: int) -> int:
    tasks: list[tuple[int, int, int, tuple[Bug, ...]]] = [
        (start, min(PIECE, first + count - start), steps, ()) for start in range(first, first + count, PIECE)
    ]
    reached: Counter[str] = Counter()
    failed = 0
    began = time.monotonic()
    with Pool(workers) as pool:
        for found, broken in pool.imap_unordered(_piece, tasks):
            reached += found
            failed += len(broken)
            for line in broken:
                print(line, flush=True)
    span = time.monotonic() - began
    print(dict(sorted(reached.items())))
    print(f"{count} seeds of {steps} steps, {failed} failed, {count * steps / span:,.0f} steps a second")
    return 1 if failed else 0


def _plants(steps: int) -> int:
    missed = 0
    for bug, limit in SEEDS.items():
        found = 0
        for seed in range(1, limit + 1):
            try:
                run(seed, steps=steps, bugs=frozenset((bug,)))
            except Violation as violation:
                found = seed
                print(f"{bug}: found by seed {seed} of {limit}: {violation}", flush=True)
                break
        if not found:
            missed += 1
            print(f"{bug}: NOT found in {limit} seeds", flush=True)
    return 1 if missed else 0


def main() -> int:
    """Do what the command line says; 1 when something failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.sync.model")
    parser.add_argument("what", choices=("run", "replay", "soak", "plants"))
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plant", action="append", default=[], choices=[bug.value for bug in Bug])
    options = parser.parse_args()
    if options.what == "replay":
        _, broken = _piece((options.seed, 1, options.steps, tuple(Bug(name) for name in options.plant)))
        print("\n".join(broken) or "nothing is wrong")
        return 1 if broken else 0
    if options.what == "plants":
        return _plants(options.steps)
    count = 20_000 if options.what == "soak" else options.count
    return _many(options.seed, count, options.steps, options.workers)


if __name__ == "__main__":
    raise SystemExit(main())
