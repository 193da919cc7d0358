"""Whatever happens in whatever order, a follower is told what a plain model says: from the record, and by the feed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from kelmu_backend import commands, feed, policy, pull
from kelmu_backend.commands import Envelope
from kelmu_backend.customers import changing, followed, following, looking
from kelmu_backend.customers.changing import Key, Known
from kelmu_backend.customers.looking import Setting
from kelmu_backend.database import tables
from kelmu_backend.database.customer_tables import person, person_code
from kelmu_backend.database.engine import Database
from kelmu_backend.keys import Signer
from kelmu_backend.lease import Leases
from kelmu_backend.policy import Access, follows_scope
from kelmu_backend.problems import ProblemError
from kelmu_backend.rows import encode
from kelmu_tui.api.contract import CustomerQuery, FollowRow
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP, Section
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import HELSINKI, INBOX, LOOK_UP, HandClock, grant, organisation_row

from .follow_model import NARROW, SUBSIDY, Model, Row
from .following import follow_id
from .support import PURPOSE, REASON, code, person_row

USERS: Final = ("ada", "bea")
PEOPLE: Final = ("p1", "p2")
CASES: Final = ("S 1", "S 2")
MANDATES: Final = (
    frozenset({LOOK_UP, INBOX}),
    frozenset({NARROW, INBOX}),
    frozenset({LOOK_UP, NARROW, INBOX}),
    frozenset({INBOX}),
)
ROWS: Final = (
    Row("decisions", "d1", "sickness_allowance"),
    Row("decisions", "d2", SUBSIDY),
    Row("payments", "p1", "sickness_allowance"),
    Row("payments", "p2", SUBSIDY),
)
STATES: Final = {"decisions": ("granted", "suspended", None), "payments": ("planned", "paid", None)}
KEY: Final = b"k" * 32

KINDS: Final = ("look",) * 2 + ("begin",) * 2 + ("renew", "end") + ("change",) * 3 + ("grant", "pass", "tick", "read")
Step = tuple[str, int, int, int]
steps: Final = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "look",
                "look",
                "begin",
                "begin",
                "renew",
                "end",
                "change",
                "change",
                "change",
                "grant",
                "pass",
                "tick",
                "read",
            ]
        ),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    min_size=4,
    max_size=40,
)


class Reader:
    """A client that holds the follows of its user as the feed has told them."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.rows: dict[str, Any] = {}

    def read(self, run: Run, access: Access) -> None:
        """Ask once, and fill what has to be filled."""
        scope = follows_scope(access.organisation.business_id, access.user)
        with run.database.read() as connection:
            answer = pull.changes(connection, access, self.cursor, run.cursors, run.clock.now(), {}).body
            if scope in answer["revoked"] or answer["kind"] == "reset":
                self.rows = {}
            for change in answer["changes"]:
                if change["scope"] == scope and change["op"] == "up":
                    assert change["version"] > self.rows.get(change["id"], {"version": 0})["version"]
                    self.rows[change["id"]] = change["row"]
            if scope in answer["added"] or (answer["kind"] == "reset" and scope in answer["granted"]):
                page = pull.snapshot_page(connection, access, scope, "", first=True)
                assert page.count == len(page.rows)
                self.rows = {row["id"]: row for row in page.rows}
        self.cursor = answer["cursor"]


