"""Who lives with a customer, as people of their own: a birthday, a code, the home they share.

They come from chance of their own and take codes that nobody has yet, so that customers and notices are the same
whoever lives with them. They are beyond the number of customers that was asked for, and no notice is about them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

from kelmu_backend.population.people import Codes, Member, Person

_OF_AGE: Final = 18


class Home(NamedTuple):
    """A customer and the members of the household, in the order in which notices name them."""

    person: Person
    members: tuple[Person, ...]


def make_homes(random: Random, people: Iterable[Person], today: date, codes: Codes) -> tuple[Home, ...]:
    """Return the homes of `people`."""
    return tuple(make_home(random, person, today, codes) for person in people)


def make_home(random: Random, person: Person, today: date, codes: Codes) -> Home:
    """Return a person with whom lives there."""
    return Home(person, tuple(_resident(random, person, member, today, codes) for member in person.household))


def _resident(random: Random, person: Person, member: Member, today: date, codes: Codes) -> Person:
    born = _birthday(random, member, today)
    grown = member.relation != "child"
    return replace(
        person,
        identity_code=codes.draw(random, born, member.sex),
        family_name=member.family_name,
        given_names=member.given_names,
        sex=member.sex,
        born=born,
        telephone=f"000 {random.randrange(100, 1000)} {random.randrange(10000):04d}" if grown else None,
        interpreter=person.interpreter and grown,
        household=(),
        died=None,
        guardian=None,
        renewal=None,
        long_pension=False,
    )


def _birthday(random: Random, member: Member, today: date) -> date:
    """Return a day of the year of birth: in the past, and for a grown-up member early enough to be of age."""
    first = date(member.born, 1, 1)
    latest = today if member.relation == "child" else _years_before(today, _OF_AGE)
    last = min(date(member.born, 12, 31), latest)
    return first + timedelta(days=random.randrange((last - first).days + 1))


def _years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years, day=min(day.day, 28 if day.month == 2 else day.day))
