"""The claims of the demo's organisations: made while the backend serves, some people at a time, so that it starts as
fast as without them.

How far it has come stands in the record, so that whoever starts a backend again goes on, as of the first start and to
the same end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from kelmu_backend import feed
from kelmu_backend.claims import record
from kelmu_backend.customers import changing, people
from kelmu_backend.customers.changing import Key
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import account, claim, claim_event, claim_payment
from kelmu_backend.database.customer_tables import person
from kelmu_backend.feed import Entry
from kelmu_backend.policy import claims_scope
from kelmu_backend.population.claim_stories import FRESH, Place, Story, fresh, lived
from kelmu_backend.population.crowd import Store
from kelmu_backend.population.customers import customer_of
from kelmu_backend.population.lives.model import home_of
from kelmu_backend.population.lives.payments import pay
from kelmu_backend.population.lives.plan import planned
from kelmu_backend.population.rare import REACH
from kelmu_backend.population.rows import Row as Values
from kelmu_backend.population.rows import Worker
from kelmu_backend.population.staff import find_organisation
from kelmu_tui.domain.claims.catalogue import claimants
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.organisations import OrganisationType, social_care_organiser
from kelmu_tui.domain.sections import Section
from kelmu_tui.platform.ids import Ids, RandomIds

CHUNK: Final = 20
"""People of one step."""
KEY: Final = "claims"
"""Key of `meta` under which the progress stands, for as long as some are missing."""
UNDISCLOSED: Final = ""
"""Stands for the people whose municipality the record does not hold; they come last."""
_MANDATE: Final = "benefit_viewing_and_claims"


class Progress(NamedTuple):
    """What is still missing.

    Attributes:
        now: the instant of the world, in ISO format.
        left: business IDs of the organisations whose customers are still to be looked at, the present one first.
        after: id of the last person that was looked at.
        fresh: how many fresh claims the present organisation has.
    """

    seed: int
    now: str
    left: tuple[str, ...]
    after: str = ""
    fresh: int = 0


class Step(NamedTuple):
    """What a step has done: what waiting polls have to be told, and whether something is still missing."""

    change: feed.Change | None
    more: bool


def begin(connection: Connection, seed: int, now: datetime, organisations: Sequence[Values]) -> None:
    """Note that the claims of those of `organisations` (rows of that table) that make claims have to be made."""
    makers = [one["business_id"] for one in organisations if OrganisationType(one["type"]) in claimants()]
    watched = [find_organisation(key).business_id for key in REACH]
    ordered = sorted(makers, key=lambda one: (watched.index(one) if one in watched else len(watched), one))
    progress = Progress(seed, now.isoformat(), (*ordered, UNDISCLOSED))
    connection.execute(insert(tables.meta).values(key=KEY, value=_text(progress)))


def missing(connection: Connection) -> Progress | None:
    """Return what is still missing, None when nothing is."""
    found = connection.execute(_PROGRESS).scalar_one_or_none()
    if found is None:
        return None
    read = json.loads(found)
    return Progress(**read | {"left": tuple(read["left"])})


def advance(database: Store, ids: Ids | None = None) -> Step:
    """Make the next ones.

    Several processes may do this: of two that made the same claims, the second one's are dropped.
    """
    with database.read() as connection:
        progress = missing(connection)
        if progress is None:
            return Step(None, more=False)
        made, after = _make(connection, progress)
    with database.write() as connection:
        if connection.execute(_PROGRESS.with_for_update()).scalar_one_or_none() != _text(progress):
            return Step(None, more=missing(connection) is not None)
        if after.left:
            connection.execute(update(tables.meta).where(tables.meta.c.key == KEY).values(value=_text(after)))
        else:
            connection.execute(tables.meta.delete().where(tables.meta.c.key == KEY))
        change = _write(connection, made, datetime.fromisoformat(progress.now), ids or RandomIds()) if made else None
    return Step(change, more=bool(after.left))


# --- making ---------------------------------------------------------------------------------------------------------


class _Made(NamedTuple):
    """A claim, and whether the customer's file would show it by itself."""

    story: Story
    in_life: bool


def _make(connection: Connection, progress: Progress) -> tuple[list[_Made], Progress]:
    now = datetime.fromisoformat(progress.now)
    organisation = progress.left[0]
    key: dict[str, Any] = {"after": progress.after, "limit": CHUNK}
    if organisation == UNDISCLOSED:
        found = connection.execute(_UNDISCLOSED, key).all()
    else:
        found = connection.execute(_PEOPLE, key | {"codes": _municipalities(connection, organisation)}).all()
    places: dict[str, Place | None] = {}
    made: list[_Made] = []
    count = progress.fresh
    for row in found:
        holder = organisation or _home(row)
        if holder not in places:
            places[holder] = _place(connection, holder)
        place = places[holder]
        if place is None:
            continue
        own = list(_of(connection, row, place, now, None if organisation == UNDISCLOSED else count))
        made += own
        count += sum(not one.in_life for one in own)
    if len(found) == CHUNK:
        return made, progress._replace(after=found[-1].id, fresh=count)
    return made, progress._replace(left=progress.left[1:], after="", fresh=0)


