"""Documents sent to Kela, as they are told to the user: own sendings on their way, and receipts of the replica.

A sending is on its way as long as its command is not ended; from its receipt on the replica's row says how it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.documents import DocumentState, SendingState
from kelmu_tui.store import copies, outbox
from kelmu_tui.store.outbox import Command, State
from kelmu_tui.store.replica import instant, microseconds

QUEUED: Final = "queued"
UPLOADING: Final = "uploading"
SENDING: Final = "sending"
STOPPED: Final = "stopped"
"""States of a sending that has no receipt yet; the others are `domain.documents.SendingState`."""
STATES: Final = (QUEUED, UPLOADING, SENDING, *(state.value for state in SendingState), STOPPED)
MANDATE: Final = "mandate"
"""Problem of a sending that was stopped since its mandate ended."""
GONE: Final = "gone"
"""State of a document whose copy was destroyed before it was sent."""
DOCUMENT_STATES: Final = (QUEUED, UPLOADING, "whole", *(state.value for state in DocumentState), "broken", GONE)


class DocumentLine(NamedTuple):
    """A document of a sending.

    Attributes:
        media_type: empty where only the receipt is known.
        size, sent: bytes; `sent` is what the backend has, as far as it was heard.
        refused: why, a `domain.documents.Fault`.
        removed: what was taken out of the file before it was sealed.
    """

    id: str
    kind: str
    name: str
    media_type: str
    size: int
    sent: int
    pages: int | None
    state: str
    refused: str | None
    removed: tuple[str, ...]


class SendingLine(NamedTuple):
    """A sending.

    Attributes:
        customer_name: "Family, Given"; empty when it is not known here, or may not be told any more.
        problem: why it does not go on: a code of a refusal or of the last failure; None when all is well.
        command: id of the command on its way, None when only the receipt is known.
    """

    id: str
    state: str
    customer_name: str
    masked_code: str
    documents: tuple[DocumentLine, ...]
    sent: int
    size: int
    created_at: datetime
    received_at: datetime | None
    receipt: str | None
    expires_at: datetime | None
    problem: str | None
    asked_by: str
    asked_on: str
    way: str
    case_reference: str | None
    command: str | None


def lines(db: Any, organisation: str, now: datetime) -> list[SendingLine]:
    """Return the sendings of the user, those without a receipt first, then the newest first."""
    held = dict(_held(db, now))
    own = {one.aggregate: one for one in _commands(db, organisation)}
    found = [_line(db, command, held.get(id_)) for id_, command in own.items()]
    found += [_receipt(row, None) for id_, row in held.items() if id_ not in own]
    return sorted(found, key=lambda one: (one.receipt is not None, -microseconds(one.created_at), one.id))


def line(db: Any, organisation: str, sending: str, now: datetime) -> SendingLine | None:
    """Return one sending, None when there is none."""
    row = dict(_held(db, now, sending)).get(sending)
    own = command_of(db, organisation, sending)
    if own is not None:
        return _line(db, own, row)
    return None if row is None else _receipt(row, None)


def command_of(db: Any, organisation: str, sending: str) -> Command | None:
    """Return the command of a sending as it was given last, None when it has ended or is not known here."""
    return next(_commands(db, organisation, sending), None)


def _commands(db: Any, organisation: str, sending: str | None = None) -> Iterator[Command]:
    """Yield the last command of each sending, or of one, unless the user ended it."""
    rows = db.execute(
        "SELECT id, max(number) FROM main.command WHERE verb = 'document-send' AND organisation = ?"
        " AND state NOT IN ('reissued', 'discarded') AND ifnull(aggregate = ?, TRUE) GROUP BY aggregate"
        " ORDER BY number",
        (organisation, sending),
    ).fetchall()
    for id_, _ in rows:
        found = outbox.command(db, id_)
        if found is not None:
            yield found


def _held(db: Any, now: datetime, sending: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    if not db.execute("SELECT 1 FROM pragma_database_list WHERE name = 'replica'").fetchone():
        return
    rows = db.execute(
        "SELECT s.id, s.body FROM replica.sending AS s"
        " JOIN replica.scope AS o ON o.generation = s.generation AND o.name GLOB 'sendings:*'"
        " WHERE (s.expires IS NULL OR s.expires > ?) AND ifnull(s.id = ?, TRUE)",
        (microseconds(now), sending),
    )
    for id_, body in rows:
        yield id_, json.loads(body)


def _receipt(row: Mapping[str, Any], command: Command | None) -> SendingLine:
    received = _at(row["received_at"])
    documents = tuple(_sent_document(one) for one in row["documents"])
    size = sum(one.size for one in documents)
    return SendingLine(
        row["id"],
        row["state"],
        row["customer_name"],
        row["masked_code"],
        documents,
        size,
        size,
        received if command is None else datetime.fromisoformat(command.created_at),
        received,
        row["receipt"],
        _at(row["expires_at"]),
        None,
        row["asked_by"],
        row["asked_on"],
        row["way"],
        row.get("case_reference"),
        None if command is None else command.id,
    )


def _at(text: str) -> datetime:
    return instant(microseconds(text))


def _sent_document(row: Mapping[str, Any]) -> DocumentLine:
    size = row["size"]
    told = (row.get("pages"), row["state"], row.get("refused"))
    return DocumentLine(row["id"], row["kind"], row["name"], "", size, size, *told, ())


def _line(db: Any, command: Command, row: Mapping[str, Any] | None) -> SendingLine:
    here = {one.document: one for one in copies.of(db, command.aggregate)}
    given = {one["id"]: one for one in command.payload["documents"]}
    if row is not None:
        told = _receipt(row, command)
        return told._replace(documents=tuple(_completed(one, given, here) for one in told.documents))
    documents = tuple(
        _document(one, here.get(one["id"]), command, _fault(command, place)) for place, one in enumerate(given.values())
    )
    label = command.label
    return SendingLine(
        command.aggregate,
        _state(command, list(here.values())),
        str(label.get("customer") or ""),
        str(label.get("masked_code", "")),
        documents,
        sum(one.sent for one in documents),
        sum(one.size for one in documents),
        datetime.fromisoformat(command.created_at),
        None,
        None,
        None,
        _problem(command, list(here.values())),
        str(command.payload["asked_by"]),
        str(command.payload["asked_on"]),
        str(command.payload["way"]),
        command.payload.get("case_reference"),
        command.id,
    )


def _completed(one: DocumentLine, given: Mapping[str, Any], here: Mapping[str, copies.Held]) -> DocumentLine:
    """Add to a document of a receipt what only this machine knows."""
    copy = here.get(one.id)
    media_type = given[one.id]["media_type"] if one.id in given else ""
    if copy is None:
        return one._replace(media_type=media_type)
    return one._replace(media_type=media_type, pages=one.pages or copy.pages, removed=copy.removed)


def _fault(command: Command, place: int) -> str | None:
    """Return why a command was refused for the document of this place, None when it was not."""
    problem = command.problem or {}
    return problem.get("fault") if command.state is State.REFUSED and problem.get("document") == place else None


def _document(row: Mapping[str, Any], copy: copies.Held | None, command: Command, fault: str | None) -> DocumentLine:
    state = GONE if copy is None else _DOCUMENT_STATES.get(copy.state, GONE)
    if copy is not None and copy.state is copies.State.BEGUN and not copy.sent:
        state = QUEUED
    if command.state in (State.ACKNOWLEDGED, State.SETTLED):
        state = DocumentState.RECEIVED.value
    if fault is not None:
        state = DocumentState.REFUSED.value
    sent = row["size"] if state == DocumentState.RECEIVED else 0 if copy is None else copy.sent
    pages, removed = (None, ()) if copy is None else (copy.pages, copy.removed)
    told = (row["size"], sent, pages, state, fault, removed)
    return DocumentLine(row["id"], row["kind"], row["name"], row["media_type"], *told)


_DOCUMENT_STATES: Final = {
    copies.State.SEALED: QUEUED,
    copies.State.BEGUN: UPLOADING,
    copies.State.LOST: QUEUED,
    copies.State.WHOLE: "whole",
    copies.State.RECEIVED: DocumentState.RECEIVED.value,
    copies.State.BROKEN: "broken",
}


def _state(command: Command, here: list[copies.Held]) -> str:
    if command.state in (State.ACKNOWLEDGED, State.SETTLED):
        return SendingState.RECEIVED.value
    if command.state is State.REFUSED:
        return SendingState.REFUSED.value
    if command.state in (State.UNDELIVERABLE, State.BLOCKED):
        return STOPPED
    if command.body is not None or all(one.state is copies.State.WHOLE for one in here):
        return SENDING
    return UPLOADING if any(one.sent for one in here) else QUEUED


def _problem(command: Command, here: list[copies.Held]) -> str | None:
    if command.state is State.UNDELIVERABLE:
        return MANDATE
    if command.state in (State.ACKNOWLEDGED, State.SETTLED):
        return None
    last = command.problem or next((one.problem for one in here if one.problem is not None), None)
    return None if last is None else str(last.get("rule") or last.get("code"))


def name_of(db: Any, code: str, now: datetime) -> str:
    """Return the name of somebody whose file or notice is held here, "Family, Given"; empty without one."""
    row = db.execute(
        "SELECT name FROM replica.customer WHERE code = ?1 AND expires > ?2 UNION ALL"
        " SELECT n.customer FROM replica.notice AS n JOIN replica.scope AS s ON s.generation = n.generation"
        " WHERE json_extract(n.body, '$.customer.identity_code') = ?1 AND (n.expires IS NULL OR n.expires > ?2)"
        " LIMIT 1",
        (code, microseconds(now)),
    ).fetchone()
    return "" if row is None else str(row[0])
