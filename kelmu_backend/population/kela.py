"""Kela's side of a demo: comes to claims when their time has come, hears, decides, pays on the payment days, ends.

What it does comes of the claim, of what the record knows of the payee, and of a chance that the claim's id and version
decide. One claim is moved in a transaction, so that nobody waits for long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, exists, func, select

from kelmu_backend import feed
from kelmu_backend.claims import judging, moving, record
from kelmu_backend.claims.moving import Accept, Acknowledge, Hear, Move, Over, Pay, Reject
from kelmu_backend.config import Maker
from kelmu_backend.customers import changing, making
from kelmu_backend.customers.changing import Key, Known
from kelmu_backend.database import tables
from kelmu_backend.database.claim_tables import claim, claim_payment
from kelmu_backend.database.customer_tables import customer_row
from kelmu_backend.population.claim_stories import taken
from kelmu_backend.population.lists import chance
from kelmu_backend.population.lives.calendar import last_of, month_after
from kelmu_backend.population.lives.model import NOTHING
from kelmu_backend.population.lives.payments import taxed
from kelmu_backend.rows import JsonRow
from kelmu_tui.api import contract
from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.claims.catalogue import CLIENT_FEES, SOCIAL_ASSISTANCE, bases, rules
from kelmu_tui.domain.claims.days import payment_days
from kelmu_tui.domain.claims.kept import hearing_time
from kelmu_tui.domain.claims.life import Rejection, Status
from kelmu_tui.domain.claims.rules import check
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.organisations import OrganisationType
from kelmu_tui.domain.sections import Section
from kelmu_tui.platform.ids import Ids

HEARD: Final = 0.3
REJECTED: Final = 0.1
"""Parts of the claims whose payee is heard, and that are rejected though nothing speaks against them (assumption)."""
WHY: Final = {"s23_before_decision": Rejection.AFTER_DECISION, "parental_employer": Rejection.EMPLOYER}
"""Why Kela rejects a claim to which a rule has something to say."""
_BY_PAYMENT_DAY: Final = "maintenance_pay_date"
"""Rule on benefits of which the payment day counts, and not the time for which they are paid."""
OVERLAPS: Final = "overlap"
CROWDED_OUT: Final = 0.5
"""Rule on other claims, and the part of the claims beside one that are rejected for it (assumption)."""
PAYS: Final = time(4)
"""When Kela pays on a payment day (UTC)."""
AWAITED: Final = timedelta(days=60)
"""How long after its last day a claim on an awaited benefit waits for its first payment (assumption)."""
_PAUSE: Final = (20, 90)
"""Seconds between two things that Kela does with a claim while the demo runs."""
_TAKEN_FROM: Final = frozenset({"customer", "guardian"})
"""Whose payments a claim can be paid from: what goes to somebody else already is not the payee's to give."""

_DUE: Final = (
    select(claim.c.id).where(claim.c.next_at <= bindparam("now")).order_by(claim.c.next_at, claim.c.id).limit(1)
)
_PAYMENTS: Final = (
    select(customer_row.c.id, customer_row.c.benefit, customer_row.c.day, customer_row.c.body)
    .where(
        customer_row.c.person == bindparam("person"),
        customer_row.c.benefit == bindparam("benefit"),
        customer_row.c.section == bindparam("section"),
    )
    .order_by(customer_row.c.day, customer_row.c.id)
)
_OTHERS: Final = (
    select(func.sum(claim_payment.c.amount))
    .join(claim, claim.c.id == claim_payment.c.claim)
    .where(
        claim.c.person == bindparam("person"),
        claim.c.benefit == bindparam("benefit"),
        claim.c.id != bindparam("claim"),
        claim_payment.c.on == bindparam("day"),
    )
)
_EARLIER: Final = (
    select(claim.c.id)
    .where(
        claim.c.person == bindparam("person"),
        claim.c.benefit == bindparam("benefit"),
        claim.c.status == Status.IN_FORCE,
        claim.c.registered_at < bindparam("registered"),
        claim.c.first <= bindparam("day"),
        ~exists().where(claim_payment.c.claim == claim.c.id, claim_payment.c.on == bindparam("day")),
    )
    .limit(1)
)
_TYPE: Final = select(tables.organisation.c.type).where(tables.organisation.c.business_id == bindparam("organisation"))


