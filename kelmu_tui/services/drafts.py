"""What the user is typing, kept in the ledger until it is given: one unit of work each, over the local store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.store import drafts
from kelmu_tui.store.database import Store
from kelmu_tui.store.drafts import Kept, Owner
from kelmu_tui.store.rows import ActiveSession


class Drafts:
    """The drafts of a user in one organisation."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._session = session

    def find(self, verb: str, notices: Sequence[str]) -> Kept | None:
        """Return what was typed for all of `notices` and not given; None when nothing was."""
        with self._store.read() as db:
            return drafts.find(db, self._owner(verb), notices, self._clock.now())

    def keep(
        self,
        verb: str,
        notices: Sequence[str],
        payload: Mapping[str, Any],
        *,
        kind: str | None = None,
        before: str | None = None,
    ) -> None:
        """Keep what is being typed; without any text there is nothing to be kept, and the draft before goes.

        Args:
            kind: of the notices, when they are all of one: what a list without the replica calls the draft.
            before: id of the draft that was offered, when it was begun for more notices.
        """
        owner, label = self._owner(verb), {} if kind is None else {"kind": kind}
        with self._store.write() as db:
            if any(payload.values()):
                drafts.save(
                    db, owner, notices, payload, label, id=self._ids.new(), now=self._clock.now(), before=before
                )
            else:
                drafts.drop(db, owner, notices, before=before)

    def _owner(self, verb: str) -> Owner:
        return Owner(self._session.user_id, self._session.organisation.business_id, verb)
