"""What the record knows of a payee, and what the rules of the domain say of a claim; the client's word counts nothing.

The whole file counts, also what the worker may not see of it: which rule refuses is told, never by which row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, select

from kelmu_backend.customers import relating
from kelmu_backend.database.customer_tables import customer_row, person, person_code
from kelmu_backend.policy import Access
from kelmu_backend.rows import JsonRow
from kelmu_tui.domain.claims.facts import Days, DecisionFact, Facts, OtherClaim, PaymentFact
from kelmu_tui.domain.sections import Section, looks_kept

_WAGES: Final = frozenset({"wage", "income"})
"""Kinds of what others pass on to Kela that tell of an employer who pays wages."""
_OPEN: Final = frozenset({"received", "in_force"})
"""States of claims in a customer's file that are not over."""

_ROWS: Final = (
    select(customer_row.c.section, customer_row.c.id, customer_row.c.body)
    .where(
        customer_row.c.person == bindparam("person"),
        customer_row.c.section.in_(
            [one.value for one in (Section.PAYMENTS, Section.DECISIONS, Section.PASSED_ON, Section.CLAIMS)]
        ),
    )
    .order_by(customer_row.c.day, customer_row.c.id)
)
_BY_CODE: Final = (
    select(person).join(person_code, person_code.c.person == person.c.id).where(person_code.c.code == bindparam("code"))
)
_CODES: Final = select(person_code.c.code).where(person_code.c.person == bindparam("person"))


class Payee(NamedTuple):
    """What `facts` needs of a person."""

    id: str
    family_name: str
    died: date | None


def by_code(connection: Connection, code: str) -> Row[Any] | None:
    """Return the row of whoever has or had an identity code."""
    return connection.execute(_BY_CODE, {"code": code}).one_or_none()


def is_known(connection: Connection, access: Access, someone: str, now: datetime) -> bool:
    """Tell whether a user has looked a person up lately, or the organisation has a notice or a claim about them."""
    return relating.is_known(connection, access, codes(connection, someone), someone, now - looks_kept())


def codes(connection: Connection, someone: str) -> Sequence[str]:
    """Return the identity codes that a person has or has had."""
    return connection.execute(_CODES, {"person": someone}).scalars().all()


def facts(
    connection: Connection, someone: Payee, organisation: str, today: date, *, without: str | None = None
) -> Facts:
    """Return what the record knows of a person whose rows have been made.

    Args:
        organisation: whose claims are own.
        without: id of the claim that is judged, which is no other one.
    """
    found: dict[str, list[JsonRow]] = defaultdict(list)
    for row in connection.execute(_ROWS, {"person": someone.id}):
        if row.id != without:
            found[row.section].append(row.body)
    return Facts(
        someone.family_name,
        tuple(map(_payment, found[Section.PAYMENTS])),
        tuple(map(_decision, found[Section.DECISIONS])),
        tuple(
            Days(date.fromisoformat(one["period_from"]), date.fromisoformat(one["period_to"]))
            for one in found[Section.PASSED_ON]
            if one["kind"] in _WAGES
        ),
        tuple(_other(one, organisation) for one in found[Section.CLAIMS] if one["status"] in _OPEN),
        someone.died,
        today,
    )


def _payment(body: JsonRow) -> PaymentFact:
    return PaymentFact(
        body["benefit"],
        date.fromisoformat(body["paid_on"]),
        date.fromisoformat(body["period_from"]),
        date.fromisoformat(body["period_to"]),
        Decimal(body["net"]),
        body.get("status", "paid"),
        body.get("payee"),
    )


def _decision(body: JsonRow) -> DecisionFact:
    return DecisionFact(
        body["benefit"],
        date.fromisoformat(body["decided"]),
        body["outcome"],
        _day(body.get("valid_from")),
        _day(body.get("valid_to")),
    )


def _other(body: JsonRow, organisation: str) -> OtherClaim:
    amount = body.get("amount")
    return OtherClaim(
        body["id"],
        body["benefit"],
        date.fromisoformat(body["period_from"]),
        _day(body.get("period_to")),
        body.get("claimant_id") == organisation,
        body["basis"],
        None if amount is None else Decimal(amount),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