class Done(NamedTuple):
    """What Kela does with a claim, and when it comes to it again."""

    move: Move | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Kela:
    """Kela's side of one demo.

    Attributes:
        maker: makes what Kela's systems know of a payee of whom nobody has asked before.
    """

    seed: int
    maker: Maker | None

    def is_due(self, connection: Connection, now: datetime) -> bool:
        """Tell whether the time of a claim has come."""
        return connection.execute(_DUE, {"now": now}).first() is not None

    def next(self, connection: Connection, now: datetime, ids: Ids) -> feed.Change | None:
        """Do something with the claim whose time came first; return what waiting polls have to be told."""
        found = connection.execute(_DUE.with_for_update(skip_locked=True), {"now": now}).scalar_one_or_none()
        row = None if found is None else record.load(connection, found)
        if row is None:
            return None
        if self.maker is not None:
            making.fill(connection, self.maker, row.person, now)
        else:
            changing.lock(connection, row.person)
        done = self._what(connection, row, now)
        if done.move is None:
            connection.execute(claim.update().where(claim.c.id == row.id).values(next_at=done.next_at))
            return None
        return feed.record(connection, moving.move(connection, row, done.move, now, ids, done.next_at))

    def _what(self, connection: Connection, row: Row[Any], now: datetime) -> Done:
        random = chance(f"kela/{self.seed}/{row.id}/{row.version}")
        soon = now + timedelta(seconds=random.randint(*_PAUSE))
        match Status(row.status):
            case Status.REGISTERED:
                return Done(Acknowledge(), soon)
            case Status.IN_HANDLING if bases()[row.basis].hearing or random.random() < HEARD:
                return Done(Hear(local_date(now) + hearing_time()), soon)
            case Status.IN_HANDLING | Status.HEARING:
                return Done(self._decision(connection, row, random, now), soon)
            case Status.IN_FORCE:
                return _served(connection, row, now)
        return Done(None, None)

    def _decision(self, connection: Connection, row: Row[Any], random: Random, now: datetime) -> Move:
        today = local_date(now)
        kind = OrganisationType(connection.execute(_TYPE, {"organisation": row.organisation}).scalar_one())
        payee = judging.Payee(row.person, row.family_name, row.died)
        known = judging.facts(connection, payee, row.organisation, today, without=row.id)
        said = check(record.content_of(row), known, kind, today)
        if said.blocking:
            return Reject(Rejection.NO_BENEFIT)
        spoken = {finding.rule for finding in said.findings}
        for rule, reason in WHY.items():
            if rule in spoken:
                return Reject(reason)
        if OVERLAPS in spoken and random.random() < CROWDED_OUT:
            return Reject(Rejection.EARLIER_CLAIM)
        return Reject(without_rule(random, row.basis, row.status)) if random.random() < REJECTED else Accept()


def without_rule(random: Random, basis: str, status: str) -> Rejection:
    """Return why Kela rejects a claim to which no rule has anything to say."""
    fitting = [Rejection.NO_BENEFIT]
    if basis == CLIENT_FEES:
        fitting.append(Rejection.NO_CARE)
    if status == Status.HEARING:
        fitting.append(Rejection.PAYEE_HEARD)
    return random.choice(fitting)


# --- a claim in force -----------------------------------------------------------------------------------------------


def _served(connection: Connection, row: Row[Any], now: datetime) -> Done:
    """Return what is due on a claim in force: a payment whose day has come, else its end, else nothing yet."""
    today = local_date(now)
    given = moving.paid(connection, row.id)
    rest = row.amount if row.last is None else row.amount - sum(given.values())
    monthly = row.last is None
    payments = connection.execute(
        _PAYMENTS, {"person": row.person, "benefit": row.benefit, "section": Section.PAYMENTS.value}
    ).all()
    for day, rows in _days(connection, row, payments, today):
        left = rest - sum(sum_ for on, sum_ in given.items() if monthly and on.replace(day=1) == day.replace(day=1))
        if day in given or left <= 0:
            continue
        amount, changed = _from_payments(connection, row, day, rows, left)
        if amount > 0:
            return Done(Pay(day, amount, changed), now + timedelta(seconds=1))
    until = _until(row)
    if until is not None and row.died is not None and row.died < today:
        return Done(Over(max(until, row.first), "benefit_ended"), None)
    if until is not None and (rest <= 0 or _is_over(row, until, given, payments, today)):
        return Done(Over(until, _reason(row, rest)), None)
    return Done(None, _looks_next(row, payments, today))


def _until(row: Row[Any]) -> date | None:
    """Return the last day of a claim: the one that was told with its end, else its own; none after a death."""
    last: date | None = row.last if row.ended_on is None else row.ended_on
    return min((day for day in (last, row.died) if day is not None), default=None)


def _is_over(
    row: Row[Any],
    until: date,
    given: Mapping[date, Decimal],
    payments: Sequence[Row[Any, Any, Any, Any]],
    today: date,
) -> bool:
    """Tell whether nothing more comes.

    What is paid for days of the claim may come after its last one, and an awaited benefit may still be granted for
    days that have passed.
    """
    if any(one.day >= today and _is_for(row, one) for one in payments):
        return False
    awaited = row.basis == SOCIAL_ASSISTANCE and not given
    last: date = max(until, row.decided_on or until)
    return last + (AWAITED if awaited else timedelta(0)) < today


def _reason(row: Row[Any], rest: Decimal) -> str:
    if row.basis == CLIENT_FEES:
        return "care_ended"
    return "assistance_recovered" if rest <= 0 else "assistance_situation_ended"


class _Payment(NamedTuple):
    """A payment of the payee's."""

    id: str
    day: date
    body: JsonRow


