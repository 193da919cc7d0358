"""A record, a store and a clock for tests of the sync."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store.database import Store
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import A, B, HandClock, Record, build
from tests.sync.terminal import Backend, Terminal


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty record, made once."""
    path = tmp_path_factory.mktemp("record") / "template.db"
    build(path)
    return path


@pytest.fixture
def clock() -> HandClock:
    """Return time that moves by hand."""
    return HandClock()


@pytest.fixture
def record(template: Path, tmp_path: Path, clock: HandClock) -> Iterator[Record]:
    """Return a record with three notices of A and one of B."""
    found = Record(template, tmp_path, clock, 1)
    found.arrive(A, 3)
    found.arrive(B, 1)
    yield found
    found.close()


@pytest.fixture
def store(tmp_path: Path, clock: HandClock) -> Iterator[Store]:
    """Return an open store of a user of A, still empty."""
    found = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(1))
    found.attach(A.business_id)
    yield found
    found.close()


@pytest.fixture
def terminal(record: Record, store: Store, clock: HandClock) -> Terminal:
    """Return a terminal of aino."""
    return Terminal(store, Backend(record), clock)
