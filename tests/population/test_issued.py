"""Lists and invoices by seed: of the contract, adding up, and fitting from month to month."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from kelmu_backend.population.issued import county_answers, make_sheets
from kelmu_backend.population.issued.shares import percent, share
from kelmu_tui.api.contract import billed_column
from kelmu_tui.domain.deadlines import is_working_day
from kelmu_tui.domain.identifiers import parse_identity_code
from kelmu_tui.domain.lists import ColumnType, Event, Period, Rhythm, invoices, lists

from .issued_support import BILLING, SEEDS, TODAY, clean, periods, roll, share_day_by_day, values_of

SHARED = [one for one in BILLING if one.invoice and invoices()[one.invoice].steps is not None]
MONTHLY = [one for one in lists().values() if one.rhythm is Rhythm.MONTH]


@pytest.mark.parametrize("name", lists())
def test_rows_are_of_the_contract_and_whole(name: str) -> None:
    one = lists()[name]
    for issue in clean(1, name):
        assert len({row.id for row in issue.rows}) == len(issue.rows)
        for row, values in zip(issue.rows, values_of(name, issue.rows), strict=True):
            assert set(row.content) - {"non_disclosure"} == {"id", *(column.id for column in one.columns)}
            missing = {name for name, value in values.items() if value is None}
            assert missing <= {"until", "reached_on"} or row.content["non_disclosure"]
            code = parse_identity_code(values["identity_code"], today=TODAY)
            assert code.value[7] == "9", "nobody real"


@pytest.mark.parametrize("name", [one.id for one in MONTHLY])
def test_people_come_and_leave_and_values_move(name: str) -> None:
    come = left = moved = 0
    for before, after in pairwise(clean(1, name)):
        old = {row.person: row.content for row in before.rows}
        new = {row.person: row.content for row in after.rows}
        come += len(new.keys() - old.keys())
        left += len(old.keys() - new.keys())
        moved += sum({**old[who], "id": ""} != {**new[who], "id": ""} for who in old.keys() & new.keys())
    assert come
    assert left
    if name != "list_childcare_recipients":  # a family's support is the same from month to month
        assert moved


@pytest.mark.parametrize("name", lists())
def test_a_period_is_the_same_whenever_it_is_made(name: str) -> None:
    one, together = lists()[name], clean(2, name)
    for issue in (together[0], together[len(together) // 2], together[-1]):
        (alone,) = make_sheets(roll(2, name), 2, one, [issue.period])
        assert alone.issue == issue
    assert [sheet.issue for sheet in make_sheets(roll(2, name), 3, one, periods(one))] != together


@pytest.mark.parametrize("name", [one.id for one in BILLING])
@pytest.mark.parametrize("seed", SEEDS)
def test_invoices_are_the_sum_of_their_rows(name: str, seed: int) -> None:
    column = billed_column(name)
    assert column is not None
    for issue in clean(seed, name):
        total = sum((values[column] for values in values_of(name, issue.rows)), Decimal())
        if issue.bill is None:
            assert total <= 0 or not issue.rows
        else:
            assert Decimal(issue.bill.total) / 100 == total
            assert issue.bill.payer == ("08" if name == "list_treatment_abroad_reimbursements" else "536")
            assert issue.bill.kind.id == lists()[name].invoice
    numbers = [issue.bill.number for issue in clean(seed, name) if issue.bill]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("name", [one.id for one in SHARED])
def test_shares_follow_the_steps_of_the_days_and_the_law(name: str) -> None:
    kind = invoices()[str(lists()[name].invoice)]
    assert kind.steps is not None
    crossing = 0
    for seed in (1, 2):
        for issue in clean(seed, name):
            for values in values_of(name, issue.rows):
                period, days, count = values["period"], values["days_paid"], values["days_accumulated"]
                expected = share_day_by_day(kind.steps, values["amount_eur"], days, count)
                assert values["municipal_share_eur"] == expected
                assert values["share_percent"] == percent(kind.steps, count)
                crossing += percent(kind.steps, count - days + 1) != percent(kind.steps, count)
                assert kind.valid_from is None or period.first >= kind.valid_from
                assert kind.valid_to is None or period.last <= kind.valid_to
                weekdays = sum(
                    (period.first + timedelta(days=n)).weekday() < 5
                    for n in range((period.last - period.first).days + 1)
                )
                assert days == weekdays <= count
    assert crossing, "some payments cross a step"


@pytest.mark.parametrize(
    ("model", "cents", "days", "count", "expected"),
    [
        ("2025", 10_000, 10, 100, 0),
        ("2025", 10_000, 10, 101, 100),
        ("2025", 10_000, 10, 110, 1_000),
        ("2025", 10_000, 2, 201, 1_500),
        ("2025", 74_420, 20, 5_000, 37_210),
        ("2025", 5, 1, 150, 1),  # half a cent
        ("2025", 4, 1, 150, 0),
        ("2025", -5, 1, 150, -1),
        ("pre_2025", 10_000, 10, 305, 2_500),
        ("pre_2025", 10_000, 5, 1_001, 5_400),
    ],
)
def test_a_share_that_is_known(model: str, cents: int, days: int, count: int, expected: int) -> None:
    assert share(model, cents, days, count) == expected


@pytest.mark.parametrize("name", [one.id for one in BILLING if one.column("event") is not None])
def test_what_came_back_had_been_paid_and_nobody_is_paid_twice(name: str) -> None:
    events: Counter[Event] = Counter()
    for seed in SEEDS:
        issues = clean(seed, name)
        since = issues[0].period.first
        paid: dict[Any, list[Period]] = defaultdict(list)
        back: dict[Any, list[Period]] = defaultdict(list)
        for issue in issues:
            for row, values in zip(issue.rows, values_of(name, issue.rows), strict=True):
                assert issue.period.first <= values["paid_on"] <= issue.period.last
                assert is_working_day(values["paid_on"])
                assert (values["amount_eur"] > 0) == (values["event"] is Event.PAID)
                events[values["event"]] += 1
                (paid if values["event"] is Event.PAID else back)[row.person].append(values["period"])
        for who, found in back.items():
            for period in found:
                assert period in paid[who] or period.first < since
        for who, found in paid.items():
            for one, other in pairwise(sorted(found)):
                assert one.last < other.first or one in back[who]
    assert events[Event.PAID] > events[Event.RETURNED] > 0


def test_whom_the_invoice_bills_the_list_of_recipients_has_too() -> None:
    for seed in SEEDS:
        both = zip(
            clean(seed, "list_lms_invoice_persons_2025"), clean(seed, "list_lms_recipients_municipality"), strict=True
        )
        for billed, received in both:
            paid = {row.person for row in billed.rows if row.content["event"] == "paid"}
            assert paid <= {row.person for row in received.rows}


def test_the_county_answered_what_it_is_billed_for() -> None:
    name = "list_treatment_abroad_reimbursements"
    answers = county_answers(roll(1, name), 1, periods(lists()[name]))
    found = 0
    for issue in clean(1, name):
        for values in values_of(name, issue.rows):
            answer = answers[values["request_ref"]]
            assert values["comparable_cost_eur"] == Decimal(answer.cost) / 100
            assert values["client_fee_eur"] == Decimal(answer.fee) / 100
            assert 0 <= values["reimbursed_eur"] <= Decimal(answer.cost - answer.fee) / 100
            assert values["treated"].last < values["paid_on"] <= issue.period.last
            found += 1
    assert found == len(answers) > 5


def test_sums_are_in_whole_cents_on_the_wire() -> None:
    for one in BILLING:
        euros = [column.id for column in one.columns if column.type is ColumnType.EUROS]
        for issue in clean(1, one.id)[-2:]:
            for row in issue.rows:
                assert all(row.content[column][-3] == "." for column in euros)
