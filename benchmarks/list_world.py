"""The world in which lists are measured: a municipality whose invoice has a hundred thousand rows, and its backend.

The rows are those of the labour market subsidy's invoice, the widest there are: each of a person of its own with a
valid code, each with the share that the municipality has to pay, so that the review finds nothing in them.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.fill import demo_profile, nobody
from benchmarks.fill import sign_in as signed_in
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

PERSONA: Final = "persona-invoice-checker"
LIST: Final = "list_lms_invoice_persons_2025"
ROWS: Final = 100_000
FEW: Final = 100
MANY: Final = ROWS // 5
"""Rows of a list that is long, and a fifth as long as the longest."""
_FAMILIES: Final = (
    "Virtanen",
    "Korhonen",
    "Åberg",
    "Nieminen",
    "Öhman",
    "Mäkelä",
    "Laine",
    "Heikkinen",
    "Koskela-Salo",
)
_GIVEN: Final = ("Aino Maria", "Otto", "Helmi Sofia", "Eino Johannes", "Saga", "Väinö", "Märta Elisabet", "Onni Eemeli")
_ALIKE: Final = 100
"""Artificial people who can be born on one day."""
_BORN: Final = date(1962, 1, 1)


def municipality() -> Organisation:
    """The municipality of the persona."""
    return municipal_authority("536")


def the_list() -> KelaList:
    """The list that is measured."""
    return lists()[LIST]


def newest(count: int) -> list[Period]:
    """Return so many periods of the list that have come, the newest first."""
    return list(islice(published_until(the_list(), local_date(SystemClock().now())), count))


def month(period: Period, count: int, seed: int = 1) -> list[Draft]:
    """Return the rows of a period; whoever is in two of them has other days, one in twenty is in only one of them."""
    random, one = Random(seed), []
    first = period.first - timedelta(days=period.first.weekday() + 28)
    paid_for, paid_on = Period(first, first + timedelta(days=25)), period.first + timedelta(days=4)
    gone = period.first.month * count // 20
    for number in range(gone, gone + count):
        person = Random(number)
        born = _BORN + timedelta(days=number // _ALIKE)
        days = 101 + person.randrange(900) + (random.random() < 0.3)
        cents = 20 * 3721
        values = {
            "name": f"{person.choice(_FAMILIES)} {person.choice(_GIVEN)}",
            "identity_code": make_identity_code(born, "-", 900 + number % _ALIKE).value,
            "municipality": municipality().municipalities[0],
            "period": paid_for,
            "paid_on": paid_on,
            "days_paid": 20,
            "days_accumulated": days,
            "amount_eur": cents,
            "share_percent": percent(NEW, days),
            "municipal_share_eur": share(NEW, cents, 20, days),
            "event": Event.PAID,
        }
        one.append(Draft(None, f"{number}", values))
    return one


def issue(period: Period, rows: list[Draft]) -> Issue:
    """Return the list of a period with the invoice over it."""
    one, payer = the_list(), municipality().municipalities[0]
    total = sum(row.values["municipal_share_eur"] for row in rows)
    bill = Bill(invoices()[str(one.invoice)], f"benchmark-{payer}-{period.key}", total, payer)
    return Issue(period, [issued(one, period.key, row) for row in rows], bill)


def fill(folder: Path, sizes: list[int]) -> list[Period]:
    """Fill the record in `folder` with the list of some periods, the newest with the first of `sizes` rows."""
    database = Database(database_url(folder))
    found = newest(len(sizes))
    try:
        database.migrate()
        population.fill(database, population.generate(1, SystemClock().now(), 300, 30))
        for period, size in zip(found, sizes, strict=True):
            with database.write() as connection:
                publishing.publish(
                    connection, municipality().business_id, the_list(), issue(period, month(period, size))
                )
    finally:
        database.dispose()
    return found


def sign_in(home: Path, url: str) -> None:
    """Sign the persona in on an empty machine in `home`."""
    signed_in(home, url, PERSONA)


def opened(home: Path) -> Context:
    """Open the store in `home`."""
    return open_context(
        demo_profile(home), organisation=municipality().business_id, ask=nobody, needs=frozenset({LIST})
    )
