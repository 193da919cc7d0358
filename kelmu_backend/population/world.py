"""Artificial Finland on one day: everything the record holds when the demo starts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from kelmu_backend.population.announcements import make_announcements
from kelmu_backend.population.crowd import Crowd
from kelmu_backend.population.customers import Registered, register
from kelmu_backend.population.households import Home, make_homes
from kelmu_backend.population.lists import chance
from kelmu_backend.population.notices import bundles
from kelmu_backend.population.people import Codes, Person, make_people
from kelmu_backend.population.personas import make_personas, persona_codes
from kelmu_backend.population.rare import mark, noticed
from kelmu_backend.population.rows import Bundle, Row
from kelmu_backend.population.staff import Staff, make_staff
from kelmu_tui.domain.deadlines import local_date

PEOPLE: Final = 5000
NOTICES: Final = 1200
"""Default sizes of the demo."""
FIRST: Final = 10_000
"""Customers who are there at once; of a larger number the others follow while the demo runs."""
NOTICED: Final = 2000
"""Of so many notices it is looked up whom they are about before something rare is given to customers."""


@dataclass(frozen=True, slots=True)
class World:
    """A population.

    The seed, the sizes and the Finnish day of `now` decide what is in it; the minute decides only what is published.

    Attributes:
        people: the customers whom notices may be about.
        homes: the same people, in the same order, then the personas who are customers too, all with the members of
            their households.
        notice_count: how many bundles `notices` yields.
        crowd: the customers beyond `FIRST`, who are made later.
    """

    seed: int
    now: datetime
    people: tuple[Person, ...]
    homes: tuple[Home, ...]
    staff: Staff
    announcements: tuple[Row, ...]
    notice_count: int
    crowd: Crowd

    def notices(self) -> Iterator[Bundle]:
        """Yield the notices, the same ones at every call; none of them is kept."""
        return bundles(self.seed, local_date(self.now), self.people, self.staff.workers, self.notice_count)

    def customers(self) -> Iterator[Registered]:
        """Yield the rows of all people, home by home, the same ones at every call."""
        return register(chance(f"customers/{self.seed}"), self.homes)

    def digest(self) -> str:
        """Return a hash over everything but the minute, to compare two populations."""
        total = hashlib.sha256()
        staff = self.staff
        parts = (staff.organisations, staff.agreements, staff.users, staff.grants, staff.supervisors)
        for part in (*parts, self.announcements, [asdict(person) for person in self.people]):
            total.update(_canonical(part))
        for home in self.customers():
            total.update(_canonical(home))
        for found in self.notices():
            total.update(_canonical([found.notice, found.notes, found.traces]))
        return total.hexdigest()


def generate(seed: int, now: datetime, people: int = PEOPLE, notices: int = NOTICES) -> World:
    """Return the population of `seed` on the Finnish day of `now` (UTC).

    Args:
        people: customers, at least `people.MINIMUM`; the members of their households come on top.
        notices: notices of the last ninety days; they are made only when asked for, so a million costs no memory.

    Raises:
        ValueError: too few people, or a negative number of notices.
    """
    if notices < 0:
        raise ValueError("a population cannot have fewer than no notices")
    today = local_date(now)
    codes = Codes(taken=persona_codes())
    staff = make_staff(seed, today)
    customers = make_people(seed, min(people, FIRST), today, codes)
    seen = islice(bundles(seed, today, customers, staff.workers, notices), NOTICED)
    customers = mark(chance(f"rare/{seed}"), customers, noticed(seen, today), today, codes)
    personas = make_personas(seed, today)
    return World(
        seed,
        now,
        customers,
        make_homes(chance(f"homes/{seed}"), (*customers, *personas), today, codes),
        staff,
        make_announcements(today),
        notices,
        Crowd(seed, today, people - len(customers), 0),
    )


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_text).encode()


def _text(value: Any) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(type(value).__name__)
