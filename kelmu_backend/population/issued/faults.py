"""Mistakes that Kela might make on an invoice, put into clean rows on purpose, so that a review has something to find.

Each fault breaks one thing and leaves the rest right: it is put into a row of a person who has no other row on the
list, and sums that follow from what was changed are reckoned anew. The names are those of the rules that find them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple

from kelmu_backend.population.issued import abroad, childcare
from kelmu_backend.population.issued.courses import REFORM, daily
from kelmu_backend.population.issued.drafts import Draft, draft
from kelmu_backend.population.issued.roll import Roll
from kelmu_backend.population.issued.shares import NEW, percent, share
from kelmu_backend.population.issued.unemployment import BILLED
from kelmu_tui.domain.identifiers import CHECK_CHARACTERS, make_identity_code
from kelmu_tui.domain.lists import Event, KelaList, Period


class Fault(StrEnum):
    """Kinds of mistakes; `rule` is the rule of the review that finds it."""

    TOTAL_WRONG = "total_wrong"
    NEGATIVE_INVOICE = "negative_invoice"
    ZERO_INVOICE = "zero_invoice"
    PERSON_UNKNOWN = "person_unknown"
    STRANGER = "stranger"
    """A person with a code that is none of the organisation's people's."""
    OTHER_MUNICIPALITY = "other_municipality"
    WRONG_LAW = "wrong_law"
    PAID_OUTSIDE_PERIOD = "paid_outside_period"
    CHILDCARE_IN_ADVANCE = "childcare_in_advance"
    DAYS_IMPOSSIBLE = "days_impossible"
    DAYS_TOO_MANY = "days_too_many"
    PERCENT_WRONG = "percent_wrong"
    SHARE_WRONG = "share_wrong"
    SUM_MISSING = "sum_missing"
    SUM_SIGN = "sum_sign"
    ROW_SUM = "row_sum"
    COUNTRY_OUTSIDE = "country_outside"
    EMERGENCY_BILLED = "emergency_billed"
    ANSWER_MISSING = "answer_missing"
    ANSWER_DIFFERS = "answer_differs"
    REIMBURSED_TOO_MUCH = "reimbursed_too_much"
    DUPLICATE = "duplicate"
    OVERLAP = "overlap"
    RETURNED_WITHOUT_PAID = "returned_without_paid"

    @property
    def rule(self) -> str:
        """Id of the rule that finds it."""
        return "person_unknown" if self is Fault.STRANGER else self.value


class Planted(NamedTuple):
    """A mistake that stands in an invoice: in which rows (ids), none when it is in the invoice as a whole."""

    fault: Fault
    rows: tuple[str, ...] = ()


@dataclass(slots=True)
class Bed:
    """The rows of a list into which faults are planted.

    Attributes:
        free: rows that hold no fault yet and are their person's only ones.
    """

    random: Random
    roll: Roll
    one: KelaList
    period: Period
    rows: list[Draft]
    billed: str
    free: list[Draft] = field(init=False)

    def __post_init__(self) -> None:
        """Find the rows that are their person's only ones and tell of a payment."""
        count = Counter(row.person for row in self.rows)
        alone = [row for row in self.rows if count[row.person] == 1]
        self.free = [row for row in alone if row.values.get("event", Event.PAID) is Event.PAID]

    @property
    def model(self) -> str:
        """Law of an unemployment benefit's list."""
        return BILLED[self.one.id][1]

    def take(self) -> Draft | None:
        """Return a row for a fault, None when there is none left."""
        return self.free.pop(self.random.randrange(len(self.free))) if self.free else None

    def add(self, row: Draft) -> Draft:
        """Put one more row on the list."""
        self.rows.append(row)
        return row


Plant = Callable[[Bed, Draft], Sequence[Draft]]
"""Puts a fault into a row and returns the rows that tell of it."""


def possible(one: KelaList) -> tuple[Fault, ...]:
    """Return the faults that can stand in an invoice with a list."""
    found = [*_PLANTS[_shape(one)], Fault.TOTAL_WRONG]
    if one.id == childcare.PAYMENTS:
        found += [Fault.NEGATIVE_INVOICE, Fault.ZERO_INVOICE]
    elif one.id in BILLED and BILLED[one.id][1] != NEW:
        # Of what was paid before there were lists nobody can say that it was not.
        found.remove(Fault.RETURNED_WITHOUT_PAID)
    return tuple(found)


def plant(bed: Bed, faults: Collection[Fault]) -> list[tuple[Fault, Sequence[Draft]]]:
    """Put faults into rows and return which found a place where; those of the invoice as a whole are left out."""
    plants = _PLANTS[_shape(bed.one)]
    wanted = [fault for fault in possible(bed.one) if fault in faults and fault in plants]
    return [(fault, plants[fault](bed, row)) for fault in wanted if (row := bed.take()) is not None]


