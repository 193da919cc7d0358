"""Artificial people: names, identity codes, addresses and households by seed.

Nobody made here exists: see `data/README.md` for the number series that see to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Final, NamedTuple

from kelmu_backend.population.lists import Weighted, chance, given_names, inhabitants, odd_names, surnames, table
from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.domain.organisations import ALAND_COUNTY, HELSINKI, HELSINKI_COUNTY, Municipality, municipalities

MINIMUM: Final = 20
"""Fewer people than this cannot fill every kind of notice."""

SHARES: Final = {"08": 0.23, "05": 0.13, HELSINKI_COUNTY: 0.14, ALAND_COUNTY: 0.06}
"""Part of the people in the counties (codes) of the personas, so that their inboxes are worth a look."""
IMMIGRANT_SHARES: Final = {"092": 0.36, HELSINKI: 0.14, "508": 0.06, "837": 0.08, "853": 0.08}
"""The same for immigrants, by municipality (code): their notices go to municipalities, not to counties."""
SAMI_HOME: Final = frozenset({"047", "148", "758", "890"})

_SIGNS: Final = {1900: "-----YXWVU", 2000: "AAAABCDEF"}
"""Signs of the identity code by century; the newer ones are rarer, as in life."""
_FOREIGN: Final = Weighted.of(
    [("ru", 22.0), ("uk", 18.0), ("ar", 18.0), ("so", 15.0), ("vi", 9.0), ("et", 10.0), ("en", 8.0)]
)
_COUPLE: Final = 0.38
_DIFFERENT_SURNAME: Final = 0.35


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a person's household as a notice tells of them; `relation` as in the contract, `born` is a year."""

    family_name: str
    given_names: str
    sex: str
    relation: str
    born: int

    @property
    def name(self) -> str:
        """Given names and surname, as Finnish letters write them."""
        return f"{self.given_names} {self.family_name}".strip()


class Renewal(NamedTuple):
    """Another identity code instead of the one before, and the first day on which it was valid."""

    code: str
    since: date


