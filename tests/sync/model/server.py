"""The server: rows in scopes, a feed with the newest entry of each, a memory of answers, the chains of views."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from tests.sync.model.bugs import Bug

DAY: Final = 86_400.0
MEMORY: Final = 90 * DAY
OLDEST: Final = 89 * DAY
LEASE: Final = 12 * 3_600.0
PAGE: Final = 3
FILL_PAGE: Final = 2
KEPT_REMOVALS: Final = 8
ORGANISATIONS: Final = ("A", "B")


class Violation(AssertionError):
    """An invariant does not hold."""


class Sent(NamedTuple):
    """A command on the wire: the same on every attempt."""

    user: str
    key: str
    notice: int
    verb: str
    if_match: int
    lease: float
    number: int


class Result(NamedTuple):
    """What became of a command: `why` is empty when it was applied."""

    why: str
    seq: int = 0
    version: int = 0
    epoch: int = 0


class Cursor(NamedTuple):
    """How far a client has read, and in which scopes."""

    epoch: int
    seq: int
    scopes: frozenset[str]


class Change(NamedTuple):
    """A row is there in `version`, or no longer."""

    scope: str
    notice: int
    version: int
    there: bool


class Answer(NamedTuple):
    """An answer of the feed; `reset` means to begin anew."""

    reset: bool
    cursor: Cursor
    more: bool
    changes: tuple[Change, ...]
    added: frozenset[str]
    revoked: frozenset[str]
    time: float


class Page(NamedTuple):
    """A page of a fill: `last` is None when the scope is complete."""

    epoch: int
    head: int
    rows: tuple[tuple[int, int], ...]
    last: int | None


class Receipt(NamedTuple):
    """How many views of a user the server holds."""

    number: int


@dataclass(slots=True)
class _State:
    """What a backup holds."""

    head: int
    low: int
    holder: dict[int, str]
    version: dict[int, int]
    traces: dict[tuple[str, int], int]
    feed: dict[tuple[str, int], tuple[int, int, bool]]
    memo: dict[str, tuple[Sent, Result, float]]
    effects: Counter[str]
    order: dict[tuple[str, int], list[int]]
    views: dict[str, list[int]]


def user_scopes(organisation: str) -> frozenset[str]:
    """Return the scopes of an organisation: its notices, its traces of those given away."""
    return frozenset((organisation, organisation.lower()))


class Server:
    """One server with eight notices of two organisations."""

    def __init__(self, dice: Random, bugs: frozenset[Bug], users: dict[str, str], *, notices: int = 8) -> None:
        self.dice = dice
        self.bugs = bugs
        self.users = users
        self.time = 0.0
        self.epoch = 1
        self.restored = False
        self.grants: dict[str, frozenset[str]] = {user: user_scopes(where) for user, where in users.items()}
        self.s = _State(0, 0, {}, {}, {}, {}, {}, Counter(), defaultdict(list), defaultdict(list))
        for notice in range(notices):
            self.s.holder[notice], self.s.version[notice] = ORGANISATIONS[notice % 2], 1
            self._record([(ORGANISATIONS[notice % 2], notice, 1, True)])
        self._backup: tuple[float, _State] | None = None

    # --- commands ----------------------------------------------------------------------------------------------------

    def command(self, sent: Sent) -> Result:
        """Carry out a command once, or answer as the first time."""
        known = self.s.memo.get(sent.key)
        if known is not None and Bug.NO_MEMO not in self.bugs:
            if known[0] != sent:
                raise Violation("a key came back with another command")
            # What survived a restore is part of the present epoch's record.
            same = known[1].why or Bug.MEMO_KEEPS_EPOCH in self.bugs
            return known[1] if same else known[1]._replace(epoch=self.epoch)
        result = self._run(sent)
        if Bug.MEMO_OUTSIDE not in self.bugs or self.dice.random() > 0.3:
            self.s.memo[sent.key] = (sent, result, self.time)
        return result

    def _run(self, sent: Sent) -> Result:
        organisation, notice = self.users[sent.user], sent.notice
        if self.time - sent.lease > OLDEST and Bug.OLD_COMMANDS_RUN not in self.bugs:
            return Result("expired")
        needed = user_scopes(organisation) if sent.verb == "transfer" else {organisation}
        if not needed <= self.grants[sent.user]:
            return Result("forbidden")
        if self.s.holder[notice] != organisation:
            return Result("not_found")
        if self.s.version[notice] != sent.if_match and sent.verb != "note":
            return Result("version")
        self.s.version[notice] += 1
        version = self.s.version[notice]
        entries = [(organisation, notice, version, True)]
        if sent.verb == "transfer":
            other = ORGANISATIONS[organisation == ORGANISATIONS[0]]
            self.s.holder[notice] = other
            self.s.traces[organisation, notice] = version
            entries = [
                (organisation, notice, version, False),
                (other, notice, version, True),
                (organisation.lower(), notice, version, True),
            ]
        self._note_effect(sent)
        return Result("", self._record(entries), version, self.epoch)

    def _note_effect(self, sent: Sent) -> None:
        self.s.effects[sent.key] += 1
        if self.s.effects[sent.key] > 1:
            raise Violation(f"I2: two effects of {sent.key}")
        if self.time - sent.lease > MEMORY:
            raise Violation(f"I14: {sent.key} is older than the memory and was run")
        numbers = self.s.order[sent.user, sent.notice]
        if numbers and numbers[-1] > sent.number and not self.restored:
            raise Violation(f"I8: effects of {sent.user} on {sent.notice} out of order")
        numbers.append(sent.number)

    def _record(self, entries: list[tuple[str, int, int, bool]]) -> int:
        self.s.head += 1
        for scope, notice, version, there in entries:
            self.s.feed[scope, notice] = (self.s.head, version, there)
        return self.s.head

    # --- the feed ----------------------------------------------------------------------------------------------------

    def changes(self, user: str, cursor: Cursor | None) -> Answer | None:
        """Answer a question to the feed; None when nothing at all is granted."""
        granted, s = self.grants[user], self.s
        if not granted:
            return None
        if cursor is None or cursor.epoch != self.epoch or not s.low <= cursor.seq <= s.head:
            return Answer(True, Cursor(self.epoch, s.head, granted), False, (), frozenset(), frozenset(), self.time)
        known = cursor.scopes & granted
        entries = sorted(
            (seq, scope, notice, version, there)
            for (scope, notice), (seq, version, there) in s.feed.items()
            if seq > cursor.seq and scope in known
        )
        page = entries
        if len(entries) > PAGE:
            last = entries[PAGE - 1][0]
            page = entries[:PAGE] if Bug.PAGE_SPLITS in self.bugs else [entry for entry in entries if entry[0] <= last]
        more = len(page) < len(entries)
        to = page[-1][0] if more else s.head
        told = tuple(Change(scope, notice, version, there) for _, scope, notice, version, there in page)
        return Answer(
            False,
            Cursor(self.epoch, to, granted),
            more,
            told,
            granted - cursor.scopes,
            cursor.scopes - granted,
            self.time,
        )

    def fill(self, user: str, scope: str, after: int) -> Page | None:
        """Read a page of a scope; None when it is not granted."""
        if scope not in self.grants[user]:
            return None
        rows = sorted(item for item in self.rows(scope).items() if item[0] > after)[:FILL_PAGE]
        last = rows[-1][0] if len(rows) == FILL_PAGE else None
        return Page(self.epoch, self.s.head, tuple(rows), last)

    def rows(self, scope: str) -> dict[int, int]:
        """Return the version of every row of a scope."""
        if scope.isupper():
            return {n: self.s.version[n] for n, holder in self.s.holder.items() if holder == scope}
        return {n: version for (where, n), version in self.s.traces.items() if where == scope.upper()}

    # --- views -------------------------------------------------------------------------------------------------------

    def ship(self, user: str, first: int, views: tuple[int, ...]) -> Receipt:
        """Take views numbered from `first`; what is known already must be the same, and no number may be left out."""
        held = self.s.views[user]
        for number, subject in enumerate(views, first):
            if number < len(held):
                if held[number] != subject:
                    raise Violation(f"I16: view {number} of {user} is not what it was")
            elif number == len(held):
                held.append(subject)
        return Receipt(len(held))

    # --- what happens to it ------------------------------------------------------------------------------------------

    def compact(self) -> None:
        """Drop old removals from the feed."""
        s = self.s
        limit = s.head - KEPT_REMOVALS
        old = [(key, seq) for key, (seq, _, there) in s.feed.items() if not there and seq <= limit]
        for key, seq in old:
            del s.feed[key]
            s.low = max(s.low, seq)

    def forget(self) -> None:
        """Forget answers that are older than the memory."""
        memo = self.s.memo
        for key in [key for key, (_, _, at) in memo.items() if at < self.time - MEMORY]:
            del memo[key]

    def back_up(self) -> None:
        """Copy everything."""
        self._backup = (self.time, copy.deepcopy(self.s))

    def restore(self) -> bool:
        """Put the backup in place, unless it is older than clients remember what they sent."""
        if self._backup is None or self.time - self._backup[0] > 6 * DAY:
            return False
        self.s = copy.deepcopy(self._backup[1])
        if Bug.EPOCH_STAYS not in self.bugs:
            self.epoch += 1
            self.s.head += 1
        self.restored = True
        return True
