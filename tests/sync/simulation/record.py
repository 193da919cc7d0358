"""The backend's side: its own units of work on SQLite, without HTTP and without threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

from sqlalchemy import Connection, event, insert, select
from sqlalchemy.exc import OperationalError

from kelmu_backend import commands, feed, notices, policy, pull, rows, views
from kelmu_backend.commands import Envelope, Verdict
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.keys import Signer
from kelmu_backend.lease import Leases
from kelmu_backend.problems import ProblemError, not_found
from kelmu_backend.routes.call import Call, Visit
from kelmu_backend.routes.session import session
from kelmu_tui.api.answers import CommandAnswer
from kelmu_tui.api.contract import ChainRegistration, Changes, CommandResult, Problem, ProblemCode, ViewBatch
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.organisations import Organisation
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store.outbox import KEPT, Frozen
from tests.sync.simulation import claims
from tests.sync.simulation.claims import Book
from tests.sync.simulation.ends import Ends, over_at
from tests.sync.simulation.ground import (
    INBOX,
    LOOK_UP,
    PLACES,
    START,
    USERS,
    A,
    B,
    Effect,
    HandClock,
    ServerCrash,
    Stream,
    build,
    grants,
    notice_row,
)
from tests.sync.simulation.places import Place, SqlitePlace

__all__ = ["INBOX", "LOOK_UP", "PLACES", "START", "USERS", "A", "B", "HandClock", "Record", "Stream", "build"]

_COMPILED: Final[dict[bool, dict[Any, Any]]] = {True: {}, False: {}}
"""Compiled statements of each engine, SQLite's under True."""


