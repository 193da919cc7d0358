"""The people of a population as rows of the record, and what Kela's systems know of them when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import Row as Found

from kelmu_backend.population.households import Home
from kelmu_backend.population.lives import Customer, rows_of
from kelmu_backend.population.people import Person
from kelmu_backend.population.rows import Row


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
            found.codes.append({"code": person.identity_code, "person": row["id"], "valid_to": None})
        yield found


def known_of(person: Found[Any], household: Sequence[Found[Any]], today: date) -> list[Row]:
    """Return the rows of `customer_row` of somebody (`config.Maker`)."""
    return rows_of(_customer(person), [_customer(other) for other in household], today)


def _customer(row: Found[Any]) -> Customer:
    return Customer(row.id, row.family_name, row.born, row.died, row.seed)


def _id(random: Random) -> str:
    return f"{random.getrandbits(128):032x}"


def _row(random: Random, person: Person, household: str | None) -> Row:
    """Return the row of a person; under a non-disclosure order it does not hold where they live either."""
    told = not person.non_disclosure
    return {
        "id": _id(random),
        "identity_code": person.identity_code,
        "family_name": person.family_name,
        "given_names": person.given_names,
        "sex": person.sex,
        "born": person.born,
        "died": None,
        "language": person.language,
        "interpreter_language": person.language if person.interpreter else None,
        "guardian": None,
        "non_disclosure": person.non_disclosure,
        "municipality": person.municipality if told else None,
        "address": person.address if told else None,
        "telephone": person.telephone if told else None,
        "household": household,
        "seed": random.getrandbits(40),
        "filled": None,
    }
