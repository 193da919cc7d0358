"""Mistakes planted in invoices: each stands in the rows that are told, breaks what it should, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kelmu_backend.lists.publishing import Issue, IssuedRow
from kelmu_backend.population.issued import Answer, Fault, Sheet, county_answers, make_sheets
from kelmu_backend.population.issued.faults import possible
from kelmu_backend.population.issued.shares import percent
from kelmu_tui.api.contract import billed_column
from kelmu_tui.domain.identifiers import InvalidIdentityCode, parse_identity_code
from kelmu_tui.domain.lists import Event, Invoice, ListKind, Period, invoices, lists

from .issued_support import BILLING, NOKIA, SEEDS, TODAY, clean, periods, roll, share_day_by_day, values_of


@dataclass(frozen=True, slots=True)
class _Seen:
    """A sheet with a mistake, and the rows where it should be: their values, the first and the last of them."""

    seed: int
    name: str
    sheet: Sheet
    rows: list[IssuedRow]

    @property
    def issue(self) -> Issue:
        return self.sheet.issue

    @property
    def column(self) -> str:
        return str(billed_column(self.name))

    @property
    def kind(self) -> Invoice:
        return invoices()[str(lists()[self.name].invoice)]

    @property
    def total(self) -> Decimal:
        """What the rows add up to."""
        found = Decimal()
        for values in values_of(self.name, self.issue.rows):
            found += values[self.column] or 0
        return found

    @property
    def billed(self) -> Decimal:
        """What the invoice says."""
        assert self.issue.bill is not None
        return Decimal(self.issue.bill.total) / 100

    @property
    def first(self) -> dict[str, Any]:
        return values_of(self.name, self.rows[:1])[0]

    @property
    def last(self) -> dict[str, Any]:
        return values_of(self.name, self.rows[-1:])[0]

    @property
    def answer(self) -> Answer | None:
        answers = county_answers(roll(self.seed, self.name), self.seed, [self.issue.period])
        return answers.get(self.first["request_ref"])


def _code_is_none(seen: _Seen) -> bool:
    with pytest.raises(InvalidIdentityCode):
        parse_identity_code(seen.first["identity_code"], today=TODAY)
    return True


def _nobody_has_code(seen: _Seen) -> bool:
    code = parse_identity_code(seen.first["identity_code"], today=TODAY)
    return code.value not in {one.identity_code for one in roll(seen.seed, seen.name).residents}


def _under_other_law(seen: _Seen) -> bool:
    period, since, until = seen.first["period"], seen.kind.valid_from, seen.kind.valid_to
    return bool((since and period.last < since) or (until and period.first > until))


def _share_is_other(seen: _Seen) -> bool:
    days = seen.first["days_paid"], seen.first["days_accumulated"]
    expected = share_day_by_day(str(seen.kind.steps), seen.first["amount_eur"], *days)
    return bool(seen.first[seen.column] != expected)


def _weekdays(period: Period) -> int:
    return sum(date.fromordinal(n).weekday() < 5 for n in range(period.first.toordinal(), period.last.toordinal() + 1))


def _days_overlap(seen: _Seen) -> bool:
    one, other = sorted((seen.first["period"], seen.last["period"]))
    overlap: bool = one != other and other.first <= one.last
    return overlap and seen.first["identity_code"] == seen.last["identity_code"]


def _came_back_alone(seen: _Seen) -> bool:
    others = [row.person for row in seen.issue.rows if row.id != seen.rows[0].id]
    return seen.first["event"] is Event.RETURNED and seen.rows[0].person not in others


WRONG: dict[Fault, Callable[[_Seen], bool]] = {
    Fault.TOTAL_WRONG: lambda seen: seen.billed != seen.total,
    Fault.NEGATIVE_INVOICE: lambda seen: seen.billed < 0,
    Fault.ZERO_INVOICE: lambda seen: seen.billed == 0 != seen.total,
    Fault.PERSON_UNKNOWN: _code_is_none,
    Fault.STRANGER: _nobody_has_code,
    Fault.OTHER_MUNICIPALITY: lambda seen: seen.first["municipality"] not in NOKIA.municipalities,
    Fault.WRONG_LAW: _under_other_law,
    Fault.PAID_OUTSIDE_PERIOD: lambda seen: (
        not seen.issue.period.first <= seen.first["paid_on"] <= seen.issue.period.last
    ),
    Fault.CHILDCARE_IN_ADVANCE: lambda seen: seen.first["period"].first > seen.issue.period.last,
    Fault.DAYS_IMPOSSIBLE: lambda seen: seen.first["days_paid"] < 1,
    Fault.DAYS_TOO_MANY: lambda seen: seen.first["days_paid"] > _weekdays(seen.first["period"]),
    Fault.PERCENT_WRONG: lambda seen: (
        seen.first["share_percent"] != percent(str(seen.kind.steps), seen.first["days_accumulated"])
    ),
    Fault.SHARE_WRONG: _share_is_other,
    Fault.SUM_MISSING: lambda seen: seen.first[seen.column] is None,
    Fault.SUM_SIGN: lambda seen: seen.first["event"] is Event.PAID and seen.first["amount_eur"] < 0,
    Fault.ROW_SUM: lambda seen: seen.first["municipal_supplement_eur"] > seen.first["amount_eur"],
    Fault.COUNTRY_OUTSIDE: lambda seen: seen.first["country"] in ("US", "TH", "TR"),
    Fault.EMERGENCY_BILLED: lambda seen: seen.first["request_ref"] is None and not seen.first["prior_authorisation"],
    Fault.ANSWER_MISSING: lambda seen: seen.answer is None,
    Fault.ANSWER_DIFFERS: lambda seen: (
        seen.answer is not None and Decimal(seen.answer.cost) / 100 != seen.first["comparable_cost_eur"]
    ),
    Fault.REIMBURSED_TOO_MUCH: lambda seen: (
        seen.first["reimbursed_eur"] > seen.first["comparable_cost_eur"] - seen.first["client_fee_eur"]
    ),
    Fault.DUPLICATE: lambda seen: len(seen.rows) == 2 and seen.first == seen.last,
    Fault.OVERLAP: _days_overlap,
    Fault.RETURNED_WITHOUT_PAID: _came_back_alone,
}
"""What each mistake breaks, by a reading of the rows of its own."""


def _sheet(seed: int, name: str, *faults: Fault) -> Sheet:
    one = lists()[name]
    newest = periods(one)[-1]
    (found,) = make_sheets(roll(seed, name), seed, one, [newest], lambda _period: faults)
    return found


@pytest.mark.parametrize(("name", "fault"), [(one.id, fault) for one in BILLING for fault in possible(one)])
def test_a_mistake_stands_where_it_was_planted_and_nowhere_else(name: str, fault: Fault) -> None:
    planted = 0
    for seed in SEEDS:
        right, sheet = clean(seed, name)[-1], _sheet(seed, name, fault)
        if not sheet.planted:
            assert sheet.issue == right
            continue
        planted += 1
        ((kind, ids),) = sheet.planted
        assert kind is fault
        before = {row.id: row for row in right.rows}
        after = {row.id: row for row in sheet.issue.rows}
        changed = {id_ for id_ in after if after[id_] != before.get(id_)}
        assert changed <= set(ids) <= set(after)
        assert before.keys() <= after.keys()
        assert bool(ids) == (fault not in (Fault.TOTAL_WRONG, Fault.NEGATIVE_INVOICE, Fault.ZERO_INVOICE))
        assert (not ids) or changed
        seen = _Seen(seed, name, sheet, [after[id_] for id_ in ids])
        assert WRONG[fault](seen)
        if ids and sheet.issue.bill is not None:
            assert seen.billed == seen.total, "Kela bills its own mistakes"
    assert planted >= len(SEEDS) // 2


def test_every_mistake_can_be_planted_somewhere() -> None:
    assert {fault for one in BILLING for fault in possible(one)} == set(Fault) == set(WRONG)


@pytest.mark.parametrize("name", [one.id for one in BILLING])
def test_many_mistakes_stand_beside_one_another(name: str) -> None:
    wanted = set(possible(lists()[name])) - {Fault.NEGATIVE_INVOICE, Fault.ZERO_INVOICE, Fault.TOTAL_WRONG}
    people = roll(1, name, 1000)
    one = lists()[name]
    (sheet,) = make_sheets(people, 1, one, periods(one)[-1:], lambda _period: wanted)
    assert {planted.fault for planted in sheet.planted} == wanted
    ids = [id_ for planted in sheet.planted for id_ in planted.rows]
    assert len(set(ids)) == len(ids)
    (again,) = make_sheets(people, 1, one, periods(one)[-1:], lambda _period: wanted)
    assert again == sheet


@pytest.mark.parametrize("name", [one.id for one in BILLING])
def test_a_total_is_not_made_wrong_where_none_can_be_right(name: str) -> None:
    sheet = _sheet(1, name, Fault.SUM_MISSING, Fault.TOTAL_WRONG)
    assert {planted.fault for planted in sheet.planted} == {Fault.SUM_MISSING}
    right = _sheet(1, name, Fault.SUM_MISSING)
    assert sheet.issue.bill == right.issue.bill


def test_lists_without_an_invoice_hold_no_mistakes() -> None:
    one = lists()["list_lms_300_days"]
    assert one.kind is ListKind.RECIPIENTS
    for sheet in make_sheets(roll(1, one.id), 1, one, periods(one), lambda _period: tuple(Fault)):
        assert sheet.planted == ()
