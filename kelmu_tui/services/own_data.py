"""What the organisation itself knows: the county's answers, kept here, and in which columns its files have what.

Every method is one unit of work on the store's thread. Residents are kept nowhere: whoever reads a file of them holds
them for one review. Answers are for who may fetch the list that they are held against; forgetting them is for anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final

from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.own_files import ABROAD, Wanted
from kelmu_tui.platform.clock import Clock
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.session import Session
from kelmu_tui.services.sights import opened_lists
from kelmu_tui.store import expiry, own_answers
from kelmu_tui.store.database import Store
from kelmu_tui.store.own_answers import Kept, Outcome
from kelmu_tui.store.rows import ActiveSession

if TYPE_CHECKING:
    from kelmu_tui.domain.review import Answer

AT_ONCE: Final = 1000
"""Answers that are written in one transaction."""


def parts(answers: Mapping[str, Answer]) -> Iterator[dict[str, Answer]]:
    """Yield answers in parts, so that other work on the store's thread comes between."""
    left = iter(answers.items())
    while part := dict(islice(left, AT_ONCE)):
        yield part


class OwnData:
    """The own data of one organisation, for one user."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock) -> None:
        self._store = store
        self._organisation = session.organisation.business_id
        self._session = Session(store)
        self._clock = clock

    # --- answers -----------------------------------------------------------------------------------------------------

    def answers(self) -> Mapping[str, Answer]:
        """Return the county's answers by the reference of the request.

        Raises:
            NotAllowed: the list that they are held against is not open.
        """
        self.need()
        expiry.sweep(self._store)
        with self._store.read() as db:
            return own_answers.answered(db, self._organisation, self._clock.now())

    def kept(self) -> Kept | None:
        """Return how many answers are kept since when, None when none are."""
        expiry.sweep(self._store)
        with self._store.read() as db:
            return own_answers.kept(db, self._organisation, self._clock.now())

    def compare(self, answers: Mapping[str, Answer]) -> Outcome:
        """Return what keeping these answers would change.

        Raises:
            NotAllowed: as `answers`.
            TooManyAnswers: there would be more than are kept for an organisation.
        """
        self.need()
        with self._store.read() as db:
            return own_answers.compared(db, self._organisation, answers, self._clock.now())

    def keep_answers(self, answers: Mapping[str, Answer]) -> Outcome:
        """Keep answers beside those that are kept; to the same request the newest one counts.

        They are written in `parts`: one of many that breaks off has kept the first of them, and can be repeated.
        `compare` says before whether there is room for all.

        Raises:
            NotAllowed: as `answers`.
            TooManyAnswers: there would be more than are kept for an organisation; nothing of that part is.
            StoreError: the disk does not take them.
        """
        self.need()
        outcome = Outcome()
        for part in parts(answers):
            with self._store.write() as db:
                outcome = outcome.plus(own_answers.put(db, self._organisation, part, self._clock.now()))
                self._store.changed("own_answer")
        return outcome

    def forget(self) -> int:
        """Delete the answers, out of the log as well, and return how many there were."""
        with self._store.write() as db:
            gone = own_answers.forget(db, self._organisation)
            self._store.changed("own_answer")
        self._store.scrub()
        return gone

    def need(self) -> None:
        """Make sure that answers are of use: that the list is open which they are held against.

        Raises:
            NotAllowed: it is not.
        """
        known = self._session.known().organisation(self._organisation)
        if ABROAD not in opened_lists(known, local_date(self._clock.now())):
            raise NotAllowed(ABROAD)

    # --- mappings ----------------------------------------------------------------------------------------------------

    def mapping_for(self, headings: str, wanted: Wanted) -> tuple[int, ...] | None:
        """Return the columns that were chosen for headings (`own_files.print_of`) before."""
        return self.mappings(wanted).get(headings)

    def mappings(self, wanted: Wanted) -> Mapping[str, tuple[int, ...]]:
        """Return the columns that were chosen before, by what `own_files.print_of` gives for the headings."""
        with self._store.read() as db:
            return own_answers.remembered(db, self._organisation, wanted.value)

    def remember(self, headings: str, wanted: Wanted, places: tuple[int, ...]) -> None:
        """Remember the columns that were chosen for headings; an error of the disk is a `StoreError`."""
        with self._store.write() as db:
            own_answers.remember(db, self._organisation, wanted.value, headings, places, self._clock.now())
            self._store.changed("own_mapping")