def _of(connection: Connection, row: Row[Any], place: Place, now: datetime, count: int | None) -> Iterator[_Made]:
    """Yield the claims on a person's benefits: those of the life, or else a fresh one while some are wanted."""
    household = [customer_of(other) for other in people.others_of(connection, row)]
    customer, today = customer_of(row), local_date(now)
    life = planned(customer, household, today)
    if life.claims:
        for story in lived(place, life, pay(life, today), now):
            yield _Made(story, in_life=True)
    elif count is not None and count < len(FRESH):
        made = fresh(place, life, FRESH[count], now)
        if made is not None:
            yield _Made(made, in_life=False)


def _municipalities(connection: Connection, organisation: str) -> list[str]:
    """Return the codes of the municipalities whose social care an organisation organises; a joint authority, none."""
    codes = connection.execute(_MUNICIPALITIES, {"organisation": organisation}).scalar_one()
    return [code for code in codes if social_care_organiser(code).business_id == organisation]


def _home(row: Row[Any]) -> str:
    return social_care_organiser(home_of(customer_of(row))).business_id


def _place(connection: Connection, organisation: str) -> Place | None:
    """Return an organisation that can make claims, None when it has nobody who does, or no account."""
    key = {"organisation": organisation}
    accounts = connection.execute(_ACCOUNTS, key).scalars().all()
    workers = connection.execute(_HOLDERS, key).all() or connection.execute(_STAFF, key).all()
    if not accounts or not workers:
        return None
    team = [Worker(one.id, one.name) for one in workers]
    return Place(organisation, "sv" if all(one.language == "sv" for one in workers) else "fi", accounts, team)


# --- writing --------------------------------------------------------------------------------------------------------


def _write(connection: Connection, made: Sequence[_Made], now: datetime, ids: Ids) -> feed.Change:
    connection.execute(insert(claim), [one.story.claim for one in made])
    connection.execute(insert(claim_event), [event for one in made for event in one.story.events])
    payments = [payment for one in made for payment in one.story.payments]
    if payments:
        connection.execute(insert(claim_payment), payments)
    entries = []
    for one in made:
        row = SimpleNamespace(**one.story.claim)
        entries.append(Entry(claims_scope(row.organisation), row.id, row.version))
        if not one.in_life:
            name = connection.execute(_NAME, {"organisation": row.organisation}).scalar_one()
            shown = {Key(Section.CLAIMS, row.id): record.in_file(row, name, None)}
            entries += changing.changed(connection, row.person, shown, now, ids)
    return feed.record(connection, entries)


def _text(progress: Progress) -> str:
    return json.dumps(progress._asdict())


_PROGRESS: Final = select(tables.meta.c.value).where(tables.meta.c.key == KEY)
_NEXT: Final = select(person).where(person.c.id > bindparam("after")).order_by(person.c.id).limit(bindparam("limit"))
_PEOPLE: Final = _NEXT.where(person.c.municipality.in_(bindparam("codes", expanding=True)))
_UNDISCLOSED: Final = _NEXT.where(person.c.municipality.is_(None))
_MUNICIPALITIES: Final = select(tables.organisation.c.municipalities).where(
    tables.organisation.c.business_id == bindparam("organisation")
)
_NAME: Final = select(tables.organisation.c.name_fi).where(
    tables.organisation.c.business_id == bindparam("organisation")
)
_ACCOUNTS: Final = (
    select(account.c.iban).where(account.c.organisation == bindparam("organisation")).order_by(account.c.id)
)
_STAFF: Final = (
    select(tables.app_user.c.id, tables.app_user.c.name, tables.app_user.c.language)
    .where(tables.app_user.c.employer == bindparam("organisation"))
    .order_by(tables.app_user.c.id)
)
_HOLDERS: Final = (
    select(tables.app_user.c.id, tables.app_user.c.name, tables.app_user.c.language)
    .join(tables.grant, tables.grant.c.user == tables.app_user.c.id)
    .where(
        tables.grant.c.principal == bindparam("organisation"),
        tables.grant.c.mandate == _MANDATE,
        tables.grant.c.valid_to.is_(None),
    )
    .order_by(tables.app_user.c.id)
    .distinct()
)
