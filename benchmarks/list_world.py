"""The world in which lists are measured: a town and a county with a hundred thousand rows a month, and their backend.

The town's list is that behind the invoice for labour market subsidy, the widest there is: a row for each person, with a
valid code and the share that the municipality has to pay, so that a review finds nothing in it. The county's is one of
recipients, for somebody who works with customers as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from benchmarks import fill as filling
from benchmarks.world import PERSONA, county
from kelmu_backend import population
from kelmu_backend.database.engine import Database
from kelmu_backend.lists import publishing
from kelmu_backend.lists.publishing import Bill, Issue
from kelmu_backend.population.issued.drafts import Draft, issued
from kelmu_backend.population.issued.shares import NEW, percent, share
from kelmu_backend.serve import database_url
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.lists import Event, KelaList, Period, invoices, lists, published_until
from kelmu_tui.domain.organisations import Organisation, municipal_authority
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.services.context import Context, open_context

ROWS: Final = 100_000
PART: Final = ROWS // 5
FEW: Final = 100
_FAMILIES: Final = ("Virtanen", "Korhonen", "Åberg", "Nieminen", "Öhman", "Mäkelä", "Laine", "Heikkinen", "Salo-Koski")
_GIVEN: Final = ("Aino Maria", "Otto", "Helmi Sofia", "Eino Johannes", "Saga", "Väinö", "Märta Elisabet", "Onni Eemeli")
_ALIKE: Final = 100
"""Artificial people who can be born on one day."""
_BORN: Final = date(1962, 1, 1)
_DAYS: Final = 20
_CENTS: Final = _DAYS * 3721


class Desk(NamedTuple):
    """Somebody who fetches a list: a persona, the organisation, and the list's id."""

    persona: str
    organisation: Organisation
    list_id: str

    @property
    def one(self) -> KelaList:
        """The list."""
        return lists()[self.list_id]

    def periods(self, count: int) -> list[Period]:
        """Return so many periods of the list that have come, the newest first."""
        return list(islice(published_until(self.one, local_date(SystemClock().now())), count))

    def sign_in(self, home: Path, url: str) -> None:
        """Sign the persona in on an empty machine in `home`."""
        filling.sign_in(home, url, self.persona)

    def opened(self, home: Path) -> Context:
        """Open the store in `home`."""
        profile, own = filling.demo_profile(home), self.organisation.business_id
        return open_context(profile, organisation=own, ask=filling.nobody, needs=frozenset({self.list_id}))


def town() -> Desk:
    """Who checks the invoices of a municipality."""
    return Desk("persona-invoice-checker", municipal_authority("536"), "list_lms_invoice_persons_2025")


def recipients() -> Desk:
    """Who works with the customers of a county."""
    return Desk(PERSONA, county(), "list_lms_300_days")


def month(desk: Desk, period: Period, count: int) -> list[Draft]:
    """Return the rows of a period; from one to the next one in twenty leaves, and the days of three in ten grow."""
    chance = Random(period.key)
    monday = period.first - timedelta(days=period.first.weekday() + 28)
    paid_for = Period(monday, monday + timedelta(days=25))
    gone = period.first.month * count // 20
    return [_row(desk, period, paid_for, number, grown=chance.random() < 0.3) for number in range(gone, gone + count)]


def _row(desk: Desk, period: Period, paid_for: Period, number: int, *, grown: bool) -> Draft:
    person = Random(number)
    days = 301 + person.randrange(900) + grown
    code = make_identity_code(_BORN + timedelta(days=number // _ALIKE), "-", 900 + number % _ALIKE).value
    values = {
        "name": f"{person.choice(_FAMILIES)} {person.choice(_GIVEN)}",
        "identity_code": code,
        "municipality": desk.organisation.municipalities[0],
        "address": f"Koskikatu {number % 200}, 33100 TAMPERE",
        "reached_on": period.first,
        "last_paid_until": paid_for.last,
        "period": paid_for,
        "paid_on": period.first + timedelta(days=4),
        "days_paid": _DAYS,
        "days_accumulated": days,
        "amount_eur": _CENTS,
        "share_percent": percent(NEW, days),
        "municipal_share_eur": share(NEW, _CENTS, _DAYS, days),
        "event": Event.PAID,
    }
    return Draft(None, f"{number}", values)


def issue(desk: Desk, period: Period, count: int) -> Issue:
    """Return the list of a period, with the invoice over it if the list bills anything."""
    one, rows = desk.one, month(desk, period, count)
    bill = None
    if one.invoice is not None:
        payer = desk.organisation.municipalities[0]
        total = sum(row.values["municipal_share_eur"] for row in rows)
        bill = Bill(invoices()[one.invoice], f"benchmark-{payer}-{period.key}", total, payer)
    return Issue(period, [issued(one, period.key, row) for row in rows], bill)


def fill(folder: Path, sizes: Mapping[Desk, Sequence[int]]) -> None:
    """Fill the record in `folder`: of each desk's list the newest periods, with so many rows each."""
    database = Database(database_url(folder))
    try:
        database.migrate()
        population.fill(database, population.generate(1, SystemClock().now(), 300, 30))
        for desk, counts in sizes.items():
            for period, count in zip(desk.periods(len(counts)), counts, strict=True):
                with database.write() as connection:
                    own = desk.organisation.business_id
                    publishing.publish(connection, own, desk.one, issue(desk, period, count))
    finally:
        database.dispose()
