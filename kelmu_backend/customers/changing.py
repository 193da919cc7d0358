"""How Kela's systems change what they know of a person, and what those who follow the person are told of it.

Rows and changes are written in one transaction. A change tells that something happened, never what: the sums stay in
the row, which a look-up shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, delete, exists, func, insert, select, update

from kelmu_backend import audit, feed, policy
from kelmu_backend.customers import followed
from kelmu_backend.database.customer_tables import customer_change, customer_row, follow, look_up, person
from kelmu_backend.feed import Entry
from kelmu_backend.policy import follows_scope
from kelmu_backend.problems import ProblemError
from kelmu_backend.rows import JsonRow
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.following import What
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP, Section, Sight
from kelmu_tui.platform.ids import Ids


class Key(NamedTuple):
    """Names a row of a person."""

    section: Section
    id: str


class Known(NamedTuple):
    """A row as a system knows it: `body` is the JSON of the contract's row of that section, whole."""

    benefit: str | None
    day: date
    body: JsonRow


_LOCKED: Final = select(person.c.filled).where(person.c.id == bindparam("person")).with_for_update()
_ROW: Final = select(customer_row.c.benefit, customer_row.c.day, customer_row.c.body).where(
    customer_row.c.person == bindparam("person"),
    customer_row.c.section == bindparam("section"),
    customer_row.c.id == bindparam("id"),
)
_FOLLOWERS: Final = (
    select(follow.c.id, follow.c.user, follow.c.organisation, follow.c.version)
    .where(follow.c.person == bindparam("person"), follow.c.ended.is_(None), follow.c.until > bindparam("now"))
    .order_by(follow.c.id)
    .with_for_update()
)
_MORE: Final = update(follow).where(follow.c.id == bindparam("follow")).values(version=bindparam("new_version"))
_OVER: Final = func.coalesce(follow.c.ended_at, follow.c.until)
_UNREAD: Final = delete(customer_change).where(
    customer_change.c.person == bindparam("person"),
    customer_change.c.section == bindparam("section"),
    customer_change.c.row == bindparam("row"),
    ~exists().where(
        look_up.c.person == customer_change.c.person,
        look_up.c.outcome == audit.DONE,
        look_up.c.at >= customer_change.c.at,
    ),
    # What a follow told before it ended stays as it was told.
    ~exists().where(
        follow.c.person == customer_change.c.person,
        follow.c.looked < customer_change.c.at,
        customer_change.c.at <= _OVER,
        bindparam("now") >= _OVER,
    ),
)


def change(
    connection: Connection, customer: str, rows: Mapping[Key, Known | None], now: datetime, ids: Ids
) -> feed.Change | None:
    """Let rows of a person be as given from `now` on, None for those that are withdrawn; tell the followers.

    The same content again is no change. A change of a row that nobody has looked at since the one before stands in
    its place. Rows that are made when somebody first asks have to be made before. The person stays locked until the
    transaction ends, and the feed comes last.

    Returns:
        What waiting polls have to be told, None when there is nothing that a follower may see.
    """
    entries = changed(connection, customer, rows, now, ids)
    return feed.record(connection, entries) if entries else None


def changed(
    connection: Connection, customer: str, rows: Mapping[Key, Known | None], now: datetime, ids: Ids
) -> list[Entry]:
    """Do what `change` does but for the feed, of which the caller writes the entries with its own, last of all."""
    lock(connection, customer)
    changes = []
    for key, after in rows.items():
        before = _before(connection, customer, key)
        if _write(connection, customer, key, before, after, now):
            what = told(key.section, before, after)
            row = after or before
            if what is not None and row is not None:
                changes.append(_change(customer, key, row, what, now, ids))
    return _tell(connection, customer, changes, now)


def lock(connection: Connection, customer: str) -> datetime | None:
    """Let nobody else change or begin to follow a person until the transaction ends; return when they were filled."""
    filled: datetime | None = connection.execute(_LOCKED, {"person": customer}).scalar_one()
    return filled


def catch_up(connection: Connection, customer: str, since: datetime, ids: Ids) -> None:
    """Note what happened to a person's rows after `since` while nobody followed, as far as it can still be known.

    What happened while somebody followed was judged then. What was withdrawn meanwhile has left no trace. The person
    stays locked until the transaction ends.
    """
    filled = lock(connection, customer)
    since = since if filled is None else max(since, filled)
    judged = exists().where(
        follow.c.person == customer_row.c.person,
        follow.c.looked < customer_row.c.changed,
        customer_row.c.changed <= _OVER,
    )
    missed = select(customer_row).where(customer_row.c.person == customer, customer_row.c.changed > since, ~judged)
    values = []
    for row in connection.execute(missed.order_by(customer_row.c.section, customer_row.c.id)).all():
        key, after = Key(Section(row.section), row.id), Known(row.benefit, row.day, row.body)
        what = told(key.section, None, after)
        if what is not None:
            values.append(_change(customer, key, after, what, row.changed, ids))
    if values:
        connection.execute(insert(customer_change), values)