class Run:
    """The backend's units of work and the model, side by side."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = HandClock()
        self.ids = SeededIds(1)
        self.cursors, self.marks = Signer(KEY, "cursor"), Signer(KEY, "look_up")
        self.leases = Leases(Signer(KEY, "lease"), 12)
        self.model = Model(dict.fromkeys(USERS, MANDATES[0]))
        self.readers = {user: Reader() for user in USERS}
        self.sent = 0
        with database.write() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())
            feed.ensure(connection, self.ids)
            connection.execute(insert(tables.organisation), [organisation_row(HELSINKI)])
            agreement = {"organisation": HELSINKI.business_id, "valid_from": date(2025, 1, 1)}
            connection.execute(insert(tables.agreement), [agreement])
            for user in USERS:
                row = {"id": user, "name": user.title(), "language": "fi", "employer": HELSINKI.business_id}
                connection.execute(insert(tables.app_user), row | {"persona": True})
            for number, one in enumerate(PEOPLE):
                connection.execute(insert(person), person_row(one, code(900 + number)))
                values = {"code": code(900 + number), "person": one, "valid_to": None}
                connection.execute(insert(person_code), values)
        for user in USERS:
            self.grant(user, MANDATES[0])

    def step(self, step: Step) -> None:
        """Do one thing, a second after the one before."""
        self.clock.pass_by(seconds=1)
        does: dict[str, Callable[[int, int, int], None]] = {
            "look": lambda a, b, _: self.look(USERS[a % 2], b % 2),
            "begin": lambda a, b, c: self.begin(USERS[a % 2], PEOPLE[b % 2], CASES[c % 2], c),
            "renew": lambda a, b, _: self.go_on(USERS[a % 2], "renew", b),
            "end": lambda a, b, _: self.go_on(USERS[a % 2], "end", b),
            "change": lambda a, b, c: self.change(PEOPLE[a % 2], ROWS[b % 4], c % 3),
            "grant": lambda a, b, _: self.grant(USERS[a % 2], MANDATES[b % 4]),
            "pass": lambda a, _b, _c: self.clock.pass_by(days=(1, 30, 60, 89, 90, 91)[a]),
            "tick": lambda *_: self.tick(),
            "read": lambda a, *_: self.read(USERS[a % 2]),
        }
        does[step[0]](*step[1:])

    def access(self, user: str) -> Access:
        """Return what a user may do now."""
        with self.database.read() as connection:
            return policy.access(connection, user, HELSINKI.business_id, local_date(self.clock.now()))

    def look(self, user: str, number: int) -> None:
        """Look somebody up."""
        access = self.access(user)
        self.model.look(user, PEOPLE[number], self.clock.now())
        if access.has(CUSTOMER_LOOKUP):
            query = CustomerQuery(identity_code=code(900 + number), purpose=PURPOSE, reason=REASON)
            setting = Setting(self.ids.new(), self.clock.now(), self.marks, artificial=True, request_id="r")
            with self.database.write() as connection:
                assert looking.decide(connection, access, query, setting).problem is None

    def begin(self, user: str, customer: str, case: str, number: int) -> None:
        """Begin to follow somebody under an id of a few."""
        body = {"customer": customer, "purpose": PURPOSE, "case_reference": case, "reason": REASON}
        allowed = self.model.begin(follow_id(number), user, customer, case, self.clock.now())
        assert self.command(user, "begin", number, body) == allowed

    def go_on(self, user: str, verb: str, number: int) -> None:
        """Renew or end a follow."""
        allowed = self.model.go_on(follow_id(number), verb, user, self.clock.now())
        assert self.command(user, verb, number, {}) == allowed

    def command(self, user: str, verb: str, number: int, body: dict[str, Any]) -> bool:
        """Send a command; tell whether it was carried out."""
        self.sent += 1
        now = self.clock.now()
        lease = self.leases.issue(user, now)["id"]
        key = f"k{self.sent}"
        envelope = Envelope(
            user, "d", HELSINKI.business_id, follow_id(number), verb, key, 1, lease, encode(body), "r", "follow"
        )
        apply = following.Commands(self.ids, self.marks).apply
        with self.database.write() as connection:
            return commands.run(connection, envelope, CUSTOMER_LOOKUP, self.leases, now, apply).status == 200

    def change(self, customer: str, row: Row, number: int) -> None:
        """Let a row be in another state."""
        state = STATES[row.section][number]
        field = "outcome" if row.section == "decisions" else "status"
        known = None if state is None else Known(row.benefit, date(2026, 1, 1), {"id": row.id, field: state})
        self.model.change(customer, row, state, self.clock.now())
        with self.database.write() as connection:
            rows = {Key(Section(row.section), row.id): known}
            changing.change(connection, customer, rows, self.clock.now(), self.ids)

    def grant(self, user: str, mandates: frozenset[str]) -> None:
        """Give a user exactly these mandates."""
        self.model.mandates[user] = mandates
        with self.database.write() as connection:
            policy.replace_grants(connection, user, [grant(one, HELSINKI) for one in sorted(mandates)])

    def tick(self) -> None:
        """Let end what is over."""
        now = self.clock.now()
        self.model.tick(now)
        with self.database.write() as connection:
            following.end_by_time(connection, now)
        with self.database.read() as connection:
            concerned = following.without_mandate(connection, now)
        for user, organisation in concerned:
            with self.database.write() as connection:
                following.end_by_mandate(connection, user, organisation, now)

    def read(self, user: str) -> None:
        """Hold what a user is told, from the record and by the feed, against the model."""
        access = self.access(user)
        expected = self.model.told(user) if self.model.may(user) else {}
        self.readers[user].read(self, access)
        assert {id_: _told(row) for id_, row in self.readers[user].rows.items()} == expected
        if self.model.may(user):
            with self.database.read() as connection:
                page = followed.page(connection, access, "", 100)
            assert {row["id"]: _told(row) for row in page} == expected
        else:
            scope = follows_scope(HELSINKI.business_id, user)
            with self.database.read() as connection, pytest.raises(ProblemError):
                pull.snapshot_page(connection, access, scope, "", first=True)


def _told(row: dict[str, Any]) -> tuple[str | None, list[tuple[str, str]]]:
    known = FollowRow.model_validate(row)
    assert len({one.id for one in known.changes}) == len(known.changes)
    return known.ended and known.ended.value, [(one.row, one.what.value) for one in known.changes]


def _written(text: str) -> list[Step]:
    """Return the steps of a text like `look 00, begin 00`."""
    return [(word.split()[0], *(int(digit) for digit in f"{word.split()[1]:0<3}")) for word in text.split(",")]  # type: ignore[misc]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
@example(_written("look 00, begin 00, change 00, grant 01, change 01, read 0"))
@example(_written("look 00, begin 00, read 0, grant 03, change 00, grant 00"))
@example(_written("look 00, change 00, begin 00, change 001, look 10, change 00"))
@example(_written("look 00, look 10, begin 00, change 00, end 00, begin 101, change 001, begin 002, read 0"))
@example(_written("look 00, begin 00, grant 03, tick 0, grant 00, change 00, read 0"))
@example(_written("look 00, begin 00, pass 4, change 00, tick 0, read 0"))
def test_what_is_told_is_what_a_plain_model_says(database_url: str, happened: list[Step]) -> None:
    database = Database(database_url)
    try:
        run = Run(database)
        for step in happened:
            run.step(step)
        for user in USERS:
            run.read(user)
    finally:
        database.dispose()