def wrong_total(random: Random, faults: Collection[Fault], sums: Collection[int | None]) -> tuple[Fault | None, int]:
    """Return the fault of an invoice as a whole, and the total that it makes of what the rows add up to.

    Beside a row without a sum nobody can say what the total should be, so none is made wrong there.
    """
    total = sum(one or 0 for one in sums)
    if Fault.NEGATIVE_INVOICE in faults:
        return Fault.NEGATIVE_INVOICE, -abs(total) - 1
    if Fault.ZERO_INVOICE in faults and total:
        return Fault.ZERO_INVOICE, 0
    if Fault.TOTAL_WRONG in faults and None not in sums:
        return Fault.TOTAL_WRONG, total + random.choice((1, 100, 12_345, -1))
    return None, total


def _shape(one: KelaList) -> str:
    return "unemployment" if one.id in BILLED else one.id


# --- any list ---


def _unknown(bed: Bed, row: Draft) -> Sequence[Draft]:
    code = row.values["identity_code"]
    others = [sign for sign in CHECK_CHARACTERS if sign != code[-1]]
    row.values["identity_code"] = code[:-1] + bed.random.choice(others)
    return (row,)


def _stranger(bed: Bed, row: Draft) -> Sequence[Draft]:
    born = bed.period.first - timedelta(days=bed.random.randrange(9_000, 20_000))
    sign = "-" if born.year < 2000 else "A"
    code = make_identity_code(born, sign, bed.random.randrange(980, 1000)).value
    row.values |= {"identity_code": code, "name": "Outola Oona"}
    row.person = None
    return (row,)


def _paid_outside(bed: Bed, row: Draft) -> Sequence[Draft]:
    row.values["paid_on"] = bed.period.first - timedelta(days=3)
    return (row,)


def _no_sum(bed: Bed, row: Draft) -> Sequence[Draft]:
    row.values[bed.billed] = None
    return (row,)


def _twice(bed: Bed, row: Draft) -> Sequence[Draft]:
    return row, bed.add(_copy(row, "again"))


def _elsewhere(bed: Bed, row: Draft) -> Sequence[Draft]:
    row.values["municipality"] = "049" if bed.roll.payer != "049" else "091"
    return (row,)


def _copy(row: Draft, key: str) -> Draft:
    return Draft(row.person, f"{row.key}/{key}", deepcopy(row.values), row.hidden)


# --- unemployment ---


def _shared(bed: Bed, row: Draft) -> None:
    """Reckon percent and share anew from what stands in the row."""
    values = row.values
    values["share_percent"] = percent(bed.model, values["days_accumulated"])
    values["municipal_share_eur"] = share(
        bed.model, values["amount_eur"], values["days_paid"], values["days_accumulated"]
    )


def _other_law(bed: Bed, row: Draft) -> Sequence[Draft]:
    period, week = row.values["period"], timedelta(days=7)
    step = -week if bed.model == NEW else week
    while (period.last >= REFORM) if bed.model == NEW else (period.first < REFORM):
        period = Period(period.first + step, period.last + step)
    row.values["period"] = period
    return (row,)


def _no_days(bed: Bed, row: Draft) -> Sequence[Draft]:  # noqa: ARG001
    row.values["days_paid"] = 0
    return (row,)


def _many_days(bed: Bed, row: Draft) -> Sequence[Draft]:
    period = row.values["period"]
    length = (period.last - period.first).days + 1
    most = sum((period.first + timedelta(days=n)).weekday() < 5 for n in range(length))
    row.values["days_paid"] = most + bed.random.randrange(1, 5)
    _shared(bed, row)
    return (row,)


def _other_percent(bed: Bed, row: Draft) -> Sequence[Draft]:
    steps = {percent(bed.model, day) for day in (1, 150, 250, 350, 500, 1200)} - {row.values["share_percent"]}
    row.values["share_percent"] = bed.random.choice(sorted(steps))
    return (row,)


def _other_share(bed: Bed, row: Draft) -> Sequence[Draft]:
    row.values["municipal_share_eur"] += bed.random.choice((1, 10, 2_000, -1))
    return (row,)


def _wrong_sign(bed: Bed, row: Draft) -> Sequence[Draft]:  # noqa: ARG001
    for name in ("amount_eur", "municipal_share_eur", "municipal_supplement_eur"):
        if name in row.values:
            row.values[name] = -row.values[name]
    return (row,)


