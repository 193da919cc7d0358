"""The notices of ninety days, one after another in the order they were made, without holding them all."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Final

from kelmu_backend.population.content import make_content, make_customer
from kelmu_backend.population.history import Historian, Story
from kelmu_backend.population.lists import Weighted, chance
from kelmu_backend.population.people import Person
from kelmu_backend.population.rows import Bundle, Row, Worker
from kelmu_tui.domain.deadlines import (
    HELSINKI_TIME,
    due_on,
    is_working_day,
    kind_rules,
    local_date,
    visible_from,
)
from kelmu_tui.domain.notices import Kind, NoticeState, Status
from kelmu_tui.domain.organisations import ALAND_COUNTY, municipalities
from kelmu_tui.domain.transfer import recipient

DAYS: Final = 90
_URGENT: Final = 0.25
"""Part of the kinds that can be urgent; with their shares this makes 15 % of all (assumption of `kelmu.md` 10)."""
_DAY_OFF: Final = 0.05
"""How busy a day off is beside a working day."""
_ALAND_OWN: Final = 0.75
"""Social assistance on Åland is not Kela's, so most of its notices are of the need for social work."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """A notice as Kela makes it, before anybody has seen it; `created` and `arrived` are UTC."""

    id: str
    kind: Kind
    urgent: bool
    subtype: str | None
    organisation: str
    municipality: str
    created: datetime
    arrived: datetime
    due: date
    person: Person
    content: Row


class Kela:
    """Makes notices about `people`: the right kind for the person, to who receives it on the day."""

    def __init__(self, random: Random, people: Sequence[Person], today: date) -> None:
        self._random = random
        self._kinds = Weighted.of([(kind, rule.share) for kind, rule in kind_rules().items()])
        self._pools: dict[Kind, list[Person]] = {kind: [] for kind in Kind}
        for person in people:
            age = (today - person.born).days / 365.25
            for kind in _fitting(person, age):
                self._pools[kind].append(person)

    def notice(self, created: datetime) -> Seeded:
        """Make the next notice, created at `created` (UTC)."""
        random = self._random
        while True:
            kind = self._kinds.draw(random)
            person = random.choice(self._pools[kind])
            if municipalities()[person.municipality].county == ALAND_COUNTY and random.random() < _ALAND_OWN:
                kind = Kind.SOCIAL_WORK_NEED
            urgent = kind_rules()[kind].urgent_possible and random.random() < _URGENT
            made = make_notice(random, kind, person, created, urgent=urgent)
            if made is not None:
                return made


def make_notice(random: Random, kind: Kind, person: Person, created: datetime, *, urgent: bool) -> Seeded | None:
    """Make a notice of `kind` about `person`; None when nobody receives that kind where it would go.

    Who has moved lately gets it sent to the former municipality, as happens.
    """
    day = local_date(created)
    place = person.previous or person.municipality
    holder = recipient(kind, place, day)
    if holder is None:
        return None
    draft = make_content(random, kind, person, day, urgent=urgent, misdirected=person.previous is not None)
    arrived = visible_from(kind, urgent, created, draft.basic_decision)
    return Seeded(
        id=f"{random.getrandbits(128):032x}",
        kind=kind,
        urgent=urgent,
        subtype=draft.subtype,
        organisation=holder.business_id,
        municipality=place,
        created=created,
        arrived=arrived,
        due=due_on(kind, urgent, arrived),
        person=person,
        content=draft.content,
    )


def _fitting(person: Person, age: float) -> Iterator[Kind]:
    """Say of which kinds a notice about `person` can be."""
    yield Kind.SOCIAL_WORK_NEED
    if person.arrived is not None:
        yield Kind.IMMIGRANT
        return
    yield Kind.APPLICATION
    yield Kind.REDUCED_BASIC_AMOUNT
    if age < 25:
        yield Kind.UNEMPLOYED_UNDER_25
    elif age < 65:
        yield Kind.UNEMPLOYED_25_PLUS


def bundles(
    seed: int, today: date, people: Sequence[Person], workers: Mapping[str, Sequence[Worker]], count: int
) -> Iterator[Bundle]:
    """Yield `count` notices with their history, those of the past `DAYS` days and of the whole of today, by creation.

    Notices of today are new whatever the hour, so that the same day gives the same population; some of them, and the
    applications decided today, become visible only later.
    """
    random = chance(f"notices/{seed}")
    kela = Kela(random, people, today)
    historian = Historian(random, workers, today)
    for created in creation_times(random, today, count):
        made = kela.notice(created)
        story = Story(
            NoticeState(made.kind, Status.NEW, made.organisation, made.municipality, version=1), made.due, made.urgent
        )
        if local_date(made.arrived) < today:
            historian.tell(story, made.person, made.arrived)
        yield bundle(made, story)


def bundle(made: Seeded, story: Story) -> Bundle:
    """Return the rows of a notice and of what happened to it."""
    state = story.state
    notice: Row = {
        "id": made.id,
        "version": state.version,
        "kind": made.kind.value,
        "subtype": made.subtype,
        "urgent": made.urgent,
        "status": state.status.value,
        "organisation": state.organisation,
        "municipality": state.municipality,
        "created": made.created,
        "arrived": made.arrived,
        "due": made.due,
        "customer": make_customer(made.person),
        "content": made.content,
        "assignee": state.assignee,
        "assignee_name": state.assignee_name,
        "handled_at": state.handled_at,
        "handled_by": state.handled_by,
        "origin": story.origin,
        "transferred_from": state.transferred_from,
    }
    notes = tuple({"notice": made.id, **note} for note in story.notes)
    traces = tuple({"notice": made.id, **trace} for trace in story.traces.values())
    return Bundle(notice, notes, traces)


def creation_times(random: Random, today: date, count: int) -> Iterator[datetime]:
    """Yield `count` instants (UTC) in the order of days: by far most on working days, the last ones today."""
    fresh = min(count // 3, count // 60 + 12)
    days = [today - timedelta(days=offset) for offset in range(DAYS, 0, -1)]
    busy = list(accumulate(1.0 if is_working_day(day) else _DAY_OFF for day in days))
    past = count - fresh
    for number in range(past):
        yield _moment(random, days[bisect(busy, (number + 0.5) / past * busy[-1])])
    for number in range(fresh):
        # Spread over the whole day: whenever the demo starts, something is still to come.
        yield _at(today, int((number + random.random()) / fresh * 24 * 3600))


def _moment(random: Random, day: date) -> datetime:
    return _at(day, int(random.triangular(7 * 3600, 20 * 3600, 11 * 3600)))


def _at(day: date, second: int) -> datetime:
    clock = time(second // 3600, second // 60 % 60, second % 60)
    return datetime.combine(day, clock, HELSINKI_TIME).astimezone(UTC)
