"""What the screens work with while somebody works for an organisation: services on the store's thread, and the sync."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kelmu_tui.services.announcements import Announcements
from kelmu_tui.services.drafts import Drafts
from kelmu_tui.services.inbox import Inbox
from kelmu_tui.services.outbox import Outbox
from kelmu_tui.store.rows import ActiveSession, NoticeLine, TraceLine
from kelmu_tui.sync.status import SyncStatus

InboxLine = NoticeLine | TraceLine


@dataclass
class Desk:
    """One user at work for one organisation.

    Attributes:
        run: runs a unit of work on the store's thread.
        status: the engine's present status.
        poke: makes the engine look for work at once.
    """

    session: ActiveSession
    run: Callable[..., Awaitable[Any]]
    inbox: Inbox
    outbox: Outbox
    drafts: Drafts
    announcements: Announcements
    status: Callable[[], SyncStatus]
    poke: Callable[[], None]
