"""Rows that are made when somebody first asks for a person: once, whoever asks at the same time."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from kelmu_backend.config import Maker
from kelmu_backend.customers import people
from kelmu_backend.database.customer_tables import customer_row, person
from kelmu_tui.domain.deadlines import local_date

_LOCKED: Final = select(person.c.filled).where(person.c.id == bindparam("id")).with_for_update()
_HELD: Final = select(customer_row.c.section, customer_row.c.id).where(customer_row.c.person == bindparam("id"))


def fill(connection: Connection, maker: Maker, customer: str, now: datetime) -> bool:
    """Make the rows of a person unless they are there; return whether they were made.

    The person stays locked until the transaction ends, so that whoever comes second finds the rows.
    """
    if connection.execute(_LOCKED, {"id": customer}).scalar_one() is not None:
        return False
    row = people.by_id(connection, customer)
    # What was written before, by an operator who moved a claim, is newer than what is made.
    held = {(one.section, one.id) for one in connection.execute(_HELD, {"id": customer})}
    made = maker(row, people.others_of(connection, row), local_date(now))
    made = [one for one in made if (one["section"], one["id"]) not in held]
    if made:
        connection.execute(insert(customer_row), [{"changed": now, **one} for one in made])
    connection.execute(update(person).where(person.c.id == customer).values(filled=now))
    return True
