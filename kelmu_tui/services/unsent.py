"""Commands that the backend has not confirmed yet, and documents that are still kept: what sign-out asks about."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from kelmu_tui.store import copies, endings
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import State

UNSENT: Final = (State.QUEUED, State.SENDING, State.BLOCKED, State.UNDELIVERABLE)


def unsent(store: Store) -> int:
    """Return how many commands have neither been applied nor refused nor ended, with refused sendings of documents."""
    with store.read() as db:
        return len(_unsent(db))


def _unsent(db: Any) -> list[str]:
    names = ", ".join(f"'{state.value}'" for state in UNSENT)
    rows = db.execute(
        f"SELECT id FROM main.command WHERE state IN ({names})"  # noqa: S608
        " OR verb = 'document-send' AND state = 'refused' ORDER BY number DESC"
    )
    return [row[0] for row in rows]


def discard_unsent(store: Store, now: datetime) -> int:
    """Discard what can be discarded, drafts and copies of documents too.

    Returns:
        How many commands may have been applied already and stay.

    Raises:
        StoreError: the disk says no.
    """
    with store.write() as db:
        left = 0
        for id_ in _unsent(db):
            try:
                endings.discard(db, id_, now)
            except endings.NotPossible:
                left += 1
        for table in ("draft", "claim_draft"):
            db.execute(f"DELETE FROM main.{table}")  # noqa: S608
        store.changed("command", "conflict", "claim_draft", "sending")
    copies.tidy(store)
    return left
