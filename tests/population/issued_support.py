"""What tests of the issued lists share: people of no record, and the clean lists about them."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Final

from kelmu_backend.lists.publishing import OFFERED, Issue
from kelmu_backend.population.issued import Roll, make_sheets, strangers
from kelmu_backend.population.issued.care import VETERANS_LIST
from kelmu_tui.api.contract import ListRow, billed_column, read_values
from kelmu_tui.domain.lists import KelaList, Period, lists, published_until
from kelmu_tui.domain.organisations import Organisation, OrganisationType, municipal_authority, social_care_organiser

TODAY: Final = date(2026, 11, 27)
NOKIA: Final = municipal_authority("536")
PIRKANMAA: Final = social_care_organiser("837")
SEEDS: Final = range(1, 7)
BILLING: Final = [one for one in lists().values() if billed_column(one.id) is not None]


def holder(one: KelaList) -> Organisation:
    """Return an organisation that may fetch a list."""
    return NOKIA if OrganisationType.MUNICIPALITY in one.organisation_types else PIRKANMAA


@cache
def roll(seed: int, name: str, count: int = 120) -> Roll:
    """Return the people whom a list is about."""
    return strangers(holder(lists()[name]), seed, count, TODAY, old=name == VETERANS_LIST)


def periods(one: KelaList) -> list[Period]:
    """Return the periods of a list that have come, the oldest first."""
    return list(islice(published_until(one, TODAY), OFFERED[one.rhythm]))[::-1]


@cache
def clean(seed: int, name: str) -> list[Issue]:
    """Return a list of all its periods."""
    one = lists()[name]
    return [sheet.issue for sheet in make_sheets(roll(seed, name), seed, one, periods(one))]


def values_of(name: str, rows: Any) -> list[dict[str, Any]]:
    """Return the values of rows by the types of their columns."""
    one = lists()[name]
    return [read_values(one, ListRow.model_validate(row.content)) for row in rows]


@cache
def _steps(model: str) -> list[dict[str, Any]]:
    text = (files("kelmu_tui.domain") / "catalogue" / "lists.toml").read_text(encoding="utf-8")
    return [step for step in tomllib.loads(text)["step"] if step["model"] == model]


def share_day_by_day(model: str, amount: Decimal, days: int, accumulated: int) -> Decimal:
    """Return a share by another way: an exact sum over days, rounded by the decimals."""
    exact = Fraction()
    for day in range(accumulated - days + 1, accumulated + 1):
        (step,) = (one for one in _steps(model) if one["from_day"] <= day <= one.get("to_day", day))
        exact += Fraction(amount) / days * step["percent"] / 100
    # Ten more digits than the cent: enough to tell a half from what is near it, for days below a hundred.
    long = Decimal(exact.numerator) / Decimal(exact.denominator)
    return long.quantize(Decimal("0.01"), ROUND_HALF_UP)
