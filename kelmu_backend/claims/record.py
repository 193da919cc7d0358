"""A claim in the record: loaded and locked, written with what happened, told to the organisation and to followers.

Whoever changes a claim locks it first, then its payee (`customers.changing`), and takes the feed's counter last. The
same claim stands in the payee's file as other authorities see it; it is written there in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kelmu_backend import feed
from kelmu_backend.claims.reading import WITH_PAYEE
from kelmu_backend.customers import changing
from kelmu_backend.customers.changing import Key, Known
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import claim, claim_editor, claim_event, claim_payment
from kelmu_backend.feed import Change, Entry
from kelmu_backend.policy import claims_scope
from kelmu_backend.rows import JsonRow
from kelmu_tui.api import contract
from kelmu_tui.domain.claims import days
from kelmu_tui.domain.claims.content import Assistance, Content
from kelmu_tui.domain.claims.kept import closed_kept
from kelmu_tui.domain.claims.life import IN_FILE, OPEN, ClaimState, Status
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.sections import Section
from kelmu_tui.platform.ids import Ids

AT_ONCE: Final = 200
"""Claims that go under one sequence."""
LEFT_ALONE: Final = timedelta(seconds=60)
"""How long Kela's side lets a claim lie after a command, so that whoever erred can still change or cancel it."""

_LOAD: Final = WITH_PAYEE.where(claim.c.id == bindparam("id")).with_for_update(of=claim)
_TOLD: Final = (
    select(
        claim,
        tables.organisation.c.name_fi,
        select(func.sum(claim_payment.c.amount))
        .where(claim_payment.c.claim == claim.c.id)
        .scalar_subquery()
        .label("paid"),
    )
    .join(tables.organisation, tables.organisation.c.business_id == claim.c.organisation)
    .where(claim.c.id == bindparam("id"))
)
_OVER: Final = (
    select(claim.c.id, claim.c.organisation, claim.c.version)
    .where(claim.c.closed_at <= bindparam("limit"))
    .order_by(claim.c.closed_at, claim.c.id)
    .limit(AT_ONCE)
)


class Arrival(NamedTuple):
    """How a claim stands to the payment days: the first one that it reaches, and whether it missed one."""

    payment_day: date | None
    late: bool


def load(connection: Connection, identifier: str) -> Row[Any] | None:
    """Return a claim with its payee, locked until the transaction ends."""
    return connection.execute(_LOAD, {"id": identifier}).one_or_none()


def state_of(row: Any) -> ClaimState:
    """Return the part of a loaded claim that commands change."""
    return ClaimState(Status(row.status), content_of(row), row.version, row.end_reason, row.ended_on)


def content_of(row: Any) -> Content:
    """Return what a loaded claim says, with the payee's present code."""
    return Content(
        row.identity_code,
        row.basis,
        row.benefit,
        row.first,
        row.last,
        row.amount,
        row.account,
        row.reference,
        row.grounds,
        row.handler,
        row.telephone,
        row.care_first,
        row.care_last,
        _assistance(row.assistance),
    )


def arrival(content: Content, surname: str, today: date) -> Arrival:
    """Return how a claim that arrives on the Finnish day `today` stands to the payment days."""
    meant = days.first_meant(content, surname)
    late = meant is not None and days.latest_arrival(meant) < today
    return Arrival(days.next_reached(content, surname, today), late)


def columns(content: Content) -> dict[str, Any]:
    """Return the columns that hold what a claim says; the payee is a column of its own."""
    paid = content.assistance
    told = paid and contract.AssistancePaid(
        first=paid.first, last=paid.last, amount=paid.amount, decided_on=paid.decided_on
    )
    return {
        "basis": content.basis,
        "benefit": content.benefit,
        "first": content.first,
        "last": content.last,
        "amount": content.amount,
        "account": content.account,
        "reference": content.reference,
        "grounds": content.grounds,
        "handler": content.handler,
        "telephone": content.telephone,
        "care_first": content.care_first,
        "care_last": content.care_last,
        "assistance": told and told.model_dump(mode="json"),
    }


