"""What the user's own pending commands make of claims: computed by the domain's rules, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.claims.life import VERBS, ClaimRefused, ClaimState, Status, decide, settled
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.store import claim_content, outbox, overlay
from kelmu_tui.store.claim_rows import Event

REGISTER: Final = "claim-register"
CHANGE: Final = "claim-change"


class Pending(NamedTuple):
    """Own commands on claims.

    Attributes:
        given: those whose effect is shown, by claim and each in local order.
        refused: registrations that were refused and that the user has not acted on, by claim.
        conflicts: claims with any such refusal.
        epoch: of the rows that are shown, None when not known.
    """

    given: Mapping[str, list[outbox.Command]]
    refused: Mapping[str, outbox.Command]
    conflicts: frozenset[str]
    epoch: str | None

    @property
    def touched(self) -> frozenset[str]:
        """Claims that look different for any of these commands."""
        return self.conflicts.union(self.given)


class Effect(NamedTuple):
    """What stands of a claim with pending commands applied.

    Attributes:
        pending: the last of them that changed it, as the outbox names it; None when none did.
        changed: whether one of them says something else.
        events: what they did.
    """

    state: ClaimState
    pending: str | None
    changed: bool
    events: tuple[Event, ...]


def pending(db: Any, organisation: str, ids: Iterable[str] | None = None) -> Pending:
    """Return the own commands on claims of an organisation; on `ids` only, if given."""
    wanted = {
        row[0]
        for row in db.execute(
            "SELECT aggregate FROM main.command WHERE state IN ('queued', 'sending', 'acknowledged', 'blocked')"
            " AND organisation = ? AND verb GLOB 'claim-*'",
            (organisation,),
        )
    }
    if ids is not None:
        wanted.intersection_update(ids)
    given = overlay.by_aggregate(outbox.pending(db, organisation, wanted)) if wanted else {}
    conflicts = overlay.conflicts(db, organisation)
    return Pending(given, refused(db, organisation) if conflicts else {}, conflicts, _epoch(db) if given else None)


def refused(db: Any, organisation: str) -> dict[str, outbox.Command]:
    """Return the registrations that were refused and that the user has not acted on, by claim."""
    rows = db.execute(
        "SELECT c.id FROM main.conflict AS k JOIN main.command AS c ON c.id = k.command"
        " WHERE k.ended IS NULL AND c.organisation = ? AND c.verb = ? AND c.state = 'refused'",
        (organisation, REGISTER),
    ).fetchall()
    found = (outbox.command(db, row[0]) for row in rows)
    return {command.aggregate: command for command in found if command is not None}


def _epoch(db: Any) -> str | None:
    row = db.execute(
        "SELECT coalesce(g.value, e.value) FROM replica.scope AS s"
        " LEFT JOIN replica.state AS g ON g.key = 'epoch:' || s.generation"
        " LEFT JOIN replica.state AS e ON e.key = 'epoch' WHERE s.name GLOB 'claims:*'"
    ).fetchone()
    return None if row is None else row[0]


def state_of(row: Mapping[str, Any], today: date) -> ClaimState:
    """Return the state of a claim of the wire on a day."""
    ended_on = claim_content.day(row.get("ended_on"))
    found = ClaimState(
        Status(row["status"]), claim_content.of_row(row), row["version"], row.get("end_reason"), ended_on
    )
    return settled(found, today)


def applied(state: ClaimState, commands: Iterable[outbox.Command], epoch: str | None) -> Effect:
    """Apply commands in local order to a row; one that the rules refuse by now changes nothing.

    Args:
        epoch: of the row, None when not known.
    """
    effect = _run(state, state.version, commands, epoch)
    assert effect is not None
    return effect


def begun(commands: Iterable[outbox.Command]) -> Effect | None:
    """Apply commands to what is not in the replica; None when they begin no claim."""
    return _run(None, 0, commands, None)


def _run(
    state: ClaimState | None, version: int, commands: Iterable[outbox.Command], epoch: str | None
) -> Effect | None:
    verb, changed, events = None, False, []
    for command in commands:
        if overlay.has_effect(command, version, epoch):
            continue
        at = datetime.fromisoformat(command.created_at)
        try:
            state = decide(state, claim_content.command_of(command.verb, command.payload), local_date(at))
        except ClaimRefused:
            continue
        verb, changed = command.verb, changed or command.verb in (REGISTER, CHANGE)
        events.append(Event(at, VERBS[verb], str(command.label.get("by", "")), pending=True))
    return None if state is None else Effect(state, verb, changed, tuple(events))
