"""The rules of a review as the catalogue has them: for which invoices, in which words, from which source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from kelmu_tui.domain import catalogue
from kelmu_tui.domain.lists import invoices
from kelmu_tui.domain.organisations import Names

_BY_STEPS: Final = "see lists.toml"
_ADDRESS: Final = re.compile(r"https://[^\s;]+")
_ASSUMED: Final = ("assumption", "general knowledge")


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
        source: addresses or `assumption`, for those who keep the catalogue; `source_of` is for readers.
        note: why, None where the text says all.
    """

    id: str
    of: frozenset[Shape]
    text: Names
    source: str
    note: Names | None = None


class Source(NamedTuple):
    """Where a rule comes from.

    Attributes:
        addresses: of the pages that say it, none where nothing but assumptions stands behind it.
        assumed: whether some of it is an assumption.
    """

    addresses: tuple[str, ...]
    assumed: bool


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
                None if (note := row.get("note")) is None else Names(note["fi"], note["sv"], note["en"]),
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
def source_of(rule: str, kind: str) -> Source:
    """Return where a rule comes from for an invoice kind: what follows from the steps has the sources of the steps.

    Raises:
        KeyError: there is no such rule or invoice.
    """
    said, model = rules()[rule].source, invoices()[kind].steps
    if _BY_STEPS in said and model is not None:
        steps = catalogue.table("lists.toml")["step"]
        said = "; ".join([*(step["source"] for step in steps if step["model"] == model), said])
    addresses = tuple(dict.fromkeys(_ADDRESS.findall(said)))
    return Source(addresses, any(word in said for word in _ASSUMED))


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
