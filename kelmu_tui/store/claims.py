"""Claims as the replica holds them, with the user's own commands on their way.

Lists read columns alone; the whole claim is read for those that own commands touch. What is shown is looked at first:
whoever shows names or a claim logs that before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from kelmu_tui.domain.claims.catalogue import SOCIAL_ASSISTANCE
from kelmu_tui.domain.claims.content import Content
from kelmu_tui.domain.claims.days import first_meant, latest_arrival, next_reached, payment_days
from kelmu_tui.domain.claims.life import OPEN, ClaimState, Status, ends_by_itself
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import mask
from kelmu_tui.store import claim_overlay, outbox
from kelmu_tui.store.claim_overlay import Effect, Pending
from kelmu_tui.store.claim_rows import DRAFT, Account, ClaimFile, ClaimLine, Event, Paid
from kelmu_tui.store.details import data_at
from kelmu_tui.store.replica import instant, microseconds

_GENERATION: Final = "(SELECT generation FROM replica.scope WHERE name GLOB 'claims:*')"
_LINE: Final = (
    "id, version, status, name, masked, non_disclosure, basis, benefit, first, last, cents, payment_day, latest, late,"
    " paid, registered, registered_by, hearing_until, editors, ended, expires"
)
_HELD: Final = f"replica.claim WHERE generation = {_GENERATION} AND (expires IS NULL OR expires > ?)"
_CENTS: Final = -2
# Plain words: lists compare ten thousand of them.
_OPEN: Final = frozenset(status.value for status in OPEN)
_ON_THE_WAY: Final = (Status.REGISTERED.value, Status.IN_HANDLING.value)
"""States in which it matters that a claim comes too late."""
_HEARING: Final = Status.HEARING.value
_IN_FORCE: Final = Status.IN_FORCE.value
_ENDED: Final = Status.ENDED.value


_MAKE: Final = ClaimLine._make
"""Makes a line of its values in order, in half the time of a call with each of them."""


class Frame(NamedTuple):
    """For whom claims are read, and when; what `user` is editing is known to them."""

    organisation: str
    user: str
    now: datetime

    @property
    def day(self) -> date:
        """Today in Finland."""
        return local_date(self.now)


class Known(NamedTuple):
    """A claim as commands see it: its state with everything pending, and the line that lists show of it."""

    state: ClaimState
    line: ClaimLine


# --- lists ----------------------------------------------------------------------------------------------------------


def lines(db: Any, frame: Frame) -> list[ClaimLine]:
    """Return the claims by need (`by_need`), among them as drafts those whose registration was refused."""
    return _lines(db, frame, None)


def of_person(db: Any, frame: Frame, codes: Iterable[str]) -> list[ClaimLine]:
    """Return the claims on benefits of somebody with one of these identity codes, in the same order."""
    return _lines(db, frame, frozenset(codes))


def by_need(line: ClaimLine) -> tuple[int, date, float, str, str]:
    """Return the place of a claim: drafts, then what needs somebody, then open ones by the next day, then closed ones.

    What needs somebody was refused, is late for the payment that it is meant for, or is being heard.
    """
    status = line.status
    if status in _OPEN:
        pressing = line.conflict or status == _HEARING or (line.late and status in _ON_THE_WAY)
        due = line.hearing_until or (line.until if status == _IN_FORCE else line.payment_day)
        return 1 if pressing else 2, due or date.max, 0.0, line.name, line.id
    newest = 0.0 if line.registered_at is None else -line.registered_at.timestamp()
    if status == DRAFT:
        return 0, date.min, newest, line.name, line.id
    return 1 if line.conflict else 3, date.max, newest, line.name, line.id


def _lines(db: Any, frame: Frame, codes: frozenset[str] | None) -> list[ClaimLine]:
    sql, values = f"SELECT {_LINE} FROM {_HELD}", (microseconds(frame.now),)  # noqa: S608
    narrowed = "" if codes is None else " AND code IN (SELECT value FROM json_each(?))"
    more = () if codes is None else (json.dumps(sorted(codes)),)
    day = frame.day
    found = [_line(row, frame, day) for row in db.execute(sql + narrowed, (*values, *more))]
    pending = claim_overlay.pending(db, frame.organisation)
    if pending.touched:
        bodies = _bodies(db, pending.touched)
        found = [_touched(one, bodies[one.id], pending, frame) if one.id in bodies else one for one in found]
        found += [new.line for new in _new(pending, frame, bodies) if codes is None or new.state.content.payee in codes]
    return sorted(found, key=by_need)


def _line(row: tuple[Any, ...], frame: Frame, today: date) -> ClaimLine:
    (
        id_, version, status, name, masked, protected, basis, benefit, first, last_day, cents, payment_day, latest,
        late, paid, registered, registered_by, hearing_until, editors, ended, expires,
    ) = row  # fmt: skip
    last, told = _day(last_day), _day(ended)
    until = told or last
    if until is not None and until < today and ends_by_itself(status, basis):
        status = _ENDED  # as `settled`: time ends it, whether anybody has noticed or not
    return _MAKE(
        (
            id_, version, status, name, masked, protected == 1, basis, benefit, _day(first), last, _euros(cents),
            _day(payment_day), _day(latest), late == 1, _euros(paid), instant(registered), registered_by,
            _day(hearing_until), None, False, None if editors is None else _editor(editors, frame),
            None if expires is None else instant(expires), told,
        )
    )  # fmt: skip


@lru_cache(4096)
def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


@lru_cache(4096)
def _euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(_CENTS)


def _editor(editors: str, frame: Frame) -> str | None:
    """Return who else is changing a claim now."""
    for one in json.loads(editors):
        if one["user"] != frame.user and datetime.fromisoformat(one["until"]) > frame.now:
            return str(one["name"])
    return None


# --- whole claims ---------------------------------------------------------------------------------------------------


def file(db: Any, frame: Frame, id: str) -> ClaimFile | None:  # noqa: A002
    """Return a claim whole with the user's pending commands applied, None when there is none (any more)."""
    pending = claim_overlay.pending(db, frame.organisation, [id])
    row, line = _held(db, frame, id)
    if row is None or line is None:
        new = next((one for one in _new(pending, frame, {}, id)), None)
        if new is None:
            return None
        return ClaimFile(new.line, new.state.content, new.effect.events, (), None, None, None, None, data_at(db))
    before = claim_overlay.state_of(row, frame.day)
    effect = claim_overlay.applied(before, pending.given.get(id, ()), pending.epoch)
    told = [Event(datetime.fromisoformat(one["at"]), one["what"], one.get("by")) for one in row.get("events") or ()]
    return ClaimFile(
        _with(line, before, effect, pending, frame),
        effect.state.content,
        (*told, *effect.events),
        tuple(Paid(date.fromisoformat(p["on"]), Decimal(str(p["amount"]))) for p in row.get("payments") or ()),
        _day(row.get("decided_on")),
        row.get("rejection"),
        effect.state.end_reason,
        effect.state.ended_on,
        data_at(db),
    )


