"""Access tokens: JWTs by RFC 9068, signed with ES256, good for ten minutes and no longer than their session.

Only our own keys verify, only one algorithm is taken, and whatever a header says of other keys is not read.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol
from sqlalchemy import Connection

from kelmu_backend.identity import codes, families, keys
from kelmu_backend.identity.families import Family
from kelmu_backend.identity.keys import KeyRing
from kelmu_backend.identity.ports import Settings, Transactions, audience

ALGORITHM: Final = "ES256"
TYPE: Final = "at+jwt"
LIFE: Final = timedelta(minutes=10)
SKEW: Final = timedelta(seconds=5)
"""How far ahead the clock of the process that signed may be."""
SCOPE: Final = "kelmu"
MAX_LENGTH: Final = 4096

_HEADERS: Final = frozenset({"alg", "kid", "typ"})


class InvalidToken(Exception):
    """The access token opens nothing; `reason` is for tests and counters and never holds a part of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: user, session (`sid`), and the device's number if the client gave one at sign-in."""

    user: str
    session: str
    device: str | None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that is signed by us and within its time says."""

    user: str
    session: str
    issued: datetime
    expires: datetime


def issue(settings: Settings, family: Family, now: datetime) -> tuple[str, int]:
    """Return an access token for the session, and its life in whole seconds."""
    key = keys.ring(settings).signing(now)
    issued = int(now.timestamp())
    life = int(min(LIFE, family.expires - now).total_seconds())
    claims = {
        "iss": settings.issuer,
        "aud": audience(settings),
        "sub": family.user,
        "client_id": family.client,
        "sid": family.id,
        "jti": settings.ids.new(),
        "iat": issued,
        "exp": issued + life,
        "scope": SCOPE,
    }
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": TYPE}
    return jwt.encode(header, claims, key.key, algorithms=[ALGORITHM]), life


def verify_access_token(settings: Settings, database: Transactions, token: str, now: datetime) -> Principal:
    """Return who `token` speaks for.

    Raises:
        InvalidToken: it isn't ours, isn't for this API, isn't within its time, or its session has ended.
    """
    claims = read(settings, token, now)
    with database.read() as connection:
        return principal(connection, claims, now)


def authenticate(settings: Settings, connection: Connection, token: str, now: datetime) -> Principal:
    """Do what `verify_access_token` does inside a transaction that the caller has already opened."""
    return principal(connection, read(settings, token, now), now)


def principal(connection: Connection, claims: Claims, now: datetime) -> Principal:
    """Return who the claims speak for, if their session is still alive.

    Raises:
        InvalidToken: the session was ended or has expired.
    """
    family = families.alive(connection, claims.session, now)
    if family is None or family.user != claims.user:
        raise InvalidToken("session ended")
    return Principal(user=family.user, session=family.id, device=family.device)


def read(settings: Settings, token: str, now: datetime) -> Claims:
    """Return the claims of an access token without asking whether its session still lives.

    Raises:
        InvalidToken: it isn't ours, isn't for this API or isn't within its time.
    """
    claims = signed_claims(settings, token)
    if claims.issued > now + SKEW:
        raise InvalidToken("issued in the future")
    if claims.expires <= now:
        raise InvalidToken("expired")
    return claims


def signed_claims(settings: Settings, token: str) -> Claims:
    """Return the claims of a token of ours whatever the time; a sign-out may name an expired one.

    Raises:
        InvalidToken: it isn't ours or isn't for this API.
    """
    if len(token) > MAX_LENGTH:
        raise InvalidToken("too long")
    ring = keys.ring(settings)
    memory = _memory_of(ring, settings)
    name = codes.digest(token)
    known = memory.get(name)
    if known is None:
        known = memory[name] = _check(settings, ring, token)
        if len(memory) > _REMEMBERED:
            memory.popitem(last=False)
    return known


_REMEMBERED: Final = 2048
_memories: dict[tuple[str, str], tuple[KeyRing, OrderedDict[str, Claims]]] = {}


def _memory_of(ring: KeyRing, settings: Settings) -> OrderedDict[str, Claims]:
    """Return the tokens whose signature has been checked under these keys: a poll each second need not repeat it."""
    place = (settings.issuer, audience(settings))
    known = _memories.get(place)
    if known is None or known[0] is not ring:
        known = _memories[place] = (ring, OrderedDict())
    return known[1]


def _check(settings: Settings, ring: KeyRing, token: str) -> Claims:
    def choose(guest: GuestProtocol) -> ECKey:
        kid = guest.headers().get("kid")
        key = ring.find(kid) if isinstance(kid, str) else None
        if key is None:
            raise InvalidToken("unknown key")
        return key

    try:
        decoded = jwt.decode(token, choose, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError, UnicodeError) as error:
        raise InvalidToken("not signed by us") from error
    if str(decoded.header.get("typ", "")).lower() != TYPE:
        raise InvalidToken("wrong type")
    if set(decoded.header) - _HEADERS:
        raise InvalidToken("unexpected header")
    if decoded.claims.get("iss") != settings.issuer:
        raise InvalidToken("wrong issuer")
    if decoded.claims.get("aud") != audience(settings):
        raise InvalidToken("wrong audience")
    return _claims(decoded.claims)


def _claims(raw: dict[str, Any]) -> Claims:
    user, session, issued, expires = (raw.get(name) for name in ("sub", "sid", "iat", "exp"))
    if not isinstance(user, str) or not isinstance(session, str):
        raise InvalidToken("no subject or session")
    if type(issued) is not int or type(expires) is not int:
        raise InvalidToken("no time of issue or expiry")
    try:
        return Claims(user, session, datetime.fromtimestamp(issued, UTC), datetime.fromtimestamp(expires, UTC))
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidToken("time out of range") from error
