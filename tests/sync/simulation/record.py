"""The backend's side: its own units of work on SQLite, without HTTP and without threads."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from kelmu_backend import commands, feed, notices, policy, pull, rows
from kelmu_backend.commands import Envelope
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.keys import Signer
from kelmu_backend.lease import Leases
from kelmu_backend.problems import ProblemError
from kelmu_tui.api.answers import CommandAnswer
from kelmu_tui.api.contract import Changes, CommandResult, Problem
from kelmu_tui.domain.capabilities import NOTICE_TRANSFER, NOTICES_INBOX, Grant, MandateKind
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.organisations import Organisation, social_care_organiser
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store.outbox import Frozen

START: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
A: Final = social_care_organiser("837")
B: Final = social_care_organiser("049")
PLACES: Final = {A.business_id: ("837", "536", "211"), B.business_id: ("049", "092", "235")}
USERS: Final = {"aino": A, "bertta": A, "bo": B}
INBOX: Final = "social_assistance_and_social_care"
LOOK_UP: Final = "benefit_viewing_and_claims"


class HandClock:
    """Time that moves when the simulation says so."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def monotonic(self) -> float:
        """Return seconds since the start."""
        return (self.at - START).total_seconds()


@dataclass(frozen=True)
class Effect:
    """A change that a command made: who made it, under which key, to what."""

    user: str
    key: str
    notice: str


@dataclass(frozen=True)
class Stream:
    """A page of a snapshot, or the problem that ended the stream."""

    page: pull.SnapshotPage | None
    problem: ProblemError | None = None


def grants(organisation: Organisation, *mandates: str) -> list[Grant]:
    """Return direct grants of `mandates`."""
    id_ = organisation.business_id
    return [Grant(name, MandateKind.MANDATE_TO_ACT, id_, id_, (), date(2025, 1, 1)) for name in mandates]


def build(path: Path) -> None:
    """Make an empty record with organisations and users, copied for each run."""
    database = Database(f"sqlite:///{path}")
    database.migrate()
    with database.write() as connection:
        feed.ensure(connection, SeededIds("epoch"))
        for organisation in (A, B):
            connection.execute(
                insert(tables.organisation),
                {
                    "business_id": organisation.business_id,
                    "name_fi": organisation.name.fi,
                    "name_sv": organisation.name.sv,
                    "name_en": organisation.name.en,
                    "type": organisation.type.value,
                    "county": organisation.county,
                    "municipalities": list(organisation.municipalities),
                },
            )
            connection.execute(
                insert(tables.agreement), {"organisation": organisation.business_id, "valid_from": date(2025, 1, 1)}
            )
        for user, organisation in USERS.items():
            connection.execute(
                insert(tables.app_user),
                {"id": user, "name": user.title(), "language": "fi", "employer": organisation.business_id},
            )
            policy.replace_grants(connection, user, grants(organisation, INBOX, LOOK_UP))
    database.dispose()


