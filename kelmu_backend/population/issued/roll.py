"""Whom the lists of an organisation are about: the people of its municipalities, as the record has them.

A municipality of a small demo has too few for lists that are worth a look, so people who belong to nobody's notice are
put into the record beside those who are there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain
from random import Random
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from kelmu_backend.database.customer_tables import person, person_code
from kelmu_backend.population.crowd import unheard_of
from kelmu_backend.population.customers import register
from kelmu_backend.population.households import Home, make_homes
from kelmu_backend.population.lists import Weighted, chance, given_names, inhabitants
from kelmu_backend.population.people import Codes, Person, PersonMaker, homes
from kelmu_tui.domain.organisations import Organisation

MOST: Final = 4000
"""People of one roll at the most; a crowd of a million would make lists that nobody wants to wait for."""
ENOUGH: Final = 600
"""Adults below whom others are put into the record."""
VETERANS: Final = 18
"""People of the war generation in a county; a municipality of Åland has a third."""
WAR: Final = 1927
"""Last year of birth of that generation."""
OF_AGE: Final = 18
_GROWN: Final = timedelta(days=OF_AGE * 366)
_CHILDHOOD: Final = timedelta(days=8 * 366)


class Child(NamedTuple):
    """A child in a resident's household."""

    name: str
    identity_code: str
    born: date


class Resident(NamedTuple):
    """Somebody a list may be about; `municipality` is the home municipality, which an order of non-disclosure hides."""

    id: str
    name: str
    identity_code: str
    born: date
    died: date | None
    language: str
    municipality: str
    address: str | None
    non_disclosure: bool
    children: tuple[Child, ...] = ()


class Roll(NamedTuple):
    """The grown-up residents of an organisation's municipalities, in the order of their ids."""

    organisation: Organisation
    residents: Sequence[Resident]

    @property
    def payer(self) -> str:
        """Code of the municipality, to which invoices of municipalities go."""
        return self.organisation.municipalities[0]


_COLUMNS: Final = (
    person.c.id,
    person.c.identity_code,
    person.c.family_name,
    person.c.given_names,
    person.c.born,
    person.c.died,
    person.c.language,
    person.c.municipality,
    person.c.address,
    person.c.non_disclosure,
    person.c.household,
)
_KNOWN: Final = (
    select(*_COLUMNS)
    .where(person.c.municipality.in_(bindparam("municipalities", expanding=True)))
    .order_by(person.c.id)
    .limit(MOST)
)
_HIDDEN: Final = (
    select(*_COLUMNS)
    .where(person.c.municipality.is_(None), person.c.non_disclosure.is_(True))
    .order_by(person.c.id)
    .limit(MOST)
)


def roll_of(connection: Connection, organisation: Organisation, seed: int, today: date, *, old: bool = False) -> Roll:
    """Return whom lists are about, after putting more people into the record where there are too few.

    Args:
        old: the list is about the war generation.
    """
    found = _people(connection, organisation)
    if old:
        wanted = VETERANS if len(organisation.municipalities) > 1 else VETERANS // 3
        lacking = wanted - sum(row.born.year <= WAR for row in found)
    else:
        lacking = ENOUGH - sum(row.born + _GROWN <= today for row in found)
    if lacking > 0:
        random = chance(f"roll/{seed}/{organisation.business_id}/{'old' if old else 'grown'}")
        _put(connection, random, _newcomers(random, organisation, lacking, today, old=old))
        found = _people(connection, organisation)
    return Roll(organisation, tuple(_residents(found, today)))


def strangers(organisation: Organisation, seed: int, count: int, today: date, *, old: bool = False) -> Roll:
    """Return a roll of people who are in no record, for whoever needs lists without one (`old` as for `roll_of`)."""
    random = chance(f"strangers/{seed}")
    made = _newcomers(random, organisation, count, today, old=old)
    rows = chain.from_iterable(home.people for home in register(random, made))
    found = [_Known(**{name: row[name] for name in _Known._fields}) for row in rows]
    return Roll(organisation, tuple(_residents(sorted(found, key=lambda one: one.id), today)))


class _Known(NamedTuple):
    """A row of `person` as far as lists need it."""

    id: str
    identity_code: str
    family_name: str
    given_names: str
    born: date
    died: date | None
    language: str
    municipality: str
    address: str | None
    non_disclosure: bool
    household: str | None


def _people(connection: Connection, organisation: Organisation) -> list[_Known]:
    codes = frozenset(organisation.municipalities)
    known = [_Known(*row) for row in connection.execute(_KNOWN, {"municipalities": sorted(codes)})]
    for row in connection.execute(_HIDDEN):
        # Where they live does not stand in the record; it is the same place whoever asks.
        place = homes().draw(chance(f"place/{row.id}"))
        if place in codes:
            known.append(_Known(*row)._replace(municipality=place))
    return sorted(known, key=lambda one: one.id)[:MOST]


def _residents(found: Iterable[_Known], today: date) -> Iterable[Resident]:
    """Yield the grown-up ones; the children of a household are with its first one."""
    grown: list[_Known] = []
    children: dict[str, list[Child]] = defaultdict(list)
    for one in found:
        if one.born + _GROWN <= today:
            grown.append(one)
        elif one.household is not None and one.born + _CHILDHOOD > today:
            children[one.household].append(Child(_name(one), one.identity_code, one.born))
    for one in grown:
        own = children.pop(one.household, []) if one.household is not None else []
        yield Resident(
            one.id,
            _name(one),
            one.identity_code,
            one.born,
            one.died,
            one.language,
            one.municipality,
            None if one.non_disclosure else one.address,
            one.non_disclosure,
            tuple(sorted(own, key=lambda child: child.born)),
        )


def _name(one: _Known) -> str:
    return f"{one.family_name} {one.given_names}".strip()


def _newcomers(random: Random, organisation: Organisation, count: int, today: date, *, old: bool) -> tuple[Home, ...]:
    codes = Codes()
    maker = PersonMaker(random, today, codes)
    places = Weighted.of([(code, inhabitants()[code]) for code in organisation.municipalities])
    people = [replace(maker.person(places.draw(random), settled=True), non_disclosure=False) for _ in range(count)]
    if old:
        people = [_of_the_war(random, one, codes, today) for one in people]
    return make_homes(random, people, today, codes)


def _of_the_war(random: Random, one: Person, codes: Codes, today: date) -> Person:
    born = date(random.randrange(WAR - 5, WAR + 1), 1, 1) + timedelta(days=random.randrange(365))
    died = today - timedelta(days=random.randrange(30, 1000)) if random.random() < 0.35 else None
    language = "sv" if one.language == "sv" else "fi"
    return replace(
        one,
        born=born,
        died=died,
        language=language,
        interpreter=False,
        arrived=None,
        identity_code=codes.draw(random, born, one.sex),
        given_names=random.choice(given_names(language, one.sex, born.year)),
        household=(),
    )


def _put(connection: Connection, random: Random, made: Iterable[Home]) -> None:
    rows = list(register(random, unheard_of(connection, random, made, Codes())))
    connection.execute(insert(person), list(chain.from_iterable(one.people for one in rows)))
    connection.execute(insert(person_code), list(chain.from_iterable(one.codes for one in rows)))
