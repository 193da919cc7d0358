"""The command that sends documents: whose they are, who asked, and which uploads belong to it.

Nothing that the sender says of a document is believed: its size, its digest and what it is come from its content.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from kelmu_backend import feed
from kelmu_backend.commands import Done, Envelope
from kelmu_backend.customers import journal, people, relating
from kelmu_backend.database import tables
from kelmu_backend.database.document_tables import sending, sent_document, upload
from kelmu_backend.documents import receipts, uploads
from kelmu_backend.feed import Entry
from kelmu_backend.keys import Signer
from kelmu_backend.policy import Access, sendings_scope
from kelmu_backend.problems import ProblemError, invalid
from kelmu_tui.api.contract import DocumentBody, ProblemCode, SendBody
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.documents import (
    DocumentState,
    SendingState,
    SendRefusal,
    askers,
    kinds,
    limits,
    receipt_kept,
    ways,
)
from kelmu_tui.domain.identifiers import InvalidIdentityCode, mask, parse_identity_code
from kelmu_tui.domain.sections import file_kept
from kelmu_tui.platform.ids import Ids

_SENT: Final = select(sending.c.user, sending.c.organisation).where(sending.c.id == bindparam("id"))
_UPLOADS: Final = (
    select(upload)
    .where(
        upload.c.user == bindparam("user"),
        upload.c.organisation == bindparam("organisation"),
        upload.c.device == bindparam("device"),
        upload.c.document.in_(bindparam("documents", expanding=True)),
    )
    .order_by(upload.c.place)
    .with_for_update()
)
_NOTICED: Final = (
    select(tables.notice.c.customer)
    .where(
        tables.notice.c.organisation == bindparam("organisation"),
        tables.notice.c.customer_code.in_(bindparam("codes", expanding=True)),
        tables.notice.c.published,
    )
    .limit(1)
)


class _Customer(NamedTuple):
    """Whom the documents are about; `person` is None for somebody whom only a notice knows."""

    person: str | None
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Commands:
    """Carries out commands on sendings (`commands.Apply`).

    Attributes:
        marks: signs who is named, for the log.
        artificial: codes of artificial people are taken.
    """

    ids: Ids
    marks: Signer
    artificial: bool

    def apply(
        self, connection: Connection, envelope: Envelope, access: Access, mandate: str | None, now: datetime
    ) -> Done:
        """Send documents that have been uploaded.

        Raises:
            ProblemError: it is refused; the uploads stay.
        """
        body = _body(envelope)
        organisation = access.organisation.business_id
        sent = connection.execute(_SENT, {"id": envelope.subject}).one_or_none()
        if sent is not None:
            own = tuple(sent) == (access.user, organisation)
            found = receipts.named(connection, organisation, access.user, [envelope.subject]) if own else {}
            raise ProblemError(
                ProblemCode.RULE_REFUSED, rule=SendRefusal.SENT.value, current=found.get(envelope.subject)
            )
        _check_asked(body, now)
        customer = self._customer(connection, access, body, now)
        uploaded = _uploaded(connection, envelope, access, body, now)
        values = {
            "id": envelope.subject,
            "version": 1,
            "user": access.user,
            "organisation": organisation,
            "state": SendingState.RECEIVED.value,
            "receipt": _receipt(self.ids, now),
            "person": customer.person,
            "identity_code": customer.code,
            "masked_code": mask(customer.code),
            "customer_name": customer.name,
            "asked_by": body.asked_by,
            "asked_on": body.asked_on,
            "way": body.way,
            "case_reference": body.case_reference,
            "received": now,
            "expires": now + receipt_kept(),
        }
        connection.execute(insert(sending).values(values))
        connection.execute(
            insert(sent_document),
            [
                {
                    "sending": envelope.subject,
                    "number": number,
                    "id": document.id,
                    "kind": document.kind,
                    "name": document.name,
                    "media_type": row.media_type,
                    "size": row.length,
                    "pages": row.pages,
                    "state": DocumentState.RECEIVED.value,
                }
                for number, (document, row) in enumerate(zip(body.documents, uploaded, strict=True))
            ],
        )
        places = [row.place for row in uploaded]
        given = update(upload).where(upload.c.place.in_(places)).values(sending=envelope.subject, expires=None)
        connection.execute(given)
        self._log(connection, envelope, access, mandate, customer, body, now)
        epoch = feed.state(connection).epoch
        change = feed.record(connection, [Entry(sendings_scope(organisation, access.user), envelope.subject, 1)])
        return Done(change.seq, 1, epoch, change)

    def _log(
        self,
        connection: Connection,
        envelope: Envelope,
        access: Access,
        mandate: str | None,
        customer: _Customer,
        body: SendBody,
        now: datetime,
    ) -> None:
        """Log the sending where supervisors and the customer's extract find it."""
        entry = journal.Entry(
            id=self.ids.new(),
            at=now,
            user=access.user,
            organisation=access.organisation.business_id,
            mandate=mandate,
            person=customer.person,
            code_mark=self.marks.mark(body.customer),
            purpose=None,
            case_reference=body.case_reference,
            reason=None,
            sections=[],
            flags=[],
            outcome=journal.SENT,
            request_id=envelope.request_id,
        )
        journal.write(connection, entry, envelope.action)

    def _customer(self, connection: Connection, access: Access, body: SendBody, now: datetime) -> _Customer:
        """Return whom the code names.

        Raises:
            ProblemError: nobody whose matter the user handles; the same for whom nobody knows.
        """
        try:
            code = parse_identity_code(body.customer, today=local_date(now), artificial=self.artificial).value
        except InvalidIdentityCode:
            raise _refused(SendRefusal.CUSTOMER) from None
        found = people.find(connection, code=code, customer=None)
        person = found.person
        if not relating.is_known(connection, access, found.codes, person and person.id, now - file_kept()):
            raise _refused(SendRefusal.CUSTOMER)
        if person is not None:
            return _Customer(person.id, person.identity_code, f"{person.family_name}, {person.given_names}")
        key = {"organisation": access.organisation.business_id, "codes": sorted(found.codes)}
        noticed = connection.execute(_NOTICED, key).scalars().one()
        return _Customer(None, code, f"{noticed['family_name']}, {noticed['given_names']}")


