"""What Kela's systems know of a person: rows of every section, made from the person's seed alone.

A life is planned whole, without a look at the day: spells of benefits, what is decided on them and when, debts, claims,
appeals. A day then cuts the plan: what has happened by then makes the rows. So the sections agree with each other, and
another day shows the same life a little further on: ids stay, and what is past stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kelmu_backend.population.lives.decisions import decision_rows
from kelmu_backend.population.lives.health import insurance_rows, medicine_rows
from kelmu_backend.population.lives.model import Customer as Customer
from kelmu_backend.population.lives.passed_on import passed_on_rows
from kelmu_backend.population.lives.payments import pay
from kelmu_backend.population.lives.pending import pending_rows
from kelmu_backend.population.lives.plan import planned
from kelmu_backend.population.lives.standing import claim_rows, recovery_rows
from kelmu_backend.population.rows import Row

__all__ = ["Customer", "rows_of"]


def rows_of(person: Customer, household: Sequence[Customer], today: date) -> list[Row]:
    """Return the rows of `customer_row` of a person as they stand on the Finnish day `today`.

    Args:
        household: the others in it; what is the household's goes to one of its adults.
    """
    life = planned(person, household, today)
    paid = pay(life, today)
    return [
        *pending_rows(life, today),
        *decision_rows(life, today),
        *paid.rows,
        *claim_rows(life, paid, today),
        *insurance_rows(person, today),
        *recovery_rows(life, paid, today),
        *medicine_rows(person, today),
        *passed_on_rows(life, today),
    ]
