"""The same seed and day give the same population, on any machine and at any hour."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from kelmu_backend.population import World, generate
from kelmu_tui.domain.deadlines import local_date
from tests.population.conftest import NOW

_PROGRAM = """
from datetime import datetime
from kelmu_backend.population import generate
print(generate(3, datetime.fromisoformat("{now}"), people=200, notices=150).digest())
"""


def _small(seed: int = 3, now: datetime = NOW) -> World:
    return generate(seed, now, people=200, notices=150)


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_makes_the_same_world(hash_seed: str) -> None:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": "America/Lima"}
    answer = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(now=NOW.isoformat())],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert answer.stdout.strip() == _small().digest()


def test_notices_can_be_asked_for_again(world: World) -> None:
    assert [bundle.notice for bundle in world.notices()] == [bundle.notice for bundle in world.notices()]


def test_the_hour_changes_nothing_the_day_does() -> None:
    morning = datetime(2026, 11, 23, 22, 0, 1, tzinfo=UTC)
    evening = datetime(2026, 11, 24, 21, 59, tzinfo=UTC)
    assert local_date(morning) == local_date(evening)
    assert _small(now=morning).digest() == _small(now=evening).digest()
    assert _small(now=evening + timedelta(minutes=2)).digest() != _small(now=evening).digest()


def test_another_seed_makes_other_people() -> None:
    codes = [{person.identity_code for person in _small(seed).people} for seed in (3, 4)]
    assert not codes[0] & codes[1]


def test_sizes_are_kept(world: World) -> None:
    assert len(world.people) == 5000
    assert sum(1 for _ in world.notices()) == world.notice_count == 1200


def test_no_notices_are_a_population_too() -> None:
    assert list(generate(1, NOW, people=20, notices=0).notices()) == []


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_few_notices_are_all_there(count: int) -> None:
    assert sum(1 for _ in generate(1, NOW, people=20, notices=count).notices()) == count


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        generate(1, NOW, people=19)
    with pytest.raises(ValueError, match="no notices"):
        generate(1, NOW, notices=-1)


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 12, 25, 12, 0, tzinfo=UTC),
        datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 0, tzinfo=UTC),
    ],
)
def test_awkward_days_work(now: datetime) -> None:
    assert sum(1 for _ in generate(5, now, people=40, notices=60).notices()) == 60
