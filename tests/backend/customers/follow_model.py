"""A plain model of following: what each follow tells, reckoned from everything that happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from kelmu_tui.domain.following import MAX_CHANGES
from kelmu_tui.domain.sections import looks_kept
from tests.backend.conftest import LOOK_UP

NARROW = "integration_services_benefits"
SUBSIDY = "labour_market_subsidy"
WHAT = {"granted": "decision", "suspended": "stopped", "paid": "payment", "planned": None}
GONE = {"granted": "withdrawn", "suspended": "withdrawn", "paid": "withdrawn", "planned": "stopped"}


class Row(NamedTuple):
    """A row of a person: which one, and of which benefit."""

    section: str
    id: str
    benefit: str


class Told(NamedTuple):
    """A change as it is told."""

    at: datetime
    row: Row
    what: str


@dataclass
class Followed:
    """A follow."""

    user: str
    person: str
    case: str
    looked: datetime
    until: datetime
    ended: str | None = None
    ended_at: datetime | None = None

    @property
    def over(self) -> datetime:
        """When it ended, or will."""
        return self.ended_at or self.until

    def runs(self, now: datetime) -> bool:
        """Tell whether it goes on."""
        return self.ended is None and self.until > now

    def covers(self, at: datetime) -> bool:
        """Tell whether it tells of what happens at an instant."""
        return self.looked < at <= self.over


@dataclass
class Model:
    """Everything that happened."""

    mandates: dict[str, frozenset[str]]
    looks: list[tuple[str, str, datetime]] = field(default_factory=list)
    rows: dict[str, dict[Row, tuple[str, datetime]]] = field(default_factory=dict)
    changes: dict[str, list[Told]] = field(default_factory=dict)
    follows: dict[str, Followed] = field(default_factory=dict)

    def may(self, user: str) -> bool:
        """Tell whether a user may look anybody up."""
        return bool(self.mandates[user] & {LOOK_UP, NARROW})

    def sees(self, user: str, row: Row) -> bool:
        """Tell whether a user may see a row."""
        return LOOK_UP in self.mandates[user] or (NARROW in self.mandates[user] and row.benefit == SUBSIDY)

    def look(self, user: str, person: str, now: datetime) -> None:
        """Let a user look somebody up."""
        if self.may(user):
            self.looks.append((user, person, now))

    def begin(self, id: str, user: str, person: str, case: str, now: datetime) -> bool:  # noqa: A002
        """Begin to follow; tell whether that is allowed."""
        last = max((at for who, whom, at in self.looks if (who, whom) == (user, person)), default=None)
        same = [one for one in self.follows.values() if (one.user, one.person, one.case) == (user, person, case)]
        if not self.may(user) or last is None or last <= now - looks_kept() or id in self.follows:
            return False
        if any(one.runs(now) for one in same):
            return False
        others = [one for one in self.follows.values() if one.person == person]
        for row, (state, changed) in self.rows.get(person, {}).items():
            what = WHAT[state]
            if what and changed > last and not any(one.covers(changed) for one in others):
                self.changes.setdefault(person, []).append(Told(changed, row, what))
        self.follows[id] = Followed(user, person, case, last, now + looks_kept())
        return True

    def go_on(self, id: str, verb: str, user: str, now: datetime) -> bool:  # noqa: A002
        """Renew or end a follow; tell whether that is allowed."""
        one = self.follows.get(id)
        if not self.may(user) or one is None or one.user != user or not one.runs(now):
            return False
        if verb == "renew":
            one.until = now + looks_kept()
        else:
            one.ended, one.ended_at = "case", now
        return True

    def change(self, person: str, row: Row, state: str | None, now: datetime) -> None:
        """Let a row of a person be in a state, or be gone."""
        rows = self.rows.setdefault(person, {})
        before = rows.get(row)
        if (before and before[0]) == state:
            return
        if state is None:
            assert before is not None
            what: str | None = GONE[before[0]]
            del rows[row]
        else:
            what = WHAT[state]
            rows[row] = (state, now)
        followers = [one for one in self.follows.values() if one.person == person]
        if what and any(one.runs(now) for one in followers):
            over = [one for one in followers if not one.runs(now)]
            kept = [
                one
                for one in self.changes.get(person, [])
                if one.row != row
                or any(whom == person and at >= one.at for _, whom, at in self.looks)
                or any(other.covers(one.at) for other in over)
            ]
            self.changes[person] = [*kept, Told(now, row, what)]

    def tick(self, now: datetime) -> None:
        """Let time and missing mandates end what they end."""
        for one in self.follows.values():
            if one.ended is None and one.until <= now:
                one.ended, one.ended_at = "time", one.until
            elif one.ended is None and not self.may(one.user):
                one.ended, one.ended_at = "mandate", now

    def told(self, user: str) -> dict[str, tuple[str | None, list[tuple[str, str]]]]:
        """Return how each follow of a user has ended, and the rows with what happened to them, newest first."""
        return {
            id_: (
                one.ended,
                [
                    (change.row.id, change.what)
                    for change in sorted(self.changes.get(one.person, []), reverse=True)
                    if one.looked < change.at
                    and (one.ended_at is None or change.at <= one.ended_at)
                    and self.sees(user, change.row)
                ][:MAX_CHANGES],
            )
            for id_, one in self.follows.items()
            if one.user == user
        }
