"""A store in a folder of its own, and rows as the wire brings them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kelmu_tui.store.database import Store
from tests.store.build import OWN, open_store

OpenStore = Callable[[], Store]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of one user's files."""
    return tmp_path / "users" / "one"


@pytest.fixture
def opened(folder: Path) -> Iterator[OpenStore]:
    """Open stores over `folder`, like several processes would; all are closed at the end."""
    stores: list[Store] = []

    def again() -> Store:
        stores.append(open_store(folder))
        return stores[-1]

    yield again
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: OpenStore) -> Store:
    """A store with the replica of `OWN` attached."""
    store = opened()
    store.attach(OWN)
    return store
