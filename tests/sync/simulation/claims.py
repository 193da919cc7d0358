"""Payment claims on the backend's side: who can be claimed for, what Kela does, and a book of what must be true.

The book is kept apart from the record: what commands and moves were accepted goes through the domain's `decide`, and
the record has to say the same after each of them.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, insert, select

from kelmu_backend import feed
from kelmu_backend.claims import editing, giving, moving, reading, record
from kelmu_backend.claims.moving import Accept, Acknowledge, Hear, Move, NotMovable, Over, Pay, Reject
from kelmu_backend.commands import Apply, Envelope
from kelmu_backend.customers import journal
from kelmu_backend.database.claim_tables import account, claim, claim_event, claim_payment
from kelmu_backend.database.customer_tables import look_up, person, person_code
from kelmu_backend.policy import Access
from kelmu_backend.population.kela import Kela
from kelmu_backend.routes.notices import CAPABILITY
from kelmu_tui.domain.capabilities import PAYMENT_CLAIMS_REGISTER
from kelmu_tui.domain.claims.content import Assistance, Content
from kelmu_tui.domain.claims.life import OPEN, ClaimState, Rejection, Status, decide
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.ids import Ids
from kelmu_tui.store import claim_content

PAYEES: Final[Mapping[str, str]] = {
    "010190-9112": "Kuutamo",
    "010190-9123": "Lehtoniemi",
    "010190-9134": "Saarelma",
    "010190-9145": "Torvalahti",
}
"""Family names of those on whose benefits claims are made, by identity code."""
GIVEN_NAME: Final = "Helkatuulikki"
ACCOUNTS: Final = ("FI3790956201543570", "FI2112345600000785")
BENEFITS: Final = ("general_housing_allowance", "rehabilitation_allowance", "sickness_allowance")
REFUSED: Final = "child_benefit"
"""Nobody here is paid any, and so no claim on it is taken."""
GROUNDS: Final = "Ennakkona maksettua tukea"
_PAY: Final = Decimal("40.00")
_NEXT: Final[Mapping[type[Any], Status]] = {
    Acknowledge: Status.IN_HANDLING,
    Hear: Status.HEARING,
    Accept: Status.IN_FORCE,
    Reject: Status.REJECTED,
    Pay: Status.IN_FORCE,
    Over: Status.ENDED,
}
_FROM: Final[Mapping[type[Any], frozenset[Status]]] = {
    Acknowledge: frozenset({Status.REGISTERED}),
    Hear: frozenset({Status.IN_HANDLING}),
    Accept: frozenset({Status.IN_HANDLING, Status.HEARING}),
    Reject: frozenset({Status.IN_HANDLING, Status.HEARING}),
    Pay: frozenset({Status.IN_FORCE}),
    Over: frozenset({Status.IN_FORCE}),
}


def found_people(connection: Connection, users: Mapping[str, str], now: datetime) -> None:
    """Put payees, accounts, and the look-ups of users (with their organisations) into an empty record."""
    for number, (code, name) in enumerate(PAYEES.items()):
        row = {
            "id": f"p{number}",
            "identity_code": code,
            "family_name": name,
            "given_names": GIVEN_NAME,
            "sex": "f",
            "born": date(1990, 1, 1),
            "language": "fi",
            "non_disclosure": number == 1,
            "seed": number,
            "filled": now,
        }
        connection.execute(insert(person), row)
        connection.execute(insert(person_code), {"code": code, "person": row["id"]})
    for number, organisation in enumerate(sorted(set(users.values()))):
        values = {"id": f"account-{number}", "organisation": organisation, "version": 1, "iban": ACCOUNTS[number]}
        connection.execute(insert(account), values | {"name": "Maksut"})
    for user, organisation in users.items():
        for number in range(len(PAYEES)):
            values = {
                "id": f"{user}-{number}",
                "at": now,
                "user": user,
                "organisation": organisation,
                "person": f"p{number}",
                "sections": [],
                "flags": [],
                "outcome": journal.DONE,
            }
            connection.execute(insert(look_up), values)


def way(envelope: Envelope, ids: Ids) -> tuple[str, Apply | None]:
    """Return the capability that a command needs, and what carries it out if it is no notice's."""
    if envelope.kind == "claim":
        return PAYMENT_CLAIMS_REGISTER, giving.Commands(ids, None, True).apply
    return CAPABILITY[envelope.verb], None