def told(section: Section, before: Known | None, after: Known | None) -> What | None:
    """Return what happened to a row that is not as it was, None for what is not told.

    A planned payment is told when it is paid or does not come, a pending matter that is gone by its decision, a
    decision that gets an end by the one that ends it, the costs of medicines when they reach the cap.
    """
    if after is None:
        return _withdrawn(section, before)
    match section:
        case Section.DECISIONS:
            if before is not None and before.body | {"valid_to": None} == after.body | {"valid_to": None}:
                return None
            return What.STOPPED if after.body["outcome"] in ("discontinued", "suspended") else What.DECISION
        case Section.PAYMENTS:
            return {"paid": What.PAYMENT, "returned": What.STOPPED}.get(after.body["status"])
        case Section.MEDICINE:
            reached = before.body.get("reached_on") if before else None
            return What.MEDICINE_CAP if after.body.get("reached_on") and not reached else None
    return _WHAT[section]


_WHAT: Final = {
    Section.PENDING: What.MATTER,
    Section.CLAIMS: What.CLAIM,
    Section.INSURANCE: What.INSURANCE,
    Section.RECOVERY: What.RECOVERY,
    Section.PASSED_ON: What.PASSED_ON,
}


def _withdrawn(section: Section, before: Known | None) -> What | None:
    if section in (Section.PENDING, Section.MEDICINE):
        return None
    planned = section is Section.PAYMENTS and before is not None and before.body["status"] == "planned"
    return What.STOPPED if planned else What.WITHDRAWN


# --- rows -----------------------------------------------------------------------------------------------------------


def _before(connection: Connection, customer: str, key: Key) -> Known | None:
    where = {"person": customer, "section": key.section.value, "id": key.id}
    row = connection.execute(_ROW, where).one_or_none()
    return None if row is None else Known(row.benefit, row.day, row.body)


def _write(
    connection: Connection, customer: str, key: Key, before: Known | None, after: Known | None, now: datetime
) -> bool:
    """Write a row; tell whether it is another one than before."""
    if after == before:
        return False
    where = and_(
        customer_row.c.person == customer, customer_row.c.section == key.section.value, customer_row.c.id == key.id
    )
    if after is None:
        connection.execute(delete(customer_row).where(where))
        return True
    values = {"benefit": after.benefit, "day": after.day, "body": after.body, "changed": now}
    if before is None:
        new = {"person": customer, "section": key.section.value, "id": key.id}
        connection.execute(insert(customer_row).values(**values, **new))
    else:
        connection.execute(update(customer_row).where(where).values(**values))
    return True


def _change(customer: str, key: Key, row: Known, what: What, at: datetime, ids: Ids) -> JsonRow:
    return {
        "id": ids.new(),
        "person": customer,
        "at": at,
        "section": key.section.value,
        "row": key.id,
        "benefit": row.benefit,
        "what": what.value,
        "day": row.day,
    }


# --- followers ------------------------------------------------------------------------------------------------------


def _tell(connection: Connection, customer: str, changes: Sequence[JsonRow], now: datetime) -> list[Entry]:
    """Write changes for those who follow now; return the feed's entries for those of them who may see one."""
    followers = connection.execute(_FOLLOWERS, {"person": customer, "now": now}).all() if changes else []
    if not followers:
        return []
    for one in changes:
        connection.execute(_UNREAD, {name: one[name] for name in ("person", "section", "row")} | {"now": now})
    connection.execute(insert(customer_change), list(changes))
    return list(_entries(connection, followers, changes, now))


def _entries(
    connection: Connection, followers: Sequence[Row[Any, Any, Any, Any]], changes: Sequence[JsonRow], now: datetime
) -> Iterator[Entry]:
    seen: dict[tuple[str, str], Mapping[Section, Sight] | None] = {}
    for one in followers:
        who = (one.user, one.organisation)
        if who not in seen:
            seen[who] = _sights(connection, *who, now)
        sights = seen[who]
        # That a row was changed which somebody may not see is not told either, not even by a version.
        if sights and any(sights[Section(row["section"])].shows(row["benefit"]) for row in changes):
            connection.execute(_MORE, {"follow": one.id, "new_version": one.version + 1})
            yield Entry(follows_scope(one.organisation, one.user), one.id, one.version + 1)


def _sights(connection: Connection, user: str, organisation: str, now: datetime) -> Mapping[Section, Sight] | None:
    """Return what a user may see of each section now, None when they may look nobody up."""
    try:
        access = policy.access(connection, user, organisation, local_date(now))
    except ProblemError:
        return None
    return followed.sights(access) if access.has(CUSTOMER_LOOKUP) else None
