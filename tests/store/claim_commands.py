"""Own commands on claims in the outbox, for the tests of the store."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from kelmu_tui.domain.claims.life import Command
from kelmu_tui.store import claim_content, claims, outbox
from kelmu_tui.store.claim_rows import ClaimFile, ClaimLine
from kelmu_tui.store.claims import Frame
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import Draft
from tests.store.build import NOW, OWN

USER: Final = "user"
LABEL: Final = {"customer": "Virtanen, Uusi", "masked_code": "******-*00P", "non_disclosure": True, "by": "Laura Koski"}


def give(
    store: Store, claim: str, verb: str, command: Command, version: int = 1, at: datetime = NOW, **more: Any
) -> str:
    """Save a command; return its id."""
    payload = claim_content.command_payload(command) | more
    with store.write() as db:
        number = db.execute("SELECT count(*) FROM main.command").fetchone()[0]
        draft = Draft(USER, OWN, claim, verb, payload, LABEL, version, "lease")
        return outbox.append(db, draft, id=f"k{number}", now=at + number * timedelta(minutes=1))


def acknowledge(store: Store, command: str, version: int, epoch: str = "e") -> None:
    """Let the backend have applied a command."""
    with store.write() as db:
        outbox.freeze(db, command)
        outbox.acknowledge(db, command, seq=4, version=version, epoch=epoch, now=NOW)


def refuse(store: Store, command: str, rule: str = "claim_state") -> None:
    """Let the backend have refused a command."""
    with store.write() as db:
        outbox.freeze(db, command)
        outbox.refuse(db, command, {"code": "rule_refused", "rule": rule}, None, NOW)


def frame(now: datetime = NOW, user: str = USER) -> Frame:
    """Return for whom the tests read."""
    return Frame(OWN, user, now)


def lines(store: Store, now: datetime = NOW) -> dict[str, ClaimLine]:
    """Return what lists show, by id and in order."""
    with store.read() as db:
        return {line.id: line for line in claims.lines(db, frame(now))}


def file(store: Store, claim: str, now: datetime = NOW) -> ClaimFile:
    """Return a claim whole."""
    with store.read() as db:
        found = claims.file(db, frame(now), claim)
    assert found is not None
    return found
