"""Who is changing a claim now: no command, for nothing depends on it; the version of the claim stays as it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete
from sqlalchemy.dialects import postgresql, sqlite

from kelmu_backend import feed
from kelmu_backend.claims import record
from kelmu_backend.database.claim_tables import claim_editor
from kelmu_backend.feed import Change, Entry
from kelmu_backend.policy import Access, claims_scope
from kelmu_backend.problems import not_found

LASTS: Final = timedelta(minutes=2)
"""How long somebody counts as changing a claim who has said so and nothing since."""


def tell(connection: Connection, access: Access, identifier: str, *, on: bool, now: datetime) -> tuple[int, Change]:
    """Note that the user begins or goes on to change a claim, or has stopped; return its version and what to tell.

    Raises:
        ProblemError: the organisation has no such claim.
    """
    row = record.load(connection, identifier)
    organisation = access.organisation.business_id
    if row is None or row.organisation != organisation:
        raise not_found()
    if on:
        build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        values = {"name": access.name, "until": now + LASTS}
        statement = build(claim_editor).values(claim=identifier, user=access.user, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["claim", "user"], set_=values))
    else:
        own = claim_editor.c.claim == identifier, claim_editor.c.user == access.user
        connection.execute(delete(claim_editor).where(*own))
    return row.version, feed.record(connection, [Entry(claims_scope(organisation), identifier, row.version)])


def forget(connection: Connection, now: datetime) -> int:
    """Forget who has long stopped without a word; return how many. Their rows said until when they counted."""
    return connection.execute(delete(claim_editor).where(claim_editor.c.until <= now)).rowcount
