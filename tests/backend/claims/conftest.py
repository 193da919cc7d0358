"""The world of claims: `viewer` makes claims for A and has looked nobody up yet, `carla` does too, `bo` does for B."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from kelmu_backend.database import tables
from tests.backend.conftest import LOOK_ALIKE, LOOK_UP, TAMPERE, A, B, World, grant
from tests.backend.customers.support import Gate, Register

from .support import Claims


@pytest.fixture
def claims(world: World) -> Claims:
    """Give a register with accounts, and people with notices in the inbox of A."""
    people = Register(world, Gate())
    with world.database.write() as connection:
        user = {"id": "carla", "name": "Carla", "language": "fi", "employer": A.business_id, "persona": True}
        connection.execute(insert(tables.app_user), user)
    people.grant("carla", grant(LOOK_UP, A))
    people.grant("bo", grant(LOOK_UP, B))
    people.grant("bertta", grant(LOOK_UP, TAMPERE))
    people.grant("lookalike", grant(LOOK_ALIKE, A))
    return Claims(world, people).set_up()