class Record:
    """The backend of one run."""

    def __init__(self, template: Path, folder: Path, clock: HandClock, seed: int) -> None:
        self._folder = folder
        self._path = folder / "record.db"
        shutil.copy(template, self._path)
        self._clock = clock
        self._ids = SeededIds(f"record-{seed}")
        self._cursors = Signer(b"k" * 32, "cursor")
        self._leases = Leases(Signer(b"k" * 32, "lease"), 12)
        self.effects: list[Effect] = []
        self.numbers = 0
        self.restored = False
        self._open()

    def _open(self) -> None:
        self.database = Database(f"sqlite:///{self._path}")

    def close(self) -> None:
        """Close the files."""
        self.database.dispose()

    def lease(self, user: str) -> str:
        """Return a lease as of now."""
        return str(self._leases.issue(user, self._clock.now())["id"])

    # --- what clients ask --------------------------------------------------------------------------------------------

    def changes(self, user: str, cursor: str | None) -> Changes | ProblemError:
        """Answer a question to the feed."""
        now = self._clock.now()
        with self.database.read() as connection:
            try:
                access = self._access(connection, user)
            except ProblemError as problem:
                return problem
            lease = self._leases.issue(user, now)
            return Changes.model_validate(pull.changes(connection, access, cursor, self._cursors, now, lease).body)

    def page(self, user: str, scope: str, after: str | None, *, first: bool) -> Stream:
        """Read one page of a snapshot."""
        with self.database.read() as connection:
            try:
                access = self._access(connection, user)
                return Stream(pull.snapshot_page(connection, access, scope, after or "", first=first))
            except ProblemError as problem:
                return Stream(None, problem)

    def command(self, user: str, sent: Frozen) -> CommandAnswer:
        """Carry out a command, or remember what became of it."""
        now = self._clock.now()
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
        capability = NOTICE_TRANSFER if sent.verb in ("transfer", "take-back") else NOTICES_INBOX
        try:
            with self.database.write() as connection:
                verdict = commands.run(connection, envelope, capability, self._leases, now)
        except ProblemError as problem:
            return CommandAnswer(problem.status, problem=Problem.model_validate(problem.body()))
        if verdict.change is not None:
            self.effects.append(Effect(user, sent.id, sent.aggregate))
        if verdict.status != 200:
            return CommandAnswer(verdict.status, problem=Problem.model_validate(verdict.body))
        return CommandAnswer(200, result=CommandResult.model_validate(verdict.body))

    def _access(self, connection: Connection, user: str) -> policy.Access:
        return policy.access(connection, user, USERS[user].business_id, local_date(self._clock.now()))

    # --- what happens to it ------------------------------------------------------------------------------------------

    def arrive(self, organisation: Organisation, count: int = 1) -> None:
        """Let new notices arrive."""
        now = self._clock.now()
        with self.database.write() as connection:
            for _ in range(count):
                self.numbers += 1
                connection.execute(insert(tables.notice), _notice(self.numbers, organisation, now))
            notices.publish_due(connection, now)

    def regrant(self, user: str, *mandates: str) -> None:
        """Give a user exactly these mandates."""
        with self.database.write() as connection:
            policy.replace_grants(connection, user, grants(USERS[user], *mandates))

    def compact(self) -> None:
        """Drop removals that are not among the newest."""
        with self.database.write() as connection:
            feed.compact(connection, 6)

    def back_up(self) -> None:
        """Copy the record to the backup."""
        self.close()
        shutil.copy(self._path, self._folder / "backup.db")
        self._open()

    def restore(self) -> None:
        """Put the backup in place: everything since is lost, and a new epoch begins."""
        backup = self._folder / "backup.db"
        if not backup.exists():
            return
        self.close()
        for left in self._folder.glob("record.db-*"):
            left.unlink()
        shutil.copy(backup, self._path)
        self._open()
        with self.database.write() as connection:
            feed.new_epoch(connection, self._ids)
        self.restored = True

    # --- what is true ------------------------------------------------------------------------------------------------

    def epoch(self) -> str:
        """Return the feed's epoch."""
        with self.database.read() as connection:
            return feed.state(connection).epoch

    def notes(self) -> Counter[str]:
        """Return how often each note was written."""
        with self.database.read() as connection:
            return Counter(connection.execute(select(tables.note.c.text)).scalars())

    def scopes(self, user: str) -> frozenset[str]:
        """Return what a user may see now."""
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
        }
        with self.database.read() as connection:
            for scope, (table, read) in readers.items():
                if scope in granted:
                    found |= {(table, row["id"]): row["version"] for row in read(connection)}
        return found


def _notice(number: int, organisation: Organisation, now: datetime) -> dict[str, Any]:
    place = PLACES[organisation.business_id][0]
    return {
        "id": f"n{number:04d}",
        "version": 1,
        "kind": "social_work_need",
        "urgent": False,
        "status": "new",
        "organisation": organisation.business_id,
        "municipality": place,
        "created": now - timedelta(hours=1),
        "arrived": now,
        "due": date(2026, 12, 1),
        "customer": {
            "identity_code": "010190-900R",
            "family_name": "Virta",
            "given_names": "Oskar",
            "language": "fi",
            "non_disclosure": False,
        },
        "content": {"free_text": "Asiakas pyytää yhteydenottoa."},
        "published": False,
    }