def _overlapping(bed: Bed, row: Draft) -> Sequence[Draft]:
    """Pay all days but the first once more; of a time outside the row's own something else may have been paid."""
    other = _copy(row, "over")
    values, period, days = other.values, row.values["period"], row.values["days_paid"]
    values["period"] = Period(period.first + timedelta(days=1), period.last)
    values |= {"days_paid": days - 1, "amount_eur": values["amount_eur"] * (days - 1) // days}
    _shared(bed, other)
    return row, bed.add(other)


def _never_paid(bed: Bed, row: Draft) -> Sequence[Draft]:
    """Let a payment come back that was not made: of somebody else, for a time of the invoice's own."""
    listed = {other.person for other in bed.rows}
    resident = bed.random.choice([one for one in bed.roll.residents if one.id not in listed])
    first = bed.period.first + timedelta(days=-bed.period.first.weekday() % 7)
    values = row.values | {
        "period": Period(first, first + timedelta(days=11)),
        "days_paid": 10,
        "amount_eur": -10 * daily(),
        "event": Event.RETURNED,
    }
    for name in ("name", "identity_code", "municipality", "address"):
        values.pop(name)
    back = bed.add(draft(resident, "back", **values))
    _shared(bed, back)
    return (back,)


# --- childcare ---


def _too_early(bed: Bed, row: Draft) -> Sequence[Draft]:
    row.values["period"] = bed.period.next()
    return (row,)


def _part_too_large(bed: Bed, row: Draft) -> Sequence[Draft]:  # noqa: ARG001
    row.values["municipal_supplement_eur"] = row.values["amount_eur"] + 1
    return (row,)


def _overlapping_month(bed: Bed, row: Draft) -> Sequence[Draft]:
    other = _copy(row, "over")
    period = other.values["period"]
    other.values["period"] = Period(period.first + timedelta(days=10), period.last)
    return row, bed.add(other)


def _never_supported(bed: Bed, row: Draft) -> Sequence[Draft]:
    listed = {other.person for other in bed.rows}
    resident = bed.random.choice([one for one in bed.roll.residents if one.id not in listed])
    values = {name: row.values[name] for name in ("support_type", "paid_on", "period")}
    sums = {name: -row.values[name] for name in ("amount_eur", "municipal_supplement_eur")}
    return (bed.add(draft(resident, "back", event=Event.RETURNED, **values, **sums)),)


# --- treatment abroad ---


def _far_away(bed: Bed, row: Draft) -> Sequence[Draft]:
    row.values["country"] = bed.random.choice(("US", "TH", "TR"))
    return (row,)


def _necessary(bed: Bed, row: Draft) -> Sequence[Draft]:  # noqa: ARG001
    row.values |= {"request_ref": None, "prior_authorisation": False}
    return (row,)


def _never_asked(bed: Bed, row: Draft) -> Sequence[Draft]:
    row.values["request_ref"] = f"TP-2019-{bed.random.randrange(10**8):08d}"
    return (row,)


def _other_answer(bed: Bed, row: Draft) -> Sequence[Draft]:
    row.values["comparable_cost_eur"] += bed.random.choice((1, 10_000))
    return (row,)


def _too_much(bed: Bed, row: Draft) -> Sequence[Draft]:
    most = row.values["comparable_cost_eur"] - row.values["client_fee_eur"]
    row.values["reimbursed_eur"] = most + bed.random.choice((1, 5_000))
    return (row,)


_ANY: Final[Mapping[Fault, Plant]] = {
    Fault.PERSON_UNKNOWN: _unknown,
    Fault.STRANGER: _stranger,
    Fault.PAID_OUTSIDE_PERIOD: _paid_outside,
    Fault.SUM_MISSING: _no_sum,
    Fault.DUPLICATE: _twice,
}
_PLANTS: Final[Mapping[str, Mapping[Fault, Plant]]] = {
    "unemployment": {
        **_ANY,
        Fault.OTHER_MUNICIPALITY: _elsewhere,
        Fault.WRONG_LAW: _other_law,
        Fault.DAYS_IMPOSSIBLE: _no_days,
        Fault.DAYS_TOO_MANY: _many_days,
        Fault.PERCENT_WRONG: _other_percent,
        Fault.SHARE_WRONG: _other_share,
        Fault.SUM_SIGN: _wrong_sign,
        Fault.OVERLAP: _overlapping,
        Fault.RETURNED_WITHOUT_PAID: _never_paid,
    },
    childcare.PAYMENTS: {
        **_ANY,
        Fault.OTHER_MUNICIPALITY: _elsewhere,
        Fault.CHILDCARE_IN_ADVANCE: _too_early,
        Fault.SUM_SIGN: _wrong_sign,
        Fault.ROW_SUM: _part_too_large,
        Fault.OVERLAP: _overlapping_month,
        Fault.RETURNED_WITHOUT_PAID: _never_supported,
    },
    abroad.LIST: {
        **_ANY,
        Fault.COUNTRY_OUTSIDE: _far_away,
        Fault.EMERGENCY_BILLED: _necessary,
        Fault.ANSWER_MISSING: _never_asked,
        Fault.ANSWER_DIFFERS: _other_answer,
        Fault.REIMBURSED_TOO_MUCH: _too_much,
    },
}
