"""Sessions and their refresh tokens.

A session is a family of refresh tokens that began with one approval and lives twelve hours at the most. Each refresh
hands out the next token. The client may have lost that answer, in a crash between the answer and its disk, so the
token before stays good until the new one has been used; after that, whoever shows an old one has a copy, and the whole
family ends (RFC 9700, 4.14.2). The next token is computed from the present one under the server's own key: a repeated
refresh gets the same answer, so two refreshes at once can't split the family in two branches.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, select, update

from kelmu_backend.identity import codes, journal
from kelmu_backend.identity.journal import Event
from kelmu_backend.identity.keys import KeyRing
from kelmu_backend.identity.tables import refresh_token, token_family

LIFE: Final = timedelta(hours=12)
"""Absolute life of a session; after it the user signs in anew."""
KEPT: Final = timedelta(days=1)
"""How long an expired family is kept, so that its end can still be told from a token that never was."""


# Every request asks this, so the statement is built once.
_ALIVE: Final[Select[Any]] = select(
    token_family.c.id, token_family.c.user, token_family.c.client, token_family.c.device, token_family.c.expires
).where(token_family.c.id == bindparam("family"), token_family.c.ended.is_(None))


class End(StrEnum):
    """Why a family ended before its time."""

    SIGN_OUT = "sign_out"
    REUSE = "reuse"
    REPLAY = "replay"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Family:
    """A session; `device` is the client's own number of the device."""

    id: str
    user: str
    client: str
    device: str | None
    expires: datetime


@dataclass(frozen=True, slots=True)
class Renewal:
    """A family and the refresh token that its client has to use next."""

    family: Family
    refresh_token: str


def start(
    connection: Connection,
    ring: KeyRing,
    family: Family,
    device_name: str,
    seed: str,
    now: datetime,
    *,
    request_id: str | None = None,
) -> Renewal:
    """Begin a family; its first refresh token is computed from `seed`, a secret of 256 bits that is used up."""
    connection.execute(
        insert(token_family).values(
            id=family.id,
            user=family.user,
            client=family.client,
            device=family.device,
            device_name=device_name,
            created=now,
            expires=family.expires,
            generation=0,
        )
    )
    journal.record(connection, Event.STARTED, now, user=family.user, subject=family.id, request_id=request_id)
    return Renewal(family, _issue(connection, ring, family.id, seed, 1, now))


def unused(connection: Connection, ring: KeyRing, family: str, seed: str, now: datetime) -> Renewal | None:
    """Return what `start` returned, while the family lives and its first refresh token hasn't been used."""
    row = _locked(connection, family)
    if row is None or row.ended is not None or row.expires <= now or row.generation > 0:
        return None
    return Renewal(_family(row), _issue(connection, ring, family, seed, 1, now))


def renew(
    connection: Connection, ring: KeyRing, token: str, client: str, now: datetime, *, request_id: str | None = None
) -> Renewal | None:
    """Return what follows `token`, or None when it is unknown, old, another client's or of an ended family.

    An old token ends its family; the caller has to commit also when the answer is None.
    """
    shown = connection.execute(select(refresh_token).where(refresh_token.c.id == codes.digest(token))).one_or_none()
    if shown is None:
        return None
    row = _locked(connection, shown.family)
    if row is None or row.client != client or row.ended is not None or row.expires <= now:
        return None
    if shown.generation < row.generation:
        end(connection, row.id, End.REUSE, now, request_id=request_id)
        return None
    if shown.generation > row.generation:
        connection.execute(update(token_family).where(token_family.c.id == row.id).values(generation=shown.generation))
    return Renewal(_family(row), _issue(connection, ring, row.id, token, shown.generation + 1, now))


def end(connection: Connection, family: str, reason: End, now: datetime, *, request_id: str | None = None) -> bool:
    """End a family, so that its access tokens are refused from the next call on; tell whether it was alive."""
    row = _locked(connection, family)
    if row is None or row.ended is not None or row.expires <= now:
        return False
    connection.execute(
        update(token_family).where(token_family.c.id == family).values(ended=now, end_reason=reason.value)
    )
    event = Event.SIGNED_OUT if reason is End.SIGN_OUT else Event.ENDED
    journal.record(connection, event, now, user=row.user, outcome=reason.value, subject=family, request_id=request_id)
    return True


def end_all(connection: Connection, user: str, now: datetime) -> int:
    """End every session of a user, as an administrator does, and return how many were alive."""
    found = select(token_family.c.id).where(token_family.c.user == user, token_family.c.ended.is_(None))
    return sum(end(connection, family, End.ADMINISTRATOR, now) for family in connection.execute(found).scalars().all())


def of_token(connection: Connection, token: str, client: str) -> str | None:
    """Return the id of the family a refresh token of this client belongs to, be it used, old or new."""
    return connection.execute(
        select(token_family.c.id)
        .join(refresh_token, refresh_token.c.family == token_family.c.id)
        .where(refresh_token.c.id == codes.digest(token), token_family.c.client == client)
    ).scalar_one_or_none()


def alive(connection: Connection, family: str, now: datetime) -> Family | None:
    """Return the family when it is neither ended nor expired."""
    row = connection.execute(_ALIVE, {"family": family}).one_or_none()
    return _family(row) if row is not None and row.expires > now else None


def sweep(connection: Connection, now: datetime) -> None:
    """Forget families that expired long ago, with their tokens."""
    old = select(token_family.c.id).where(token_family.c.expires < now - KEPT)
    connection.execute(delete(refresh_token).where(refresh_token.c.family.in_(old)))
    connection.execute(delete(token_family).where(token_family.c.expires < now - KEPT))


def _locked(connection: Connection, family: str) -> Row[Any] | None:
    return connection.execute(select(token_family).where(token_family.c.id == family).with_for_update()).one_or_none()


def _family(row: Row[Any]) -> Family:
    return Family(id=row.id, user=row.user, client=row.client, device=row.device, expires=row.expires)


def _issue(connection: Connection, ring: KeyRing, family: str, before: str, generation: int, now: datetime) -> str:
    token = base64.urlsafe_b64encode(ring.keyed("refresh token", f"{family}\0{before}")).decode().rstrip("=")
    known = connection.execute(
        select(refresh_token.c.id).where(refresh_token.c.id == codes.digest(token))
    ).one_or_none()
    if known is None:
        connection.execute(
            insert(refresh_token).values(id=codes.digest(token), family=family, generation=generation, issued=now)
        )
    return token
