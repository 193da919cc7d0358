"""The demo that most tests of this folder share: one backend process, held until the last of them has ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.world import World, demo_world


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A home with a running demo backend and a small population."""
    with demo_world(tmp_path_factory.mktemp("demo")) as world:
        yield world