def add(connection: Connection, values: Mapping[str, Any], by: str, now: datetime, ids: Ids) -> list[Entry] | None:
    """Register a claim with the columns `values`; return the feed's entries, which the caller writes last.

    None when the id has been taken; then nothing has been written.
    """
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    insertion = build(claim).values(**values).on_conflict_do_nothing().returning(claim.c.id)
    if connection.execute(insertion).first() is None:
        return None
    return _told(connection, values["id"], values["person"], "register", by, now, ids, {})


def keep(
    connection: Connection,
    row: Row[Any],
    state: ClaimState,
    what: str,
    now: datetime,
    ids: Ids,
    *,
    by: str | None = None,
    rows: Mapping[Key, Known | None] | None = None,
    **more: Any,
) -> list[Entry]:
    """Write what became of a loaded claim; return the feed's entries, which the caller writes last.

    Args:
        what: of `contract.ClaimEvent`; `by` is the worker's name, None when Kela did it.
        rows: rows of the payee that become different with it.
        more: other columns.
    """
    values = columns(state.content) | {
        "status": state.status.value,
        "version": state.version,
        "end_reason": state.end_reason,
        "ended_on": state.ended_on,
        **more,
    }
    if state.status not in OPEN:
        values |= {"closed_at": now, "next_at": None}
    connection.execute(update(claim).where(claim.c.id == row.id).values(**values))
    return _told(connection, row.id, row.person, what, by, now, ids, rows or {})


def _told(
    connection: Connection,
    identifier: str,
    customer: str,
    what: str,
    by: str | None,
    now: datetime,
    ids: Ids,
    rows: Mapping[Key, Known | None],
) -> list[Entry]:
    connection.execute(insert(claim_event).inline(), {"claim": identifier, "at": now, "what": what, "by": by})
    row = connection.execute(_TOLD, {"id": identifier}).one()
    shown = {Key(Section.CLAIMS, identifier): in_file(row, row.name_fi, row.paid)}
    own = Entry(claims_scope(row.organisation), identifier, row.version)
    return [own, *changing.changed(connection, customer, {**shown, **rows}, now, ids)]


def in_file(row: Any, claimant: str, paid: Any) -> Known | None:
    """Return a claim as the payee's file shows it, None for one that was cancelled.

    Args:
        row: has the columns of `claim`.
        claimant: name of the organisation.
        paid: euros that have been paid on it, None for nothing.
    """
    status = Status(row.status)
    if status is Status.CANCELLED:
        return None
    received = local_date(row.registered_at)
    all_paid = status is Status.ENDED and row.last is not None and paid is not None and paid >= row.amount
    body: JsonRow = contract.ClaimRow.model_validate(
        {
            "id": row.id,
            "benefit": row.benefit,
            "basis": row.basis,
            "claimant": claimant,
            "claimant_id": row.organisation,
            "period_from": row.first,
            "period_to": row.last if row.ended_on is None else row.ended_on,
            "amount": row.amount,
            "status": "paid" if all_paid else IN_FILE[status],
            "received": received,
        }
    ).model_dump(mode="json")
    return Known(row.benefit, received, body)


def drop_over(connection: Connection, now: datetime) -> Change | None:
    """Delete up to `AT_ONCE` claims that were closed long ago, with what belongs to them; return what changed.

    None when there is none. The payee's file is Kela's own record, and keeps its row.
    """
    found = connection.execute(_OVER.with_for_update(skip_locked=True), {"limit": now - closed_kept()}).all()
    if not found:
        return None
    ids = [row.id for row in found]
    for table in (claim_event, claim_payment, claim_editor):
        connection.execute(delete(table).where(table.c.claim.in_(ids)))
    connection.execute(delete(claim).where(claim.c.id.in_(ids)))
    return feed.record(
        connection, [Entry(claims_scope(row.organisation), row.id, row.version + 1, "rm") for row in found]
    )


def _assistance(stored: JsonRow | None) -> Assistance | None:
    if stored is None:
        return None
    paid = contract.AssistancePaid.model_validate(stored)
    return Assistance(paid.first, paid.last, paid.amount, paid.decided_on)
