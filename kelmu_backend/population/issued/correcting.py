"""A list of the demo published anew, as it is without mistakes, with the invoice that puts the first one right."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from kelmu_backend.database.list_tables import invoice
from kelmu_backend.lists import making, publishing
from kelmu_backend.lists.publishing import Bill, NotPublished
from kelmu_backend.population.issued.sheets import Lister
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.lists import KelaList, Period


class Corrected(NamedTuple):
    """What came of it: the new version, and the cents that were added to the invoice, None when it bills nothing."""

    version: int
    added: int | None


def correct(connection: Connection, organisation: str, one: KelaList, period: Period, now: datetime) -> Corrected:
    """Publish a list of a period anew.

    Raises:
        NotPublished: there is none, or it is withdrawn.
    """
    holder = making.locked(connection, organisation)
    if holder is None:
        raise NotPublished(organisation)
    (issue,) = Lister(faults=False)(connection, holder, one, [period], local_date(now))
    bill = _correction(connection, organisation, issue.bill, period)
    version = publishing.republish(connection, organisation, one, issue._replace(bill=bill), now)
    return Corrected(version, None if bill is None else bill.total)


def _correction(connection: Connection, organisation: str, right: Bill | None, period: Period) -> Bill | None:
    """Return the invoice over what is still to be billed, or to be given back."""
    if right is None:
        return None
    sent = select(func.count(), func.sum(invoice.c.cents)).where(
        invoice.c.organisation == organisation,
        invoice.c.kind == right.kind.id,
        invoice.c.period == period.key,
    )
    count, cents = connection.execute(sent).one()
    return right._replace(number=f"{right.number}-{count + 1}", total=right.total - int(cents or 0))