def _days(
    connection: Connection, row: Row[Any], payments: Sequence[Row[Any, Any, Any, Any]], today: date
) -> Iterator[tuple[date, list[_Payment]]]:
    """Yield the payment days of a claim that have come since it was accepted, with the payments of each.

    Where the file knows no payment of a month in which a benefit runs, Kela pays it now.
    """
    last = min(_until(row) or date.max, today)
    since = _since(row)
    found: dict[date, list[_Payment]] = {}
    for one in payments:
        if since <= one.day <= today and _is_for(row, one) and one.body["status"] != "returned":
            found.setdefault(one.day, []).append(_Payment(one.id, one.day, one.body))
    months = {date.fromisoformat(one.body["period_from"]).replace(day=1) for one in payments}
    for day in payment_days(row.benefit, row.family_name, since, last):
        if day not in found and day.replace(day=1) not in months:
            made = _month(connection, row, day)
            if made is not None:
                found[day] = [made]
    yield from sorted(found.items())


def _since(row: Row[Any]) -> date:
    """Return the first day whose payments a claim can get: none that had gone out when it came or was accepted."""
    first: date = row.first
    accepted = first if row.decided_on is None else row.decided_on + timedelta(days=1)
    return max(first, accepted, row.payment_day or first)


def _is_for(row: Row[Any], payment: Row[Any, Any, Any, Any]) -> bool:
    """Tell whether a payment is made within a claim, or for days of it."""
    first, last = row.first, _until(row) or date.max
    if row.benefit in rules()[_BY_PAYMENT_DAY].benefits:
        return bool(first <= payment.day <= last)
    begins, ends = (date.fromisoformat(payment.body[name]) for name in ("period_from", "period_to"))
    return first <= payment.day <= last or (begins <= last and first <= ends)


def _month(connection: Connection, row: Row[Any], day: date) -> _Payment | None:
    """Return the payment of a month of which only the decision is in the file, None when nothing is granted for it."""
    key = {"person": row.person, "benefit": row.benefit, "section": Section.DECISIONS.value}
    amount = None
    for one in connection.execute(_PAYMENTS, key):
        body = one.body
        if (body["valid_from"] or "9999") <= day.isoformat() <= (body["valid_to"] or "9999"):
            amount = body["amount"] if body["outcome"] in ("granted", "adjusted") and body["per"] == "month" else None
    if amount is None:
        return None
    gross = Decimal(amount)
    net, tax = taxed(row.benefit, gross)
    made = contract.PaymentRow(
        id=f"k-{row.id[-12:]}-{day:%Y%m}",
        benefit=row.benefit,
        paid_on=day,
        period_from=day.replace(day=1),
        period_to=last_of(day),
        gross=gross,
        tax=tax,
        deductions=[],
        net=net,
        payee=contract.Payee.CUSTOMER,
        incomes_register=benefits()[row.benefit].incomes_register,
        status="paid",
    )
    return _Payment(made.id, day, made.model_dump(mode="json"))


def _from_payments(
    connection: Connection, row: Row[Any], day: date, payments: Sequence[_Payment], rest: Decimal
) -> tuple[Decimal, Mapping[Key, Known | None]]:
    """Return what the payments of a day give to a claim, at the most `rest`, and how they stand in the file then.

    What the file shows as given to a claim already counts, unless another claim has booked it or, as the earlier one,
    is still to be paid on the day.
    """
    key = {"person": row.person, "benefit": row.benefit, "claim": row.id, "day": day}
    earlier = connection.execute(_EARLIER, key | {"registered": row.registered_at}).first() is not None
    booked: Decimal = connection.execute(_OTHERS, key).scalar_one() or NOTHING
    amount = NOTHING
    changed: dict[Key, Known | None] = {}
    for one in payments:
        body, shown = one.body | {"status": "paid"}, taken(one.body)
        own = NOTHING if earlier else max(shown - booked, NOTHING)
        booked -= min(shown, booked)
        part = min(own, rest - amount)
        if own == 0 and body["payee"] in _TAKEN_FROM:
            part = min(Decimal(body["net"]), rest - amount)
            body = _given(body, part)
        amount += part
        changed[Key(Section.PAYMENTS, one.id)] = Known(row.benefit, day, body)
    return amount, changed


def _given(body: JsonRow, part: Decimal) -> JsonRow:
    """Return a payment of which a claim takes `part`: the whole goes to the county, else it is taken off."""
    if part <= 0:
        return body
    net = Decimal(body["net"])
    if part == net:
        return body | {"payee": "county"}
    off = [*(body["deductions"] or []), {"kind": "claim", "amount": str(part)}]
    return body | {"net": str(net - part), "deductions": off}


def _looks_next(row: Row[Any], payments: Sequence[Row[Any, Any, Any, Any]], today: date) -> datetime:
    """Return when Kela comes to a claim again: on the next payment day, at the latest after its last day."""
    soon = today + timedelta(days=1)
    days = [month_after(today, 1)]
    days += [one.day for one in payments if one.day >= soon][:1]
    days += [day for day in [next(payment_days(row.benefit, row.family_name, soon, None), None)] if day is not None]
    if (until := _until(row)) is not None:
        days += [day for day in (until + timedelta(days=1), until + AWAITED + timedelta(days=1)) if day >= soon]
    return datetime.combine(min(days), PAYS, UTC)
