"""A world with a network that lies, and where its clients come from."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import WORKER, World
from tests.ordeal.chaos import Backend, Chaos, chaotic_world
from tests.ordeal.nursery import Nursery


@pytest.fixture
def seed() -> int:
    """The seed of this run, told so that its dice can be thrown again."""
    found = random.SystemRandom().randrange(1 << 32)
    print(f"seed {found}")
    return found


@pytest.fixture
def wired(tmp_path: Path, seed: int) -> Iterator[tuple[World, Backend, Chaos]]:
    """A world of the test's own; its network is whole until the test spoils it."""
    with chaotic_world(tmp_path, seed) as found:
        yield found


@pytest.fixture
def order(wired: tuple[World, Backend, Chaos]) -> dict[str, Any]:
    """What every client of the signed-in worker is told."""
    world, _, network = wired
    world.sign_in(WORKER, sync=True)
    notices = [row["id"] for row in world.free(WORKER)]
    return {"user": WORKER, "url": network.url, "notices": notices, "seed": 1, "until": 0}


@pytest.fixture
def nursery(tmp_path: Path, wired: tuple[World, Backend, Chaos]) -> Iterator[Nursery]:
    """Where the clients of the world come from."""
    with Nursery(tmp_path / "stderr", "tests.ordeal.client", env=wired[0].env) as found:
        yield found
