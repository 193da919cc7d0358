"""Notices that arrive while the demo runs, so that the inbox is alive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select

from kelmu_backend import feed
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import person, person_code
from kelmu_backend.feed import Entry
from kelmu_backend.policy import notices_scope
from kelmu_backend.population.customers import register
from kelmu_backend.population.history import Story
from kelmu_backend.population.households import make_home
from kelmu_backend.population.lists import Weighted, chance, inhabitants
from kelmu_backend.population.notices import bundle, make_notice
from kelmu_backend.population.people import Codes, PersonMaker
from kelmu_backend.population.rows import Bundle
from kelmu_backend.population.staff import find_organisation
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.notices import Kind, NoticeState, Status
from kelmu_tui.domain.organisations import Organisation, OrganisationType, directory

WATCHED: Final = ("county:08", "county:08", "county:08", "county:05", "municipality:091", "municipality:092")
"""Organisations of the personas with an inbox worth watching; who stands here more often gets more."""

_SOCIAL_CARE: Final = Weighted.of(
    [
        (Kind.SOCIAL_WORK_NEED, 50.0),
        (Kind.APPLICATION, 30.0),
        (Kind.UNEMPLOYED_UNDER_25, 10.0),
        (Kind.UNEMPLOYED_25_PLUS, 10.0),
    ]
)
"""Only what is visible at once; applications are the urgent ones."""


class Arrivals:
    """An endless source of notices that arrive the moment they are asked for."""

    def __init__(self, seed: int, start: datetime, organisations: Sequence[Organisation]) -> None:
        # The start is part of the seed: a backend started again must not make the same notices again.
        self._random = chance(f"live/{seed}/{start.isoformat()}")
        self._homes = chance(f"live-homes/{seed}/{start.isoformat()}")
        self._codes = Codes(range(980, 1000))
        self._people = PersonMaker(self._random, local_date(start), self._codes)
        self._organisations = [o for o in organisations if _kinds(o)]
        if not self._organisations:
            raise ValueError("none of the organisations receives notices")

    def next(self, now: datetime) -> Bundle:
        """Return the next notice, created and visible at `now` (UTC)."""
        random = self._random
        organisation = random.choice(self._organisations)
        kind = random.choice(_kinds(organisation))
        if kind is not Kind.IMMIGRANT:
            kind = _SOCIAL_CARE.draw(random)
        home = random.choices(
            organisation.municipalities, weights=[inhabitants()[code] for code in organisation.municipalities]
        )[0]
        customer = self._people.person(
            home, young=kind is Kind.UNEMPLOYED_UNDER_25, immigrant=kind is Kind.IMMIGRANT, settled=True
        )
        urgent = kind is Kind.APPLICATION or (kind is Kind.SOCIAL_WORK_NEED and random.random() < 0.3)
        made = make_notice(random, kind, customer, now, urgent=urgent)
        assert made is not None, "every organisation here receives the kinds drawn for it"
        state = NoticeState(kind, Status.NEW, made.organisation, made.municipality, version=1)
        (rows,) = register(self._homes, [make_home(self._homes, customer, local_date(now), self._codes)])
        return replace(
            bundle(made, Story(state, made.due, made.urgent)), people=tuple(rows.people), codes=tuple(rows.codes)
        )


def arrivals(seed: int, start: datetime, organisations: Sequence[str] | None = None) -> Arrivals:
    """Return the live notices of `seed` for a backend that started at `start` (UTC).

    Args:
        organisations: business IDs of who receives them; by default those of `WATCHED`.

    Raises:
        KeyError: an organisation is unknown.
        ValueError: none of them receives notices.
    """
    if organisations is None:
        return Arrivals(seed, start, [find_organisation(key) for key in WATCHED])
    return Arrivals(seed, start, [directory()[business_id] for business_id in organisations])


def arrive(connection: Connection, source: Arrivals, now: datetime) -> feed.Change:
    """Deliver the next notice whose people are new: what arrived before the last start may have taken their codes."""
    while _known(connection, arrival := source.next(now)):
        pass
    return deliver(connection, arrival)


def _known(connection: Connection, arrival: Bundle) -> bool:
    codes = [row["code"] for row in arrival.codes]
    return connection.execute(select(person_code.c.code).where(person_code.c.code.in_(codes))).first() is not None


def deliver(connection: Connection, arrival: Bundle) -> feed.Change:
    """Write a live notice, its people and its entry in the feed; return what waiting polls have to be told."""
    row = arrival.notice
    connection.execute(insert(person), list(arrival.people))
    connection.execute(insert(person_code), list(arrival.codes))
    connection.execute(insert(tables.notice).values(**row, published=True))
    return feed.record(connection, [Entry(notices_scope(row["organisation"]), row["id"], row["version"])])


def _kinds(organisation: Organisation) -> tuple[Kind, ...]:
    """Return a kind for each role in which an organisation receives notices."""
    match organisation.type:
        case OrganisationType.WELLBEING_COUNTY | OrganisationType.ALAND_MUNICIPALITY:
            return (Kind.SOCIAL_WORK_NEED,)
        case OrganisationType.HELSINKI:
            return (Kind.SOCIAL_WORK_NEED, Kind.SOCIAL_WORK_NEED, Kind.IMMIGRANT)
        case OrganisationType.MUNICIPALITY:
            return (Kind.IMMIGRANT,)
        case _:
            return ()
