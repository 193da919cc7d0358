"""The user's saved views of lists: columns, order and filter, under names of their own."""

from __future__ import annotations

from typing import Final

from kelmu_tui.domain.lists import lists as catalogue
from kelmu_tui.domain.text import clean
from kelmu_tui.platform.clock import Clock
from kelmu_tui.store import list_views
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_views import Owner, SavedView
from kelmu_tui.store.rows import ActiveSession

MAX_NAME: Final = 60
"""Letters in the name of a saved view at the most."""


class InvalidName(ValueError):
    """A view cannot be called that; the name itself is not in the message."""


class ListViews:
    """The views of one user in one organisation; every method is one unit of work on the store's thread.

    They stand in the ledger under user and organisation, so that they need no replica and outlive it.
    """

    def __init__(self, store: Store, session: ActiveSession, clock: Clock) -> None:
        self._store = store
        self._active = session
        self._clock = clock

    def saved(self, list_: str) -> tuple[SavedView, ...]:
        """Return the views of a list by name; what one says of columns that the list has no more is left out."""
        known = [column.id for column in catalogue()[list_].columns]
        with self._store.read() as db:
            return tuple(list_views.views(db, self._owner(list_), known))

    def save(self, list_: str, view: SavedView) -> SavedView:
        """Keep a view of a list, in the place of one of the same name, and return it under the name it has now.

        Raises:
            InvalidName: it has none, or too long a one.
            TooMany: there are as many as there can be.
            StoreError: it is not saved.
        """
        named = view._replace(name=tidy(view.name))
        if not 0 < len(named.name) <= MAX_NAME:
            raise InvalidName
        with self._store.write() as db:
            list_views.save(db, self._owner(list_), named, self._clock.now())
            self._store.changed("list_view", keys=(list_,))
        return named

    def drop(self, list_: str, name: str) -> bool:
        """Forget a view; False when there is none."""
        with self._store.write() as db:
            gone = list_views.drop(db, self._owner(list_), name)
            self._store.changed("list_view", keys=(list_,))
        return gone

    def _owner(self, list_: str) -> Owner:
        return Owner(self._active.user_id, self._active.organisation.business_id, list_)


def tidy(name: str) -> str:
    """Return a name as it is kept: one line, without spaces around it."""
    return " ".join(clean(name).split())
