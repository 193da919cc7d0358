"""Publications and invoices into the record: a first time, anew, withdrawn, and gone when their time is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from kelmu_backend import rows
from kelmu_backend.database.list_tables import invoice, list_row, publication
from kelmu_backend.rows import JsonRow
from kelmu_tui.domain.deadlines import HELSINKI_TIME
from kelmu_tui.domain.lists import Invoice, KelaList, Period, Rhythm

COMES: Final = time(6)
"""Finnish time of the day at which a list is published."""
OFFERED: Final = {Rhythm.MONTH: 13, Rhythm.QUARTER: 5, Rhythm.HALF_YEAR: 4, Rhythm.YEAR: 3}
"""Periods of a list that can be fetched at one time: the newest and those of the year before, to compare."""


class IssuedRow(NamedTuple):
    """A row to be published: its id, whom it is about (None: nobody we know), and `contract.ListRow` as JSON."""

    id: str
    person: str | None
    content: JsonRow


class Bill(NamedTuple):
    """The invoice that goes with a list; `number` is its own among all, `total` in cents."""

    kind: Invoice
    number: str
    total: int
    payer: str


class Issue(NamedTuple):
    """A list of a period, with the invoice that it is behind."""

    period: Period
    rows: Sequence[IssuedRow]
    bill: Bill | None = None


class NotPublished(LookupError):
    """There is no such publication, or it is withdrawn."""


def published_at(one: KelaList, period: Period) -> datetime:
    """Return when a list of a period comes."""
    return _at(one.published.on(period))


def expires_at(one: KelaList, period: Period) -> datetime:
    """Return until when it can be fetched: until the last of those that push it out comes."""
    return published_at(one, period.next(OFFERED[one.rhythm]))


def publish(connection: Connection, organisation: str, one: KelaList, issue: Issue) -> None:
    """Put a list of a period into the record for an organisation, to be seen when its time comes."""
    key = connection.execute(
        insert(publication)
        .values(
            organisation=organisation,
            list_id=one.id,
            period=issue.period.key,
            version=1,
            published_at=published_at(one, issue.period),
            expires_at=expires_at(one, issue.period),
            rows=len(issue.rows),
            withdrawn=False,
        )
        .returning(publication.c.id)
    ).scalar_one()
    _write_rows(connection, key, issue.rows)
    if issue.bill is not None:
        sent, due = issue.bill.kind.sent.on(issue.period), issue.bill.kind.due(issue.period)
        _write_bill(connection, organisation, one, issue.period, issue.bill, len(issue.rows), sent, due)


def republish(connection: Connection, organisation: str, one: KelaList, issue: Issue, now: datetime) -> int:
    """Publish a list of a period anew and return its version; its former rows are gone.

    Args:
        issue: all rows; its `bill`, if there is one, is the invoice that corrects the first one by what is added.

    Raises:
        NotPublished: there is none, or it is withdrawn.
    """
    found = _locked(connection, organisation, one, issue.period)
    connection.execute(delete(list_row).where(list_row.c.publication == found.id))
    _write_rows(connection, found.id, issue.rows)
    changed = {"version": found.version + 1, "rows": len(issue.rows), "published_at": now}
    connection.execute(update(publication).where(publication.c.id == found.id).values(**changed))
    if issue.bill is not None:
        added = len(issue.rows) - found.rows
        sent = now.astimezone(HELSINKI_TIME).date()
        due = max(sent, issue.bill.kind.due(issue.period))
        first = _first_bill(connection, organisation, issue.bill, issue.period)
        _write_bill(connection, organisation, one, issue.period, issue.bill, added, sent, due, first)
    return int(found.version) + 1


def withdraw(connection: Connection, organisation: str, one: KelaList, period: Period) -> None:
    """Withdraw a list of a period: its rows are gone, and whoever fetched it learns that it may not be used.

    Raises:
        NotPublished: there is none, or it is withdrawn already.
    """
    found = _locked(connection, organisation, one, period)
    connection.execute(delete(list_row).where(list_row.c.publication == found.id))
    connection.execute(update(publication).where(publication.c.id == found.id).values(withdrawn=True, rows=0))


def drop_over(connection: Connection, now: datetime) -> int:
    """Delete the publications whose time is over, and the invoices behind them; return how many publications."""
    # Locked, so that none is published anew meanwhile.
    over = connection.execute(select(publication).where(publication.c.expires_at <= now).with_for_update()).all()
    for row in over:
        connection.execute(delete(list_row).where(list_row.c.publication == row.id))
        connection.execute(
            delete(invoice).where(
                invoice.c.organisation == row.organisation,
                invoice.c.list_id == row.list_id,
                invoice.c.period == row.period,
            )
        )
        connection.execute(delete(publication).where(publication.c.id == row.id))
    return len(over)


def _locked(connection: Connection, organisation: str, one: KelaList, period: Period) -> Row[Any]:
    wanted = select(publication).where(
        publication.c.organisation == organisation,
        publication.c.list_id == one.id,
        publication.c.period == period.key,
        publication.c.withdrawn.is_(False),
    )
    found = connection.execute(wanted.with_for_update()).one_or_none()
    if found is None:
        raise NotPublished(f"{one.id} {period.key}")
    return found


def _write_rows(connection: Connection, key: int, issued: Sequence[IssuedRow]) -> None:
    if issued:
        connection.execute(
            insert(list_row),
            [
                {"publication": key, "id": row.id, "person": row.person, "content": rows.encode(row.content).decode()}
                for row in issued
            ],
        )


def _write_bill(
    connection: Connection,
    organisation: str,
    one: KelaList,
    period: Period,
    bill: Bill,
    rows_billed: int,
    sent: date,
    due: date,
    corrects: str | None = None,
) -> None:
    connection.execute(
        insert(invoice).values(
            number=bill.number,
            organisation=organisation,
            kind=bill.kind.id,
            period=period.key,
            sent_on=sent,
            due_on=due,
            cents=bill.total,
            rows=rows_billed,
            list_id=one.id,
            payer=bill.payer,
            corrects=corrects,
        )
    )


def _first_bill(connection: Connection, organisation: str, bill: Bill, period: Period) -> str | None:
    wanted = select(func.min(invoice.c.number)).where(
        invoice.c.organisation == organisation,
        invoice.c.kind == bill.kind.id,
        invoice.c.period == period.key,
        invoice.c.corrects.is_(None),
    )
    found: str | None = connection.execute(wanted).scalar_one()
    return found


def _at(day: date) -> datetime:
    return datetime.combine(day, COMES, HELSINKI_TIME)
