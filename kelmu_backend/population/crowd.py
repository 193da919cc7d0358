"""Customers beyond the first ones, whom no notice is about: made while the backend serves, some at a time.

How far it has come stands in the record with them, so that whoever starts a backend again goes on, on the day of the
first start and to the same end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from random import Random
from typing import Final, NamedTuple, Protocol

from sqlalchemy import Connection, bindparam, insert, select, update

from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import person, person_code
from kelmu_backend.population.customers import Registered, register
from kelmu_backend.population.households import Home, make_homes
from kelmu_backend.population.lists import chance
from kelmu_backend.population.people import Codes, Person, people_of
from kelmu_backend.population.rare import UNNOTICED, mark
from kelmu_backend.population.rows import Reading, Writing

CHUNK: Final = 200
"""Customers of one transaction."""
KEY: Final = "crowd"
"""Key of `meta` under which the progress stands, for as long as somebody is missing."""


class Store(Reading, Writing, Protocol):
    """What making a crowd needs of a database."""


class Crowd(NamedTuple):
    """Who is still missing.

    Attributes:
        people: customers in all that are made here.
        done: how many of them there are.
    """

    seed: int
    day: date
    people: int
    done: int


def begin(connection: Connection, crowd: Crowd) -> None:
    """Note that a crowd has to be made; nothing when nobody is missing."""
    if crowd.people > crowd.done:
        connection.execute(insert(tables.meta).values(key=KEY, value=_text(crowd)))


def missing(connection: Connection) -> Crowd | None:
    """Return who is missing, None when everybody is there."""
    found = connection.execute(_PROGRESS).scalar_one_or_none()
    if found is None:
        return None
    crowd = json.loads(found)
    return Crowd(crowd["seed"], date.fromisoformat(crowd["day"]), crowd["people"], crowd["done"])


def advance(database: Store) -> Crowd | None:
    """Make the next ones and return who is missing then.

    Several processes may do this: of two that made the same people, the second one's are dropped.
    """
    with database.read() as connection:
        crowd = missing(connection)
        if crowd is None:
            return None
        made = _make(connection, crowd)
    after = crowd._replace(done=min(crowd.done + CHUNK, crowd.people))
    with database.write() as connection:
        if connection.execute(_PROGRESS.with_for_update()).scalar_one_or_none() != _text(crowd):
            return missing(connection)
        connection.execute(insert(person), list(chain.from_iterable(one.people for one in made)))
        connection.execute(insert(person_code), list(chain.from_iterable(one.codes for one in made)))
        if after.done < after.people:
            connection.execute(update(tables.meta).where(tables.meta.c.key == KEY).values(value=_text(after)))
        else:
            connection.execute(tables.meta.delete().where(tables.meta.c.key == KEY))
            return None
    return after


def _make(connection: Connection, crowd: Crowd) -> Sequence[Registered]:
    random = chance(f"crowd/{crowd.seed}/{crowd.done}")
    codes = Codes()
    numbers = range(crowd.done, min(crowd.done + CHUNK, crowd.people))
    people = mark(random, people_of(random, numbers, crowd.day, codes), UNNOTICED, crowd.day, codes)
    homes = make_homes(random, people, crowd.day, codes)
    return list(register(random, unheard_of(connection, random, homes, codes)))


def unheard_of(connection: Connection, random: Random, homes: Iterable[Home], codes: Codes) -> Sequence[Home]:
    """Return the homes with other codes instead of those that somebody in the record has."""
    found = list(homes)
    while taken := _taken(connection, found):
        found = [
            Home(
                _other(random, home.person, taken, codes), tuple(_other(random, m, taken, codes) for m in home.members)
            )
            for home in found
        ]
    return found


def _taken(connection: Connection, homes: Iterable[Home]) -> frozenset[str]:
    wanted = [code for home in homes for one in (home.person, *home.members) for code in one.codes]
    return frozenset(connection.execute(_KNOWN, {"codes": wanted}).scalars())


def _other(random: Random, one: Person, taken: frozenset[str], codes: Codes) -> Person:
    if one.identity_code in taken:
        one = replace(one, identity_code=codes.draw(random, one.born, one.sex))
    if one.renewal and one.renewal.code in taken:
        one = replace(one, renewal=one.renewal._replace(code=codes.draw(random, one.born, one.sex)))
    return one


def _text(crowd: Crowd) -> str:
    return json.dumps(crowd._asdict() | {"day": crowd.day.isoformat()})


_PROGRESS: Final = select(tables.meta.c.value).where(tables.meta.c.key == KEY)
_KNOWN: Final = select(person_code.c.code).where(person_code.c.code.in_(bindparam("codes", expanding=True)))