def known(db: Any, frame: Frame, id: str) -> Known | None:  # noqa: A002
    """Return a claim as commands see it, None when there is none (any more)."""
    pending = claim_overlay.pending(db, frame.organisation, [id])
    row, line = _held(db, frame, id)
    if row is None or line is None:
        new = next((one for one in _new(pending, frame, {}, id) if one.effect.pending is not None), None)
        return None if new is None else Known(new.state, new.line)
    before = claim_overlay.state_of(row, frame.day)
    effect = claim_overlay.applied(before, pending.given.get(id, ()), pending.epoch)
    return Known(effect.state, _with(line, before, effect, pending, frame))


def accounts(db: Any) -> tuple[Account, ...]:
    """Return the organisation's accounts by name."""
    rows = db.execute(f"SELECT id, iban, name FROM replica.account WHERE generation = {_GENERATION} ORDER BY name, id")  # noqa: S608
    return tuple(Account(*row) for row in rows)


def person(db: Any, frame: Frame, code: str) -> tuple[str, bool, str] | None:
    """Return name and non-disclosure of whoever has an identity code, as the newest claim tells, and that claim's id.

    None when no claim is on a benefit of theirs.
    """
    row = db.execute(
        f"SELECT name, non_disclosure, id FROM {_HELD} AND code = ? ORDER BY registered DESC LIMIT 1",  # noqa: S608
        (microseconds(frame.now), code),
    ).fetchone()
    if row is not None:
        return str(row[0]), bool(row[1]), str(row[2])
    pending = claim_overlay.pending(db, frame.organisation)
    for new in _new(pending, frame, {}):
        if new.state.content.payee == code:
            return new.line.name, new.line.non_disclosure, new.line.id
    return None


