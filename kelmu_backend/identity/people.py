"""Who can be signed in as in demo and training mode: the personas of the population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from kelmu_backend.database.tables import app_user, grant, organisation
from kelmu_tui.api.contract import LocalText, Persona
from kelmu_tui.domain.organisations import Language


@dataclass(frozen=True, slots=True)
class Person:
    """A worker in the words of one language."""

    id: str
    name: str
    title: str
    organisation: str
    language: Language


def personas(connection: Connection, language: Language) -> list[Person]:
    """Return the personas in the order in which they were given their mandates; those without any come last."""
    return [_person(row, language) for row in connection.execute(_PEOPLE.where(app_user.c.persona))]


def persona(connection: Connection, user: str) -> bool:
    """Tell whether `user` is a persona; nobody else can be signed in as by choosing."""
    found = select(app_user.c.id).where(app_user.c.id == user, app_user.c.persona)
    return connection.execute(found).one_or_none() is not None


def person(connection: Connection, user: str, language: Language) -> Person | None:
    """Return a worker by id, None when there is none."""
    row = connection.execute(_PEOPLE.where(app_user.c.id == user)).one_or_none()
    return None if row is None else _person(row, language)


def wire_personas(connection: Connection) -> list[Persona]:
    """Return the personas for the terminal's picker; each organisation in its worker's own language."""
    return [
        Persona(
            id=row.id,
            name=row.name,
            title=LocalText(fi=row.title_fi, sv=row.title_sv, en=row.title_en),
            organisation=_person(row, Language(row.language)).organisation,
            language=row.language,
        )
        for row in connection.execute(_PEOPLE.where(app_user.c.persona))
    ]


_FIRST_GRANT: Final = select(grant.c.user, func.min(grant.c.id).label("first")).group_by(grant.c.user).subquery()
_PEOPLE: Final = (
    select(app_user, organisation.c.name_fi, organisation.c.name_sv, organisation.c.name_en)
    .select_from(app_user.outerjoin(organisation, organisation.c.business_id == app_user.c.employer))
    .outerjoin(_FIRST_GRANT, _FIRST_GRANT.c.user == app_user.c.id)
    .order_by(_FIRST_GRANT.c.first.is_(None), _FIRST_GRANT.c.first, app_user.c.id)
)


def _person(row: Row[Any], language: Language) -> Person:
    titles = {Language.FI: row.title_fi, Language.SV: row.title_sv, Language.EN: row.title_en}
    employers = {Language.FI: row.name_fi, Language.SV: row.name_sv, Language.EN: row.name_en}
    return Person(
        id=row.id,
        name=row.name,
        title=titles[language],
        organisation=employers[language] or row.employer,
        language=Language(row.language),
    )
