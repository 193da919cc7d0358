"""Lists and invoices put together: the rows of each period, what was planted in them, and the bill over them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from random import Random
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from kelmu_backend.database import tables
from kelmu_backend.lists.publishing import Bill, Issue
from kelmu_backend.population.issued import abroad, care, childcare, unemployment
from kelmu_backend.population.issued.drafts import Draft, issued, row_id
from kelmu_backend.population.issued.faults import Bed, Fault, Planted, plant, possible, wrong_total
from kelmu_backend.population.issued.roll import Roll, roll_of
from kelmu_backend.population.issued.unemployment import BILLED, Made
from kelmu_backend.population.lists import chance
from kelmu_tui.api.contract import billed_column
from kelmu_tui.domain.lists import KelaList, Period, invoices
from kelmu_tui.domain.organisations import Organisation


class Sheet(NamedTuple):
    """A list as it is published, and the mistakes that were planted in it."""

    issue: Issue
    planted: tuple[Planted, ...] = ()


class Answer(NamedTuple):
    """What the county told Kela of comparable treatment: its cost and the client fee, in cents."""

    cost: int
    fee: int


class Lister:
    """Makes lists for the people of the record, by its seed (`config.Lister`).

    Args:
        faults: some invoices hold mistakes.
    """

    def __init__(self, *, faults: bool) -> None:
        self._faults = faults

    def __call__(
        self, connection: Connection, organisation: Organisation, one: KelaList, periods: Sequence[Period], today: date
    ) -> Iterable[Issue]:
        """Return the periods of a list that are wanted."""
        seed = seed_of(connection)
        roll = roll_of(connection, organisation, seed, today, old=one.id == care.VETERANS_LIST)
        plan = self._planned if self._faults else _none
        return [sheet.issue for sheet in make_sheets(roll, seed, one, periods, partial(plan, seed, roll, one))]

    @staticmethod
    def _planned(seed: int, roll: Roll, one: KelaList, period: Period) -> Collection[Fault]:
        """Return the few mistakes that an invoice has by chance; most have one or none."""
        random = chance(f"faults/{seed}/{roll.organisation.business_id}/{one.id}/{period.key}")
        return random.sample(possible(one), random.choices((0, 1, 2, 3), (45, 25, 20, 10))[0])


def seed_of(connection: Connection) -> int:
    """Return the seed of the record's population."""
    return int(connection.execute(_SEED).scalar_one_or_none() or 0)


def _none(_seed: int, _roll: Roll, _one: KelaList, _period: Period) -> Collection[Fault]:
    return ()


Plan = Callable[[Period], Collection[Fault]]
"""Which mistakes the invoice of a period is to have."""


def make_sheets(
    roll: Roll, seed: int, one: KelaList, periods: Sequence[Period], plan: Plan | None = None
) -> Iterator[Sheet]:
    """Yield a list for each of `periods`, which are in the order of time.

    A mistake that finds no row to stand in is left out, and is not among what was planted.
    """
    for period, rows in _MAKERS[one.id](roll, seed, periods).items():
        column = billed_column(one.id)
        if column is None:
            yield Sheet(_issue(one, period, rows, None))
        else:
            random = chance(f"plant/{seed}/{roll.organisation.business_id}/{one.id}/{period.key}")
            yield _billed(random, Bed(random, roll, one, period, rows, column), plan(period) if plan else ())


def county_answers(roll: Roll, seed: int, periods: Sequence[Period]) -> Mapping[str, Answer]:
    """Return what a county answered to Kela's requests about treatment abroad, by the request's reference."""
    return {
        row.values["request_ref"]: Answer(row.values["comparable_cost_eur"], row.values["client_fee_eur"])
        for rows in abroad.rows(roll, seed, periods).values()
        for row in rows
    }


def _billed(random: Random, bed: Bed, faults: Collection[Fault]) -> Sheet:
    placed = plant(bed, faults)
    sums = [row.values[bed.billed] for row in bed.rows]
    whole, billed = wrong_total(random, faults, sums)
    planted = [Planted(fault, tuple(row_id(bed.one, bed.period.key, row) for row in rows)) for fault, rows in placed]
    # Nothing is not billed, and of childcare support nothing below it either.
    least = 1 if bed.one.id == childcare.PAYMENTS else None
    if whole is None and (not bed.rows or (least is not None and billed < least)):
        return Sheet(_issue(bed.one, bed.period, bed.rows, None), tuple(planted))
    if whole is not None:
        planted.append(Planted(whole))
    return Sheet(_issue(bed.one, bed.period, bed.rows, _bill(bed, billed)), tuple(planted))


def _bill(bed: Bed, total: int) -> Bill:
    assert bed.one.invoice is not None
    kind = invoices()[bed.one.invoice]
    county = bed.roll.organisation.county
    payer = county if bed.one.id == abroad.LIST and county is not None else bed.roll.payer
    place = list(invoices()).index(kind.id) + 1
    return Bill(kind, f"{place}-{payer}-{bed.period.key}", total, payer)


def _issue(one: KelaList, period: Period, rows: Iterable[Draft], bill: Bill | None) -> Issue:
    return Issue(period, [issued(one, period.key, row) for row in rows], bill)


_Maker = Callable[[Roll, int, Sequence[Period]], Made]
_MAKERS: Final[Mapping[str, _Maker]] = {
    "list_lms_300_days": partial(unemployment.recipients, "list_lms_300_days"),
    care.VETERANS_LIST: care.veterans,
    care.CARE_LIST: care.in_much_care,
    "list_lms_recipients_municipality": partial(unemployment.recipients, "list_lms_recipients_municipality"),
    "list_lms_prolonged_unemployment": partial(unemployment.recipients, "list_lms_prolonged_unemployment"),
    **{list_id: partial(unemployment.billed_rows, list_id) for list_id in BILLED},
    childcare.RECIPIENTS: childcare.recipient_rows,
    childcare.PAYMENTS: childcare.payment_rows,
    abroad.LIST: abroad.rows,
}
_SEED: Final = select(tables.meta.c.value).where(tables.meta.c.key == "seed")
