"""Whatever workers and Kela's side do in whatever order, the record goes where the domain's life of a claim goes.

A machine gives commands through the memory of results and the rules, moves by hand and by the simulator, and holds the
record against the states that the domain decides, the catalogue's states, and the rule that a day is paid once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import insert, select

from kelmu_backend import commands, feed, policy
from kelmu_backend.claims import moving, reading, record
from kelmu_backend.claims.giving import Commands
from kelmu_backend.claims.moving import Accept, Acknowledge, Hear, Move, NotMovable, Over, Pay, Reject
from kelmu_backend.commands import Envelope
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import account, claim, claim_event, claim_payment
from kelmu_backend.database.customer_tables import customer_row, person, person_code
from kelmu_backend.database.engine import Database
from kelmu_backend.keys import Signer
from kelmu_backend.lease import Leases
from kelmu_backend.policy import claims_scope
from kelmu_backend.population.kela import Kela
from kelmu_backend.rows import encode
from kelmu_tui.api import contract
from kelmu_tui.domain import catalogue
from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER
from kelmu_tui.domain.claims import life
from kelmu_tui.domain.claims.life import ClaimRefused, ClaimState, Rejection, Status, decide
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import LOOK_UP, A, HandClock, grant, notice_row, organisation_row
from tests.backend.customers.support import person_row

from .support import ACCOUNT, PAYEE, body, claim_id

KEY: Final = b"k" * 32
USER: Final = "ada"
NUMBERS: Final = st.integers(1, 2)
LASTS: Final = st.sampled_from(
    [None, *(date(2026, 11, 30) + timedelta(days=days) for days in (-3, 1, 20, 31, 62, 90, 140))]
)
NEXT: Final = {row["id"]: set(row["next"]) for row in catalogue.table("claims.toml")["status"]}
"""What may follow on a state, as the catalogue says."""


def decision() -> dict[str, Any]:
    """Return a pension that runs, which Kela pays on a day of each month."""
    row = contract.DecisionRow(
        id="d1",
        benefit="national_pension_disability",
        decided=date(2025, 1, 7),
        outcome=contract.DecisionOutcome.GRANTED,
        valid_from=date(2025, 1, 1),
        amount=Decimal("700.00"),
    )
    return row.model_dump(mode="json")


class Machine(RuleBasedStateMachine):
    """The record and the domain, side by side."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.ids = SeededIds(1)
        self.leases = Leases(Signer(KEY, "lease"), 12)
        self.model: dict[str, ClaimState] = {}
        self.paid: dict[tuple[str, date], Decimal] = {}
        self.sent = 0
        with self.database.write() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())
            feed.ensure(connection, self.ids)
            connection.execute(insert(tables.organisation), [organisation_row(A)])
            connection.execute(
                insert(tables.agreement), [{"organisation": A.business_id, "valid_from": date(2025, 1, 1)}]
            )
            user = {"id": USER, "name": "Ada", "language": "fi", "employer": A.business_id, "persona": True}
            connection.execute(insert(tables.app_user), user)
            policy.replace_grants(connection, USER, [grant(LOOK_UP, A)])
            connection.execute(insert(person), person_row("p1", PAYEE, filled=self.clock.now()))
            connection.execute(insert(person_code), {"code": PAYEE, "person": "p1", "valid_to": None})
            values = {"person": "p1", "section": "decisions", "id": "d1", "benefit": "national_pension_disability"}
            more = {"day": date(2025, 1, 7), "body": decision(), "changed": self.clock.now()}
            connection.execute(insert(customer_row), values | more)
            number = {"id": "account-1", "organisation": A.business_id, "version": 1, "iban": ACCOUNT, "name": "Maksut"}
            connection.execute(insert(account), number)
            customer = notice_row(1)["customer"] | {"identity_code": PAYEE}
            connection.execute(insert(tables.notice), notice_row(1, customer=customer))

    @property
    def today(self) -> date:
        """The Finnish day."""
        return local_date(self.clock.now())

    # --- workers ----------------------------------------------------------------------------------------------------

    @initialize(last=LASTS)
    def begin(self, last: date | None) -> None:
        """Begin with a claim: there is little to do without one."""
        self.register(1, "900.00", last)

    @rule(number=NUMBERS, amount=st.sampled_from(["300.00", "900.00", "2000.00"]), last=LASTS)
    def register(self, number: int, amount: str, last: date | None) -> None:
        """Register a claim under an id of a few."""
        sent = body(amount=amount, last=last and last.isoformat())
        self.command(number, "register", sent, lambda content: life.Register(content))

    @rule(number=NUMBERS, amount=st.sampled_from(["300.00", "450.00"]), last=LASTS, stale=st.booleans())
    def change(self, number: int, amount: str, last: date | None, stale: bool) -> None:
        """Change one, also on a version that is over."""
        sent = body(amount=amount, last=last and last.isoformat())
        self.command(number, "change", sent, lambda content: life.Change(content), stale=stale)

    @rule(number=NUMBERS, last=LASTS, stale=st.booleans())
    def prolong(self, number: int, last: date | None, stale: bool) -> None:
        """Prolong one."""
        last = last or self.today
        sent = {"last": last.isoformat()}
        self.command(number, "prolong", sent, lambda _: life.Prolong(last), stale=stale)

    @rule(number=NUMBERS, last=LASTS, reason=st.sampled_from(["care_ended", "bored"]))
    def end(self, number: int, last: date | None, reason: str) -> None:
        """Tell that the ground of one has ended."""
        last = last or self.today
        self.command(number, "end", {"last": last.isoformat(), "reason": reason}, lambda _: life.End(last, reason))

    @rule(number=NUMBERS, stale=st.booleans())
    def cancel(self, number: int, stale: bool) -> None:
        """Cancel one."""
        self.command(number, "cancel", {}, lambda _: life.Cancel(), stale=stale)

    def command(
        self,
        number: int,
        verb: str,
        sent: dict[str, Any],
        make: Callable[[Any], life.Command],
        *,
        stale: bool = False,
    ) -> None:
        """Send a command, twice under the same key, and hold what came of it against the domain."""
        identifier = claim_id(number)
        before = self.model.get(identifier)
        version = 0 if verb == "register" else (before.version if before else 1) + stale
        self.sent += 1
        now = self.clock.now()
        lease = self.leases.issue(USER, now)["id"]
        envelope = Envelope(
            USER, "d", A.business_id, identifier, verb, f"k{self.sent}", version, lease, encode(sent), "r", "claim"
        )
        apply = Commands(self.ids, None, artificial=True).apply
        verdicts = []
        for _ in range(2):
            with self.database.write() as connection:
                verdicts.append(commands.run(connection, envelope, PAYMENT_CLAIMS_REGISTER, self.leases, now, apply))
        first, again = verdicts
        assert (first.status, first.body) == (again.status, again.body)
        if before is None and verb != "register":
            assert first.status == 404
            return
        expected: ClaimState | str
        try:
            # What time has ended is over for the record, whether Kela has come to it or not.
            now_is = None if before is None else life.settled(before, self.today)
            expected = decide(now_is, make(self.content(sent)), self.today)
            if verb in ("register", "change", "prolong") and self.is_upside_down(expected):
                expected = "dates_in_order"
        except ClaimRefused as refused:
            expected = refused.rule
        if stale and verb != "register":
            assert first.status == 412
            assert first.body["rule"] == (expected if isinstance(expected, str) else None)
        elif isinstance(expected, str):
            assert (first.status, first.body["rule"]) == (409, expected)
        else:
            assert first.status == 200, first.body
            if before is not None and replace(expected, version=before.version) == before:
                expected = before  # nothing was said anew
            assert first.body["version"] == expected.version
            self.model[identifier] = expected

    def content(self, sent: dict[str, Any]) -> Any:
        """Return what a body says, as the record keeps it."""
        if "payee" not in sent:
            return None
        from kelmu_backend.claims.giving import _content

        return _content(contract.ClaimBody.model_validate(sent))

    @staticmethod
    def is_upside_down(state: ClaimState) -> bool:
        """Tell whether a claim ends before it begins."""
        return state.content.last is not None and state.content.last < state.content.first

    # --- Kela's side ------------------------------------------------------------------------------------------------

    @rule(
        number=NUMBERS,
        done=st.one_of(
            st.sampled_from([Acknowledge(), Accept(), Reject(Rejection.NO_CARE), Hear(date(2026, 12, 24))]),
            st.builds(
                Pay,
                st.dates(date(2026, 12, 1), date(2026, 12, 4)),
                st.sampled_from([Decimal("100.00"), Decimal("250.00"), Decimal("5000.00")]),
            ),
            st.builds(Over, st.just(date(2026, 12, 31)), st.sampled_from(["care_ended", "bored"])),
        ),
    )
    def move(self, number: int, done: Move) -> None:
        """Move one by hand, also where its state does not allow it."""
        self.move_by_hand(number, done)

    def move_by_hand(self, number: int, done: Move) -> None:
        """Move one, and hold what came of it against what may be."""
        identifier = claim_id(number)
        before = self.model.get(identifier)
        if before is None:
            return
        with self.database.write() as connection:
            row = record.load(connection, identifier)
            assert row is not None
            try:
                entries = moving.move(connection, row, done, self.clock.now(), self.ids, row.next_at)
            except NotMovable:
                assert not self.may(before, identifier, done)
                return
            feed.record(connection, entries)
        assert self.may(before, identifier, done)
        self.moved(identifier)

    def may(self, state: ClaimState, identifier: str, done: Move) -> bool:
        """Tell whether Kela may do that."""
        status = state.status
        if isinstance(done, Acknowledge):
            return status is Status.REGISTERED
        if isinstance(done, Hear):
            return status is Status.IN_HANDLING
        if isinstance(done, Accept | Reject):
            return status in (Status.IN_HANDLING, Status.HEARING)
        if status is not Status.IN_FORCE:
            return False
        if isinstance(done, Over):
            return done.reason != "bored"
        amount = state.content.amount
        assert amount is not None
        before = sum((paid for (one, _), paid in self.paid.items() if one == identifier), Decimal(0))
        return (identifier, done.on) not in self.paid and (
            done.amount + (before if state.content.last is not None else 0) <= amount
        )

    @rule(number=NUMBERS, way=st.integers(0, 2), day=st.integers(1, 4))
    def go_on(self, number: int, way: int, day: int) -> None:
        """Move one by hand as its state allows."""
        state = self.model.get(claim_id(number))
        ahead: dict[Status, list[Move]] = {
            Status.REGISTERED: [Acknowledge()],
            Status.IN_HANDLING: [Accept(), Accept(), Hear(date(2026, 12, 24))],
            Status.HEARING: [Accept(), Accept(), Reject(Rejection.PAYEE_HEARD)],
            Status.IN_FORCE: [Pay(date(2026, 12, day), Decimal("100.00"))],
        }
        if state is not None and state.status in ahead:
            self.move_by_hand(number, ahead[state.status][way % len(ahead[state.status])])

    @rule(times=st.integers(1, 4), span=st.sampled_from([{"seconds": 100}, {"days": 3}, {"days": 31}]))
    def simulate(self, times: int, span: dict[str, float]) -> None:
        """Let the simulator come, some times in a row."""
        kela = Kela(7, None)
        for _ in range(times):
            self.clock.pass_by(**span)
            with self.database.write() as connection:
                kela.next(connection, self.clock.now(), self.ids)
            for identifier in list(self.model):
                self.moved(identifier)

    @rule(span=st.sampled_from([{"seconds": 30}, {"seconds": 200}, {"days": 1}, {"days": 9}, {"days": 31}]))
    def wait(self, span: dict[str, float]) -> None:
        """Let time pass."""
        self.clock.pass_by(**span)

    def moved(self, identifier: str) -> None:
        """Take over what Kela's side has done; it may go no other way than the catalogue says."""
        with self.database.read() as connection:
            row = connection.execute(select(claim).where(claim.c.id == identifier)).one()
            given = moving.paid(connection, identifier)
        before = self.model[identifier]
        status = Status(row.status)
        new = {(identifier, on): amount for on, amount in given.items()}
        assert {key: paid for key, paid in self.paid.items() if key[0] == identifier}.items() <= new.items()
        assert row.version - before.version in (0, 1)
        if row.version != before.version:
            assert status == before.status or status.value in NEXT[before.status.value]
        else:
            assert status == before.status
        self.paid |= new
        self.model[identifier] = replace(
            before, status=status, version=row.version, end_reason=row.end_reason, ended_on=row.ended_on
        )

    # --- what always holds ------------------------------------------------------------------------------------------

    @invariant()
    def the_record_is_what_the_domain_says(self) -> None:
        """Hold rows, events, payments, the file and the feed against the model."""
        with self.database.read() as connection:
            rows = {row.id: row for row in connection.execute(reading.WITH_PAYEE)}
            events = connection.execute(select(claim_event).order_by(claim_event.c.id)).all()
            payments = connection.execute(select(claim_payment)).all()
            told = reading.page(connection, A.business_id, "", 100)
            shown = {row.id: row.body for row in connection.execute(select(customer_row)) if row.section == "claims"}
            scope = claims_scope(A.business_id)
            versions = {
                row.aggregate: row.version
                for row in connection.execute(select(tables.feed).where(tables.feed.c.scope == scope))
            }
        assert {id_: record.state_of(row) for id_, row in rows.items()} == self.model
        assert versions == {id_: state.version for id_, state in self.model.items()}
        assert {(row.claim, row.on): row.amount for row in payments} == self.paid
        for id_, state in self.model.items():
            own = [event for event in events if event.claim == id_]
            assert len(own) == state.version
            assert [event.at for event in own] == sorted(event.at for event in own)
            given = [paid for (one, _), paid in self.paid.items() if one == id_]
            assert sum(event.what == "paid" for event in own) == len(given)
            assert (id_ in shown) == (state.status is not Status.CANCELLED)
            is_over = state.status not in life.OPEN
            assert (rows[id_].closed_at is not None) == is_over
            assert not is_over or rows[id_].next_at is None
        for row in told:
            if row["table"] == "claim":
                assert contract.ClaimRecord.model_validate(row).version == self.model[row["id"]].version


@pytest.mark.parametrize("steps", [30])
def test_the_record_goes_where_the_domain_goes(database_url: str, steps: int) -> None:
    database = Database(database_url)
    machine = type("Here", (Machine,), {"database": database})
    many = 60 if database.is_sqlite else 25
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=many,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        database.dispose()
