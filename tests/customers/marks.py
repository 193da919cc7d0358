"""What of the marked rows an organisation may see, by a second reading of the catalogues, and how a mark reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import combinations, product
from typing import Any, Final

from sqlalchemy import insert, update

from kelmu_backend.database import tables
from kelmu_tui.domain.identifiers import IdentityCode, parse_identity_code
from kelmu_tui.domain.organisations import Names, Organisation, OrganisationType
from kelmu_tui.domain.sections import Section
from kelmu_tui.store.database import Store
from tests.backend.conftest import grant, organisation_row
from tests.backend.customers.marked import Marked, away_of_person, catalogue, marked_rows, openers, seen
from tests.backend.customers.support import Register, code

BENEFITS: Final = ("labour_market_subsidy", "basic_social_assistance", "sickness_allowance")
"""One that every mandate shows, one that a mandate names by itself, one that only some show."""
COUNTRY: Final = "XQ"
PAYEE: Final = "landlord"
CONTENTS: Final[tuple[tuple[str, ...] | None, ...]] = (None, (), ("pending", "payments"), tuple(Section))
SHOWING: Final = tuple(row["mandate"] for row in catalogue("customers.toml")["view"])
CODE: Final = code(903)
USER: Final = "nobody"
WHO: Final = "abcdef01"
PLACE: Final = "148"
PERSON: Final = {"address": "Katu-abcdef01", "telephone": "0400-abcdef01", "home_municipality": "Inari"}
"""How the fields of the person that may be hidden read."""


Pairs = Sequence[tuple[Marked, frozenset[str]]]
"""Rows with the fields that may be seen of them."""


@dataclass(frozen=True)
class House:
    """An organisation's type, the mandates of its worker, its agreement, and whether the customer is protected."""

    kind: OrganisationType
    held: tuple[str, ...]
    content: tuple[str, ...] | None
    order: bool

    @property
    def opens(self) -> bool:
        """Whether customers may be looked up at all."""
        return bool(openers(self.held, self.kind.value, "customer_lookup"))

    @property
    def purpose(self) -> str:
        """A purpose that its type may name."""
        rows = catalogue("customers.toml")["purpose"]
        return str(next(row["id"] for row in rows if self.kind.value in row["org_types"]))

    def may_see(self, row: Marked) -> frozenset[str]:
        """Return the fields of a row that may be seen, none of a row that may not."""
        found = seen(self.held, self.kind.value, self.content, row.section, order=self.order)
        if found.hidden is not None or not (
            found.benefits is None or row.benefit is None or row.benefit in found.benefits
        ):
            return frozenset()
        return frozenset(row.body) - found.away - {"internal_note"}

    @property
    def person_away(self) -> frozenset[str]:
        """Return the fields of the person that may not be seen."""
        return away_of_person(self.held, self.kind.value, order=self.order)

    def marks(self) -> tuple[set[str], set[str]]:
        """Return the marks that may be seen, and those that may not."""
        visible: set[str] = set()
        hidden: set[str] = set()
        for row in rows():
            may = self.may_see(row)
            for mark in row.marks:
                (visible if mark.field in may else hidden).add(mark.value)
        return visible, hidden


@cache
def rows() -> tuple[Marked, ...]:
    """Return the marked rows; a mark of a country and one of a payee stand in them as well."""
    found = tuple(marked_rows(BENEFITS, step=397))
    for row in found:
        if row.section is Section.INSURANCE:
            row.body["country"] = COUNTRY
            row.marks.append(row.marks[0]._replace(field="country", value=COUNTRY))
    return found


def who() -> IdentityCode:
    """Return the customer's code."""
    return parse_identity_code(CODE, today=date(2026, 11, 23))


def houses() -> Iterator[House]:
    """Give every combination in which anything differs: mandates that a type cannot use are left out, but for all."""
    for kind, order, content in product(OrganisationType, (False, True), CONTENTS):
        usable = [name for name in SHOWING if openers([name], kind.value, "customer_lookup")]
        for size in range(1, len(usable) + 1):
            for held in combinations(usable, size):
                yield House(kind, held, content, order)
        if len(usable) < len(SHOWING):
            yield House(kind, SHOWING, content, order)


def whole(all_houses: Sequence[House]) -> list[House]:
    """Return houses among which every set of mandates that shows something else is with every agreement and both kinds
    of people, and every type, whether it opens anything or not.
    """
    return _draw(all_houses, lambda house: {("kind", house.kind), (_usable(house), house.content, house.order)})