def rows(connection: Connection, organisation: str) -> list[dict[str, Any]]:
    """Return all claims of an organisation as they go out."""
    return [row for row in reading.page(connection, organisation, "", 10_000) if row["table"] == "claim"]


class Paid(NamedTuple):
    """A payment that Kela made."""

    claim: str
    on: date
    amount: Decimal


@dataclass
class Book:
    """What the accepted commands and moves make of claims.

    Attributes:
        states: of every claim that must be there.
        registers: keys of the accepted registrations, by claim.
        happened: what happened to each, in order.
        paid: what Kela paid.
        wrong: what the last comparison found.
        moves: how often Kela did what.
    """

    states: dict[str, ClaimState] = field(default_factory=dict)
    registers: dict[str, list[str]] = field(default_factory=dict)
    happened: dict[str, list[str]] = field(default_factory=dict)
    paid: list[Paid] = field(default_factory=list)
    wrong: str = ""
    moves: Counter[str] = field(default_factory=Counter)

    def copy(self) -> Book:
        """Return the book as it stands now."""
        happened = {id_: list(events) for id_, events in self.happened.items()}
        registers = {id_: list(keys) for id_, keys in self.registers.items()}
        return Book(dict(self.states), registers, happened, list(self.paid), self.wrong, self.moves)

    def accept(self, envelope: Envelope, now: datetime) -> None:
        """Note a command that has changed something."""
        verb, id_ = envelope.verb, envelope.subject
        command = claim_content.command_of(f"claim-{verb}", json.loads(envelope.body or b"{}"))
        before = self.states.get(id_)
        if verb == "register":
            self.registers.setdefault(id_, []).append(envelope.key)
            if before is not None:
                self.wrong = self.wrong or f"C1: {id_} is registered twice"
                return
        elif before is None or before.version != envelope.version:
            self.wrong = self.wrong or f"C2: {verb} on version {envelope.version} of {id_}, which is another one by now"
            return
        self.states[id_] = decide(before, command, local_date(now))
        self.happened.setdefault(id_, []).append(verb)

    def move(self, id: str, done: Move) -> None:  # noqa: A002
        """Note what Kela has done."""
        before = self.states[id]
        if before.status not in _FROM[type(done)]:
            self.wrong = self.wrong or f"C2: {type(done).__name__} of {id}, which is {before.status}"
        after = replace(before, status=_NEXT[type(done)], version=before.version + 1)
        if isinstance(done, Over):
            after = replace(after, end_reason=before.end_reason or done.reason, ended_on=before.ended_on or done.on)
        if isinstance(done, Pay):
            if any(one.claim == id and one.on == done.on for one in self.paid):
                self.wrong = self.wrong or f"C3: {id} is paid twice on {done.on}"
            self.paid.append(Paid(id, done.on, done.amount))
        self.states[id] = after
        self.happened[id].append("paid" if isinstance(done, Pay) else after.status.value)
        self.moves[type(done).__name__] += 1

    def compare(self, connection: Connection) -> None:
        """Hold the record against the book."""
        self.wrong = self.wrong or self._differs(connection)

    def _differs(self, connection: Connection) -> str:
        rows = {row.id: row for row in connection.execute(reading.WITH_PAYEE)}
        if rows.keys() != self.states.keys():
            return f"C1: claims {sorted(rows.keys() ^ self.states.keys())} without a registration, or the reverse"
        for id_, row in rows.items():
            if record.state_of(row) != self.states[id_]:
                return f"C2: {id_} is not what its commands make of it"
        events: dict[str, list[str]] = {}
        for one in connection.execute(select(claim_event).order_by(claim_event.c.id)):
            events.setdefault(one.claim, []).append(one.what)
        if events != self.happened:
            return "C2: what happened to claims is told otherwise"
        paid = sorted((one.claim, one.on, one.amount) for one in connection.execute(select(claim_payment)))
        return "" if paid == sorted(map(tuple, self.paid)) else "C3: payments are told otherwise"

    def forget(self, connection: Connection, now: datetime) -> set[str]:
        """Let the record delete what was closed long ago, and return what that was."""
        record.drop_over(connection, now)
        kept = set(connection.execute(select(claim.c.id)).scalars())
        gone = self.states.keys() - kept
        for id_ in gone:
            del self.states[id_], self.happened[id_]
        self.paid = [one for one in self.paid if one.claim in kept]
        return gone