@dataclass(frozen=True, slots=True)
class Person:
    """A customer of Kela.

    Attributes:
        identity_code: the code that notices tell; the present one unless there is a `renewal`.
        language: two-letter code; `fi` and `sv` are served in their own language, the others in Finnish.
        municipality: code of the home municipality.
        previous: code of the one before, for somebody who moved lately; notices still go there by mistake.
        arrived: when an immigrant got a home municipality, None for others.
        guardian: name of the guardian.
        long_pension: has had a pension for more than twenty years.
    """

    identity_code: str
    family_name: str
    given_names: str
    sex: str
    born: date
    language: str
    municipality: str
    previous: str | None
    address: str
    telephone: str | None
    non_disclosure: bool
    interpreter: bool
    arrived: date | None
    household: tuple[Member, ...]
    died: date | None = None
    guardian: str | None = None
    renewal: Renewal | None = None
    long_pension: bool = False

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that they have or had, the present one last."""
        return (self.identity_code, self.renewal.code) if self.renewal else (self.identity_code,)

    @property
    def full_name(self) -> str:
        """Given names and surname, as Finnish letters write them."""
        return f"{self.given_names} {self.family_name}".strip()

    @property
    def served_in(self) -> str:
        """`sv` for Swedish speakers, `fi` for everybody else."""
        return "sv" if self.language == "sv" else "fi"


class Codes:
    """Hands out identity codes, each once.

    Args:
        numbers: the individual numbers; sources with other numbers never hand out the same code.
        taken: codes that somebody has already.
    """

    def __init__(self, numbers: range = range(900, 980), taken: Iterable[str] = ()) -> None:
        self._numbers = {sex: [n for n in numbers if n % 2 == (sex == "m")] for sex in "fm"}
        self._taken = set(taken)

    def draw(self, random: Random, born: date, sex: str) -> str:
        """Return a code for somebody born on `born` that nobody has."""
        while True:
            individual = random.choice(self._numbers[sex])
            sign = random.choice(_SIGNS[born.year // 100 * 100])
            code = make_identity_code(born, sign, individual).value
            if code not in self._taken:
                self._taken.add(code)
                return code


def make_people(seed: int, count: int, today: date, codes: Codes | None = None) -> tuple[Person, ...]:
    """Return `count` people; of each ten one is under 25 and one an immigrant, so that every notice finds its customer.

    The same seed, count and day give the same people.

    Args:
        codes: where their codes come from, and those of whoever is made after them.

    Raises:
        ValueError: `count` is below `MINIMUM`.
    """
    if count < MINIMUM:
        raise ValueError(f"at least {MINIMUM} people are needed")
    return people_of(chance(f"people/{seed}"), range(count), today, codes or Codes())


def people_of(random: Random, numbers: range, today: date, codes: Codes) -> tuple[Person, ...]:
    """Return a person for each number, whose last digit decides who is young and who an immigrant."""
    maker = PersonMaker(random, today, codes)
    people = []
    for number in numbers:
        immigrant = number % 10 == 1
        home = (immigrant_homes() if immigrant else homes()).draw(random)
        people.append(maker.person(home, young=number % 10 == 0, immigrant=immigrant))
    return tuple(people)


@cache
def homes() -> Weighted[str]:
    """Return the source of home municipalities (codes) of ordinary customers."""
    by_county: dict[str, int] = {}
    places = municipalities()
    for code, weight in inhabitants().items():
        by_county[places[code].county] = by_county.get(places[code].county, 0) + weight
    rest = sum(weight for county, weight in by_county.items() if county not in SHARES)
    left = 1 - sum(SHARES.values())
    return Weighted.of(
        [
            (
                code,
                SHARES[county] * weight / by_county[county]
                if (county := places[code].county) in SHARES
                else left * weight / rest,
            )
            for code, weight in inhabitants().items()
        ]
    )


@cache
def immigrant_homes() -> Weighted[str]:
    """Return the source of home municipalities (codes) of immigrants; none is on Åland, which has its own law."""
    places = municipalities()
    mainland = {code: weight for code, weight in inhabitants().items() if places[code].county != ALAND_COUNTY}
    rest = sum(weight for code, weight in mainland.items() if code not in IMMIGRANT_SHARES)
    left = 1 - sum(IMMIGRANT_SHARES.values())
    return Weighted.of([(code, IMMIGRANT_SHARES.get(code, left * weight / rest)) for code, weight in mainland.items()])


class PersonMaker:
    """Makes one person after another from one stream of chance.

    Args:
        codes: where their codes come from; makers that share them never make the same person.
    """

    def __init__(self, random: Random, today: date, codes: Codes | None = None) -> None:
        self._random = random
        self._today = today
        self._codes = codes or Codes()

    def person(self, home: str, *, young: bool = False, immigrant: bool = False, settled: bool = False) -> Person:
        """Make somebody who lives in the municipality `home` (code); `young` is under 25, `settled` has not moved."""
        random = self._random
        place = municipalities()[home]
        born = self._birthday(young, immigrant)
        sex = random.choice("fm")
        language = _FOREIGN.draw(random) if immigrant else self._language(place)
        family, given = self._name(language, sex, born.year)
        moved = not settled and random.random() < 0.06
        return Person(
            identity_code=self._codes.draw(random, born, sex),
            family_name=family,
            given_names=given,
            sex=sex,
            born=born,
            language=language,
            municipality=home,
            previous=self._previous(home, immigrant) if moved else None,
            address=self._address(place, "sv" if language == "sv" else "fi"),
            telephone=f"000 {random.randrange(100, 1000)} {random.randrange(10000):04d}",
            non_disclosure=random.random() < 0.03,
            interpreter=immigrant and language != "en" and random.random() < 0.8,
            arrived=self._today - timedelta(days=random.randrange(80, 400)) if immigrant else None,
            household=self._household(family, language, born.year),
        )

    def _birthday(self, young: bool, immigrant: bool) -> date:
        random = self._random
        if young:
            years = random.uniform(18.3, 24.4)
        elif immigrant:
            years = random.uniform(18.5, 62)
        else:
            years = random.triangular(18.3, 92, 41)
        return self._today - timedelta(days=int(years * 365.25))

    def _language(self, place: Municipality) -> str:
        random = self._random
        if place.code in SAMI_HOME and random.random() < 0.3:
            return "se"
        swedish = (0.01, 0.16, 0.92, 0.62)[place.language]
        return "sv" if random.random() < swedish else "fi"

    def _name(self, language: str, sex: str, born: int) -> tuple[str, str]:
        random = self._random
        if random.random() < 0.012:
            odd = random.choice(odd_names())
            return odd.family_name, odd.given_names
        names = surnames()[language]
        family = names.draw(random)
        if language == "ru":
            family = _russian(family, sex)
        if language in ("fi", "sv", "en") and random.random() < 0.035:
            other = names.draw(random)
            if other != family:
                family = f"{family}-{other}"
        wanted = 2 if language in ("fi", "sv") and random.random() < 0.75 else 1
        given = random.sample(given_names(language, sex, born), wanted)
        if language == "fi" and random.random() < 0.04:
            given[0] = f"{given[0]}-{random.choice(given_names(language, sex, born))}"
        return family, " ".join(given)

    def _previous(self, home: str, immigrant: bool) -> str:
        source = immigrant_homes() if immigrant else homes()
        while True:
            code = source.draw(self._random)
            if code != home:
                return code

    def _address(self, place: Municipality, language: str) -> str:
        random = self._random
        lists = table("streets")
        if language == "sv" or place.language == 2:
            street = random.choice(lists["sv_stems"]) + random.choice(lists["sv_forms"])
            town = place.name.sv
        else:
            street = random.choice(lists["fi_stems"]) + random.choice(lists["fi_forms"])
            town = place.name.fi
        number = str(random.randrange(1, 90))
        if random.random() < 0.62:
            number += f" {random.choice('ABCDE')} {random.randrange(1, 80)}"
        elif random.random() < 0.1:
            number += random.choice("abc")
        prefix = random.choice(lists["post_prefixes"][place.county])
        return f"{street} {number}, {prefix}{random.randrange(10, 99)}0 {town.upper()}"

    def _household(self, family: str, language: str, born: int) -> tuple[Member, ...]:
        random = self._random
        year = self._today.year
        members = []
        age = year - born
        if age > 20 and random.random() < _COUPLE:
            partner = born + random.randrange(-8, 9)
            members.append(self._member(family, language, min(partner, year - 18), "spouse"))
        children = random.choices((0, 1, 2, 3, 5), weights=(55, 20, 15, 7, 3))[0] if 20 < age < 52 else 0
        members.extend(
            self._member(family, language, random.randrange(max(born + 19, year - 17), year + 1), "child")
            for _ in range(children)
        )
        if not members and age < 26 and random.random() < 0.3:
            members.append(self._member(family, language, born - random.randrange(20, 40), "parent"))
        return tuple(members)

    def _member(self, family: str, language: str, born: int, relation: str) -> Member:
        random = self._random
        sex = random.choice("fm")
        surname = surnames()[language].draw(random) if random.random() < _DIFFERENT_SURNAME else family
        return Member(surname, random.choice(given_names(language, sex, born)), sex, relation, born)


def _russian(name: str, sex: str) -> str:
    """Return a Russian surname in the form of the sex: Ivanova is the wife of Ivanov."""
    masculine = name[:-1] if name.endswith(("ova", "eva", "ina")) else name
    return f"{masculine}a" if sex == "f" and masculine.endswith(("ov", "ev", "in")) else masculine
