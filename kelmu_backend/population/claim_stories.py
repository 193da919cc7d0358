"""The claims of an organisation on its customers' benefits, with histories that fit what the customers' files show.

Most come of the lives (`lives.plan`), which take them into account where they pay; they stand in the file anyway. The
others are fresh: not paid on yet, so that nothing in the life has to know of them, and every state is to be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final, NamedTuple

from kelmu_backend.claims import record
from kelmu_backend.population.lists import chance
from kelmu_backend.population.lives.calendar import banking, before, last_of, month_after, months
from kelmu_backend.population.lives.model import NOTHING, Claim, Course, Customer, Life, id_of, percent
from kelmu_backend.population.lives.payments import Paid, taxed
from kelmu_backend.population.rows import Row, Worker
from kelmu_tui.domain.benefits import REGULAR, benefits
from kelmu_tui.domain.claims.catalogue import CLIENT_FEES, SOCIAL_ASSISTANCE
from kelmu_tui.domain.claims.content import Assistance, Content
from kelmu_tui.domain.claims.kept import closed_kept, hearing_time
from kelmu_tui.domain.claims.life import OPEN, Rejection, Status
from kelmu_tui.domain.deadlines import local_date

KELA_COMES: Final = timedelta(hours=8)
"""Within which time Kela's side of the demo comes to what waits for it."""
_EARLY, _NOON = time(4), time(10)
"""When Kela pays, and when it decides (UTC)."""
_HEARD: Final = 0.3
"""Part of the claims whose payee is heard (assumption)."""
_LATE: Final = 0.15
_CAN_BE_LATE: Final = frozenset({Status.REGISTERED, Status.IN_HANDLING, Status.HEARING})
"""Part of the fresh claims in these states that mean a payment which they miss."""
_GROUNDS: Final = {
    "fi": {
        SOCIAL_ASSISTANCE: "Täydentävä toimeentulotuki on myönnetty ennakkona etuutta odotettaessa.",
        CLIENT_FEES: "Etuudensaaja on ympärivuorokautisessa hoidossa.",
    },
    "sv": {
        SOCIAL_ASSISTANCE: "Kompletterande utkomststöd har beviljats i väntan på förmånen.",
        CLIENT_FEES: "Förmånstagaren får vård dygnet runt.",
    },
}


class Place(NamedTuple):
    """The organisation whose claims are made."""

    organisation: str
    language: str
    accounts: Sequence[str]
    workers: Sequence[Worker]


class Story(NamedTuple):
    """A claim as rows of `claim`, `claim_event` and `claim_payment`."""

    claim: Row
    events: tuple[Row, ...]
    payments: tuple[Row, ...]