def handle(
    connection: Connection, book: Book, dice: random.Random, now: datetime, ids: Ids
) -> Callable[[], None] | None:
    """Let Kela do something with a claim, or somebody begin to change one; return how to note it once it is done."""
    left = sorted(id_ for id_, state in book.states.items() if state.status in OPEN)
    if not left:
        return None
    row = record.load(connection, dice.choice(left))
    if row is None:
        book.wrong = book.wrong or "C1: a claim that was registered is not there"
        return None
    if dice.random() < 0.1:
        _edit(connection, row, dice, now)
        return None
    done = Kela(1, None)._what(connection, row, now).move if dice.random() < 0.3 else None
    done = done or _some_move(row, dice, now)
    try:
        entries = moving.move(connection, row, done, now, ids, now + timedelta(seconds=60))
    except NotMovable:
        return None
    feed.record(connection, entries)
    return partial(book.move, row.id, done)


def _some_move(row: Any, dice: random.Random, now: datetime) -> Move:
    """Return a move that mostly fits, and now and then does not: the record has to know."""
    status, today = Status(row.status), local_date(now)
    reject, over = Reject(Rejection.NO_BENEFIT), Over(max(today, row.first), "assistance_situation_ended")
    # Whoever pays may do so again for the same day, as after an answer that was lost.
    pay = Pay(row.first + timedelta(days=30 * dice.randrange(2)), _PAY)
    if dice.random() < 0.1:
        return dice.choice((Acknowledge(), Hear(today), Accept(), reject, pay, over))
    match status:
        case Status.REGISTERED:
            return Acknowledge()
        case Status.IN_HANDLING:
            return dice.choice((Hear(today + timedelta(days=10)), Accept(), Accept(), reject))
        case Status.HEARING:
            return dice.choice((Accept(), Accept(), reject))
        case _:
            return dice.choice((pay, pay, pay, pay, over))


def _edit(connection: Connection, row: Any, dice: random.Random, now: datetime) -> None:
    """Let a colleague tell that they change a claim, or have stopped."""
    organisation = SimpleNamespace(business_id=row.organisation)
    colleague = SimpleNamespace(user="kari", name="Kari", organisation=organisation)
    editing.tell(connection, cast("Access", colleague), row.id, on=dice.random() < 0.7, now=now)


def content(dice: random.Random, today: date, account: str) -> Content:
    """Return what a claim may say that reaches Kela on `today`; now and then something that a rule forbids."""
    first = (today.replace(day=1) + timedelta(days=62)).replace(day=1)
    last = first + timedelta(days=dice.choice((58, 58, 88, 119)))
    assistance = Assistance(first, last + timedelta(days=200), Decimal("900.00"), today - timedelta(days=3))
    return Content(
        payee=dice.choice(list(PAYEES)),
        basis="social_assistance_23",
        benefit=REFUSED if dice.random() < 0.1 else dice.choice(BENEFITS),
        first=first,
        last=last,
        amount=Decimal(dice.choice(("320.50", "600.00", "95.10"))),
        account=dice.choice(ACCOUNTS) if dice.random() < 0.1 else account,
        reference="TT 123/26",
        grounds=GROUNDS,
        handler="Laura Koski",
        telephone="040 1234567",
        assistance=assistance,
    )
