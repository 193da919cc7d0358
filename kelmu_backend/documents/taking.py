"""Kela's side of a sending: each document is scanned and taken, or refused; then its content is destroyed here.

In a demo the backend plays that part. In real use the operator's program hands a document over, and without one it
waits: nothing is destroyed that nobody has taken. A process that ends half way is followed by another, so a program may
get the same document twice; its id tells.
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

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

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
"""How long one process may be about a sending before another one begins anew."""

AGAIN: Final = timedelta(minutes=1)
"""How long a sending waits after a program could not do its part."""

log = logging.getLogger(__name__)

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - files without a name are all that is made there

AT_ONCE: Final = 200
"""Receipts that go under one sequence."""

_FREE: Final = (
    sending.c.state == SendingState.RECEIVED.value,
    sending.c.received <= bindparam("ripe"),
    or_(sending.c.claimed.is_(None), sending.c.claimed <= bindparam("stale")),
)
_WAITING: Final = select(sending.c.id).where(*_FREE).order_by(sending.c.received, sending.c.id).limit(1)
_CLAIM: Final = update(sending).where(sending.c.id == bindparam("one"), *_FREE).values(claimed=bindparam("now"))
_DOCUMENTS: Final = (
    select(
        sent_document,
        upload.c.place,
        upload.c.wrapped,
        upload.c.offset,
        upload.c.pieces.label("parts"),
        upload.c.stored,
    )
    .outerjoin(upload, (upload.c.sending == sent_document.c.sending) & (upload.c.document == sent_document.c.id))
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
    """A sending that this process is about, and its documents with their content."""

    row: Row[Any]
    documents: Sequence[Row[Any]]


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

    def judge(self, claimed: Claimed) -> list[Judged] | None:
        """Scan and hand over the documents of a sending; None when it has to be tried again."""
        found = []
        for document in claimed.documents:
            judged = self._one(claimed.row, document)
            if judged is None:
                return None
            found.append(judged)
        return found

    def _one(self, row: Row[Any], document: Row[Any]) -> Judged | None:
        if document.wrapped is None:
            return Judged(document.number, Fault.BROKEN)
        held = Held(document.place, bytes(document.wrapped), document.offset, document.parts, document.stored)
        try:
            with assembled(self.vault, held) as file:
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
    return Claimed(row, connection.execute(_DOCUMENTS, {"one": identifier}).all())


def release(connection: Connection, claimed: Claimed, now: datetime) -> None:
    """Let a sending be tried again in a while."""
    later = update(sending).where(sending.c.id == claimed.row.id).values(claimed=now - CLAIM + AGAIN)
    connection.execute(later)


def finish(
    connection: Connection, claimed: Claimed, judged: Sequence[Judged], now: datetime
) -> tuple[Change | None, list[str]]:
    """Write down what became of a sending, and forget its content.

    Returns:
        What changed, None when another process did it, and whose content has to be destroyed once this is committed.
    """
    row = claimed.row
    refused = {one.number: one.fault for one in judged if one.fault is not None}
    state = SendingState.REFUSED if len(refused) == len(judged) else SendingState.CHECKED
    done = (
        update(sending)
        .where(sending.c.id == row.id, sending.c.state == SendingState.RECEIVED.value)
        .values(state=state.value, version=row.version + 1, identity_code=None)
    )
    if connection.execute(done).rowcount != 1:
        return None, []
    for one in judged:
        become = DocumentState.TAKEN if one.fault is None else DocumentState.REFUSED
        same = sent_document.c.sending == row.id, sent_document.c.number == one.number
        values = {"state": become.value, "refused": one.fault and one.fault.value}
        connection.execute(update(sent_document).where(*same).values(**values))
    places = [document.place for document in claimed.documents if document.place is not None]
    uploads.remove(connection, places)
    audit.write(
        connection,
        at=now,
        user=row.user,
        organisation=row.organisation,
        mandate=None,
        action=f"sending.{state.value}",
        outcome=next((fault.value for fault in refused.values()), audit.DONE),
        subject=row.id,
        rows=len(judged),
        case_reference=row.case_reference,
    )
    scope = sendings_scope(row.organisation, row.user)
    return feed.record(connection, [Entry(scope, row.id, row.version + 1)]), places


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
    return {"ripe": now - PAUSE, "stale": now - CLAIM}
