"""The municipality's share of an unemployment benefit, by the days that have accumulated and the law of the day.

Sums are `Decimal` euros of whole cents. The days of a payment are the last ones of those that have accumulated: ten
days that bring the count to 305 are the days 296 to 305. Each day has its own step, and the sum paid is spread evenly
over its days, so a payment that crosses a step is shared by both percentages (assumption).

A share is computed exactly and rounded once, at the end, to whole cents; half a cent goes away from zero, so what came
back mirrors what was paid. The steps and their sources stand in `catalogue/lists.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.lists import invoices


class Step(NamedTuple):
    """A step of a model: the municipality pays `percent` for the days from `first` to `last`, None without an end."""

    first: int
    last: int | None
    percent: int


@cache
def steps() -> Mapping[str, tuple[Step, ...]]:
    """Return the steps of each model, the lowest days first."""
    found: dict[str, list[Step]] = {}
    for row in catalogue.table("lists.toml")["step"]:
        found.setdefault(row["model"], []).append(Step(row["from_day"], row.get("to_day"), row["percent"]))
    return MappingProxyType({model: tuple(sorted(rows)) for model, rows in found.items()})


@cache
def model_on(day: date) -> str:
    """Return the model that a benefit is shared by: the day is the one it is paid for, not the one it is paid on."""
    for invoice in invoices().values():
        begun = invoice.valid_from is None or invoice.valid_from <= day
        if invoice.steps is not None and begun and (invoice.valid_to is None or day <= invoice.valid_to):
            return invoice.steps
    raise AssertionError("every day has its law")


def percent_on(model: str, day: int) -> int:
    """Return the percentage of an accumulated day, the first being 1.

    Raises:
        KeyError: there is no such model.
        ValueError: it is no day.
    """
    if day < 1:
        raise ValueError("days are counted from one")
    return next(step.percent for step in reversed(steps()[model]) if step.first <= day)


def share(model: str, amount: Decimal, days_paid: int, days_accumulated: int) -> Decimal:
    """Return the municipality's share of a payment in euros, with the sign of the payment.

    Args:
        model: of the law, see `model_on`.
        amount: what was paid, or, negative, what came back.
        days_paid: days of the payment; of a return, those of the payment that came back.
        days_accumulated: the count after the payment, its days included. Under the old law days in services do not
            count, under the new one they do; the count comes from Kela either way.

    Raises:
        KeyError: there is no such model.
        ValueError: the days cannot be, or the amount is not in whole cents.
    """
    if not 1 <= days_paid <= days_accumulated:
        raise ValueError("a payment has days, and they are among the accumulated ones")
    cents = amount.scaleb(2)
    if cents != cents.to_integral_value():
        raise ValueError("a sum is in whole cents")
    # Integers keep the division exact up to the one rounding; the context of decimals would round before it.
    parts = abs(int(cents)) * _weight(model, days_accumulated - days_paid + 1, days_accumulated)
    whole = 100 * days_paid
    rounded = Decimal((2 * parts + whole) // (2 * whole)).scaleb(-2)
    return -rounded if cents < 0 else rounded


def _weight(model: str, first: int, last: int) -> int:
    """Return the percentages of the days from `first` to `last`, added up."""
    found = 0
    for step in steps()[model]:
        until = last if step.last is None else min(last, step.last)
        found += step.percent * max(0, until - max(first, step.first) + 1)
    return found
