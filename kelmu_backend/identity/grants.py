"""The device grant (RFC 8628): a sign-in from the terminal's first request to its tokens or its end.

Every function is one step inside the caller's transaction. What goes wrong is returned, not raised, because even a
refused step leaves something to commit: a counted guess, a longer interval, an ended session.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from kelmu_backend.identity import codes, families, guesses, journal
from kelmu_backend.identity.families import End, Family, Renewal
from kelmu_backend.identity.journal import Event
from kelmu_backend.identity.keys import KeyRing
from kelmu_backend.identity.ports import Caller
from kelmu_backend.identity.tables import device_grant, sitting

LIFE: Final = timedelta(minutes=5)
INTERVAL: Final = 5
"""Seconds between two polls."""
DEMO_INTERVAL: Final = 1
"""The same in demo mode, where one server has one user who is waiting."""
SLOWER: Final = 5
"""Seconds that each too early poll adds to the interval, for good."""
TOLERANCE: Final = timedelta(milliseconds=500)
"""A poll sent in time may arrive a little early when the one before was held up on its way."""
REMEMBERED: Final = timedelta(hours=1)
"""How long an expired grant is kept, so that its code is called expired and not wrong."""
MAX_PER_ADDRESS: Final = 300
"""Grants under way that one address may have; a whole county may stand behind one."""


class State(StrEnum):
    """Where a grant stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    SPENT = "spent"


class Mistake(StrEnum):
    """Why a code opens nothing; the pages have a text for each."""

    WRONG = "wrong"
    EXPIRED = "expired"
    USED = "used"
    REFUSED = "refused"
    LIMITED = "limited"


class PollError(StrEnum):
    """What a poll is answered with while there are no tokens (RFC 8628, 3.5)."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    INVALID = "invalid_grant"


@dataclass(frozen=True, slots=True)
class Device:
    """Who asks for a sign-in: the client, its own number of the device, and the name the user will recognise."""

    client: str
    number: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Started:
    """A fresh grant: both codes in clear, for the one answer that carries them."""

    device_code: str
    user_code: str
    interval: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant as the person at the page sees it."""

    id: str
    user_code: str
    device_name: str
    address: str
    created: datetime
    expires: datetime
    state: State


def start(
    connection: Connection, ring: KeyRing, device: Device, caller: Caller, now: datetime, interval: int
) -> Started | None:
    """Begin a grant; None when the caller's address has too many under way."""
    _sweep(connection, now)
    of_address = (device_grant.c.address == caller.address, device_grant.c.expires > now)
    under_way = connection.execute(select(func.count()).select_from(device_grant).where(*of_address)).scalar_one()
    if under_way >= MAX_PER_ADDRESS:
        return None
    started = Started(codes.new_secret(), codes.new_user_code(), interval)
    connection.execute(
        insert(device_grant).values(
            id=codes.digest(started.device_code),
            user_code=codes.user_code_digest(ring, started.user_code),
            client=device.client,
            device=device.number,
            device_name=device.name,
            address=caller.address,
            created=now,
            expires=now + LIFE,
            interval=interval,
            state=State.PENDING.value,
        )
    )
    return started


def poll(
    connection: Connection,
    ring: KeyRing,
    device_code: str,
    client: str,
    session: str,
    caller: Caller,
    now: datetime,
) -> Renewal | PollError:
    """Answer a poll: the new session, under the id `session`, or why there is none yet or never will be."""
    row = _locked(connection, device_grant.c.id == codes.digest(device_code))
    if row is None or row.client != client:
        return PollError.INVALID
    if row.state == State.SPENT:
        return _again(connection, ring, row, device_code, caller, now)
    if row.state == State.REFUSED:
        return PollError.DENIED
    if row.expires <= now:
        return PollError.EXPIRED
    if row.state == State.PENDING:
        return _told_to_wait(connection, row, now)
    _set(connection, row.id, state=State.SPENT.value, family=session)
    family = Family(id=session, user=row.user, client=client, device=row.device, expires=now + families.LIFE)
    return families.start(connection, ring, family, row.device_name, device_code, now, request_id=caller.request_id)


