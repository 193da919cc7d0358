"""Commands that the backend has not confirmed yet: what sign-out has to ask about."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from kelmu_tui.store import copies, endings, outbox
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import State

UNSENT: Final = (State.QUEUED, State.SENDING, State.BLOCKED, State.UNDELIVERABLE)


def unsent(store: Store) -> int:
    """Return how many commands have neither been applied nor refused nor ended."""
    with store.read() as db:
        found = outbox.counts(db)
    return sum(found.get(state, 0) for state in UNSENT)


def discard_unsent(store: Store, now: datetime) -> int:
    """Discard what can be discarded, drafts and copies of documents too.

    Returns:
        How many commands may have been applied already and stay.

    Raises:
        StoreError: the disk says no.
    """
    with store.write() as db:
        names = ", ".join(f"'{state.value}'" for state in UNSENT)
        rows = db.execute(f"SELECT id FROM main.command WHERE state IN ({names}) ORDER BY number DESC")  # noqa: S608
        left = 0
        for (id_,) in rows.fetchall():
            try:
                endings.discard(db, id_, now)
            except endings.NotPossible:
                left += 1
        for table in ("draft", "claim_draft"):
            db.execute(f"DELETE FROM main.{table}")  # noqa: S608
        store.changed("command", "conflict", "claim_draft", "sending")
    copies.tidy(store)
    return left
