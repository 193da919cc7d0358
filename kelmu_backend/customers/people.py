"""People as a look-up finds them: by a present or an earlier code or by id, with their household.

Whoever is asked for, and whether there is anybody, the same statements run: the time that an answer takes does not tell
the unknown from those outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, select

from kelmu_backend.database.customer_tables import person, person_code
from kelmu_tui.api.contract import PersonWarning
from kelmu_tui.domain.identifiers import mask

ADULT: Final = 18
GENERATION: Final = 16
"""Years between two people of a household from which on they count as parent and child (assumption)."""


class Found(NamedTuple):
    """What there is of whom was asked for.

    Attributes:
        person: the row, None when there is nobody.
        codes: every code of the person, or the one that was asked for.
        others: the rows of the others in the household.
    """

    person: Row[Any] | None
    codes: frozenset[str]
    others: Sequence[Row[Any]]

    @property
    def id(self) -> str:
        """The person's id, which nobody has when there is no person."""
        return _NOBODY if self.person is None else str(self.person.id)

    @property
    def listed(self) -> Sequence[Row[Any]]:
        """The others that may be told.

        With somebody under a non-disclosure order only those who are so too, and the other way round: the address of
        one who lives with them would be theirs.
        """
        return [other for other in self.others if self.person and other.non_disclosure == self.person.non_disclosure]


NOBODY: Final = Found(None, frozenset(), ())
_NOBODY: Final = ""
_BY_CODE: Final = (
    select(person).join(person_code, person_code.c.person == person.c.id).where(person_code.c.code == bindparam("code"))
)
_BY_ID: Final = select(person).where(person.c.id == bindparam("id"))
_CODES: Final = select(person_code.c.code).where(person_code.c.person == bindparam("id"))
_OTHERS: Final = (
    select(person)
    .where(person.c.household == bindparam("household"), person.c.id != bindparam("id"))
    .order_by(person.c.born, person.c.id)
)


def find(connection: Connection, *, code: str | None, customer: str | None) -> Found:
    """Return whoever has the code, or the id when there is no code."""
    if code is not None:
        row = connection.execute(_BY_CODE, {"code": code}).one_or_none()
    else:
        row = connection.execute(_BY_ID, {"id": customer}).one_or_none()
    key = _NOBODY if row is None else row.id
    household = None if row is None else row.household
    codes = set(connection.execute(_CODES, {"id": key}).scalars())
    others = connection.execute(_OTHERS, {"household": household or _NOBODY, "id": key}).all()
    codes |= {found for found in (code, row and row.identity_code) if found}
    return Found(row, frozenset(codes), others)


def by_id(connection: Connection, identifier: str) -> Row[Any]:
    """Return the row of somebody who exists."""
    return connection.execute(_BY_ID, {"id": identifier}).one()


def others_of(connection: Connection, row: Row[Any]) -> Sequence[Row[Any]]:
    """Return the rows of the others in a person's household."""
    return connection.execute(_OTHERS, {"household": row.household or _NOBODY, "id": row.id}).all()


def described(found: Found, asked: str | None, hidden: frozenset[str], today: date, *, household: bool) -> Any:
    """Return `contract.Person` as plain JSON.

    Args:
        asked: the code that was asked for. An earlier one is told back, the others are not: a code changes for
            reasons that are nobody's business.
        hidden: names of the fields that stay away.
        household: the purpose covers the household.
    """
    row = found.person
    assert row is not None
    earlier = [asked] if asked is not None and asked != row.identity_code else []
    told = {
        "customer": row.id,
        "identity_code": row.identity_code,
        "earlier_codes": earlier,
        "family_name": row.family_name,
        "given_names": row.given_names,
        "born": row.born.isoformat(),
        "died": row.died and row.died.isoformat(),
        "language": row.language,
        "interpreter_language": row.interpreter_language,
        "guardian": row.guardian,
        "non_disclosure": row.non_disclosure,
        "home_municipality": row.municipality,
        "address": row.address,
        "telephone": row.telephone,
        "warnings": _warnings(row, earlier),
        "household": [_member(row, other, found.listed, today) for other in found.listed] if household else [],
    }
    return {name: value for name, value in told.items() if name not in hidden}


def _warnings(row: Row[Any], earlier: Sequence[str]) -> list[str]:
    applies: Mapping[PersonWarning, Any] = {
        PersonWarning.NON_DISCLOSURE: row.non_disclosure,
        PersonWarning.GUARDIAN: row.guardian,
        PersonWarning.INTERPRETER: row.interpreter_language,
        PersonWarning.DECEASED: row.died,
        PersonWarning.CODE_CHANGED: earlier,
    }
    return [warning.value for warning, found in applies.items() if found]


def _member(row: Row[Any], other: Row[Any], all_others: Sequence[Row[Any]], today: date) -> dict[str, Any]:
    return {
        "customer": other.id,
        "name": f"{other.family_name} {other.given_names}",
        "masked_code": mask(other.identity_code),
        "relation": relation(row.born, other.born, [one.born for one in all_others], today),
        "born": other.born.isoformat(),
    }


def relation(born: date, other: date, others: Sequence[date], today: date) -> str:
    """Return what somebody born on `other` is to a person born on `born`, by age alone (assumption).

    The only other adult of the same generation counts as spouse.

    Args:
        others: when all others of the household were born.
    """
    if _generation(born, other) and _adult(born, today):
        return "child"
    if _generation(other, born) and _adult(other, today):
        return "parent"
    if not _adult(born, today) or not _adult(other, today):
        return "other"
    alike = [one for one in others if _adult(one, today) and not _generation(born, one) and not _generation(one, born)]
    return "spouse" if len(alike) == 1 else "other"


def _generation(older: date, younger: date) -> bool:
    return younger.year - older.year >= GENERATION


def _adult(born: date, today: date) -> bool:
    return (today.year - born.year) - ((today.month, today.day) < (born.month, born.day)) >= ADULT
