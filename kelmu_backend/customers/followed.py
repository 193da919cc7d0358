"""The follows of a user as the feed carries them: what may be seen of them is judged each time they are read."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select

from kelmu_backend.database.customer_tables import customer_change, follow, person
from kelmu_backend.policy import Access
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.domain.following import MAX_CHANGES, ended_kept
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP, Section, Sight, sight

_FOLLOWS: Final = (
    select(follow, person.c.identity_code, person.c.family_name, person.c.given_names)
    .join(person, person.c.id == follow.c.person)
    .where(follow.c.user == bindparam("user"), follow.c.organisation == bindparam("organisation"))
)
_NAMED: Final = _FOLLOWS.where(follow.c.id.in_(bindparam("ids", expanding=True)))
_PAGE: Final = _FOLLOWS.where(follow.c.id > bindparam("after")).order_by(follow.c.id).limit(bindparam("limit"))
_COUNT: Final = select(func.count()).where(
    follow.c.user == bindparam("user"), follow.c.organisation == bindparam("organisation")
)
_CHANGES: Final = (
    select(customer_change)
    .where(customer_change.c.person.in_(bindparam("people", expanding=True)))
    .order_by(customer_change.c.at.desc(), customer_change.c.id)
)


def named(connection: Connection, access: Access, ids: Iterable[str]) -> dict[str, JsonRow]:
    """Return those of the follows `ids` that are the asker's, by id."""
    found = connection.execute(_NAMED, _whose(access) | {"ids": list(ids)}).all()
    return {row["id"]: row for row in _told(connection, access, found)}


def page(connection: Connection, access: Access, after: str, limit: int) -> list[JsonRow]:
    """Return up to `limit` follows of the asker with an id behind `after`, ordered by id."""
    found = connection.execute(_PAGE, _whose(access) | {"after": after, "limit": limit}).all()
    return _told(connection, access, found)


def count(connection: Connection, access: Access) -> int:
    """Return how many follows the asker has."""
    return int(connection.execute(_COUNT, _whose(access)).scalar_one())


def sights(access: Access) -> Mapping[Section, Sight]:
    """Return what the user may see of each section."""
    return {section: sight(access.capabilities, access.agreement, section) for section in Section}


def sights_print(access: Access) -> str:
    """Return a mark of what decides on the changes that are told: follows are read anew when it is another one.

    The revision is part of it: what happened while a mandate was away, nobody was told when it came back. Empty when
    nothing is followed at all.
    """
    if not access.has(CUSTOMER_LOOKUP):
        return ""
    seen = {
        section.value: None if one.hidden else ["all"] if one.benefits is None else ["of", *sorted(one.benefits)]
        for section, one in sights(access).items()
    }
    return hashlib.sha256(json.dumps([access.revision, seen], sort_keys=True).encode()).hexdigest()[:16]


def _whose(access: Access) -> dict[str, Any]:
    return {"user": access.user, "organisation": access.organisation.business_id}


def _told(connection: Connection, access: Access, found: Sequence[Row[Any]]) -> list[JsonRow]:
    if not found:
        return []
    seen = sights(access)
    changes: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_CHANGES, {"people": sorted({one.person for one in found})}):
        if seen[Section(row.section)].shows(row.benefit):
            changes[row.person].append(row)
    return [_row(one, changes[one.person]) for one in found]


def _row(row: Row[Any], changes: Sequence[Row[Any]]) -> JsonRow:
    own = [one for one in changes if row.looked < one.at and (row.ended_at is None or one.at <= row.ended_at)]
    return {
        "table": "follow",
        "id": row.id,
        "version": row.version,
        "customer": row.person,
        "name": f"{row.family_name}, {row.given_names}",
        "masked_code": mask(row.identity_code),
        "purpose": row.purpose,
        "case_reference": row.case_reference,
        "since": instant(row.since),
        "until": instant(row.until),
        "ended": row.ended,
        "expires_at": None if row.ended_at is None else instant(row.ended_at + ended_kept()),
        "changes": [_change(one) for one in own[:MAX_CHANGES]],
    }


def _change(row: Row[Any]) -> JsonRow:
    return {
        "id": row.id,
        "at": instant(row.at),
        "section": row.section,
        "row": row.row,
        "benefit": row.benefit,
        "what": row.what,
        "day": row.day.isoformat(),
    }
