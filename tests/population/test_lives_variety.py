"""Among a few thousand people everything happens that the sections can say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, get_args

import pytest

from kelmu_backend.population.lives import Customer
from kelmu_tui.api.contract import customers as wire
from tests.population.lives_of import CHILD, Seen

TODAY: Final = date(2026, 5, 20)
PEOPLE: Final = 3000


@pytest.fixture(scope="module")
def everybody() -> list[Seen]:
    """People of all ages, a tenth of them with a child or a guardian."""
    return [Seen(person, (CHILD,) if number % 10 == 0 else (), TODAY) for number, person in enumerate(_people())]


def _people() -> Iterator[Customer]:
    for number in range(PEOPLE):
        born = date(1932 + number % 75, 1 + number % 12, 1 + number % 28)
        died = date(2025, 1 + number % 12, 9) if number % 20 == 0 else None
        yield Customer(f"p{number:04}", "Virtanen", born, died, number * 7919, number % 10 == 3)


def test_matters_of_every_kind_and_stage_are_pending(everybody: list[Seen]) -> None:
    matters = [matter for seen in everybody for matter in seen.pending]
    assert {matter.kind for matter in matters} == set(wire.PendingKind)
    assert {matter.stage for matter in matters} == set(wire.PendingStage)


def test_decisions_have_every_outcome(everybody: list[Seen]) -> None:
    decisions = [decision for seen in everybody for decision in seen.decisions]
    assert {decision.outcome for decision in decisions} == set(wire.DecisionOutcome)
    assert any(decision.appealed for decision in decisions)


def test_payments_go_to_everybody_and_lose_something_to_everybody(everybody: list[Seen]) -> None:
    payments = [paid for seen in everybody for paid in seen.payments]
    assert {paid.payee for paid in payments} == {
        wire.Payee.CUSTOMER,
        wire.Payee.LANDLORD,
        wire.Payee.COUNTY,
        wire.Payee.GUARDIAN,
    }
    kinds = {one.kind for paid in payments for one in paid.deductions or ()}
    assert kinds == set(get_args(wire.Deduction.model_fields["kind"].annotation))


def test_claims_and_recovery_stand_in_every_way(everybody: list[Seen]) -> None:
    claims = {claim.status for seen in everybody for claim in seen.claims}
    debts = {debt.status for seen in everybody for debt in seen.recovery}
    assert claims == set(get_args(wire.ClaimRow.model_fields["status"].annotation))
    assert debts == set(get_args(wire.RecoveryRow.model_fields["status"].annotation))


def test_employers_pension_providers_schools_and_the_incomes_register_pass_on(everybody: list[Seen]) -> None:
    assert {row.kind for seen in everybody for row in seen.passed_on} == {"income", "wage", "pension", "study"}


def test_a_few_have_been_retired_for_twenty_years(everybody: list[Seen]) -> None:
    long = [seen for seen in everybody if sum(paid.benefit.endswith("old_age") for paid in seen.payments) >= 240]
    assert 1 <= len(long) <= PEOPLE // 200
