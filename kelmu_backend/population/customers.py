"""The people of a population as rows of the record, and what Kela's systems know of them when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from sqlalchemy import Row as Found

from kelmu_backend.population.households import Home
from kelmu_backend.population.lives import Customer, rows_of
from kelmu_backend.population.people import Person
from kelmu_backend.population.rows import Row

_SEED_BITS: Final = 40
_LONG_PENSION: Final = 1 << _SEED_BITS
"""Bit of a person's seed that stands for a pension since decades."""
_LONG_AGO: Final = 2005
"""Last year in which such a pension began."""


class Registered(NamedTuple):
    """Rows of `person` and `person_code`."""

    people: list[Row]
    codes: list[Row]


def register(random: Random, homes: Iterable[Home]) -> Iterator[Registered]:
    """Yield the rows of each home, with ids out of `random`: nobody can work one out from a code."""
    for home in homes:
        household = _id(random) if home.members else None
        found = Registered([], [])
        for person in (home.person, *home.members):
            row = _row(random, person, household)
            found.people.append(row)
            found.codes.extend(_codes(person, row["id"]))
        yield found


def known_of(person: Found[Any], household: Sequence[Found[Any]], today: date) -> list[Row]:
    """Return the rows of `customer_row` of somebody (`config.Maker`)."""
    return rows_of(customer_of(person), [customer_of(other) for other in household], today)


def customer_of(row: Found[Any]) -> Customer:
    """Return what a life needs of a row of `person`."""
    since = _pension_since(row.seed)
    return Customer(
        row.id, row.family_name, row.born, row.died, row.seed, row.guardian is not None, row.municipality, since
    )


def _pension_since(seed: int) -> date | None:
    """Return the first day of a pension that began long ago, for the seeds that stand for one."""
    return date(_LONG_AGO - seed % 4, 1 + seed // 4 % 12, 1) if seed & _LONG_PENSION else None


def _codes(person: Person, identifier: str) -> Iterator[Row]:
    """Yield the rows of the codes that a person has or had, the present one last."""
    renewal = person.renewal
    last = renewal and renewal.since - timedelta(days=1)
    for code in person.codes:
        yield {"code": code, "person": identifier, "valid_to": None if code == person.codes[-1] else last}


def _id(random: Random) -> str:
    return f"{random.getrandbits(128):032x}"


def _row(random: Random, person: Person, household: str | None) -> Row:
    """Return the row of a person; under a non-disclosure order it does not hold where they live either."""
    told = not person.non_disclosure
    return {
        "id": _id(random),
        "identity_code": person.codes[-1],
        "family_name": person.family_name,
        "given_names": person.given_names,
        "sex": person.sex,
        "born": person.born,
        "died": person.died,
        "language": person.language,
        "interpreter_language": person.language if person.interpreter else None,
        "guardian": person.guardian,
        "non_disclosure": person.non_disclosure,
        "municipality": person.municipality if told else None,
        "address": person.address if told else None,
        "telephone": person.telephone if told else None,
        "household": household,
        "seed": random.getrandbits(_SEED_BITS) | (_LONG_PENSION if person.long_pension else 0),
        "filled": None,
    }
