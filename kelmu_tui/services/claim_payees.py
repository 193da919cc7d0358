"""Who is known here by an identity code, and what is known of them; whatever is told of somebody is a logged look."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.capabilities import NOTICES_INBOX
from kelmu_tui.domain.claims.facts import Facts
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.platform.clock import Clock
from kelmu_tui.services.claim_facts import facts_of
from kelmu_tui.services.customers import SITTING, Customers
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store import claims, customer_files, lease
from kelmu_tui.store.claim_rows import Payee
from kelmu_tui.store.claims import Frame
from kelmu_tui.store.customer_rows import File
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import NotShown, StoreError
from kelmu_tui.store.rows import ActiveSession

PAYEE: Final = "claim_payee"
"""What the log calls that name and protection of somebody were shown because a claim is made on their benefit."""
_NOTICE: Final = (
    "SELECT n.id, n.body FROM replica.notice AS n JOIN replica.scope AS s ON s.generation = n.generation"
    " WHERE json_extract(n.body, '$.customer.identity_code') = ? ORDER BY n.arrived DESC LIMIT 1"
)


class _Met(NamedTuple):
    """Somebody of whom a notice or a claim tells, whose id is `subject`."""

    name: str
    non_disclosure: bool
    subject: str


class Payees:
    """What a user may know of payees in one organisation.

    Args:
        frame: gives for whom claims are read now.
        log: logs a look: what was looked at, its id, and how many people.
    """

    def __init__(
        self,
        store: Store,
        session: ActiveSession,
        clock: Clock,
        customers: Customers,
        frame: Callable[[], Frame],
        log: Callable[[str, str | None, int], None],
    ) -> None:
        self._store = store
        self._session = session
        self._clock = clock
        self._customers = customers
        self._frame = frame
        self._log = log
        self._looked: dict[str, datetime] = {}

    def payee(self, code: str) -> Payee | None:
        """Return who has an identity code, from a file, a notice or a claim here; None when nobody is known.

        Raises:
            NotShown: nothing may be shown.
            StoreError: the look could not be logged.
        """
        customer = self._customer(code)
        file = None if customer is None else self._customers.peek(customer)
        if file is not None:
            person = file.person
            name = f"{person.family_name}, {person.given_names}"
            return Payee(name, mask(person.identity_code), person.non_disclosure, person.customer, True)
        with lease.within(self._store) as db:
            met = self._met(db, code)
        if met is None:
            return None
        last = self._looked.get(code)
        if last is None or not timedelta(0) <= self._clock.now() - last < SITTING:
            self._log(PAYEE, met.subject, 1)
            self._looked[code] = self._clock.now()
        return Payee(met.name, mask(code), met.non_disclosure, None, False)

    def facts(self, code: str, *, but: str | None = None) -> Facts:
        """Return what is known of the person with an identity code, nothing where nothing may be shown.

        Args:
            but: id of the claim that is judged.
        """
        file = self._file(code)
        try:
            with lease.within(self._store) as db:
                codes = (code,) if file is None else (file.person.identity_code, *file.person.earlier_codes, code)
                own = claims.of_person(db, self._frame(), codes)
                met = None if file is not None else self._met(db, code)
        except NotShown:
            return Facts()
        surname = "" if met is None else met.name.partition(",")[0]
        return facts_of(file, own, self._session.organisation.business_id, surname, but)

    def codes(self, customer: str) -> tuple[str, ...]:
        """Return the identity codes of a customer whose file is held, none without one."""
        with lease.within(self._store) as db:
            return customer_files.codes(db, customer, self._clock.now())

    def _customer(self, code: str) -> str | None:
        """Return the customer whose file is held, None where no file may be seen either."""
        try:
            self._customers.hold()
        except NotAllowed:
            return None
        with lease.within(self._store) as db:
            return customer_files.with_code(db, code, self._clock.now())

    def _file(self, code: str) -> File | None:
        """Return a file, None without one, and where the look at it cannot be logged."""
        try:
            customer = self._customer(code)
            return None if customer is None else self._customers.peek(customer)
        except StoreError:
            return None

    def _met(self, db: Any, code: str) -> _Met | None:
        if NOTICES_INBOX in self._session.capabilities:
            row = db.execute(_NOTICE, (code,)).fetchone()
            if row is not None:
                customer = json.loads(row[1])["customer"]
                name = f"{customer['family_name']}, {customer['given_names']}"
                return _Met(name, bool(customer.get("non_disclosure")), row[0])
        found = claims.person(db, self._frame(), code)
        return None if found is None else _Met(*found)