def read(body: bytes) -> SendBody | None:
    """Return the body of a command, None when it is none: `Commands.apply` says so."""
    try:
        return SendBody.model_validate_json(body)
    except ValidationError:
        return None


def _body(envelope: Envelope) -> SendBody:
    try:
        body = SendBody.model_validate_json(envelope.body or b"{}")
    except ValidationError as failure:
        raise invalid(failure) from None
    wrong = [
        f"documents.{number}.kind: unknown" for number, one in enumerate(body.documents) if one.kind not in kinds()
    ]
    if len({one.id for one in body.documents}) < len(body.documents):
        wrong.append("documents: repeated")
    if wrong:
        raise ProblemError(ProblemCode.INVALID_REQUEST, errors=wrong)
    if len(body.documents) > limits().files:
        raise _refused(SendRefusal.TOO_MANY)
    return body


def _check_asked(body: SendBody, now: datetime) -> None:
    if body.asked_by not in askers() or body.way not in ways() or body.asked_on > local_date(now):
        raise _refused(SendRefusal.ASKED)


def _uploaded(
    connection: Connection, envelope: Envelope, access: Access, body: SendBody, now: datetime
) -> Sequence[Row[Any]]:
    """Return the upload of each document, in their order; they are locked.

    Raises:
        ProblemError: one is not there, not whole, not what was announced, or its content is refused.
    """
    key = {"user": access.user, "organisation": access.organisation.business_id, "device": envelope.device}
    wanted = [one.id for one in body.documents]
    rows = {row.document: row for row in connection.execute(_UPLOADS, key | {"documents": wanted})}
    found = []
    for number, document in enumerate(body.documents):
        row = rows.get(document.id)
        if row is None or not _is_announced(row, document, now):
            raise _refused(SendRefusal.UPLOAD, errors=[f"documents.{number}: not uploaded"])
        if row.fault is not None or row.media_type != document.media_type.value:
            fault = row.fault or "type"
            raise _refused(SendRefusal.DOCUMENT, errors=[f"documents.{number}: {fault}"], detail=fault)
        found.append(row)
    return found


def _is_announced(row: Row[Any], document: DocumentBody, now: datetime) -> bool:
    if uploads.is_over(row, now) or row.sending is not None or row.offset != row.length:
        return False
    return bool(row.length == document.size and row.sha256 == document.sha256)


def _refused(rule: SendRefusal, errors: list[str] | None = None, detail: str | None = None) -> ProblemError:
    return ProblemError(ProblemCode.RULE_REFUSED, rule=rule.value, errors=errors, detail=detail)


def _receipt(ids: Ids, now: datetime) -> str:
    """Return the number of a receipt, `20261127-ABCD-2345`: forty bits that tell nobody how much is sent."""
    text = base64.b32encode(bytes.fromhex(ids.new())[:5]).decode()
    return f"{local_date(now):%Y%m%d}-{text[:4]}-{text[4:]}"
