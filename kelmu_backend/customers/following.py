"""Commands on follows, and their ends: by the case, by the mandate, by time.

A follow is its user's alone, so nobody else is ever faster; what Kela's systems tell meanwhile is no reason to refuse a
command. Each command stands in the log of look-ups too, where supervisors find it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, Row, bindparam, delete, exists, func, insert, select, update

from kelmu_backend import audit, feed, policy
from kelmu_backend.commands import Done, Envelope
from kelmu_backend.customers import changing, followed, journal, looking
from kelmu_backend.customers.looking import Setting
from kelmu_backend.database.customer_tables import customer_change, follow, look_up
from kelmu_backend.feed import Change, Entry
from kelmu_backend.keys import Signer
from kelmu_backend.policy import Access, follows_scope
from kelmu_backend.problems import ProblemError, invalid, not_found
from kelmu_tui.api.contract import CustomerQuery, EmptyBody, FollowBody, LookUpFlag, ProblemCode
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.following import (
    COMMANDS,
    FollowEnd,
    FollowRefusal,
    FollowRefused,
    FollowState,
    as_of,
    begun,
    ended,
    ended_kept,
    renewed,
)
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP
from kelmu_tui.platform.ids import Ids

BODIES: Final[dict[str, type[BaseModel]]] = dict.fromkeys(COMMANDS, EmptyBody) | {"begin": FollowBody}
"""Model of each verb's body."""

AT_ONCE: Final = 200
"""Follows that end or go under one sequence."""

_LOAD: Final = select(follow).where(follow.c.id == bindparam("id")).with_for_update()
_LOOKED: Final = select(func.max(look_up.c.at)).where(
    look_up.c.user == bindparam("user"),
    look_up.c.organisation == bindparam("organisation"),
    look_up.c.person == bindparam("person"),
    look_up.c.outcome == journal.DONE,
)


@dataclass(frozen=True, slots=True)
class Commands:
    """Carries out commands on follows (`commands.Apply`).

    Attributes:
        marks: signs who is named, for the log.
    """

    ids: Ids
    marks: Signer

    def apply(
        self, connection: Connection, envelope: Envelope, access: Access, mandate: str | None, now: datetime
    ) -> Done:
        """Carry out a command on a follow.

        Raises:
            ProblemError: it is refused.
        """
        body = _body(envelope)
        if isinstance(body, FollowBody):
            return self._begin(connection, envelope, access, mandate, body, now)
        row = connection.execute(_LOAD, {"id": envelope.subject}).one_or_none()
        if row is None or not _is_own(row, access):
            raise not_found()
        state = FollowState(row.until, None if row.ended is None else FollowEnd(row.ended), row.ended_at)
        try:
            after = renewed(state, now) if envelope.verb == "renew" else ended(state, FollowEnd.CASE, now)
        except FollowRefused as refused:
            raise _refused(connection, access, refused.reason, row.id) from None
        _write(connection, row.id, after, row.version + 1)
        about = {"person": row.person, "purpose": row.purpose, "case_reference": row.case_reference}
        self._log(connection, envelope, access, mandate, about, now)
        return _recorded(connection, access, row.id, row.version + 1)

    def _begin(
        self,
        connection: Connection,
        envelope: Envelope,
        access: Access,
        mandate: str | None,
        body: FollowBody,
        now: datetime,
    ) -> Done:
        query = CustomerQuery(**body.model_dump(), sections=[])
        setting = Setting(self.ids.new(), now, self.marks, artificial=False, request_id=envelope.request_id)
        customer, flags = looking.known(connection, access, query, setting)
        if (row := connection.execute(_LOAD, {"id": envelope.subject}).one_or_none()) is not None:
            own = row.id if _is_own(row, access) else None
            raise _refused(connection, access, FollowRefusal.ALREADY_BEGUN, own)
        values = {
            "user": access.user,
            "organisation": access.organisation.business_id,
            "person": customer,
            "purpose": body.purpose,
            "case_reference": body.case_reference,
        }
        same = select(follow.c.id).where(
            *(follow.c[name].is_not_distinct_from(value) for name, value in values.items()),
            follow.c.ended.is_(None),
            follow.c.until > now,
        )
        if (other := connection.execute(same).scalars().first()) is not None:
            raise _refused(connection, access, FollowRefusal.ALREADY_FOLLOWED, other)
        last = {name: values[name] for name in ("user", "organisation", "person")}
        looked = connection.execute(_LOOKED, last).scalar_one() or now
        changing.catch_up(connection, customer, looked, self.ids)
        new = {"id": envelope.subject, "since": now, "looked": looked, "until": begun(now).until, "version": 1}
        connection.execute(insert(follow).values(**values, **new))
        self._log(connection, envelope, access, mandate, values, now, reason=body.reason, flags=flags)
        return _recorded(connection, access, envelope.subject, 1)

    def _log(
        self,
        connection: Connection,
        envelope: Envelope,
        access: Access,
        mandate: str | None,
        about: Mapping[str, Any],
        now: datetime,
        *,
        reason: str | None = None,
        flags: Sequence[LookUpFlag] = (),
    ) -> None:
        entry = journal.Entry(
            id=self.ids.new(),
            at=now,
            user=access.user,
            organisation=access.organisation.business_id,
            mandate=mandate,
            person=about["person"],
            code_mark=self.marks.mark(f"id:{about['person']}"),
            purpose=about["purpose"],
            case_reference=about["case_reference"],
            reason=reason,
            sections=[],
            flags=[flag.value for flag in flags],
            outcome=journal.FOLLOWS[envelope.verb],
            request_id=envelope.request_id,
        )
        journal.write(connection, entry, envelope.action)


