"""What is rare among customers: a death, another identity code, decades on a pension, a guardian and the like.

Some have it by chance; besides, each inbox of `REACH` gets a customer of every kind, as far as its notices allow, so
that whoever tries the demo can look them up. Nothing here changes which notices there are or what happened to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

from kelmu_backend.population.lists import given_names, odd_names, surnames
from kelmu_backend.population.people import Codes, Person, Renewal
from kelmu_backend.population.rows import Bundle
from kelmu_backend.population.staff import find_organisation
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.notices import Status

REACH: Final = ("county:08", "county:05", "municipality:091", "municipality:478")
"""Organisations of the personas who look customers up out of their inbox."""
LONG_NAME: Final = 60
"""Letters from which on a family name is very long."""

_SHARE: Final = 0.007
"""Part of the others who get a thing by chance, if they can have it."""
_OLD: Final = 55
"""Age from which on somebody dies here; younger ones do not."""
_PENSIONER: Final = 1980
"""Year of birth of the youngest who can have had a pension for twenty years."""


class Noticed(NamedTuple):
    """What the notices say of customers.

    Attributes:
        latest: the Finnish day of the latest notice, by identity code.
        waiting: codes of those whose notices still wait in the inboxes of `REACH`, by business ID.
    """

    latest: Mapping[str, date]
    waiting: Mapping[str, Sequence[str]]


UNNOTICED: Final = Noticed({}, {})
"""What there is of people whom no notice is about."""


def noticed(found: Iterable[Bundle], today: date) -> Noticed:
    """Return what `found` says of customers; a notice of today does not wait yet."""
    latest: dict[str, date] = {}
    waiting: dict[str, list[str]] = {find_organisation(key).business_id: [] for key in REACH}
    for bundle in found:
        row = bundle.notice
        code = row["customer"]["identity_code"]
        latest[code] = max(local_date(row["created"]), latest.get(code, date.min))
        inbox = waiting.get(row["organisation"])
        if inbox is not None and row["status"] != Status.HANDLED.value and local_date(row["arrived"]) < today:
            inbox.append(code)
    return Noticed(latest, waiting)


def mark(random: Random, people: Sequence[Person], found: Noticed, today: date, codes: Codes) -> tuple[Person, ...]:
    """Return the same people in the same order, some of them with something rare."""
    marks = _Marks(random, today, codes, found.latest)
    marked = {person.identity_code: person for person in people}
    taken: set[str] = set()
    for inbox in found.waiting.values():
        for make in marks.makers:
            for code in reversed(inbox):  # the oldest stand first in an inbox, where nothing should look rare
                if code not in taken and (made := make(marked[code])) is not None:
                    marked[code] = made
                    taken.add(code)
                    break
    return tuple(
        marked[person.identity_code] if person.identity_code in taken else marks.by_chance(person) for person in people
    )


@dataclass
class _Marks:
    """Gives people what is rare; who cannot have it gets None."""

    random: Random
    today: date
    codes: Codes
    latest: Mapping[str, date]

    @property
    def makers(self) -> tuple[Callable[[Person], Person | None], ...]:
        """What each inbox gets, the hardest to find first."""
        return (
            self._dead,
            self._recoded,
            self._pensioned,
            self._long_named,
            self._interpreted,
            self._undisclosed,
            self._guarded,
        )

    def by_chance(self, person: Person) -> Person:
        """Return a person who is most often as before."""
        for make in (self._guarded, self._dead, self._recoded, self._pensioned):
            if self.random.random() < _SHARE:
                return make(person) or person
        return person

    def _guarded(self, person: Person) -> Person:
        language, sex = person.served_in, self.random.choice("fm")
        given = self.random.choice(given_names(language, sex, self.random.randrange(1960, 1990)))
        return replace(person, guardian=f"{given} {surnames()[language].draw(self.random)}")

    def _dead(self, person: Person) -> Person | None:
        if self.today.year - person.born.year < _OLD:
            return None
        day = self._since_notices(person)
        return None if day is None else replace(person, died=day)

    def _recoded(self, person: Person) -> Person | None:
        since = self._since_notices(person)
        if since is None:
            return None
        return replace(person, renewal=Renewal(self.codes.draw(self.random, person.born, person.sex), since))

    def _pensioned(self, person: Person) -> Person | None:
        return replace(person, long_pension=True) if person.born.year <= _PENSIONER else None

    def _long_named(self, person: Person) -> Person | None:
        long = [name for name in odd_names() if len(name.family_name) >= LONG_NAME]
        fitting = [name for name in long if (name.language, name.sex) == (person.language, person.sex)]
        if not fitting:
            return None
        name = self.random.choice(fitting)
        return replace(person, family_name=name.family_name, given_names=name.given_names)

    def _interpreted(self, person: Person) -> Person | None:
        return replace(person, interpreter=True) if person.arrived and person.language != "en" else None

    def _undisclosed(self, person: Person) -> Person:
        return replace(person, non_disclosure=True)

    def _since_notices(self, person: Person) -> date | None:
        """Return a day before today on which no notice knew yet what happened then; None when there is none."""
        first = self.latest.get(person.identity_code, self.today - timedelta(days=300)) + timedelta(days=1)
        days = (self.today - first).days
        return first + timedelta(days=self.random.randrange(days)) if days > 0 else None
