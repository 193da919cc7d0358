"""Lists that are made when they are first needed: once, whoever asks at the same time."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import Connection, bindparam, select

from kelmu_backend.config import Lister
from kelmu_backend.database import tables
from kelmu_backend.database.list_tables import publication
from kelmu_backend.lists import publishing
from kelmu_backend.lists.publishing import OFFERED
from kelmu_backend.policy import organisation_of
from kelmu_tui.api.contract import billed_column
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.lists import Invoice, KelaList, ListKind, Period, invoices, lists, published_until
from kelmu_tui.domain.organisations import Organisation, OrganisationType

_HELD: Final = select(publication.c.period).where(
    publication.c.organisation == bindparam("organisation"), publication.c.list_id == bindparam("list_id")
)
_ORGANISATION: Final = (
    select(tables.organisation).where(tables.organisation.c.business_id == bindparam("organisation")).with_for_update()
)
_GRANTED: Final = (
    select(tables.grant.c.mandate, tables.organisation)
    .join(tables.organisation, tables.organisation.c.business_id == tables.grant.c.principal)
    .join(tables.agreement, tables.agreement.c.organisation == tables.grant.c.principal)
    .where(tables.grant.c.mandate.in_(bindparam("mandates", expanding=True)))
    .order_by(tables.grant.c.principal, tables.grant.c.id)
)


def bill_of(one: KelaList) -> Invoice | None:
    """Return the kind of invoice that a list bills, None when it bills nothing."""
    return invoices()[one.invoice] if one.invoice and billed_column(one.id) else None


def missing(connection: Connection, holder: Organisation, one: KelaList, now: datetime) -> list[Period]:
    """Return the periods of a list that should be there for an organisation and are not, the oldest first."""
    if one.kind is ListKind.INVOICE and holder.type is OrganisationType.MUNICIPAL_JOINT_AUTHORITY:
        # Those who pay are its members, for whom its staff act one by one.
        return []
    held = set(connection.execute(_HELD, {"organisation": holder.business_id, "list_id": one.id}).scalars())
    return [period for period in _wanted(one, now) if period.key not in held]


def _wanted(one: KelaList, now: datetime) -> list[Period]:
    """Return the periods that can be fetched, and those whose invoice comes before the list."""
    today = local_date(now)
    found = list(islice(published_until(one, today), OFFERED[one.rhythm]))
    bill = bill_of(one)
    if bill is not None:
        ahead = next(published_until(bill, today))
        while found[0].first < ahead.first:
            found.insert(0, found[0].next())
    return found[::-1]


def make(connection: Connection, lister: Lister, organisation: str, one: KelaList, now: datetime) -> int:
    """Make the periods of a list that should be there and are not; return how many.

    The organisation stays locked until the transaction ends, so that whoever comes second finds them.
    """
    holder = locked(connection, organisation)
    periods = missing(connection, holder, one, now) if holder is not None else []
    if holder is not None and periods:
        for issue in lister(connection, holder, one, periods, local_date(now)):
            publishing.publish(connection, organisation, one, issue)
    return len(periods)


def locked(connection: Connection, organisation: str) -> Organisation | None:
    """Return an organisation (business ID) of the record, locked until the transaction ends; None when it has none."""
    found = connection.execute(_ORGANISATION, {"organisation": organisation}).one_or_none()
    return None if found is None else organisation_of(found)


def due(connection: Connection, now: datetime) -> list[tuple[str, KelaList]]:
    """Return what should be made without anybody asking: for whom somebody has the mandate, and which list."""
    mandates = sorted({one.mandate for one in lists().values()})
    found: dict[tuple[str, str], tuple[Organisation, KelaList]] = {}
    for row in connection.execute(_GRANTED, {"mandates": mandates}).all():
        holder = organisation_of(row)
        for one in lists().values():
            if one.mandate == row.mandate and holder.type in one.organisation_types:
                found[holder.business_id, one.id] = holder, one
    return [(holder.business_id, one) for holder, one in found.values() if missing(connection, holder, one, now)]
