"""What relates a user to a person: a notice or a claim of the organisation, or that they have looked them up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from kelmu_backend.customers import journal
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import claim
from kelmu_backend.database.customer_tables import look_up
from kelmu_backend.policy import Access
from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER

_NOTICED: Final = (
    select(tables.notice.c.id)
    .where(
        tables.notice.c.organisation == bindparam("organisation"),
        tables.notice.c.customer_code.in_(bindparam("codes", expanding=True)),
        tables.notice.c.published,
    )
    .limit(1)
)
_CLAIMED: Final = (
    select(claim.c.id)
    .where(claim.c.organisation == bindparam("organisation"), claim.c.person.in_(bindparam("people", expanding=True)))
    .limit(1)
)


_LOOKED: Final = (
    select(look_up.c.id)
    .where(
        look_up.c.user == bindparam("user"),
        look_up.c.organisation == bindparam("organisation"),
        look_up.c.person == bindparam("person"),
        look_up.c.at > bindparam("since"),
        look_up.c.outcome == journal.DONE,
    )
    .limit(1)
)


def is_known(connection: Connection, access: Access, codes: Iterable[str], person: str | None, since: datetime) -> bool:
    """Tell whether the asker has looked somebody up since then, or their organisation is related to them.

    Args:
        person: their id, None for somebody whom the register does not know.
    """
    key = {"user": access.user, "organisation": access.organisation.business_id, "person": person, "since": since}
    looked = connection.execute(_LOOKED, key).first() is not None
    return is_related(connection, access, codes, () if person is None else (person,)) or looked


def is_related(connection: Connection, access: Access, codes: Iterable[str], people: Iterable[str]) -> bool:
    """Tell whether a notice or a claim of the asker's organisation is about somebody with these codes and ids.

    A claim counts for whoever makes claims. Both are always looked for, so that the time tells nothing.
    """
    key = {"organisation": access.organisation.business_id, "codes": sorted(codes), "people": sorted(people)}
    noticed = connection.execute(_NOTICED, key).first() is not None
    claimed = connection.execute(_CLAIMED, key).first() is not None
    return noticed or (claimed and access.has(PAYMENT_CLAIMS_REGISTER))
