"""Many seeds on all cores: what they met, how fast, and for each that fails the line that replays it."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.support.postgresql import named, server
from tests.sync.simulation.bugs import PLANTS
from tests.sync.simulation.disk import Crash
from tests.sync.simulation.faults import FAULTS, IMPOSSIBLE, contradicted, missing, share
from tests.sync.simulation.ground import ServerCrash, build, build_at
from tests.sync.simulation.places import Place, PostgresqlPlace, unsafe
from tests.sync.simulation.run import Outcome, Violation, simulate

TEMPLATE: Final = "simulation_template"
CORES: Final = os.cpu_count() or 1


class Task(NamedTuple):
    """A seed to run in some process."""

    seed: int
    steps: int
    plant: str | None
    admin: str | None
    template: str


class Result(NamedTuple):
    """What became of a seed; `failure` is empty when all held."""

    seed: int
    failure: str
    outcome: Outcome | None


def run(task: Task) -> Result:
    """Run one seed."""
    template: Path | Place = Path(task.template)
    if task.admin is not None:
        template = PostgresqlPlace(task.admin, task.template, f"simulation_{os.getpid()}")
    with pytest.MonkeyPatch.context() as patch:
        if task.plant is not None:
            PLANTS[task.plant].plant(patch)
        try:
            return Result(task.seed, "", simulate(task.seed, template, steps=task.steps))
        except Violation as violation:
            return Result(task.seed, str(violation), None)
        except (Exception, Crash, ServerCrash) as error:  # noqa: BLE001 - whatever it is, it is told with its seed
            return Result(task.seed, f"{type(error).__name__}: {error} (seed {task.seed})", None)


@contextmanager
def _ground(*, postgresql: bool) -> Iterator[tuple[str | None, str]]:
    """Give the URL of the maintenance database, if any, and the template of all records."""
    with tempfile.TemporaryDirectory() as name:
        if not postgresql:
            template = Path(name) / "template.db"
            build(template)
            yield None, str(template)
            return
        with server(Path(name)) as admin:
            unsafe(admin)
            place = PostgresqlPlace(admin, "template0", TEMPLATE)
            place.begin()
            build_at(named(admin, TEMPLATE))
            yield admin, TEMPLATE


def _each(tasks: Iterable[Task]) -> Iterator[Result]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(CORES) as pool:
        yield from pool.imap_unordered(run, tasks, chunksize=1)


def replay(seed: int, steps: int, plant: str | None, *, postgresql: bool) -> bool:
    """Run one seed here and print what it met; True when something broke."""
    with _ground(postgresql=postgresql) as (admin, template):
        result = run(Task(seed, steps, plant, admin, template))
    if result.outcome is None:
        print(result.failure)
        return True
    met = {f"{name} × {state}" if state else name: n for (name, state), n in sorted(result.outcome.reached.items())}
    print(dict(sorted(result.outcome.events.items())), met, result.outcome.digest, sep="\n")
    return False


def soak(seeds: Sequence[int], steps: int, plant: str | None, *, postgresql: bool, reach: float) -> bool:
    """Run all seeds and print what they met; True when one failed, or too little was met."""
    total = Outcome()
    failures = 0
    with _ground(postgresql=postgresql) as (admin, template):
        began = time.perf_counter()
        for result in _each([Task(seed, steps, plant, admin, template) for seed in seeds]):
            if result.outcome is None:
                failures += 1
                print(f"{result.failure}{' --postgresql' if postgresql else ''}", flush=True)
            else:
                total += result.outcome
        took = time.perf_counter() - began
    where = "PostgreSQL" if postgresql else "SQLite"
    print(f"{len(seeds)} seeds of {steps} steps on SQLCipher and {where}: {len(seeds) / took:.2f} seeds a second")
    print("events:", dict(sorted(total.events.items())))
    print("faults:", {name: total.reached[name, ""] for name in FAULTS})
    return _reached(total, reach) or failures > 0


def _reached(total: Outcome, reach: float) -> bool:
    found = share(total.reached)
    print(f"pairs of faults and states: {found:.1%} of the possible ones, {len(IMPOSSIBLE)} are impossible")
    for name, state in missing(total.reached):
        print(f"  not met: {name} × {state}")
    wrong = contradicted(total.reached)
    for name, state in wrong:
        print(f"  met, though it is said to be impossible: {name} × {state}")
    if found < reach:
        print(f"less than {reach:.0%} of the pairs were met")
    return found < reach or bool(wrong)


def plants(names: Sequence[str], steps: int, limit: int | None) -> bool:
    """Run planted bugs until each is found; True when one is not."""
    failed = False
    with _ground(postgresql=False) as (admin, template):
        for name in names or PLANTS:
            most = limit or PLANTS[name].seeds
            found = _first([Task(seed, steps, name, admin, template) for seed in range(1, most + 1)])
            failed = failed or found is None
            print(f"{name}: {found.failure if found is not None else f'not found in {most} seeds'}", flush=True)
    return failed


def _first(tasks: Sequence[Task]) -> Result | None:
    """Return the failure of the lowest seed of those that were run when one failed."""
    for result in _each(tasks):
        if result.failure:
            return result
    return None
