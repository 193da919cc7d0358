"""The log of look-ups: written before anything is answered, read by those who looked and by their supervisors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, String, cast, insert, or_, select

from kelmu_backend import audit
from kelmu_backend.audit import DONE as DONE
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import LOOK_UP_ACTIONS, look_up, person
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.api.contract import LookUpFlag
from kelmu_tui.domain.deadlines import HELSINKI_TIME
from kelmu_tui.domain.identifiers import mask

PAGE: Final = 100
"""Look-ups of one answer."""


FOLLOWS: Final = {"begin": "follow_begun", "renew": "follow_renewed", "end": "follow_ended"}
"""Outcomes of the entries that tell of follows: they stand beside the look-ups, and count as none."""
SENT: Final = "documents_sent"
"""Outcome of the entry that tells that documents about somebody were sent, likewise."""
_BESIDE: Final = frozenset({*FOLLOWS.values(), SENT})


@dataclass(frozen=True, slots=True)
class Entry:
    """A look-up, a follow or a sending as it is logged; its fields are the columns of `look_up`."""

    id: str
    at: datetime
    user: str
    organisation: str
    mandate: str | None
    person: str | None
    code_mark: str | None
    purpose: str | None
    case_reference: str | None
    reason: str | None
    sections: list[str]
    flags: list[str]
    outcome: str
    request_id: str


def write(connection: Connection, entry: Entry, action: str = LOOK_UP_ACTIONS) -> None:
    """Log a look-up, a follow or a sending, also in the audit log under `action`."""
    connection.execute(insert(look_up).inline(), asdict(entry))
    done = entry.outcome == DONE or entry.outcome in _BESIDE
    audit.write(
        connection,
        at=entry.at,
        user=entry.user,
        organisation=entry.organisation,
        mandate=entry.mandate,
        action=action,
        outcome=DONE if done else entry.outcome,
        subject=entry.person,
        rows=1 if entry.outcome == DONE else None,
        request_id=entry.request_id,
        purpose=entry.purpose,
        case_reference=entry.case_reference,
    )


class Page(NamedTuple):
    """Some look-ups, and the number to go on from (None: there are no more)."""

    look_ups: list[JsonRow]
    last: int | None


class Drawn(NamedTuple):
    """A sample, and out of how many it was drawn."""

    look_ups: list[JsonRow]
    drawn_from: int


_ROWS: Final = (
    select(look_up, person.c.identity_code, tables.app_user.c.name.label("user_name"))
    .outerjoin(person, person.c.id == look_up.c.person)
    .outerjoin(tables.app_user, tables.app_user.c.id == look_up.c.user)
)


def own(connection: Connection, user: str, organisation: str, before: int | None) -> Page:
    """Return a user's look-ups for an organisation, the newest first, from those before the number `before`.

    Of a refused one it is not told whether there was anybody: nobody learns that from the own history either.
    """
    found, last = _page(connection, [look_up.c.organisation == organisation, look_up.c.user == user], before)
    known = {DONE, *_BESIDE}
    return Page([_told(row) | ({} if row.outcome in known else _NOBODY) for row in found], last)


def search(
    connection: Connection, organisation: str, conditions: Sequence[ColumnElement[bool]], before: int | None
) -> Page:
    """Return the look-ups of an organisation that meet `conditions`, as supervisors see them, the newest first."""
    found, last = _page(connection, [look_up.c.organisation == organisation, *conditions], before)
    return Page([_audited(row) for row in found], last)


def sample(
    connection: Connection, organisation: str, conditions: Sequence[ColumnElement[bool]], size: int, seed: int
) -> Drawn:
    """Draw up to `size` look-ups of an organisation by chance; the same seed draws the same from the same."""
    wanted = select(look_up.c.number).where(look_up.c.organisation == organisation, *conditions)
    numbers = connection.execute(wanted.order_by(look_up.c.number)).scalars().all()
    # Not a secret: a sample has to be drawn again by whoever checks that it was not picked.
    drawn = Random(seed).sample(numbers, min(size, len(numbers)))  # noqa: S311
    rows = connection.execute(_ROWS.where(look_up.c.number.in_(drawn)).order_by(look_up.c.number))
    return Drawn([_audited(row) for row in rows], len(numbers))


def extract(connection: Connection, organisation: str, customer: str) -> list[JsonRow]:
    """Return all look-ups of a person for an organisation, the oldest first."""
    wanted = _ROWS.where(look_up.c.organisation == organisation, look_up.c.person == customer)
    return [_audited(row) for row in connection.execute(wanted.order_by(look_up.c.number))]


def conditions(
    *,
    user: str | None = None,
    customer: str | None = None,
    since: date | None = None,
    until: date | None = None,
    flags: Sequence[LookUpFlag] = (),
) -> list[ColumnElement[bool]]:
    """Return the conditions of a search; days are Finnish and both included, of the flags one is enough."""
    found: list[ColumnElement[bool]] = []
    if user is not None:
        found.append(look_up.c.user == user)
    if customer is not None:
        found.append(look_up.c.person == customer)
    if since is not None:
        found.append(look_up.c.at >= _begins(since))
    if until is not None and until < date.max:
        found.append(look_up.c.at < _begins(until + timedelta(days=1)))
    if flags:
        written = cast(look_up.c.flags, String)
        found.append(or_(*(written.contains(f'"{flag.value}"', autoescape=True) for flag in flags)))
    return found


def _begins(day: date) -> datetime:
    # The first days of the calendar have no instant in UTC; nobody looked anybody up then.
    return datetime.combine(max(day, date(1970, 1, 1)), time(), HELSINKI_TIME)


def _page(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], before: int | None
) -> tuple[Sequence[Row[Any]], int | None]:
    wanted = _ROWS.where(*conditions).order_by(look_up.c.number.desc()).limit(PAGE + 1)
    if before is not None:
        wanted = wanted.where(look_up.c.number < before)
    found = connection.execute(wanted).all()
    return found[:PAGE], found[PAGE - 1].number if len(found) > PAGE else None


_NOBODY: Final[JsonRow] = {"customer": None, "masked_code": None}


def _told(row: Row[Any]) -> JsonRow:
    return {
        "id": row.id,
        "at": instant(row.at),
        "organisation": row.organisation,
        "customer": row.person,
        "masked_code": row.identity_code and mask(row.identity_code),
        "purpose": row.purpose,
        "case_reference": row.case_reference,
        "reason": row.reason,
        "outcome": row.outcome,
        "sections": row.sections,
    }


def _audited(row: Row[Any]) -> JsonRow:
    more: Mapping[str, Any] = {
        "user": row.user,
        "user_name": row.user_name,
        "mandate": row.mandate,
        "flags": row.flags,
        "request_id": row.request_id,
    }
    return {**_told(row), **more}