def enter(connection: Connection, ring: KeyRing, typed: str, caller: Caller, now: datetime) -> Grant | Mistake:
    """Return the pending grant whose code somebody typed, or why there is none; counts what may be guessing."""
    source = guesses.source(ring, caller.address)
    if guesses.exhausted(connection, source, now):
        return Mistake.LIMITED
    code = codes.normalise(typed)
    if code is None:
        # Too short or with a digit: a slip of the hand that can't hit anybody's code.
        return Mistake.WRONG
    row = _locked(connection, device_grant.c.user_code == codes.user_code_digest(ring, code))
    if row is not None:
        found = _grant(row, code)
        mistake = standing(found, now)
        return found if mistake is None else mistake
    wrong = guesses.count(connection, source, now)
    outcome = "limit_reached" if wrong == guesses.LIMIT else "wrong_code"
    journal.record(connection, Event.FAILED, now, user=None, outcome=outcome, request_id=caller.request_id)
    return Mistake.WRONG


def standing(grant: Grant, now: datetime) -> Mistake | None:
    """Tell why a grant can't be decided any more; None while it can."""
    if grant.state is State.REFUSED:
        return Mistake.REFUSED
    if grant.state is not State.PENDING:
        return Mistake.USED
    return Mistake.EXPIRED if grant.expires <= now else None


def find(connection: Connection, ring: KeyRing, grant: str, user_code: str) -> Grant | None:
    """Return a grant by id; None when it is gone or `user_code` isn't its code."""
    matches = (device_grant.c.id == grant, device_grant.c.user_code == codes.user_code_digest(ring, user_code))
    row = connection.execute(select(device_grant).where(*matches)).one_or_none()
    return None if row is None else _grant(row, user_code)


def decide(
    connection: Connection, grant: str, user: str, caller: Caller, now: datetime, *, approve: bool
) -> Mistake | None:
    """Approve or refuse a pending grant in the name of `user`; return why that isn't possible any more."""
    row = _locked(connection, device_grant.c.id == grant)
    if row is None:
        return Mistake.EXPIRED
    mistake = standing(_grant(row, ""), now)
    if mistake is not None:
        return mistake
    state = State.APPROVED if approve else State.REFUSED
    _set(connection, grant, state=state.value, user=user, decided_at=now)
    event = Event.APPROVED if approve else Event.REFUSED
    journal.record(connection, event, now, user=user, request_id=caller.request_id)
    return None


def withdraw(connection: Connection, user: str, now: datetime) -> int:
    """Take back the approvals of `user` that no terminal has collected, and close the pages that know who it is.

    Done before `families.end_all`: a terminal that collects at the same moment is either too late or has a session.
    Returns how many approvals were taken back.
    """
    taken = connection.execute(
        update(device_grant)
        .where(device_grant.c.user == user, device_grant.c.state == State.APPROVED.value, device_grant.c.expires > now)
        .values(state=State.REFUSED.value, decided_at=now)
    ).rowcount
    connection.execute(delete(sitting).where(sitting.c.user == user))
    for _ in range(taken):
        journal.record(connection, Event.REFUSED, now, user=user, outcome=End.ADMINISTRATOR.value)
    return taken


def _again(
    connection: Connection, ring: KeyRing, row: Row[Any], device_code: str, caller: Caller, now: datetime
) -> Renewal | PollError:
    """Answer a poll after the tokens: the same ones once more while nobody has used them, for answers get lost."""
    repeated = families.unused(connection, ring, row.family, device_code, now) if now < row.expires else None
    if repeated is not None:
        return repeated
    # Whoever asks now is late by a whole session or holds a copy of the device code.
    families.end(connection, row.family, End.REPLAY, now, request_id=caller.request_id)
    return PollError.INVALID


def _told_to_wait(connection: Connection, row: Row[Any], now: datetime) -> PollError:
    early = row.polled_at is not None and now < row.polled_at + timedelta(seconds=row.interval) - TOLERANCE
    _set(connection, row.id, polled_at=now, interval=row.interval + SLOWER if early else row.interval)
    return PollError.SLOW_DOWN if early else PollError.PENDING


def _locked(connection: Connection, condition: Any) -> Row[Any] | None:
    return connection.execute(select(device_grant).where(condition).with_for_update()).one_or_none()


def _set(connection: Connection, grant: str, **values: Any) -> None:
    connection.execute(update(device_grant).where(device_grant.c.id == grant).values(**values))


def _grant(row: Row[Any], user_code: str) -> Grant:
    return Grant(
        id=row.id,
        user_code=user_code,
        device_name=row.device_name,
        address=row.address,
        created=row.created,
        expires=row.expires,
        state=State(row.state),
    )


def _sweep(connection: Connection, now: datetime) -> None:
    old = select(device_grant.c.id).where(device_grant.c.expires < now - REMEMBERED)
    connection.execute(delete(sitting).where(sitting.c.grant.in_(old)))
    connection.execute(delete(device_grant).where(device_grant.c.expires < now - REMEMBERED))
    families.sweep(connection, now)
