"""Planted bugs of payment claims: each breaks one thing, on the backend, in the store or in the service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from sqlalchemy import delete

from kelmu_backend import commands
from kelmu_backend.claims import moving, record
from kelmu_backend.claims.giving import _Given
from kelmu_backend.database.claim_tables import claim_payment
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.services.claim_giving import Giver
from kelmu_tui.store import aftermath, claim_drafts, outbox, overlay, replica


def claim_registered_twice(patch: pytest.MonkeyPatch) -> None:
    """The backend forgets that it has registered a claim, and gives the repetition an id of its own."""
    remembered, register, ids = commands._remembered, _Given.register, SeededIds("twice")

    def forget(connection: Any, envelope: Any, now: Any) -> Any:
        found = remembered(connection, envelope, now)
        again = found is not None and found.status == 200 and envelope.action == "claim.register"
        return None if again else found

    def twice(given: Any, body: Any) -> Any:
        if record.load(given.connection, given.envelope.subject) is not None:
            given = replace(given, envelope=replace(given.envelope, subject=ids.new()))
        return register(given, body)

    patch.setattr(commands, "_remembered", forget)
    patch.setattr(_Given, "register", twice)


def claim_version_ignored(patch: pytest.MonkeyPatch) -> None:
    """A command on a claim goes through whatever has become of the claim since the user saw it."""
    original = _Given.on

    def on(given: Any, row: Any, body: Any) -> Any:
        return original(replace(given, envelope=replace(given.envelope, version=row.version)), row, body)

    patch.setattr(_Given, "on", on)


def claim_end_without_reason(patch: pytest.MonkeyPatch) -> None:
    """The record does not write why a claim ends."""
    original = record.keep

    def keep(connection: Any, row: Any, state: Any, what: str, *values: Any, **more: Any) -> Any:
        kept = replace(state, end_reason=None) if what == "end" else state
        return original(connection, row, kept, what, *values, **more)

    patch.setattr(record, "keep", keep)


def claim_paid_twice(patch: pytest.MonkeyPatch) -> None:
    """Whoever pays does not look whether the day has been paid."""

    def pay(connection: Any, row: Any, _before: Any, on: Any, amount: Any) -> None:
        key = claim_payment.c.claim == row.id, claim_payment.c.on == on
        connection.execute(delete(claim_payment).where(*key))
        connection.execute(claim_payment.insert(), {"claim": row.id, "on": on, "amount": amount})

    patch.setattr(moving, "_pay", pay)


def kela_moves_untold(patch: pytest.MonkeyPatch) -> None:
    """What Kela does with a claim does not stand in the feed of those whose claim it is."""
    original = moving.move

    def move(*values: Any) -> Any:
        return [replace(entry, scope="claims:nobody") for entry in original(*values)]

    patch.setattr(moving, "move", move)


def claim_commands_not_shown(patch: pytest.MonkeyPatch) -> None:
    """What was acknowledged is no longer shown, although the replica has not caught up."""
    original = overlay.has_effect

    def has_effect(command: Any, *values: Any) -> bool:
        return command.state is outbox.State.ACKNOWLEDGED or original(command, *values)

    patch.setattr(overlay, "has_effect", has_effect)


def claim_draft_stays(patch: pytest.MonkeyPatch) -> None:
    """A draft is still there after its claim was given."""
    original = Giver._take_draft

    def take(giver: Any, db: Any, draft: str | None) -> Any:
        now = giver._clock.now()
        found = None if draft is None else claim_drafts.find(db, giver._owner, draft, now)
        taken = original(giver, db, draft)
        if found is not None:
            claim_drafts.save(db, giver._owner, found)
        return taken

    patch.setattr(Giver, "_take_draft", take)


def claim_drafts_outlive_mandate(patch: pytest.MonkeyPatch) -> None:
    """Drafts of claims stay when the mandate to make claims ends."""
    original = aftermath.forget_customers

    def forget(db: Any, organisation: str, scopes: Any) -> Any:
        kept = db.execute("SELECT * FROM main.claim_draft").fetchall()
        told = original(db, organisation, scopes)
        if kept and not db.execute("SELECT 1 FROM main.claim_draft").fetchone():
            marks = ",".join("?" * len(kept[0]))
            db.executemany(f"INSERT INTO main.claim_draft VALUES ({marks})", kept)
        return told

    patch.setattr(aftermath, "forget_customers", forget)


def claim_scope_not_purged(patch: pytest.MonkeyPatch) -> None:
    """A scope of claims that ended is no longer shown, but the claims stay in the file."""
    original = replica.purge

    def purge(db: Any, *generations: int) -> None:
        claims = {row[0] for row in db.execute("SELECT DISTINCT generation FROM replica.claim")}
        original(db, *(one for one in generations if one not in claims))

    patch.setattr(replica, "purge", purge)


def claim_input_lost(patch: pytest.MonkeyPatch) -> None:
    """Of a refused claim it is kept that it was refused, and not what it said."""
    original = outbox.refuse

    def refuse(db: Any, id: str, *values: Any) -> None:  # noqa: A002
        original(db, id, *values)
        db.execute(
            "UPDATE main.command SET payload = json_remove(payload, '$.grounds', '$.typed')"
            " WHERE id = ? AND verb GLOB 'claim-*'",
            (id,),
        )

    patch.setattr(outbox, "refuse", refuse)


PLANTS: Final[tuple[Callable[[pytest.MonkeyPatch], None], ...]] = (
    claim_registered_twice,
    claim_version_ignored,
    claim_end_without_reason,
    claim_paid_twice,
    kela_moves_untold,
    claim_commands_not_shown,
    claim_draft_stays,
    claim_drafts_outlive_mandate,
    claim_scope_not_purged,
    claim_input_lost,
)
"""Every planted bug of claims."""
