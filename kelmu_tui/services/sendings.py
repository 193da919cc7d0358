"""Documents to Kela: files are looked over, sealed and queued, and what became of them is told.

Looking over and sealing take seconds and touch no database: they belong on a thread beside the screen's and the
store's (`check`, `seal`). All other methods are units of work on the store's thread. A list of names is a look, which
is logged before.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from kelmu_tui.domain.capabilities import DOCUMENTS_SEND
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import IdentityCode, mask
from kelmu_tui.domain.text import clean
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import Ids
from kelmu_tui.services.customers import SITTING, Customers
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.sealing import Hear, Request, Sealed, seal
from kelmu_tui.services.sending_files import UNREADABLE, CheckedFile, File, FileRefused, read
from kelmu_tui.services.session import Session
from kelmu_tui.services.sights import demand_own
from kelmu_tui.store import copies, endings, lease, outbox, sendings
from kelmu_tui.store.database import Store
from kelmu_tui.store.endings import NotPossible
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.outbox import Draft, State
from kelmu_tui.store.rows import ActiveSession
from kelmu_tui.store.sendings import DocumentLine, SendingLine

LIST: Final = "sendings"
"""What the log calls a list of sendings."""
PREVIEW_COLUMNS: Final = 60
_VERB: Final = "document-send"


class Sendings:
    """The documents that a user sends for one organisation."""

    def __init__(self, store: Store, session: ActiveSession, clock: Clock, ids: Ids, customers: Customers) -> None:
        self._store = store
        self._active = session
        self._session = Session(store)
        self._clock = clock
        self._ids = ids
        self._customers = customers
        self._named: dict[str, datetime] = {}
        self._looked: dict[str, tuple[datetime, str | None]] = {}

    # --- what there is -----------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Let nothing be shown or sent without a mandate.

        Raises:
            NotAllowed: documents may not be sent, or the user works for another organisation meanwhile.
        """
        demand_own(self._store, self._organisation, DOCUMENTS_SEND)
        found = self._session.known().organisation(self._organisation)
        if found is None or not found.capabilities(self._today()).has(DOCUMENTS_SEND):
            raise NotAllowed(DOCUMENTS_SEND)

    def lines(self) -> tuple[SendingLine, ...]:
        """Return the sendings, those without a receipt first; who shows names logs that first (`log_list`).

        Raises:
            NotAllowed: documents may not be sent (any more).
            NotShown: nothing may be shown.
        """
        self.hold()
        with lease.within(self._store) as db:
            return tuple(sendings.lines(db, self._organisation, self._clock.now()))

    def log_list(self, count: int) -> None:
        """Log that a list of `count` names is shown; before it is."""
        self._customers.log_list(count, of=LIST)

    def open(self, sending: str) -> SendingLine | None:
        """Return a sending after logging the look; None when there is none (any more).

        Painted again within a sitting it is the same look, however much of it went up; its receipt is another one.

        Raises:
            NotAllowed, NotShown: as `lines`.
            StoreError: the look could not be logged; nothing is shown.
        """
        found = self._line(sending)
        if found is None:
            self._looked.pop(sending, None)
            return None
        now = self._clock.now()
        at, receipt = self._looked.get(sending, (None, None))
        if at is None or receipt != found.receipt or not timedelta(0) <= now - at < SITTING:
            self.log_list(1)
            self._looked[sending] = (now, found.receipt)
        return found

    def leaving(self, sending: str) -> SendingLine | None:
        """Return a sending after logging that it leaves the program; None when there is none (any more).

        Raises:
            NotAllowed, NotShown, StoreError: as `open`.
        """
        found = self._line(sending)
        if found is not None:
            self.log_list(1)
        return found

    def name_of(self, customer: IdentityCode) -> str:
        """Return the name that is known here of somebody, empty without one; to tell it is a look, once in a sitting.

        Raises:
            NotAllowed, NotShown: as `lines`.
            StoreError: the look could not be logged.
        """
        self.hold()
        now = self._clock.now()
        with lease.within(self._store) as db:
            name = sendings.name_of(db, customer.value, now)
        last = self._named.get(customer.value)
        if name and (last is None or not timedelta(0) <= now - last < SITTING):
            self.log_list(1)
            self._named[customer.value] = now
        return name

    # --- files -------------------------------------------------------------------------------------------------------

    def check(self, path: Path, columns: int = PREVIEW_COLUMNS, *, ascii_only: bool = False) -> CheckedFile:
        """Return what a file is, what would be taken out of it, and a small picture; on a thread of its own.

        Args:
            columns: cells of the picture; none of it for 0.
            ascii_only: whether the picture has to do without signs that are no letters.

        Raises:
            FileRefused: it cannot be read.
        """
        from hashlib import sha256

        from kelmu_tui.content import checking

        data = read(path)
        cleaned = checking.clean(data)
        whole = cleaned.inspection.fault is None
        preview = checking.preview(cleaned.data, columns, ascii_only=ascii_only) if whole and columns else ()
        return CheckedFile(path, cleaned.inspection, tuple(cleaned.removed), preview, sha256(data).hexdigest())

    def seal(self, request: Request, hear: Hear | None = None) -> Sealed:
        """Look the files over and make sealed copies of what is to be sent (`sealing.seal`)."""
        return seal(self._store.folder, self._ids, request, self._today(), hear)

    # --- commands ----------------------------------------------------------------------------------------------------

    def commit(self, made: Sealed) -> str:
        """Queue a sending whose documents are sealed, and return its id; saved once this returns.

        Raises:
            NotAllowed: documents may not be sent (any more); the copies are gone.
            StoreError: it is not saved; the copies are gone.
        """
        session, request = self._active, made.request
        payload = {
            "customer": request.customer.value,
            "asked_by": request.asked_by,
            "asked_on": request.asked_on.isoformat(),
            "way": request.way,
            "case_reference": request.case_reference,
            "documents": [one.body for one in made.documents],
        }
        label = {
            "customer": clean(request.name),
            "masked_code": mask(request.customer.value),
            "documents": len(made.documents),
            "by": session.user_name,
        }
        draft = Draft(session.user_id, self._organisation, made.sending, _VERB, payload, label, 0, session.lease)
        try:
            self.hold()
            with self._store.write() as db:
                outbox.append(db, draft, id=self._ids.new(), now=self._clock.now())
                copies.add(db, made.sending, self._organisation, [one.copy for one in made.documents])
                self._store.changed("command", "sending", keys=(made.sending,))
        except BaseException:
            # What comes after the commit, as a key that ends the program, must not take the copies away.
            if self._is_queued(made.sending):
                made.close()
            else:
                made.discard()
            raise
        made.close()
        return made.sending

    def cancel(self, sending: str) -> None:
        """Take a sending back before its receipt, and destroy its copies.

        Raises:
            NotPossible: it is unknown here, has a receipt, or was sent and its answer is not known (`maybe_applied`).
            StoreError: nothing was changed.
        """
        with self._store.write() as db:
            command = self._command(db, sending)
            endings.discard(db, command.id, self._clock.now())
            self._store.changed("command", "conflict", "sending", keys=(sending,))
        copies.tidy(self._store)

    def retry(self, sending: str) -> None:
        """Let a sending that waits go on now, or give a refused one again.

        Raises:
            NotPossible: it is unknown here, under way, received, or its copies are destroyed.
            StoreError: nothing was changed.
        """
        newest, _ = self._session.lease()
        with self._store.write() as db:
            command = self._command(db, sending)
            if command.state is State.REFUSED:
                endings.redo(db, command.id, version=None, lease=newest, ids=self._ids, now=self._clock.now())
            else:
                endings.retry(db, command.id)
            self._store.changed("command", "conflict", "sending", keys=(sending,))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _is_queued(self, sending: str) -> bool:
        """Tell whether the ledger holds the copies of a sending; of a ledger that cannot be read it is taken so."""
        try:
            with self._store.read() as db:
                return bool(copies.of(db, sending))
        except StoreError:
            return True  # files without keys go with the next tidying

    def _line(self, sending: str) -> SendingLine | None:
        self.hold()
        with lease.within(self._store) as db:
            return sendings.line(db, self._organisation, sending, self._clock.now())

    @property
    def _organisation(self) -> str:
        return self._active.organisation.business_id

    def _today(self) -> date:
        return local_date(self._clock.now())

    def _command(self, db: Any, sending: str) -> outbox.Command:
        found = sendings.command_of(db, self._organisation, sending)
        if found is None:
            raise NotPossible("unknown")
        return found


__all__ = [
    "LIST",
    "UNREADABLE",
    "CheckedFile",
    "DocumentLine",
    "File",
    "FileRefused",
    "NotPossible",
    "SendingLine",
    "Sendings",
]