def _held(db: Any, frame: Frame, id: str) -> tuple[dict[str, Any] | None, ClaimLine | None]:  # noqa: A002
    found = db.execute(f"SELECT {_LINE} FROM {_HELD} AND id = ?", (microseconds(frame.now), id)).fetchone()  # noqa: S608
    return (None, None) if found is None else (_bodies(db, [id]).get(id), _line(found, frame, frame.day))


def _bodies(db: Any, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    found = db.execute(
        f"SELECT id, body FROM replica.claim_body WHERE generation = {_GENERATION}"  # noqa: S608
        " AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {id_: json.loads(body) for id_, body in found}


# --- own commands ---------------------------------------------------------------------------------------------------


def _touched(line: ClaimLine, row: Mapping[str, Any], pending: Pending, frame: Frame) -> ClaimLine:
    before = claim_overlay.state_of(row, frame.day)
    effect = claim_overlay.applied(before, pending.given.get(line.id, ()), pending.epoch)
    return _with(line, before, effect, pending, frame)


def _with(line: ClaimLine, before: ClaimState, effect: Effect, pending: Pending, frame: Frame) -> ClaimLine:
    """Return a line with what own commands make of it."""
    line = line._replace(pending=effect.pending, conflict=line.id in pending.conflicts)
    return line if effect.state is before else _stated(line, effect, frame)


def _stated(line: ClaimLine, effect: Effect, frame: Frame) -> ClaimLine:
    content = effect.state.content
    line = line._replace(
        status=effect.state.status.value,
        basis=content.basis,
        benefit=content.benefit,
        first=content.first,
        last=content.last,
        amount=content.amount,
        ended_on=effect.state.ended_on,
    )
    return _timed(line, content, frame) if effect.changed else line


def _timed(line: ClaimLine, content: Content, frame: Frame) -> ClaimLine:
    """Return a line with the payment day of what is not at Kela yet, as if it arrived today."""
    surname = line.name.partition(",")[0]
    meant, reached = first_meant(content, surname), next_reached(content, surname, frame.day)
    if meant is not None and meant < frame.day and content.basis == SOCIAL_ASSISTANCE:
        # An awaited benefit has missed no day that has passed: it is granted for that time later.
        meant = next(payment_days(content.benefit, surname, frame.day, content.last), None)
    return line._replace(
        payment_day=reached,
        latest=None if meant is None else latest_arrival(meant),
        late=meant is not None and reached != meant,
    )


class _New(NamedTuple):
    """A claim that is not in the replica: on its way, or refused."""

    line: ClaimLine
    effect: Effect

    @property
    def state(self) -> ClaimState:
        return self.effect.state


def _new(pending: Pending, frame: Frame, held: Mapping[str, Any], id: str | None = None) -> Iterator[_New]:  # noqa: A002
    """Yield the claims that commands begin whose rows have not come yet, and those that were not registered."""
    for id_ in dict.fromkeys((*pending.given, *pending.refused)):
        if id_ in held or id not in (None, id_):
            continue
        refused = pending.refused.get(id_)
        commands = pending.given.get(id_, []) if refused is None else [refused]
        effect = claim_overlay.begun(commands)
        if effect is not None:
            new = _fresh(commands[0], effect, frame, refused=refused is not None)
            # What was given behind it may be refused before its own row has come.
            yield new._replace(line=new.line._replace(conflict=id_ in pending.conflicts))


def _fresh(command: outbox.Command, effect: Effect, frame: Frame, *, refused: bool) -> _New:
    at, label, content = datetime.fromisoformat(command.created_at), command.label, effect.state.content
    blank = ClaimLine(
        id=command.aggregate,
        version=0,
        status="",
        name=str(label.get("customer", "")),
        masked_code=mask(content.payee),
        non_disclosure=bool(label.get("non_disclosure")),
        basis="",
        benefit="",
        first=None,
        last=None,
        amount=None,
        payment_day=None,
        latest=None,
        late=False,
        paid=Decimal(0),
        registered_at=at,
        registered_by=str(label.get("by", "")),
        hearing_until=None,
        pending=effect.pending,
        conflict=False,
        editing=None,
        expires_at=None,
    )
    line = _stated(blank, effect, frame)
    if refused:
        # It never was a claim: what is left of it is the user's own, to be mended or dropped.
        line = line._replace(status=DRAFT, pending=None)
        effect = effect._replace(pending=None, events=())
    return _New(line, effect)
