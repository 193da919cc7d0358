"""What happened to a notice since it arrived: every state here was reached by the domain's own rules.

Whatever happened, happened on a day before today: a population is that of a day, so the notices of today are all new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from typing import Final

from kelmu_backend.population.content import say
from kelmu_backend.population.lists import inhabitants
from kelmu_backend.population.people import Person, homes, immigrant_homes
from kelmu_backend.population.rows import Row, Worker
from kelmu_tui.domain.deadlines import HELSINKI_TIME, add_working_days, local_date, working_days_between
from kelmu_tui.domain.notices import (
    Actor,
    AddNote,
    Command,
    Handle,
    Kind,
    NoticeState,
    Open,
    Release,
    Reopen,
    Status,
    Take,
    TakeBack,
    Transfer,
    decide,
)
from kelmu_tui.domain.organisations import directory
from kelmu_tui.domain.transfer import find_target, recipient

_STILL_OPEN: Final = ((1, 0.96), (3, 0.88), (7, 0.72), (14, 0.42), (30, 0.15))
"""Part of notices that still waits for work, by age in working days up to; older ones `_OLD_OPEN`."""
_OLD_OPEN: Final = 0.06
_MISDIRECTED: Final = 0.06
_NEIGHBOUR: Final = 0.35
"""Part of the misdirected ones that came to another team of the same county."""
_TAKEN_BACK: Final = 0.012


@dataclass
class Story:
    """A notice on its way through the organisations: its state, and what each step left behind."""

    state: NoticeState
    due: date
    urgent: bool
    notes: list[Row] = field(default_factory=list)
    traces: dict[str, Row] = field(default_factory=dict)
    origin: Row | None = None

    def apply(self, command: Command, worker: Worker, organisation: str, at: datetime) -> None:
        """Let `worker` of `organisation` give `command` at `at` (UTC), and keep notes, origin and traces."""
        before = self.state
        self.state = after = decide(before, command, Actor(worker.id, worker.name, organisation), at)
        if isinstance(command, AddNote):
            self.notes.append({"organisation": organisation, "at": at, "by": worker.name, "text": command.text})
        if isinstance(command, Transfer):
            self._leave(before, command, worker, at)
        if isinstance(command, TakeBack):
            trace = self.traces[organisation]
            trace |= {"version": after.version, "state": "taken_back"}
            self.state = after = _at(after, trace["from_municipality"])
            self.origin = self.origin and self.origin["previous"]
        elif before.transferred_from and before.transferred_from != after.transferred_from:
            self.traces[before.transferred_from] |= {"version": after.version, "state": "opened"}

    def _leave(self, before: NoticeState, command: Transfer, worker: Worker, at: datetime) -> None:
        self.origin = {
            "organisation": before.organisation,
            "municipality": before.municipality,
            "at": at.isoformat(),
            "reason": command.reason,
            "previous": self.origin,
        }
        if command.organisation == before.organisation:
            return
        self.traces[before.organisation] = {
            "organisation": before.organisation,
            "version": self.state.version,
            "kind": before.kind.value,
            "urgent": self.urgent,
            "due": self.due,
            "at": at,
            "by": worker.name,
            "from_municipality": before.municipality,
            "to_organisation": command.organisation,
            "to_municipality": command.municipality,
            "reason": command.reason,
            "state": "sent",
        }


def _at(state: NoticeState, municipality: str) -> NoticeState:
    return state._replace(municipality=municipality)


class Historian:
    """Tells what happened to notices until the morning of `today`.

    Args:
        workers: who may have handled notices, by business ID; where nobody works, notices stay new.
    """

    def __init__(self, random: Random, workers: Mapping[str, Sequence[Worker]], today: date) -> None:
        self._random = random
        self._workers = workers
        self._today = today
        self._age = cache(lambda day: working_days_between(day, today))

    def tell(self, story: Story, person: Person, arrived: datetime) -> None:
        """Let the notice live from `arrived` (UTC) until today."""
        random = self._random
        day = add_working_days(local_date(arrived), 0)
        chance = random.random()
        if chance < _MISDIRECTED:
            day = self._misdirect(story, person, arrived, day)
        elif chance < _MISDIRECTED + _TAKEN_BACK:
            day = self._take_back(story, person, arrived, day)
        self._work(story, person, arrived, day)

    def _worker(self, organisation: str) -> Worker | None:
        team = self._workers.get(organisation)
        return self._random.choice(team) if team else None

    def _moment(self, day: date, after: datetime) -> datetime:
        """Return an office hour on `day`, later than `after`."""
        minutes = 8 * 60 + self._random.randrange(8 * 60)
        at = datetime.combine(day, time(minutes // 60, minutes % 60), HELSINKI_TIME).astimezone(UTC)
        return max(at, after + timedelta(minutes=self._random.randrange(3, 40)))

    def _misdirect(self, story: Story, person: Person, arrived: datetime, day: date) -> date:
        """Let the notice have come to a wrong place first; it ends where it is now by a transfer of that place."""
        at_last = story.state
        wrong = self._wrong_place(at_last)
        if wrong is None:
            return day
        sent = add_working_days(day, self._random.choice((0, 0, 1, 2)))
        worker = self._worker(wrong.organisation)
        if sent >= self._today or worker is None:
            return day
        story.state = wrong
        at = self._moment(sent, arrived)
        story.apply(Open(), worker, wrong.organisation, at)
        reason = say(self._random, "transfer_reasons", person, sent)
        command = Transfer(at_last.organisation, at_last.municipality, reason)
        story.apply(command, worker, wrong.organisation, at + timedelta(minutes=self._random.randrange(1, 20)))
        return add_working_days(sent, self._random.choice((0, 1)))

    def _wrong_place(self, state: NoticeState) -> NoticeState | None:
        random = self._random
        neighbours = directory()[state.organisation].municipalities
        if len(neighbours) > 1 and random.random() < _NEIGHBOUR:
            code = random.choices(neighbours, weights=[inhabitants()[code] for code in neighbours])[0]
        else:
            code = (immigrant_homes() if state.kind is Kind.IMMIGRANT else homes()).draw(random)
        holder = recipient(state.kind, code, self._today)
        if code == state.municipality or holder is None:
            return None
        return NoticeState(state.kind, Status.NEW, holder.business_id, code, state.version)

    def _take_back(self, story: Story, person: Person, arrived: datetime, day: date) -> date:
        """Let the holder have sent it away by mistake and taken it back."""
        state = story.state
        code = (immigrant_homes() if state.kind is Kind.IMMIGRANT else homes()).draw(self._random)
        target = find_target(state.kind, state.organisation, state.municipality, code, self._today)
        worker = self._worker(state.organisation)
        if (
            target is None
            or worker is None
            or day >= self._today
            or target.organisation.business_id == state.organisation
        ):
            return day
        at = self._moment(day, arrived)
        reason = say(self._random, "transfer_reasons", person, day)
        story.apply(Transfer(target.organisation.business_id, code, reason), worker, state.organisation, at)
        story.apply(TakeBack(), worker, state.organisation, at + timedelta(minutes=self._random.randrange(1, 30)))
        return day

    def _work(self, story: Story, person: Person, arrived: datetime, day: date) -> None:
        random, organisation = self._random, story.state.organisation
        worker = self._worker(organisation)
        begun = add_working_days(day, random.choice((0, 0, 0, 1, 1, 2)))
        if worker is None or begun >= self._today:
            return
        age = self._age(local_date(arrived))
        still_open = next((part for limit, part in _STILL_OPEN if age <= limit), _OLD_OPEN)
        # A notice taken back is no longer new: what it missed is told by the steps below as for any other.
        at = self._moment(begun, _latest(story, arrived))
        if random.random() < still_open:
            self._leave_open(story, worker, person, begun, at)
            return
        ended = add_working_days(begun, random.choice((0, 0, 1, 1, 2, 3, 5, 8)))
        story.apply(Open(), worker, organisation, at)
        story.apply(Take(), worker, organisation, at + timedelta(minutes=random.randrange(1, 15)))
        self._note(story, worker, person, begun, at + timedelta(minutes=25))
        if ended >= self._today:
            return
        done = self._moment(ended, at + timedelta(minutes=30))
        story.apply(Handle(), worker, organisation, done)
        if random.random() < 0.02:
            story.apply(Reopen(), worker, organisation, done + timedelta(minutes=20))
            story.apply(Handle(), worker, organisation, done + timedelta(minutes=50))

    def _leave_open(self, story: Story, worker: Worker, person: Person, day: date, at: datetime) -> None:
        """Stop before the work is done: unread, read, given back, or under way."""
        random, organisation = self._random, story.state.organisation
        how = random.random()
        if how < 0.45:
            return
        story.apply(Open(), worker, organisation, at)
        if how < 0.58:
            return
        story.apply(Take(), worker, organisation, at + timedelta(minutes=random.randrange(1, 15)))
        self._note(story, worker, person, day, at + timedelta(minutes=20))
        if how < 0.62:
            story.apply(Release(), worker, organisation, at + timedelta(minutes=30))

    def _note(self, story: Story, worker: Worker, person: Person, day: date, at: datetime) -> None:
        if self._random.random() < 0.3:
            text = say(self._random, "notes", person, day)
            story.apply(AddNote(text), worker, story.state.organisation, at)


def _latest(story: Story, arrived: datetime) -> datetime:
    times: list[datetime] = [arrived, *(trace["at"] for trace in story.traces.values())]
    return max(times)
