"""What the faces know of the sync: one small value, replaced when anything in it changes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from kelmu_tui.store import chain, feed, outbox
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import State


class Connection(StrEnum):
    """How we stand with the backend.

    `paused` means that no organisation is chosen, `following` that another terminal of the user does the talking.
    """

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"
    PAUSED = "paused"
    SIGNED_OUT = "signed_out"
    UPDATE_NEEDED = "update_needed"
    FOLLOWING = "following"


class SyncStatus(NamedTuple):
    """State of the connection and of the work under way.

    Attributes:
        synced_at: the backend's time of the last complete answer; the age of what is shown.
        queued: commands not yet acknowledged; `conflicts`: refusals the user has not acted on.
        refreshing: a scope is being read anew; `filled` of `expected` rows are here.
        problem: code of what keeps us from being online.
        session_revision: grows when the user's mandates change: the session has to be asked again.
        leader_silent: another terminal leads and has not been heard for a minute.
        barred: the log of views is an old or an altered copy: nothing of customers is shown before the next sign-in.
    """

    state: Connection = Connection.CONNECTING
    synced_at: datetime | None = None
    queued: int = 0
    conflicts: int = 0
    refreshing: bool = False
    filled: int = 0
    expected: int = 0
    problem: str | None = None
    request_id: str = ""
    session_revision: int | None = None
    leader_silent: bool = False
    barred: bool = False


class Figures(NamedTuple):
    """The part of the status that stands in the store."""

    synced_at: datetime | None
    queued: int
    conflicts: int
    refreshing: bool
    filled: int
    expected: int
    session_revision: int | None
    barred: bool


def figures(store: Store) -> Figures:
    """Read the status' figures."""
    with store.read() as db:
        states = outbox.counts(db)
        queued = states.get(State.QUEUED, 0) + states.get(State.SENDING, 0)
        conflicts = outbox.open_conflicts(db)
        barred = chain.barred(db)
        if store.organisation is None:
            return Figures(None, queued, conflicts, False, 0, 0, None, barred)
        now = feed.state(db)
        filled, expected = feed.progress(db) if now.filling else (0, 0)
    return Figures(now.synced_at, queued, conflicts, now.filling, filled, expected, now.session_revision, barred)
