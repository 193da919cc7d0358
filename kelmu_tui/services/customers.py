"""Customers: what a worker may ask about them, and the files that the local store holds.

Every method is one unit of work on the store's thread. A file leaves through `open` and `peek` only, which first
commit who looks at what, and why. Fetching one is the business of `services.looking`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from kelmu_tui.domain.capabilities import Allowed, Denied
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import IdentityCode, parse_identity_code
from kelmu_tui.domain.sections import (
    CASE_FORM,
    CUSTOMER_LOOKUP,
    MAX_CASE,
    MAX_REASON_TEXT,
    Purpose,
    Section,
    Sight,
    purposes,
    purposes_for,
)
from kelmu_tui.domain.text import clean
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.known import KnownOrganisation
from kelmu_tui.services.session import Session
from kelmu_tui.services.sights import Sights, demand_own, govern, scrub, sights_of
from kelmu_tui.store import chain, customer_files, customers, feed, lease, views
from kelmu_tui.store.customer_rows import File, Recent
from kelmu_tui.store.database import Store
from kelmu_tui.store.rows import ActiveSession

if TYPE_CHECKING:
    from kelmu_tui.i18n import Translator
    from kelmu_tui.services.case_file import Form

SITTING: Final = timedelta(minutes=30)
"""A file painted again this soon after it was logged, with nothing fetched between, is still the same look."""
LISTED: Final = 200
"""Files in a list at the most; a user's budget of a day is not much more."""
NOT_SHOWN: Final = frozenset({"hidden", "down"})
"""States of a section in which nothing of the customer is shown."""

# What word processors, letters and web pages make of a code: all kinds of hyphens and minus signs.
_HYPHENS: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-")


class InvalidQuery(ValueError):
    """A look-up cannot be asked like this; nothing of what was typed is in the message."""


class InvalidReason(InvalidQuery):
    """A reason is too long."""


class InvalidCase(InvalidQuery):
    """A case reference is too long, or holds what none holds; the reference itself is not in the message."""


class Case(NamedTuple):
    """For what customers are looked up in this sitting."""

    purpose: str
    case_reference: str | None


@dataclass(frozen=True, slots=True)
class LookUp:
    """What is asked about one person: either by `code`, or by the `customer` id of a file or a household.

    Attributes:
        purpose: id of `domain.sections.purposes`.
        reason: why, in words, when one is asked for (`Customers.why_reason`).
    """

    purpose: str
    code: IdentityCode | None = None
    customer: str | None = None
    case_reference: str | None = None
    reason: str | None = None
    sections: tuple[Section, ...] = tuple(Section)


