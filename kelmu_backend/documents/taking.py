"""Kela's side of a sending: each document is scanned and taken, or refused; then its content is destroyed here.

In a demo the backend plays that part. In real use the operator's program hands a document over, and without one it
waits: nothing is destroyed that nobody has taken. What became of a document is noted at once, so that those beside it
can wait without its being handed over again. A process that ends in the middle of one is followed by another: a program
may get that document twice; its id tells.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Update, bindparam, delete, or_, select, update

from kelmu_backend import audit, feed
from kelmu_backend.database.document_tables import sending, sent_document, upload
from kelmu_backend.documents import uploads
from kelmu_backend.documents.scanning import Outcome, run, scan
from kelmu_backend.documents.vault import Held, Unreadable, Vault
from kelmu_backend.feed import Change, Entry
from kelmu_backend.policy import sendings_scope
from kelmu_tui.domain.documents import DocumentState, Fault, SendingState

PAUSE: Final = timedelta(seconds=3)
"""How long a sending has been received before anybody looks at it: whoever sent it sees that too."""

CLAIM: Final = timedelta(minutes=30)
"""How long one process may be about a document before another one goes on with its sending."""

AGAIN: Final = timedelta(minutes=1)
"""How long a sending waits after a program could not do its part."""

log = logging.getLogger(__name__)

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - files without a name are all that is made there

AT_ONCE: Final = 200
"""Receipts that go under one sequence."""

_FREE: Final = (
    sending.c.state == SendingState.RECEIVED.value,
    # A time far ahead is one of a clock that was wrong: nobody waits for it.
    or_(sending.c.received <= bindparam("ripe"), sending.c.received > bindparam("ahead")),
    or_(
        sending.c.claimed.is_(None),
        sending.c.claimed <= bindparam("stale"),
        sending.c.claimed > bindparam("ahead"),
    ),
)
_WAITING: Final = select(sending.c.id).where(*_FREE).order_by(sending.c.received, sending.c.id).limit(1)
_CLAIM: Final = update(sending).where(sending.c.id == bindparam("one"), *_FREE).values(claimed=bindparam("now"))
_DOCUMENTS: Final = (
    select(
        sent_document,
        upload.c.place,
        upload.c.wrapped,
        upload.c.offset,
        upload.c.pieces,
        upload.c.stored,
    )
    .outerjoin(upload, (upload.c.sending == sent_document.c.sending) & (upload.c.document == sent_document.c.id))
    .where(sent_document.c.sending == bindparam("one"))
    .order_by(sent_document.c.number)
)
_NOTED: Final = (
    select(sent_document.c.state, sent_document.c.refused)
    .where(sent_document.c.sending == bindparam("one"))
    .order_by(sent_document.c.number)
)
_OVER: Final = (
    select(sending)
    .where(sending.c.expires <= bindparam("now"), sending.c.state != SendingState.RECEIVED.value)
    .order_by(sending.c.id)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)


class Claimed(NamedTuple):
    """A sending that this process is about, and its documents with their content.

    Attributes:
        at: names this claim: whoever claims the sending after it has another time.
    """

    row: Row[Any]
    documents: Sequence[Row[Any]]
    at: datetime

    @property
    def unjudged(self) -> list[Row[Any]]:
        """The documents of which nobody has noted what becomes of them."""
        return [one for one in self.documents if one.state == DocumentState.RECEIVED.value]


class Judged(NamedTuple):
    """What is to become of a document; `fault` is why it is refused."""

    number: int
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Kela:
    """Kela's side, as this backend knows it.

    Attributes:
        scanner: program that looks for malware.
        delivery: program that hands a document over.
        playing: there is no such program and none is needed.
    """

    vault: Vault
    scanner: tuple[str, ...]
    delivery: tuple[str, ...]
    playing: bool

    @property
    def takes(self) -> bool:
        """Whether anybody takes documents."""
        return self.playing or bool(self.delivery)

    def judge(self, row: Row[Any], document: Row[Any]) -> Judged | None:
        """Scan a document of a sending and hand it over; None when it has to be tried again."""
        if document.wrapped is None:
            return Judged(document.number, Fault.BROKEN)
        try:
            with assembled(self.vault, uploads.held(document)) as file:
                outcome = scan(file, self.scanner)
                if outcome is Outcome.MALWARE:
                    return Judged(document.number, Fault.MALWARE)
                if outcome is Outcome.UNKNOWN:
                    return None
                if self.delivery and run(file, self.delivery, _slip(row, document)) != 0:
                    return None
        except Unreadable:
            # The key or the bytes are lost: whoever sent it has to send it again, and hears so.
            return Judged(document.number, Fault.BROKEN)
        except OSError as failure:
            # There may be room for it, or a process, in a while.
            log.warning("a document waits: %s", type(failure).__name__)
            return None
        return Judged(document.number, None)


@contextmanager
def assembled(vault: Vault, held: Held) -> Iterator[IO[bytes]]:
    """Give content in a file without a name, in memory where the system has such a place.

    Nothing is left of it, however the process ends.

    Raises:
        Unreadable: not all of it can be opened.
        OSError: there is no room for it.
    """
    # Buffered: a raw file may take less than it is given, and tells so only by a number.
    with tempfile.TemporaryFile(dir=_MEMORY if _MEMORY.is_dir() else None) as file:
        for part in vault.read(held):
            file.write(part)
        file.flush()
        yield file


def _slip(row: Row[Any], document: Row[Any]) -> bytes:
    """Return what goes along with a document."""
    told = {
        "sending": row.id,
        "receipt": row.receipt,
        "organisation": row.organisation,
        "user": row.user,
        "identity_code": row.identity_code,
        "asked_by": row.asked_by,
        "asked_on": row.asked_on.isoformat(),
        "way": row.way,
        "case_reference": row.case_reference,
        "received_at": row.received.isoformat(),
        "document": document.id,
        "kind": document.kind,
        "name": document.name,
        "media_type": document.media_type,
        "size": document.size,
    }
    return json.dumps(told, ensure_ascii=False).encode()


def waiting(connection: Connection, now: datetime) -> str | None:
    """Return the sending that has waited for longest and that nobody is about."""
    return connection.execute(_WAITING, _times(now)).scalar_one_or_none()


def claim(connection: Connection, identifier: str, now: datetime) -> Claimed | None:
    """Take a sending for this process; None when another one was faster."""
    if connection.execute(_CLAIM, _times(now) | {"one": identifier, "now": now}).rowcount != 1:
        return None
    row = connection.execute(select(sending).where(sending.c.id == identifier)).one()
    return Claimed(row, connection.execute(_DOCUMENTS, {"one": identifier}).all(), row.claimed)


def note(connection: Connection, claimed: Claimed, judged: Judged | None, now: datetime) -> Claimed | None:
    """Write down what becomes of a document, and stay about its sending; None when another process is by now."""
    if connection.execute(_own(claimed).values(claimed=now)).rowcount != 1:
        return None
    if judged is not None:
        become = DocumentState.TAKEN if judged.fault is None else DocumentState.REFUSED
        same = sent_document.c.sending == claimed.row.id, sent_document.c.number == judged.number
        values = {"state": become.value, "refused": judged.fault and judged.fault.value}
        connection.execute(update(sent_document).where(*same).values(**values))
    return claimed._replace(at=now)


def release(connection: Connection, claimed: Claimed, now: datetime) -> None:
    """Let a sending be tried again in a while, unless another process is about it by now."""
    connection.execute(_own(claimed).values(claimed=now - CLAIM + AGAIN))


def finish(connection: Connection, claimed: Claimed, now: datetime) -> tuple[Change | None, list[str]]:
    """Write down what became of a sending whose documents are all noted, and forget its content.

    Returns:
        What changed, None when another process is about it, and whose content has to be destroyed once this is
        committed.
    """
    row = claimed.row
    noted = connection.execute(_NOTED, {"one": row.id}).all()
    refused = [one.refused for one in noted if one.state == DocumentState.REFUSED.value]
    state = SendingState.REFUSED if len(refused) == len(noted) else SendingState.CHECKED
    done = _own(claimed).values(state=state.value, version=row.version + 1, identity_code=None)
    if connection.execute(done).rowcount != 1:
        return None, []
    places = [document.place for document in claimed.documents if document.place is not None]
    uploads.remove(connection, places)
    audit.write(
        connection,
        at=now,
        user=row.user,
        organisation=row.organisation,
        mandate=None,
        action=f"sending.{state.value}",
        outcome=next(iter(refused), audit.DONE),
        subject=row.id,
        rows=len(noted),
        case_reference=row.case_reference,
    )
    scope = sendings_scope(row.organisation, row.user)
    return feed.record(connection, [Entry(scope, row.id, row.version + 1)]), places


def _own(claimed: Claimed) -> Update:
    """Change the sending while the claim on it is this process's."""
    same = sending.c.id == claimed.row.id, sending.c.claimed == claimed.at
    return update(sending).where(*same, sending.c.state == SendingState.RECEIVED.value)


def drop_over(connection: Connection, now: datetime) -> Change | None:
    """Delete up to `AT_ONCE` receipts whose time is over; return what changed, None when there is none."""
    found = connection.execute(_OVER, {"now": now}).all()
    if not found:
        return None
    ids = [row.id for row in found]
    connection.execute(delete(sent_document).where(sent_document.c.sending.in_(ids)))
    connection.execute(delete(sending).where(sending.c.id.in_(ids)))
    for row in found:
        audit.write(
            connection,
            at=now,
            user=row.user,
            organisation=row.organisation,
            mandate=None,
            action="sending.over",
            subject=row.id,
        )
    gone = [Entry(sendings_scope(row.organisation, row.user), row.id, row.version + 1, "rm") for row in found]
    return feed.record(connection, gone)


def _times(now: datetime) -> dict[str, Any]:
    return {"ripe": now - PAUSE, "stale": now - CLAIM, "ahead": now + CLAIM}