@dataclass
class _Told:
    """A claim while its history is told."""

    place: Place
    person: Customer
    id: str
    content: Content
    received: date
    random: Random
    now: datetime
    status: Status = Status.REGISTERED
    events: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    closed_at: datetime | None = None
    next_at: datetime | None = None

    def __post_init__(self) -> None:
        self.worker = self.random.choice(self.place.workers)
        minutes = self.random.randrange(5 * 60, 13 * 60)
        self.registered_at = min(_at(self.received, time(minutes // 60, minutes % 60)), self.now)
        self.happens("register", self.registered_at, self.worker.name)

    @property
    def today(self) -> date:
        """The Finnish day."""
        return local_date(self.now)

    def happens(self, what: str, at: datetime, by: str | None = None) -> None:
        last = self.events[-1]["at"] if self.events else at
        at = min(max(at, last + timedelta(minutes=1) if self.events else at), self.now)
        self.events.append({"claim": self.id, "at": at, "what": what, "by": by})

    def handled(self, day: date) -> None:
        """Let Kela begin to handle it."""
        self.status = Status.IN_HANDLING
        self.happens("in_handling", _at(day, _NOON))

    def heard(self, day: date) -> None:
        self.status = Status.HEARING
        self.more["hearing_until"] = day + hearing_time()
        self.happens("hearing", _at(day, _NOON))

    def decided(self, day: date, *, accepted: bool) -> None:
        heard = self.status is Status.HEARING
        self.status = Status.IN_FORCE if accepted else Status.REJECTED
        self.more["decided_on"] = day
        self.happens(self.status.value, _at(day, _NOON))
        if not accepted:
            self.more["rejection"] = self._why(heard).value
            self.closed_at = self.events[-1]["at"]

    def _why(self, heard: bool) -> Rejection:
        fitting = [
            Rejection.NO_BENEFIT,
            Rejection.NO_CARE if self.content.basis == CLIENT_FEES else Rejection.NO_BENEFIT,
        ]
        return self.random.choice([*fitting, Rejection.PAYEE_HEARD] if heard else fitting)

    def paid(self, day: date, amount: Decimal) -> None:
        self.payments.append({"claim": self.id, "on": day, "amount": amount})
        self.happens("paid", _at(day, _EARLY))

    def ended(self, day: date, on: date, reason: str) -> None:
        """Let it end on the day `day`, with `on` as its last day."""
        self.status = Status.ENDED
        self.more |= {"end_reason": reason, "ended_on": on}
        self.happens("ended", _at(day, _NOON))
        self.closed_at = self.events[-1]["at"]

    def soon(self) -> None:
        """Let Kela's side come to it while the demo runs."""
        self.next_at = self.now + timedelta(seconds=self.random.randrange(180, int(KELA_COMES.total_seconds())))

    def story(self) -> Story:
        arrived = record.arrival(self.content, self.person.family_name, self.received)
        claim = record.columns(self.content) | {
            "id": self.id,
            "version": len(self.events),
            "organisation": self.place.organisation,
            "person": self.person.id,
            "status": self.status.value,
            "registered_at": self.registered_at,
            "registered_by": self.worker.name,
            "hearing_until": None,
            "decided_on": None,
            "rejection": None,
            "end_reason": None,
            "ended_on": None,
            "closed_at": self.closed_at,
            "next_at": self.next_at if self.status in OPEN else None,
            **arrived._asdict(),
        }
        return Story(claim | self.more, tuple(self.events), tuple(self.payments))


# --- claims of the lives --------------------------------------------------------------------------------------------


def lived(place: Place, life: Life, paid: Paid, now: datetime) -> Iterator[Story]:
    """Yield the claims of a life as they stand on the Finnish day of `now`, unless they were closed long ago."""
    for claim in life.claims:
        if claim.received <= local_date(now):
            story = _lived(place, life, claim, paid, now)
            closed = story.claim["closed_at"]
            if closed is None or closed + closed_kept() > now:
                yield story


def _lived(place: Place, life: Life, claim: Claim, paid: Paid, now: datetime) -> Story:
    person, today = life.person, local_date(now)
    identifier = id_of(person, "c", claim.benefit, claim.start)
    random = chance(f"story/{identifier}")
    given = list(_given(claim, paid, today))
    content = _content(place, random, claim, sum((amount for _, amount, _ in given), NOTHING), _most(given))
    told = _Told(place, person, identifier, content, claim.received, random, now)
    acknowledged = banking(claim.received + timedelta(days=1))
    if acknowledged <= claim.received:
        acknowledged = claim.received + timedelta(days=3)
    if today >= min(acknowledged, claim.decided):
        told.handled(min(acknowledged, claim.decided))
    heard = claim.received + timedelta(days=5)
    if random.random() < _HEARD and heard < claim.decided and heard <= today:
        told.heard(heard)
    if today < claim.decided:
        told.soon()
        return told.story()
    told.decided(claim.decided, accepted=claim.accepted)
    if claim.accepted:
        _serve(told, claim, given, paid, today)
    return told.story()


def _serve(told: _Told, claim: Claim, given: Sequence[tuple[date, Decimal, str]], paid: Paid, today: date) -> None:
    for day, amount, status in given:
        if status == "paid":
            told.paid(day, amount)
    if claim.amount is not None and paid.claimed.get(claim) == claim.amount:
        assert claim.end is not None
        told.ended(paid.moved[claim], claim.end, "assistance_recovered")
    elif today > claim.closes:
        natural = "care_ended" if claim.basis == CLIENT_FEES else "assistance_situation_ended"
        told.ended(claim.closes + timedelta(days=1), claim.closes, natural if claim.end else "benefit_ended")
    else:
        planned = [day for day, _, status in given if status == "planned"]
        told.next_at = _at(planned[0] if planned else min(claim.closes, month_after(today, 1)), _EARLY)


def _given(claim: Claim, paid: Paid, today: date) -> Iterator[tuple[date, Decimal, str]]:
    """Yield what the payments of a life give to a claim: day, euros, and whether it is paid or planned."""
    if not claim.accepted or claim.decided > today:
        return
    for row in paid.rows:
        body = row["body"]
        if row["benefit"] == claim.benefit and claim.covers(claim.benefit, date.fromisoformat(body["period_from"])):
            amount = taken(body)
            if amount:
                yield row["day"], amount, body["status"]


def taken(payment: Row) -> Decimal:
    """Return what a payment gives to claims: what is taken off it, and all that is left when it goes to the county."""
    off = sum((Decimal(one["amount"]) for one in payment["deductions"] or [] if one["kind"] == "claim"), NOTHING)
    return off + (Decimal(payment["net"]) if payment["payee"] == "county" else NOTHING)


def _most(given: Sequence[tuple[date, Decimal, str]]) -> Decimal:
    return max((amount for _, amount, _ in given), default=NOTHING)


def _content(place: Place, random: Random, claim: Claim, total: Decimal, most: Decimal) -> Content:
    if claim.amount is not None:
        amount = claim.amount
    elif claim.end is None:
        amount = max(claim.share, most)
    else:
        count = sum(1 for _ in months(claim.start, claim.end))
        amount = max(max(claim.share, most) * count, total)
    return _written(place, random, claim.basis, claim.benefit, claim.start, claim.end, amount, claim.received)


# --- fresh ones -----------------------------------------------------------------------------------------------------

FRESH: Final = (
    Status.REGISTERED,
    Status.IN_HANDLING,
    Status.HEARING,
    Status.IN_FORCE,
    Status.REJECTED,
    Status.CANCELLED,
    Status.IN_HANDLING,
    Status.REGISTERED,
    Status.HEARING,
    Status.IN_FORCE,
    Status.REGISTERED,
    Status.IN_HANDLING,
)
"""The states of an organisation's fresh claims, in turn."""


def fresh(place: Place, life: Life, status: Status, now: datetime) -> Story | None:
    """Return a claim in `status` on a benefit that runs, None when nothing of the person's can be claimed."""
    person, today = life.person, local_date(now)
    if person.died is not None:
        return None
    course = next((one for one in life.courses if _runs(one, life, today)), None)
    if course is None:
        return None
    random = chance(f"fresh/{person.seed}/{person.id}")
    benefit = benefits()[course.spell.benefit]
    allowed = ((SOCIAL_ASSISTANCE, benefit.claim_s23), (CLIENT_FEES, benefit.claim_s14))
    basis = random.choice([name for name, is_allowed in allowed if is_allowed])
    ago = {Status.REGISTERED: (0, 1), Status.IN_HANDLING: (2, 7), Status.HEARING: (7, 12), Status.IN_FORCE: (20, 28)}
    received = today - timedelta(days=random.randint(*ago.get(status, (20, 30))))
    # Most of them come in time for the first payment that they mean.
    late = status in _CAN_BE_LATE and random.random() < _LATE
    first = today.replace(day=1) if late else month_after(today, 1)
    last = last_of(month_after(first, 1)) if basis == SOCIAL_ASSISTANCE or random.random() < 0.5 else None
    amount = _current(course, today)
    assert amount is not None
    monthly = percent(taxed(benefit.id, amount)[0], random.choice((30, 50, 80)))
    content = _written(place, random, basis, benefit.id, first, last, monthly * (1 if last is None else 2), received)
    told = _Told(place, person, id_of(person, "f", benefit.id, first), content, received, random, now)
    _fresh(told, status, received)
    return told.story()


def _fresh(told: _Told, status: Status, received: date) -> None:
    if status is Status.CANCELLED:
        told.status = Status.CANCELLED
        told.happens("cancel", told.registered_at + timedelta(minutes=told.random.randrange(3, 50)), told.worker.name)
        told.closed_at = told.events[-1]["at"]
        return
    if status is not Status.REGISTERED:
        told.handled(received + timedelta(days=1))
    if status is Status.HEARING:
        told.heard(received + timedelta(days=5))
    if status in (Status.IN_FORCE, Status.REJECTED):
        told.decided(told.today - timedelta(days=told.random.randrange(2, 9)), accepted=status is Status.IN_FORCE)
    if status is Status.IN_FORCE:
        told.next_at = told.now + KELA_COMES
    else:
        told.soon()


def _runs(course: Course, life: Life, today: date) -> bool:
    """Tell whether a benefit is paid month by month, now and in the next month, and nobody has claimed it."""
    benefit = benefits()[course.spell.benefit]
    return (
        (benefit.claim_s23 or benefit.claim_s14)
        and benefit.basis == "month"
        and (benefit.payment_day in REGULAR or benefit.payment_day.isdigit())
        and (course.spell.end is None or course.spell.end >= last_of(month_after(today, 2)))
        and bool(_current(course, today) and _current(course, month_after(today, 1)))
        and all(claim.benefit != benefit.id for claim in life.claims)
    )


def _current(course: Course, day: date) -> Decimal | None:
    running = [part for part in course.parts if part.start <= day and (part.end is None or day <= part.end)]
    return running[-1].amount if running else None


# --- what they say --------------------------------------------------------------------------------------------------


def _written(
    place: Place,
    random: Random,
    basis: str,
    benefit: str,
    first: date,
    last: date | None,
    amount: Decimal,
    received: date,
) -> Content:
    """Return what a claim says; payee and handler are filled in where its history is told."""
    worker = random.choice(place.workers)
    assistance = None
    if basis == SOCIAL_ASSISTANCE:
        assert last is not None
        granted = before(received, random.randrange(2, 9))
        assistance = Assistance(first, last, percent(amount, random.choice((100, 100, 110, 125))), granted)
    return Content(
        payee="",
        basis=basis,
        benefit=benefit,
        first=first,
        last=last,
        amount=amount,
        account=random.choice(place.accounts),
        reference=_reference(random),
        grounds=_GROUNDS[place.language][basis] if random.random() < 0.7 else "",
        handler=worker.name,
        telephone=f"000 {random.randrange(100, 1000)} {random.randrange(10000):04d}",
        care_first=first if basis == CLIENT_FEES else None,
        care_last=last if basis == CLIENT_FEES else None,
        assistance=assistance,
    )


def _reference(random: Random) -> str:
    """Return a reference number with its check digit, or none."""
    if random.random() < 0.3:
        return ""
    bare = str(random.randrange(10**6, 10**9))
    weighted = sum(int(digit) * (7, 3, 1)[place % 3] for place, digit in enumerate(reversed(bare)))
    return f"{bare}{-weighted % 10}"


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, UTC)