def drawn(all_houses: Sequence[House]) -> list[House]:
    """Return houses among which every type that opens something is, and each two of mandates, agreement and order."""
    return _draw([house for house in all_houses if house.opens], _pairs)


def _draw(all_houses: Sequence[House], covers: Callable[[House], set[Any]]) -> list[House]:
    left = {one for house in all_houses for one in covers(house)}
    chosen: list[House] = []
    while left:
        chosen.append(max(all_houses, key=lambda house: len(left & covers(house))))
        left -= covers(chosen[-1])
    return chosen


def _usable(house: House) -> tuple[str, ...]:
    return tuple(name for name in house.held if openers([name], house.kind.value, "customer_lookup"))


def _pairs(house: House) -> set[tuple[object, ...]]:
    """Return what a house shows together with what."""
    usable = _usable(house)
    pairs = {(usable, house.content), (usable, house.order), (house.content, house.order)}
    return {("kind", house.kind), *pairs}


def settle_in(register: Register, house: House, number: int) -> Organisation:
    """Put a new organisation into the record, with the customer as the house wants it."""
    made = Organisation(f"77{number:05d}-1", Names(f"Talo {number}", "x", "x"), house.kind, None, ("837",))
    with register.world.database.write() as connection:
        connection.execute(insert(tables.organisation), organisation_row(made))
        content = None if house.content is None else list(house.content)
        values = {"organisation": made.business_id, "valid_from": date(2025, 1, 1), "content": content}
        connection.execute(insert(tables.agreement), values)
        connection.execute(
            update(tables.app_user).where(tables.app_user.c.id == USER).values(employer=made.business_id)
        )
    register.grant(USER, *(grant(name, made) for name in house.held))
    register.change(WHO, non_disclosure=house.order)
    return made


def add_customer(register: Register) -> None:
    """Put the customer with a marked value in every field into the record."""
    register.add(WHO, CODE, noticed=False, municipality=PLACE)
    for row in rows():
        register.rows(WHO, row.section, row.body)


# --- how a mark reads -----------------------------------------------------------------------------------------------


def found(values: Iterable[str], text: str) -> set[str]:
    """Return the marks that stand in a text, as themselves or as people in Finland write them."""
    return set(values) & {_mark(token.group()) for token in _TOKEN.finditer(text)}


def flat(text: str) -> str:
    """Return a screen's text with its frames and line breaks gone and its sums in one piece."""
    return " ".join(text.replace("\u00a0", "").replace("\u202f", "").replace("│", " ").split())


_TOKEN: Final = re.compile(
    rf"m\d{{6}}|\b{COUNTRY}\b|(?<!\d)\d{{6}}[,.]07(?!\d)|\d{{4}}-\d\d-\d\d|(?<!\d)\d{{1,2}}\.\d{{1,2}}\.\d{{4}}(?!\d)"
)
"""A cut off end of a text is told all the same."""


def _mark(token: str) -> str:
    if token.startswith("m"):
        return f"{token}x"
    if token.count(".") == 2:
        day, month, year = map(int, token.split("."))
        return f"{year}-{month:02}-{day:02}"
    return token.replace(",", ".")


def sections_of(house: House) -> dict[Section, list[tuple[Marked, frozenset[str]]]]:
    """Return the rows that may be seen, by section, each with its fields."""
    shown: dict[Section, list[tuple[Marked, frozenset[str]]]] = {section: [] for section in Section}
    for row in rows():
        may = house.may_see(row)
        if may:
            shown[row.section].append((row, may))
    return shown


def values(pairs: Pairs, *, without: Iterable[str] = ()) -> set[str]:
    """Return the marks that stand in rows and may be seen."""
    left_out = set(without)
    return {mark.value for row, may in pairs for mark in row.marks if mark.field in may and mark.field not in left_out}


def in_store(store: Store) -> str:
    """Return every value in every table of an open store as one text."""
    with store.read() as db:
        tables_ = [
            f'{schema}."{name}"'
            for schema in ("main", "replica")
            for (name,) in db.execute(f"SELECT name FROM {schema}.sqlite_schema WHERE type = 'table'").fetchall()
        ]
        found_ = [value for name in tables_ for row in db.execute(f"SELECT * FROM {name}").fetchall() for value in row]
    return "\n".join(one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in found_)
