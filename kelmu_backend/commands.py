"""Commands: each one transaction, at most one effect for each key, every verdict remembered.

The order of a command's steps is the protocol's: memory first (a twin waits here), then rights, version, rules, the
change, the audit row, and last the feed's counter, so that its lock lives only until the commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, Row, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

from kelmu_backend import audit, feed, notices, policy, rows
from kelmu_backend.database import tables
from kelmu_backend.feed import Change
from kelmu_backend.lease import MEMORY, Leases
from kelmu_backend.policy import Access, notices_scope
from kelmu_backend.problems import REMEMBERED, ProblemError, invalid, not_found
from kelmu_tui.api.contract import EmptyBody, NoteBody, ProblemCode, TransferBody
from kelmu_tui.domain.capabilities import NOTICE_TRANSFER, NOTICES_INBOX
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.notices import (
    COMMANDS,
    COMMUTES,
    AddNote,
    Command,
    Handle,
    NoticeState,
    Open,
    Refusal,
    Refused,
    Release,
    Reopen,
    Take,
    TakeBack,
)

Kind = Literal["notice", "follow", "claim", "sending"]
"""What commands are about."""

BODIES: Final[dict[str, type[BaseModel]]] = dict.fromkeys(COMMANDS, EmptyBody) | {
    "note": NoteBody,
    "transfer": TransferBody,
}
"""Model of each verb's body."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A command as it came: who sends it, under which key, to what, on which version, with which bytes.

    Attributes:
        subject: id of the notice, the follow, the claim or the sending.
        version: 0 when the command depends on none.
        kind: what the subject is.
    """

    user: str
    device: str
    organisation: str
    subject: str
    verb: str
    key: str
    version: int
    lease: str
    body: bytes
    request_id: str
    kind: Kind = "notice"

    @property
    def action(self) -> str:
        """Name of the command in the audit log."""
        return f"{self.kind}.{self.verb}"

    def fingerprint(self) -> bytes:
        """Return what a repetition must have in common with the first try."""
        # Results are remembered over an update of the backend: what stands for a notice's command stays as it is.
        verb = self.verb if self.kind == "notice" else self.action
        parts = (self.organisation, verb, self.subject, str(self.version), hashlib.sha256(self.body).hexdigest())
        return hashlib.sha256("\n".join(parts).encode()).digest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a command, and what it changed: pollers have to be woken for that."""

    status: int
    body: dict[str, Any]
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a command has done: where in the feed its effect stands, and the version after it."""

    seq: int
    version: int
    epoch: str
    change: Change | None


Apply = Callable[[Connection, Envelope, Access, str | None, datetime], Done]
"""Carries out a command for who may give it under a mandate, writes its audit row, and last the feed; raises
`ProblemError` when it is refused."""


def run(
    connection: Connection,
    envelope: Envelope,
    capability: str,
    leases: Leases,
    now: datetime,
    apply: Apply | None = None,
) -> Verdict:
    """Carry out a command, or answer as the first time when its key is known.

    Args:
        apply: what it does; by default what the verb does to a notice.

    Raises:
        ProblemError: an answer that is not remembered; the transaction has to be rolled back.
    """
    known = _remembered(connection, envelope, now)
    if known is not None:
        return known
    mandate = None
    try:
        if not leases.is_current(envelope.lease, envelope.user, now):
            raise ProblemError(ProblemCode.COMMAND_EXPIRED)
        access = policy.access(connection, envelope.user, envelope.organisation, local_date(now))
        access.demand(capability)
        mandate = access.mandate(capability)
        done = (apply or _apply)(connection, envelope, access, mandate, now)
    except ProblemError as problem:
        if problem.code not in REMEMBERED:
            raise
        _audit(connection, envelope, mandate, problem.outcome, now)
        verdict = Verdict(problem.status, problem.body())
    else:
        body = {"seq": done.seq, "version": done.version, "epoch": done.epoch}
        verdict = Verdict(200, body, done.change)
    connection.execute(_RESULT, _memo_key(envelope) | {"new_status": verdict.status, "new_body": verdict.body})
    return verdict


# --- the memory of results ------------------------------------------------------------------------------------------

_KEY: Final = (
    tables.memo.c.user == bindparam("b_user"),
    tables.memo.c.device == bindparam("b_device"),
    tables.memo.c.key == bindparam("b_key"),
)
_RESULT: Final = update(tables.memo).where(*_KEY).values(status=bindparam("new_status"), body=bindparam("new_body"))
_MEMO: Final = select(tables.memo).where(*_KEY)


def _memo_key(envelope: Envelope) -> dict[str, Any]:
    return {"b_user": envelope.user, "b_device": envelope.device, "b_key": envelope.key}


def _remembered(connection: Connection, envelope: Envelope, now: datetime) -> Verdict | None:
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {
        "user": envelope.user,
        "device": envelope.device,
        "key": envelope.key,
        "fingerprint": envelope.fingerprint(),
        "status": 0,
        "body": {},
        "at": now,
    }
    try:
        # A twin that is under way holds this key: PostgreSQL waits here until it has ended.
        insertion = build(tables.memo).values(values).on_conflict_do_nothing().returning(tables.memo.c.key)
        inserted = connection.execute(insertion).first()
    except OperationalError as failure:
        raise ProblemError(ProblemCode.IDEMPOTENCY_IN_PROGRESS, headers={"Retry-After": "1"}) from failure
    if inserted is not None:
        return None
    memo = connection.execute(_MEMO, _memo_key(envelope)).one()
    if memo.fingerprint == values["fingerprint"]:
        # What survived a restore belongs to the record of the present epoch, and its sequence counts there.
        present = {"epoch": feed.state(connection).epoch} if memo.status == 200 else {}
        return Verdict(memo.status, memo.body | present)
    problem = ProblemError(ProblemCode.IDEMPOTENCY_KEY_REUSED)
    _audit(connection, envelope, None, problem.outcome, now)
    return Verdict(problem.status, problem.body())


def forget(connection: Connection, now: datetime) -> int:
    """Forget results older than 90 days; return how many."""
    return connection.execute(delete(tables.memo).where(tables.memo.c.at < now - MEMORY)).rowcount


def _audit(connection: Connection, envelope: Envelope, mandate: str | None, outcome: str, now: datetime) -> None:
    audit.write(
        connection,
        at=now,
        user=envelope.user,
        organisation=envelope.organisation,
        mandate=mandate,
        action=envelope.action,
        outcome=outcome,
        subject=envelope.subject,
        request_id=envelope.request_id,
    )


# --- the command itself ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Case:
    """A notice as the asker meets it: own, or given away with a trace left."""

    row: Row[Any]
    state: NoticeState
    trace: Row[Any] | None

    @property
    def version(self) -> int:
        """The version that the asker can know."""
        return int(self.row.version if self.trace is None else self.trace.version)


def _apply(connection: Connection, envelope: Envelope, access: Access, mandate: str | None, now: datetime) -> Done:
    body = _body(envelope)
    case = _case(connection, envelope.subject, access)
    refused: Refused | None = None
    try:
        command = _command(envelope.verb, body, case, now)
        after = notices.judge(case.state, command, access.actor, now, case.trace)
    except Refused as refusal:
        refused = refusal
    if envelope.version != case.version and envelope.verb not in COMMUTES:
        # The rule comes along: "taken by somebody" says more than "changed by somebody".
        rule = refused.reason.value if refused else None
        current = _current(connection, access, case)
        raise ProblemError(ProblemCode.VERSION_CONFLICT, rule=rule, current=current)
    if refused:
        current = _current(connection, access, case)
        raise ProblemError(ProblemCode.RULE_REFUSED, rule=refused.reason.value, current=current) from refused
    epoch = feed.state(connection).epoch
    scope = notices_scope(case.state.organisation)
    if after == case.state:
        _audit(connection, envelope, mandate, audit.DONE, now)
        return Done(feed.sequence_of(connection, scope, case.row.id), after.version, epoch, None)
    entries = notices.change(connection, case.row, case.state, after, command, access.actor, now)
    _audit(connection, envelope, mandate, audit.DONE, now)
    written = feed.record(connection, entries)
    return Done(written.seq, after.version, epoch, written)


def _body(envelope: Envelope) -> BaseModel:
    try:
        return BODIES[envelope.verb].model_validate_json(envelope.body or b"{}")
    except ValidationError as failure:
        raise invalid(failure) from None


def _case(connection: Connection, notice: str, access: Access) -> _Case:
    """Load what the asker may know of a notice.

    Raises:
        ProblemError: not found, which is also the answer for what belongs to others.
    """
    row = notices.load(connection, notice)
    if row is None:
        raise not_found()
    state = notices.state_of(connection, row)
    organisation = access.organisation.business_id
    if row.organisation == organisation:
        return _Case(row, state, None)
    trace = notices.load_trace(connection, organisation, notice)
    if trace is None:
        raise not_found()
    return _Case(row, state, trace)


_PLAIN: Final[dict[str, Command]] = {
    "take": Take(),
    "release": Release(),
    "open": Open(),
    "handle": Handle(),
    "reopen": Reopen(),
    "take-back": TakeBack(),
}


def _command(verb: str, body: BaseModel, case: _Case, now: datetime) -> Command:
    if isinstance(body, TransferBody):
        if case.trace is not None:
            # The legal targets are the holder's question: a former holder has nothing to transfer.
            raise Refused(Refusal.TRANSFERRED)
        return notices.aim(case.state, body.municipality, body.reason, now)
    if isinstance(body, NoteBody):
        return AddNote(body.text)
    return _PLAIN[verb]


def _current(connection: Connection, access: Access, case: _Case) -> dict[str, Any] | None:
    """Return the row as the asker may see it now."""
    organisation, notice = access.organisation.business_id, case.row.id
    if case.trace is not None:
        return rows.traces(connection, organisation, [notice]).get(notice) if access.has(NOTICE_TRANSFER) else None
    return rows.notices(connection, organisation, [notice]).get(notice) if access.has(NOTICES_INBOX) else None
