"""Whatever the seed and the day, a life's rows agree with each other and with the contract."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from kelmu_backend.population.lives import Customer, rows_of
from kelmu_tui.api.contract import customers as wire
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.sections import Section

MODELS: Final[dict[str, type[Any]]] = {
    "decisions": wire.DecisionRow,
    "payments": wire.PaymentRow,
    "insurance": wire.InsuranceRow,
    "recovery": wire.RecoveryRow,
    "medicine": wire.MedicineRow,
}
UNTIMED: Final = settings(deadline=None)
CHILD: Final = Customer("c", "Virtanen", date(2018, 5, 3), None, 5)
days = st.dates(date(2024, 1, 1), date(2027, 3, 1))
born_days = st.dates(date(1935, 1, 1), date(2007, 12, 31))
deaths = st.none() | st.dates(date(2024, 1, 1), date(2026, 12, 31))
people = st.builds(Customer, st.just("p"), st.just("Virtanen"), born_days, deaths, st.integers(0, 2**40))
households = st.sampled_from([(), (CHILD,)])


def read(rows: list[dict[str, Any]], section: Section) -> list[Any]:
    """Return the bodies of a section as the contract reads them from JSON."""
    return [MODELS[section.value].model_validate(row["body"]) for row in rows if row["section"] == section.value]


@UNTIMED
@given(people, households, days)
def test_the_same_seed_gives_the_same_rows_which_the_contract_takes(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    rows = rows_of(person, household, today)
    assert rows == rows_of(person, household, today)
    assert len({(row["section"], row["id"]) for row in rows}) == len(rows)
    for row in rows:
        assert row["changed"].date() <= today
        assert MODELS[row["section"]].model_validate(row["body"]).id == row["id"]


@UNTIMED
@given(people, households, days)
def test_payments_add_up_and_are_covered_by_a_decision(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    rows = rows_of(person, household, today)
    decisions = read(rows, Section.DECISIONS)
    for paid in read(rows, Section.PAYMENTS):
        assert paid.net == paid.gross - paid.tax - sum(one.amount for one in paid.deductions)
        assert paid.net >= 0
        assert benefits()[paid.benefit].exists_on(paid.period_from)
        assert (paid.status == "planned") == (paid.paid_on > today)
        covering = [
            one.amount
            for one in decisions
            if one.benefit == paid.benefit
            and one.valid_from <= paid.period_from
            and (one.valid_to is None or paid.period_to <= one.valid_to)
        ]
        assert covering == [paid.gross]


@UNTIMED
@given(people, households, days)
def test_a_debts_balance_is_what_its_instalments_left(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    rows = rows_of(person, household, today)
    taken = sum(
        (
            one.amount
            for paid in read(rows, Section.PAYMENTS)
            if paid.status == "paid"
            for one in paid.deductions
            if one.kind == "recovery"
        ),
        Decimal(0),
    )
    debts = read(rows, Section.RECOVERY)
    assert sum((debt.amount - debt.balance for debt in debts), Decimal(0)) == taken
    assert all(debt.balance >= 0 for debt in debts)


@UNTIMED
@given(people, households, days)
def test_what_was_known_stays_known_on_the_next_day(
    person: Customer, household: tuple[Customer, ...], today: date
) -> None:
    before = {row["id"] for row in rows_of(person, household, today)}
    assert before <= {row["id"] for row in rows_of(person, household, today + timedelta(days=1))}


@UNTIMED
@given(people, days)
def test_the_medicine_cap_is_reached_exactly_when_the_sum_is_full(person: Customer, today: date) -> None:
    for year in read(rows_of(person, (), today), Section.MEDICINE):
        assert year.accrued <= year.cap
        assert (year.reached_on is not None) == (year.accrued == year.cap)
        assert year.reached_on is None or (year.reached_on <= today and year.reached_on.year == year.year)
