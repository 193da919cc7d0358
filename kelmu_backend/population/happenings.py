"""What goes on in the lives of customers while the demo runs: payments come, decisions are made, benefits stop.

It happens to those who are followed, or else to anybody who was ever looked up, and comes of the rows that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from kelmu_backend import feed
from kelmu_backend.customers import changing
from kelmu_backend.customers.changing import Key, Known
from kelmu_backend.database.customer_tables import customer_row, follow, person
from kelmu_backend.population.lists import Weighted, chance
from kelmu_tui.api import contract
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.sections import Section
from kelmu_tui.platform.ids import Ids

Rows = Mapping[Key, Known]
Happening = dict[Key, Known | None]

CENT: Final = Decimal("0.01")
_RUNS: Final = ("granted", "adjusted")
_ALIVE: Final = select(person.c.id).where(person.c.died.is_(None))
_FOLLOWED: Final = (
    select(follow.c.person)
    .where(follow.c.ended.is_(None), follow.c.person.in_(_ALIVE))
    .distinct()
    .order_by(follow.c.person)
)
_FILLED: Final = (
    select(customer_row.c.person).where(customer_row.c.person.in_(_ALIVE)).distinct().order_by(customer_row.c.person)
)
_ROWS: Final = (
    select(customer_row)
    .where(customer_row.c.person == bindparam("person"))
    .order_by(customer_row.c.day, customer_row.c.section, customer_row.c.id)
)


class Happenings:
    """An endless source of what happens to customers; the same seed and start give the same from the same rows."""

    def __init__(self, seed: int, start: datetime) -> None:
        self._random = chance(f"happenings/{seed}/{start.isoformat()}")

    def next(self, connection: Connection, now: datetime, ids: Ids) -> feed.Change | None:
        """Let something happen to somebody at `now` (UTC), and tell the followers.

        Returns:
            What waiting polls have to be told, None when nobody is, or nobody may be.
        """
        people = connection.execute(_FOLLOWED).scalars().all() or connection.execute(_FILLED).scalars().all()
        if not people:
            return None
        customer = self._random.choice(people)
        changing.lock(connection, customer)
        found = {
            Key(Section(row.section), row.id): Known(row.benefit, row.day, row.body)
            for row in connection.execute(_ROWS, {"person": customer})
        }
        today = local_date(now)
        return changing.change(connection, customer, happening(self._random, found, today), now, ids)


def happening(random: Random, rows: Rows, today: date) -> Happening:
    """Return what happens to somebody with these rows on a Finnish day: their payments come first, when the day is
    there."""
    due = _paid(rows, today)
    return due or _KINDS.draw(random)(random, rows, today)


def _paid(rows: Rows, today: date) -> Happening:
    return {
        key: row._replace(body=row.body | {"status": "paid"})
        for key, row in rows.items()
        if key.section is Section.PAYMENTS and row.body["status"] == "planned" and row.day <= today
    }


def _decided(random: Random, rows: Rows, today: date) -> Happening:
    """Adjust a benefit that runs, from the next month on."""
    running = _running(rows, today)
    if not running:
        return {}
    key, row = random.choice(running)
    amount = (Decimal(row.body["amount"]) * random.randrange(90, 111) / 100).quantize(CENT)
    body = contract.DecisionRow(
        id=_id(random),
        benefit=row.body["benefit"],
        decided=today,
        outcome=contract.DecisionOutcome.ADJUSTED,
        valid_from=_next_month(today),
        valid_to=row.body["valid_to"],
        amount=amount,
        per=row.body["per"],
    )
    return _added(Section.DECISIONS, body, today) | {key: _until(row, today)}


def _stopped(random: Random, rows: Rows, today: date) -> Happening:
    """Let a benefit that runs end with the month, or rest from then on; what was planned after that does not come."""
    running = _running(rows, today)
    if not running:
        return {}
    key, row = random.choice(running)
    start = _next_month(today)
    outcomes = (contract.DecisionOutcome.DISCONTINUED, contract.DecisionOutcome.SUSPENDED)
    body = contract.DecisionRow(
        id=_id(random), benefit=row.body["benefit"], decided=today, outcome=random.choice(outcomes), valid_from=start
    )
    gone = {
        other: None
        for other, payment in rows.items()
        if other.section is Section.PAYMENTS
        and payment.benefit == row.benefit
        and payment.body["status"] == "planned"
        and date.fromisoformat(payment.body["period_from"]) >= start
    }
    return _added(Section.DECISIONS, body, today) | {key: _until(row, today)} | gone


def _recovered(random: Random, rows: Rows, today: date) -> Happening:
    """Let a part of one of the last payments be recovered."""
    paid = [row for key, row in rows.items() if key.section is Section.PAYMENTS and row.body["status"] == "paid"][-5:]
    if not paid:
        return {}
    row = random.choice(paid)
    amount = (Decimal(row.body["gross"]) * random.randrange(20, 61) / 100).quantize(CENT)
    body = contract.RecoveryRow(
        id=_id(random),
        benefit=row.body["benefit"],
        period_from=row.body["period_from"],
        period_to=row.body["period_to"],
        amount=amount,
        balance=amount,
        status="open",
        decided=today,
    )
    return _added(Section.RECOVERY, body, today)


Kind = Callable[[Random, Rows, date], Happening]
_KINDS: Final[Weighted[Kind]] = Weighted.of([(_decided, 5.0), (_stopped, 2.0), (_recovered, 2.0)])


def _running(rows: Rows, today: date) -> Sequence[tuple[Key, Known]]:
    """Return the decisions that give something beyond this month."""
    start = _next_month(today)
    return [
        (key, row)
        for key, row in rows.items()
        if key.section is Section.DECISIONS
        and row.body["outcome"] in _RUNS
        and row.body["amount"] is not None
        and row.body["valid_from"] is not None
        and date.fromisoformat(row.body["valid_from"]) < start
        and (row.body["valid_to"] is None or date.fromisoformat(row.body["valid_to"]) >= start)
    ]


def _until(row: Known, today: date) -> Known:
    """Return a decision that lasts until the end of this month."""
    return row._replace(body=row.body | {"valid_to": (_next_month(today) - timedelta(days=1)).isoformat()})


def _added(section: Section, body: Any, today: date) -> Happening:
    return {Key(section, body.id): Known(body.benefit, today, body.model_dump(mode="json"))}


def _id(random: Random) -> str:
    return f"h-{random.getrandbits(96):024x}"


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
