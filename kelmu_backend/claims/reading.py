"""Claims and accounts of an organisation as the wire carries them: plain dictionaries that fit `contract`.

Both stand in one scope, so a page of a snapshot takes them together, ordered by their ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, bindparam, func, literal, select, union_all

from kelmu_backend.database.claim_tables import account, claim, claim_editor, claim_event, claim_payment
from kelmu_backend.database.customer_tables import person
from kelmu_backend.rows import JsonRow, instant
from kelmu_tui.domain.claims.kept import closed_kept

WITH_PAYEE: Final = select(
    claim, person.c.identity_code, person.c.family_name, person.c.given_names, person.c.non_disclosure, person.c.died
).join(person, person.c.id == claim.c.person)
"""Claims with what is told of their payees, as they are now."""

_NAMED: Final = WITH_PAYEE.where(
    claim.c.organisation == bindparam("organisation"), claim.c.id.in_(bindparam("ids", expanding=True))
)
_ACCOUNTS: Final = select(account).where(account.c.organisation == bindparam("organisation"))
_NAMED_ACCOUNTS: Final = _ACCOUNTS.where(account.c.id.in_(bindparam("ids", expanding=True)))
_IBANS: Final = select(account.c.iban).where(account.c.organisation == bindparam("organisation"))


def _ids(table: Table, name: str) -> Any:
    own = table.c.organisation == bindparam("organisation")
    return select(table.c.id, literal(name).label("name")).where(own, table.c.id > bindparam("after"))


_BOTH: Final = union_all(_ids(claim, "claim"), _ids(account, "account")).subquery()
_PAGE: Final = select(_BOTH.c.id).order_by(_BOTH.c.id).limit(bindparam("limit"))
_COUNT: Final = select(
    *(
        select(func.count()).where(table.c.organisation == bindparam("organisation")).scalar_subquery()
        for table in (claim, account)
    )
)


def named(connection: Connection, organisation: str, ids: Iterable[str]) -> dict[str, JsonRow]:
    """Return those of the claims and accounts `ids` that are the organisation's, by id."""
    key = {"organisation": organisation, "ids": list(ids)}
    found = _told(connection, connection.execute(_NAMED, key).all())
    return found | {row.id: _account(row) for row in connection.execute(_NAMED_ACCOUNTS, key)}


def page(connection: Connection, organisation: str, after: str, limit: int) -> list[JsonRow]:
    """Return up to `limit` claims and accounts of an organisation with an id behind `after`, ordered by id."""
    key = {"organisation": organisation, "after": after, "limit": limit}
    ids = connection.execute(_PAGE, key).scalars().all()
    found = named(connection, organisation, ids)
    return [found[id_] for id_ in ids if id_ in found]


def count(connection: Connection, organisation: str) -> int:
    """Return how many claims and accounts an organisation has."""
    return sum(connection.execute(_COUNT, {"organisation": organisation}).one())


def ibans(connection: Connection, organisation: str) -> frozenset[str]:
    """Return the accounts of an organisation, without spaces."""
    return frozenset(connection.execute(_IBANS, {"organisation": organisation}).scalars())


# --- rows -----------------------------------------------------------------------------------------------------------


def _told(connection: Connection, found: Sequence[Row[Any]]) -> dict[str, JsonRow]:
    if not found:
        return {}
    ids = [row.id for row in found]
    events = _of(connection, claim_event, claim_event.c.id, ids)
    payments = _of(connection, claim_payment, claim_payment.c.on, ids)
    editors = _of(connection, claim_editor, claim_editor.c.user, ids)
    return {row.id: _claim(row, events[row.id], payments[row.id], editors[row.id]) for row in found}


def _of(connection: Connection, table: Table, order: Any, ids: Sequence[str]) -> Mapping[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(table).where(table.c.claim.in_(ids)).order_by(table.c.claim, order)):
        found[row.claim].append(row)
    return found


def _claim(
    row: Row[Any], events: Sequence[Row[Any]], payments: Sequence[Row[Any]], editors: Sequence[Row[Any]]
) -> JsonRow:
    return {
        "table": "claim",
        "id": row.id,
        "version": row.version,
        "status": row.status,
        "payee": {
            "identity_code": row.identity_code,
            "family_name": row.family_name,
            "given_names": row.given_names,
            "non_disclosure": row.non_disclosure,
        },
        "basis": row.basis,
        "benefit": row.benefit,
        "first": _day(row.first),
        "last": _day(row.last),
        "amount": str(row.amount),
        "account": row.account,
        "reference": row.reference,
        "grounds": row.grounds,
        "handler": row.handler,
        "telephone": row.telephone,
        "care_first": _day(row.care_first),
        "care_last": _day(row.care_last),
        "assistance": row.assistance,
        "registered_at": instant(row.registered_at),
        "registered_by": row.registered_by,
        "late": row.late,
        "payment_day": _day(row.payment_day),
        "hearing_until": _day(row.hearing_until),
        "decided_on": _day(row.decided_on),
        "rejection": row.rejection,
        "end_reason": row.end_reason,
        "ended_on": _day(row.ended_on),
        "payments": [{"on": _day(one.on), "amount": str(one.amount)} for one in payments],
        "events": [{"at": instant(one.at), "what": one.what, "by": one.by} for one in events],
        "editing": [{"user": one.user, "name": one.name, "until": instant(one.until)} for one in editors],
        "expires_at": None if row.closed_at is None else instant(row.closed_at + closed_kept()),
    }


def _account(row: Row[Any]) -> JsonRow:
    return {"table": "account", "id": row.id, "version": row.version, "iban": row.iban, "name": row.name}


def _day(value: Any) -> str | None:
    return None if value is None else value.isoformat()
