"""One default population for all tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kelmu_backend.population import Bundle, World, generate

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
"""A Tuesday, noon in Finland."""


@pytest.fixture(scope="session")
def world() -> World:
    return generate(1, NOW)


@pytest.fixture(scope="session")
def bundles(world: World) -> list[Bundle]:
    return list(world.notices())
