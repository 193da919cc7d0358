"""Following customers: who is followed, what happened to them, and the commands that begin, renew and end it.

Every method is one unit of work on the store's thread. A list of names is a look, which is logged before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from kelmu_tui.domain.following import FollowRefusal, FollowRefused
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.customers import Customers
from kelmu_tui.store import follows, lease, outbox
from kelmu_tui.store.customer_rows import File
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import NotShown
from kelmu_tui.store.follows import Follow
from kelmu_tui.store.outbox import Draft
from kelmu_tui.store.rows import ActiveSession

SOON: Final = timedelta(days=14)
"""A follow whose time is over within this is said to end soon."""
LIST: Final = "followed"
"""What the log calls a list of those who are followed."""


class NotFollowed(ValueError):
    """There is no such follow, or it has ended."""


class Following:
    """The customers whom a user follows in one organisation."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids, customers: Customers) -> None:
        self._store = store
        self._session = session
        self._clock = clock
        self._ids = ids
        self._customers = customers

    def lines(self) -> tuple[Follow, ...]:
        """Return the follows; who shows names logs that first (`log_list`).

        Raises:
            NotAllowed: customers may not be looked up (any more).
            NotShown: nothing may be shown.
        """
        self._customers.hold()
        with lease.within(self._store) as db:
            return tuple(follows.follows(db, self._organisation, self._clock.now()))

    def news(self) -> int:
        """Return how many changes there are that the user has not seen; none where nothing may be shown."""
        try:
            with lease.within(self._store) as db:
                return follows.news(db, self._organisation, self._clock.now())
        except NotShown:
            return 0

    def log_list(self, count: int) -> None:
        """Log that a list of `count` names is shown; before it is."""
        self._customers.log_list(count, of=LIST)

    def of(self, customer: str) -> Follow | None:
        """Return the follow of a customer that goes on, None when there is none."""
        return next((one for one in self.lines() if one.customer == customer and one.ended is None), None)

    def seen(self, ids: Iterable[str]) -> None:
        """Note that what these follows tell has been seen."""
        wanted = set(ids)
        with self._store.read() as db:
            new = [one.id for one in follows.follows(db, self._organisation, self._clock.now()) if one.news]
        told = wanted.intersection(new)
        if told:
            with self._store.write("replica") as db:
                follows.seen(db, told, self._clock.now())
                self._store.changed("follow", keys=told)

    # --- commands ----------------------------------------------------------------------------------------------------

    def begin(self, file: File, reason: str | None = None) -> str:
        """Follow the customer of a file for its purpose and case; return the id of the command.

        Raises:
            FollowRefused: the customer is followed already for that.
            NotAllowed: customers may not be looked up (any more).
            StoreError: it is not saved.
        """
        self._customers.hold()
        person = file.person
        about = (person.customer, file.purpose, file.case_reference)
        follow = self._ids.new()
        payload = {
            "customer": person.customer,
            "purpose": file.purpose,
            "case_reference": file.case_reference,
            "reason": reason,
        }
        label = {
            "customer": f"{person.family_name}, {person.given_names}",
            "masked_code": mask(person.identity_code),
            "by": self._session.user_name,
        }
        with self._store.write() as db:
            for one in follows.follows(db, self._organisation, self._clock.now()):
                if one.ended is None and (one.customer, one.purpose, one.case_reference) == about:
                    raise FollowRefused(FollowRefusal.ALREADY_FOLLOWED)
            command = self._append(db, follow, "follow-begin", payload, label, 0)
            self._store.changed("command", "follow", keys=(follow,))
        return command

    def renew(self, ids: Sequence[str]) -> list[str]:
        """Let follows last their whole time from now on; return the ids of the commands.

        Raises:
            NotFollowed: one has ended, or is not there; nothing is saved.
            StoreError: nothing is saved.
        """
        return self._give(ids, "follow-renew")

    def end(self, ids: Sequence[str]) -> list[str]:
        """Say that the cases are over; return the ids of the commands.

        Raises:
            NotFollowed, StoreError: as `renew`.
        """
        return self._give(ids, "follow-end")

    # --- inside ------------------------------------------------------------------------------------------------------

    @property
    def _organisation(self) -> str:
        return self._session.organisation.business_id

    def _give(self, ids: Sequence[str], verb: str) -> list[str]:
        wanted = tuple(dict.fromkeys(ids))
        given = []
        with self._store.write() as db:
            held = {one.id: one for one in follows.follows(db, self._organisation, self._clock.now())}
            for id_ in wanted:
                one = held.get(id_)
                if one is None or one.ended is not None:
                    raise NotFollowed
                label = {"customer": one.name, "masked_code": one.masked_code, "by": self._session.user_name}
                given.append(self._append(db, id_, verb, {}, label, one.version))
            self._store.changed("command", "follow", keys=wanted)
        return given

    def _append(
        self, db: Any, follow: str, verb: str, payload: dict[str, Any], label: dict[str, Any], version: int
    ) -> str:
        session = self._session
        draft = Draft(session.user_id, self._organisation, follow, verb, payload, label, version, session.lease)
        return outbox.append(db, draft, id=self._ids.new(), now=self._clock.now())