def _body(envelope: Envelope) -> BaseModel:
    try:
        return BODIES[envelope.verb].model_validate_json(envelope.body or b"{}")
    except ValidationError as failure:
        raise invalid(failure) from None


def _is_own(row: Row[Any], access: Access) -> bool:
    return (row.user, row.organisation) == (access.user, access.organisation.business_id)


def _refused(connection: Connection, access: Access, rule: FollowRefusal, own: str | None) -> ProblemError:
    current = followed.named(connection, access, [own]).get(own) if own else None
    return ProblemError(ProblemCode.RULE_REFUSED, rule=rule.value, current=current)


def _write(connection: Connection, identifier: str, state: FollowState, version: int) -> None:
    values = {
        "until": state.until,
        "ended": None if state.ended is None else state.ended.value,
        "ended_at": state.ended_at,
        "version": version,
    }
    connection.execute(update(follow).where(follow.c.id == identifier).values(**values))


def _recorded(connection: Connection, access: Access, identifier: str, version: int) -> Done:
    epoch = feed.state(connection).epoch
    scope = follows_scope(access.organisation.business_id, access.user)
    change = feed.record(connection, [Entry(scope, identifier, version)])
    return Done(change.seq, version, epoch, change)


# --- ends -----------------------------------------------------------------------------------------------------------

_OVER: Final = (
    select(follow).where(follow.c.ended.is_(None), follow.c.until <= bindparam("now")).order_by(follow.c.id)
).limit(AT_ONCE)
_FOLLOWING: Final = (
    select(follow.c.user, follow.c.organisation)
    .where(follow.c.ended.is_(None))
    .distinct()
    .order_by(follow.c.user, follow.c.organisation)
)
_RUNNING: Final = (
    select(follow)
    .where(
        follow.c.user == bindparam("user"),
        follow.c.organisation == bindparam("organisation"),
        follow.c.ended.is_(None),
    )
    .order_by(follow.c.id)
    .with_for_update()
)
_LEFT: Final = select(follow).where(follow.c.ended_at <= bindparam("limit")).order_by(follow.c.id).limit(AT_ONCE)
_UNTOLD: Final = delete(customer_change).where(
    ~exists().where(follow.c.person == customer_change.c.person, follow.c.looked < customer_change.c.at)
)


def time_is_up(connection: Connection, now: datetime) -> bool:
    """Tell whether a follow is over that nobody has ended."""
    return connection.execute(_OVER, {"now": now}).first() is not None


def end_by_time(connection: Connection, now: datetime) -> Change | None:
    """End up to `AT_ONCE` follows whose time is up; return what changed, None when there is none."""
    found = connection.execute(_OVER.with_for_update(skip_locked=True), {"now": now}).all()
    return _end(connection, [(row, as_of(FollowState(row.until), now)) for row in found], now)


def without_mandate(connection: Connection, now: datetime) -> list[tuple[str, str]]:
    """Return the users and organisations (business IDs) whose follows have lost the mandate that opened them."""
    return [
        (row.user, row.organisation)
        for row in connection.execute(_FOLLOWING).all()
        if not _may_look(connection, row.user, row.organisation, now)
    ]


def end_by_mandate(connection: Connection, user: str, organisation: str, now: datetime) -> Change | None:
    """End the follows of a user for an organisation, unless the mandate is there again; return what changed."""
    found = connection.execute(_RUNNING, {"user": user, "organisation": organisation}).all()
    if _may_look(connection, user, organisation, now):
        return None
    return _end(connection, [(row, _without_mandate(row, now)) for row in found], now)


def _without_mandate(row: Row[Any], now: datetime) -> FollowState:
    state = as_of(FollowState(row.until), now)
    return state if state.ended is not None else ended(state, FollowEnd.MANDATE, now)


def _may_look(connection: Connection, user: str, organisation: str, now: datetime) -> bool:
    try:
        return policy.access(connection, user, organisation, local_date(now)).has(CUSTOMER_LOOKUP)
    except ProblemError:
        return False


def _end(connection: Connection, over: list[tuple[Row[Any], FollowState]], now: datetime) -> Change | None:
    if not over:
        return None
    entries = []
    for row, state in over:
        _write(connection, row.id, state, row.version + 1)
        assert state.ended is not None
        audit.write(
            connection,
            at=now,
            user=row.user,
            organisation=row.organisation,
            mandate=None,
            action=f"follow.over.{state.ended.value}",
            subject=row.person,
            purpose=row.purpose,
            case_reference=row.case_reference,
        )
        entries.append(Entry(follows_scope(row.organisation, row.user), row.id, row.version + 1))
    return feed.record(connection, entries)


def drop_over(connection: Connection, now: datetime) -> Change | None:
    """Delete up to `AT_ONCE` follows that ended long ago, with what only they told; return what changed."""
    found = connection.execute(_LEFT.with_for_update(skip_locked=True), {"limit": now - ended_kept()}).all()
    if not found:
        return None
    connection.execute(delete(follow).where(follow.c.id.in_([row.id for row in found])))
    connection.execute(_UNTOLD)
    gone = [Entry(follows_scope(row.organisation, row.user), row.id, row.version + 1, "rm") for row in found]
    return feed.record(connection, gone)