class Customers:
    """What a user may know of customers in one organisation."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._active = session
        self._session = Session(store)
        self._clock = clock
        self._ids = ids
        self._case: Case | None = None
        self._looked: dict[str, tuple[datetime, datetime]] = {}

    # --- what may be asked -------------------------------------------------------------------------------------------

    def explain(self) -> Allowed | Denied:
        """Say through which grant customers may be looked up, or why not and what would open it.

        Raises:
            NotAllowed: the session has no such organisation any more.
        """
        return self.explain_capability(CUSTOMER_LOOKUP)

    def explain_capability(self, capability: str) -> Allowed | Denied:
        """Say the same of anything else that a mandate may open for the organisation.

        Raises:
            NotAllowed: as `explain`.
        """
        found = self._known()
        if found is None:
            raise NotAllowed(capability)
        return found.capabilities(self._today()).explain(capability)

    def purposes(self) -> tuple[Purpose, ...]:
        """Return the purposes of use that the organisation may name."""
        return purposes_for(self._active.organisation.type)

    def sights(self) -> dict[Section, Sight]:
        """Return what may be seen of each section, whoever the customer is.

        Raises:
            NotAllowed: customers may not be looked up.
        """
        found = self._sights().sections
        if found is None:
            raise NotAllowed(CUSTOMER_LOOKUP)
        return found

    def person_hides(self) -> frozenset[str]:
        """Return the fields of a person that stay away.

        Raises:
            NotAllowed: customers may not be looked up.
        """
        found = self._sights()
        if found.sections is None:
            raise NotAllowed(CUSTOMER_LOOKUP)
        return found.person_hides

    def clean_code(self, text: str) -> IdentityCode:
        """Return the identity code that was typed or pasted: spaces, small letters, other hyphens and digits mended.

        Raises:
            InvalidIdentityCode: it breaks a rule, which `fault` names.
        """
        folded = unicodedata.normalize("NFKC", text.translate(_HYPHENS))
        kept = "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))
        # The backend says whether artificial people may be looked up; the client has no say in it.
        return parse_identity_code(kept.upper(), today=self._today())

    def clean_case(self, text: str) -> str | None:
        """Return a case reference as it is sent, None for an empty one.

        Raises:
            InvalidCase: it is none.
        """
        wanted = " ".join(text.split())
        if not wanted:
            return None
        if len(wanted) > MAX_CASE or re.fullmatch(CASE_FORM, wanted) is None:
            raise InvalidCase
        return wanted

    def clean_reason(self, text: str) -> str | None:
        """Return a reason in words as it is sent, None for an empty one.

        Raises:
            InvalidReason: it is too long.
        """
        wanted = clean(text, multiline=True).strip()
        if len(wanted) > MAX_REASON_TEXT:
            raise InvalidReason
        return wanted or None

    def why_reason(self, who: IdentityCode | str, purpose: str) -> str | None:
        """Say why a reason in words has to be asked first: `purpose` or `unrelated`; None when it need not be.

        Only what is known here: the backend may want one for more (`contract.Problem.rule` of `reason_needed`).

        Args:
            who: an identity code, or the id of a customer.
        """
        meant = purposes().get(purpose)
        if meant is not None and meant.reason:
            return "purpose"
        with lease.within(self._store) as db:
            codes = (who.value,) if isinstance(who, IdentityCode) else customer_files.codes(db, who, self._clock.now())
            # Of a member of a household only the backend knows the code.
            return "unrelated" if codes and not customers.is_related(db, codes) else None

    def household(self, query: LookUp, file: File) -> tuple[LookUp, ...]:
        """Return the look-ups of the others in the household of `file`, for the same purpose, case and reason.

        There are none when the purpose is not one for a household.
        """
        meant = purposes().get(query.purpose)
        if meant is None or not meant.household:
            return ()
        return tuple(replace(query, code=None, customer=one.customer) for one in file.person.household)

    # --- files -------------------------------------------------------------------------------------------------------

    def open(self, customer: str) -> File | None:
        """Return a customer's file, after committing that it is looked at; None when none is held (any more).

        Raises:
            NotAllowed: customers may not be looked up (any more).
            NotShown: nothing may be shown.
        """
        file = self._file(customer)
        if file is None:
            self._looked.pop(customer, None)
            return None
        self._log("customer", customer, sum(one.state not in NOT_SHOWN for one in file.sections.values()), file)
        self._looked[customer] = (self._clock.now(), file.fetched_at)
        return file

    def peek(self, customer: str) -> File | None:
        """Return a file once more for painting: within a sitting, and while it is the same answer, it is one look.

        Raises:
            NotAllowed, NotShown: as `open`.
        """
        last = self._looked.get(customer)
        if last is None or not timedelta(0) <= self._clock.now() - last[0] < SITTING:
            return self.open(customer)
        file = self._file(customer)
        return file if file is not None and file.fetched_at == last[1] else self.open(customer)

    def held(self, code: IdentityCode) -> str | None:
        """Return the id of the customer whose file is held, by a present or an earlier code; None without one."""
        self.hold()
        with lease.within(self._store) as db:
            return customer_files.with_code(db, code.value, self._clock.now())

    def recents(self) -> tuple[Recent, ...]:
        """Return the files that can be opened, the newest first; who shows names logs that first (`log_list`)."""
        self.hold()
        with lease.within(self._store) as db:
            return customer_files.recents(db, self._clock.now(), LISTED)

    def search(self, text: str) -> tuple[Recent, ...]:
        """Return the files whose customers' names have words that begin with those of `text`, as `recents`."""
        self.hold()
        with lease.within(self._store) as db:
            return customer_files.search(db, text, self._clock.now(), LISTED)

    def log_list(self, count: int, *, filtered: bool = False, of: str = "") -> None:
        """Log that a list of `count` names was opened or filtered; before it is shown.

        Args:
            of: which list, when it is not that of the files.
        """
        kind = of or ("filtered" if filtered else "")
        self._log(f"customer_list:{kind}" if kind else "customer_list", None, count, None)

    def seen(self, customer: str, section: Section) -> None:
        """Note that the user has seen a section as it is: nothing in it is news any more."""
        with self._store.read() as db:
            if not customers.has_news(db, customer, section):
                return
        with self._store.write("replica") as db:
            if customers.seen(db, customer, section, self._clock.now()):
                self._store.changed("customer", keys=(customer,))

    def hold(self) -> None:
        """Destroy what the mandates don't show any more; every way to a file begins with it.

        Raises:
            NotAllowed: nobody may be looked up, or the user works for another organisation meanwhile.
        """
        demand_own(self._store, self._active.organisation.business_id, CUSTOMER_LOOKUP)
        sights = self._sights()
        govern(self._store, sights)
        if sights.sections is None:
            raise NotAllowed(CUSTOMER_LOOKUP)

    def forget(self, customer: str) -> bool:
        """Destroy a file before its time; say whether there was one."""
        with self._store.write("replica") as db:
            gone = customers.forget(db, customer)
            feed.unscrub(db)
            self._store.changed("customer", keys=(customer,))
        self._looked.pop(customer, None)
        scrub(self._store)
        return gone

    # --- the case in hand --------------------------------------------------------------------------------------------

    def last_case(self) -> Case | None:
        """Return the purpose and case that were named last in this sitting."""
        return self._case

    def keep_case(self, purpose: str, case_reference: str | None) -> None:
        """Keep purpose and case for the next look-up of this sitting."""
        self._case = Case(purpose, case_reference)

    # --- what leaves the program -------------------------------------------------------------------------------------

    def section_text(self, customer: str, sections: Sequence[Section], t: Translator) -> str | None:
        """Return sections of a file as text for the case file, after committing that they leave.

        It says source, time and purpose. No sections mean the whole file.

        Returns:
            None when no such section is held.

        Raises:
            NotAllowed, NotShown: as `open`.
        """
        from kelmu_tui.services.case_file import text

        found = self._leaving("customer_copy", customer, sections)
        return None if found is None else text(*found, t)

    def exported(self, customer: str, sections: Sequence[Section], t: Translator, form: Form) -> str | None:
        """Return the same in a form for a file or a printer (`case_file.Form`), as `section_text`."""
        from kelmu_tui.services.case_file import made

        found = self._leaving("customer_export", customer, sections)
        return None if found is None else made(*found, t, form)

    def _leaving(
        self, view: str, customer: str, sections: Sequence[Section]
    ) -> tuple[File, tuple[Section, ...]] | None:
        file = self._file(customer)
        if file is None or not file.sections.keys() >= set(sections):
            return None
        leaving = tuple(section for section in file.sections if not sections or section in sections)
        self._log(view, customer, sum(len(file.sections[one].rows) for one in leaving), file)
        return file, leaving

    def copied(self, customer: str) -> bool:
        """Log that a field of a file is copied; before it is. False when the file is not held (any more)."""
        file = self._file(customer)
        if file is not None:
            self._log("customer_copy", customer, 1, file)
        return file is not None

    def revealed(self, customer: str) -> bool:
        """Log that an identity code is shown whole; before it is. False when the file is not held (any more)."""
        file = self._file(customer)
        if file is not None:
            self._log("customer:code", customer, 1, file)
        return file is not None

    # --- inside ------------------------------------------------------------------------------------------------------

    def _file(self, customer: str) -> File | None:
        self.hold()
        with lease.within(self._store) as db:
            return customer_files.file(db, customer, self._clock.now())

    def _log(self, view: str, subject: str | None, rows: int, file: File | None) -> None:
        at = self._clock.now()
        ages = [one.source_at for one in file.sections.values() if one.source_at is not None] if file else []
        event = views.ViewEvent(
            at,
            self._active.user_id,
            self._active.organisation.business_id,
            view,
            subject,
            rows,
            min(ages) if ages else file.fetched_at if file else None,
            file.purpose if file else None,
            file.case_reference if file else None,
        )
        with self._store.write() as db:
            chain.ensure(db, self._ids)
            views.log(db, event)
            self._store.changed("view_event", keys=(view,))

    def _sights(self) -> Sights:
        return sights_of(self._known(), self._today())

    def _known(self) -> KnownOrganisation | None:
        return self._session.known().organisation(self._active.organisation.business_id)

    def _today(self) -> date:
        return local_date(self._clock.now())