class Record:
    """The backend of one run.

    Attributes:
        effects: what commands have changed, in order; a restore takes back what it takes back in the database.
        refused: epoch in which each command was refused last.
        restored: whether a backup was ever put in place.
        restored_old: whether one was older than clients offer their commands again.
        ends: which notices come to their end; None for none.
        held: versions by scope and id as they stood at each sequence of each epoch.
        over: when a version of a notice that was handled is over for whoever has heard of no later one.
        dropped, gone_notes: notices that were deleted because their time was over, and the notes that went with them.
        fuse: statements left until the backend dies; None while it lives on.
        twin: whether the next command meets one of the same key that is still under way.
    """

    def __init__(self, template: Path | Place, folder: Path, clock: HandClock, seed: int) -> None:
        self._place = SqlitePlace(template, folder) if isinstance(template, Path) else template
        self._place.begin()
        self._clock = clock
        self.ids = SeededIds(f"record-{seed}")
        self._cursors = Signer(b"k" * 32, "cursor")
        self.leases = Leases(Signer(b"k" * 32, "lease"), 12)
        self.effects: list[Effect] = []
        self.refused: dict[str, str] = {}
        self.numbers = 0
        self.restored = self.restored_old = False
        self.held: dict[tuple[str, int], dict[tuple[str, str], int]] = {}
        self.over: dict[tuple[str, int], datetime] = {}
        self.dropped: set[str] = set()
        self.gone_notes: Counter[str] = Counter()
        self.fuse: int | None = None
        self.twin = False
        self._leased: dict[str, datetime] = {}
        self.book = Book()
        self._saved: tuple[list[Effect], dict[tuple[str, str], int], Counter[str], datetime, Book] | None = None
        self._now: dict[tuple[str, str], int] = {}
        self.ends: Ends | None = None
        self._epoch = ""
        self._open()

    def _open(self) -> None:
        self.database = Database(self._place.url)
        for engine in (self.database._reader, self.database._writer):
            # The same statements in every run: compiling them anew would cost more than running them.
            engine._compiled_cache = _COMPILED[self.database.is_sqlite]
        event.listen(self.database._writer, "before_cursor_execute", self._before)
        with self.database.read() as connection:
            self._remember(connection)

    def _before(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                raise ServerCrash
        if self.twin and "INTO memo" in statement:
            self.twin = False
            raise OperationalError("lock timeout", None, Exception())

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a transaction, and note afterwards what stands at the feed's new head."""
        with self.database.write() as connection:
            yield connection
            self._remember(connection)

    def _remember(self, connection: Connection) -> None:
        fuse, self.fuse = self.fuse, None
        state = feed.state(connection)
        for entry in connection.execute(select(tables.feed).where(tables.feed.c.seq == state.head)):
            if entry.op == "up":
                self._now[entry.scope, entry.aggregate] = entry.version
                if (at := over_at(connection, entry.scope, entry.aggregate)) is not None:
                    self.over[entry.aggregate, entry.version] = at
            else:
                self._now.pop((entry.scope, entry.aggregate), None)
        self.held[state.epoch, state.head] = dict(self._now)
        self._epoch = state.epoch
        self.fuse = fuse

    def close(self) -> None:
        """Close the files."""
        self.database.dispose()

    def drop(self) -> None:
        """Remove everything."""
        self.close()
        self._place.drop()

    def lease(self, user: str) -> str:
        """Return a lease as of now."""
        return str(self.issue(user)["id"])

    def issue(self, user: str) -> dict[str, Any]:
        """Return a lease as of now as the wire carries it."""
        lease = self.leases.issue(user, self._clock.now())
        self._leased[lease["id"]] = self._clock.now()
        return lease

    # --- what clients ask --------------------------------------------------------------------------------------------

    def answer(self, user: str, cursor: str | None) -> dict[str, Any]:
        """Return the body of an answer of the feed.

        Raises:
            ProblemError: not one mandate is left.
        """
        now = self._clock.now()
        with self.database.read() as connection:
            access = self._access(connection, user)
            return pull.changes(connection, access, cursor, self._cursors, now, self.issue(user)).body

    def changes(self, user: str, cursor: str | None) -> Changes | ProblemError:
        """Answer a question to the feed."""
        try:
            return Changes.model_validate(self.answer(user, cursor))
        except ProblemError as problem:
            return problem

    def page(self, user: str, scope: str, after: str | None, *, first: bool) -> Stream:
        """Read one page of a snapshot."""
        with self.database.read() as connection:
            try:
                access = self._access(connection, user)
                return Stream(pull.snapshot_page(connection, access, scope, after or "", first=first))
            except ProblemError as problem:
                return Stream(None, problem)

    def session(self, user: str) -> dict[str, Any]:
        """Return the body of the answer about the session, from the route's own unit of work."""
        config = SimpleNamespace(clock=self._clock, demo=False)
        leases = SimpleNamespace(issue=lambda user, _: self.issue(user))
        call = SimpleNamespace(core=SimpleNamespace(config=config, leases=leases))
        visit = SimpleNamespace(principal=SimpleNamespace(user=user))
        with self.database.read() as connection:
            return session(connection, cast("Visit", visit), cast("Call", call))

    def run(self, envelope: Envelope) -> Verdict:
        """Carry out a command, or remember what became of it.

        Raises:
            ProblemError: an answer that is not remembered.
        """
        now = self._clock.now()
        capability, apply = claims.way(envelope, self.ids)
        with self.write() as connection:
            verdict = commands.run(connection, envelope, capability, self.leases, now, apply)
        if verdict.change is not None:
            if apply is not None:
                self.booked(self.book.accept, envelope, now)
            age = now - self._leased.get(envelope.lease, now)
            self.effects.append(Effect(envelope.user, envelope.key, envelope.subject, age))
        if verdict.status != 200:
            self.refused[envelope.key] = self._epoch
        return verdict

    def booked(self, note: Callable[..., None], *values: Any) -> None:
        """Note in the book of claims what was done, and hold the record against it."""
        note(*values)
        with self.database.read() as connection:
            self.book.compare(connection)

    def register(self, user: str, body: bytes) -> views.Verdict:
        """Take down a log of views."""
        registration = ChainRegistration.model_validate_json(body)
        with self.write() as connection:
            return views.register(connection, user, f"device-{user}", registration, self._clock.now())

    def append(self, body: bytes, signature: str) -> views.Verdict:
        """Take in a batch of views.

        Raises:
            ProblemError: the log is not known, or has not signed it.
        """
        batch = ViewBatch.model_validate_json(body)
        with self.write() as connection:
            key = views.key_of(connection, batch.chain)
            if key is None:
                raise not_found()
            if not views.is_signed(key, signature, body):
                raise ProblemError(ProblemCode.VIEW_SIGNATURE_WRONG)
            return views.append(connection, batch, self._clock.now())

    def command(self, user: str, sent: Frozen) -> CommandAnswer:
        """Carry out a command as the client would see it."""
        envelope = Envelope(
            user,
            f"device-{user}",
            sent.organisation,
            sent.aggregate,
            sent.verb,
            sent.id,
            sent.if_match,
            sent.lease,
            sent.body,
            "request",
        )
        try:
            verdict = self.run(envelope)
        except ProblemError as problem:
            return CommandAnswer(problem.status, problem=Problem.model_validate(problem.body()))
        if verdict.status != 200:
            return CommandAnswer(verdict.status, problem=Problem.model_validate(verdict.body))
        return CommandAnswer(200, result=CommandResult.model_validate(verdict.body))

    def _access(self, connection: Connection, user: str) -> policy.Access:
        return policy.access(connection, user, USERS[user].business_id, local_date(self._clock.now()))

    # --- what happens to it ------------------------------------------------------------------------------------------

    def arrive(self, organisation: Organisation, count: int = 1) -> None:
        """Let new notices arrive."""
        now = self._clock.now()
        with self.write() as connection:
            for _ in range(count):
                self.numbers += 1
                row = notice_row(self.numbers, organisation, now)
                if self.ends is not None:
                    row |= self.ends.give(row["id"], self.numbers, now)
                connection.execute(insert(tables.notice), row)
            notices.publish_due(connection, now)

    def regrant(self, user: str, *mandates: str) -> None:
        """Give a user exactly these mandates."""
        with self.write() as connection:
            policy.replace_grants(connection, user, grants(USERS[user], *mandates))

    def compact(self, keep: int = 6) -> None:
        """Drop removals that are not among the newest."""
        with self.write() as connection:
            feed.compact(connection, keep)

    def end(self) -> None:
        """Delete what is over, at once: the backend's own round comes each hour."""
        if self.ends is not None and self.ends.come(self._clock.now()):
            self.forget()

    def forget(self) -> int:
        """Do what the backend does each hour: forget old results, delete notices whose time is over."""
        now = self._clock.now()
        with self.write() as connection:
            before = self._there(connection)
            notices.drop_over(connection, now)
            after = self._there(connection)
            self.dropped |= before[0] - after[0]
            self.gone_notes += before[1] - after[1]
            self.dropped |= self.book.forget(connection, now)
            return commands.forget(connection, now)

    @staticmethod
    def _there(connection: Connection) -> tuple[set[str], Counter[str]]:
        found = set(connection.execute(select(tables.notice.c.id)).scalars())
        return found, Counter(connection.execute(select(tables.note.c.text)).scalars())

    def back_up(self) -> None:
        """Copy the record to the backup."""
        self.close()
        self._place.back_up()
        self._saved = (list(self.effects), dict(self._now), self.gone_notes.copy(), self._clock.at, self.book.copy())
        self._open()

    def restore(self) -> bool:
        """Put the backup in place: everything since is lost, and a new epoch begins; False without a backup."""
        if self._saved is None:
            return False
        self.close()
        self._place.restore()
        self.effects, self._now, self.gone_notes = list(self._saved[0]), dict(self._saved[1]), self._saved[2].copy()
        self.book = self._saved[4].copy()
        self._open()
        with self.write() as connection:
            feed.new_epoch(connection, self.ids)
        self.restored = True
        self.restored_old = self.restored_old or self._clock.at - self._saved[3] >= KEPT - timedelta(days=1)
        return True

    # --- what is true ------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the present instant."""
        return self._clock.now()

    def standing(self, scope: str) -> list[tuple[str, int]]:
        """Return what stands in a scope now, with its versions."""
        return sorted((id_, version) for (name, id_), version in self._now.items() if name == scope)

    def epoch(self) -> str:
        """Return the feed's epoch."""
        return self._epoch

    def undone(self, key: str) -> bool:
        """Tell whether a command was refused in an epoch that a restore has ended.

        A copy of its request that the network held back over the restore meets a record that knows nothing of it.
        """
        return self.refused.get(key, self._epoch) != self._epoch

    def notes(self) -> Counter[str]:
        """Return how often each note was written."""
        with self.database.read() as connection:
            return Counter(connection.execute(select(tables.note.c.text)).scalars())

    def scopes(self, user: str) -> frozenset[str]:
        """Return the scopes that a user may see now."""
        with self.database.read() as connection:
            try:
                return self._access(connection, user).scopes
            except ProblemError:
                return frozenset()

    def visible(self, user: str) -> dict[tuple[str, str], int]:
        """Return the version of every row a user may see now, by table and id."""
        organisation = USERS[user].business_id
        granted = self.scopes(user)
        found: dict[tuple[str, str], int] = {}
        readers: dict[str, tuple[str, Callable[[Connection], list[dict[str, Any]]]]] = {
            f"notices:{organisation}": ("notice", lambda c: rows.notice_page(c, organisation, "", 10_000)),
            f"traces:{organisation}": ("trace", lambda c: rows.trace_page(c, organisation, "", 10_000)),
            f"claims:{organisation}": ("claim", lambda c: claims.rows(c, organisation)),
        }
        with self.database.read() as connection:
            for scope, (table, read) in readers.items():
                if scope in granted:
                    found |= {(table, row["id"]): row["version"] for row in read(connection)}
        return found
