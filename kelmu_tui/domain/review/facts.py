"""The rules of a review as the catalogue has them: for which invoices, in which words, from which source."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.lists import invoices
from kelmu_tui.domain.organisations import Names


class Shape(StrEnum):
    """What the rows of an invoice are like."""

    UNEMPLOYMENT = "unemployment"
    CHILDCARE = "childcare"
    TREATMENT_ABROAD = "treatment_abroad"


class Rule(NamedTuple):
    """A rule of the catalogue.

    Attributes:
        of: shapes of the invoices it is for.
        text: a sentence with places for `expected` and `found` of a finding.
        source: addresses or `assumption`.
    """

    id: str
    of: frozenset[Shape]
    text: Names
    source: str


@cache
def rules() -> Mapping[str, Rule]:
    """Return the rules by id, in the order in which their findings stand."""
    return MappingProxyType(
        {
            row["id"]: Rule(
                row["id"],
                frozenset(Shape(name) for name in row["of"]),
                Names(row["fi"], row["sv"], row["en"]),
                row["source"],
            )
            for row in _rows().values()
        }
    )


def shape_of(kind: str) -> Shape:
    """Return what the rows of an invoice kind are like.

    Raises:
        KeyError: there is no such invoice.
    """
    return Shape.UNEMPLOYMENT if invoices()[kind].steps is not None else Shape(kind)


@cache
def days_a_week() -> int:
    """Return for how many days of a week, from Monday on, unemployment benefits are paid."""
    found: int = _rows()["days_too_many"]["days_a_week"]
    return found


@cache
def covered_countries() -> frozenset[str]:
    """Return the countries (ISO 3166-1 alpha-2) where treatment is reimbursed."""
    return frozenset(_rows()["country_outside"]["countries"])


@cache
def _rows() -> Mapping[str, dict[str, Any]]:
    return MappingProxyType({row["id"]: row for row in catalogue.table("review.toml")["rule"]})
