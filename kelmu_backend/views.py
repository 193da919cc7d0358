"""The log of views that clients ship: appended once and in order, every link checked, everything odd written down.

An event's hash covers the hash before it and the event's text. Of a ledger that was edited, cut, thinned out or put
back from an old copy some link does not fit, or other events stand in the record already. What is found is committed
as a finding, also when the batch is refused; good events before it are kept.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError
from pydantic_core import from_json
from sqlalchemy import Connection, Row, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kelmu_backend import policy
from kelmu_backend.database import tables
from kelmu_backend.problems import ProblemError
from kelmu_backend.rows import instant
from kelmu_tui.api.contract import ChainRegistration, ProblemCode, ShippedEvent, ViewBatch, ViewBody
from kelmu_tui.api.contract.views import LISTED
from kelmu_tui.domain.capabilities import NOTICE_TRANSFER, NOTICES_INBOX, PAYMENT_CLAIMS_REGISTER
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.sections import CUSTOMER_LOOKUP

GENESIS: Final = bytes(32)
"""Hash before the first event."""


class Finding(StrEnum):
    """What can be wrong with a chain; only a gap can be mended, by the events that were missing."""

    GAP = "gap"
    """Events have not arrived, or their client no longer has them."""
    FORKED = "forked"
    """Other events stand in the record under these numbers: an old copy of the ledger was put back and went on."""
    FORGED = "forged"
    """An event's hash, link, number or user is not what it should be: the ledger was altered."""
    UNSIGNED = "unsigned"
    """Something was sent in the chain's name that its key had not signed."""
    TAKEN = "taken"
    """Another user, or another key, wanted to go on with the chain: a ledger was copied or altered."""
    RESTARTED = "restarted"
    """The same user and device had another chain with events: its ledger was thrown away, or barred after a finding."""


REFUSALS: Final = {
    Finding.GAP: ProblemCode.VIEW_CHAIN_GAP,
    Finding.FORKED: ProblemCode.VIEW_CHAIN_FORKED,
    Finding.FORGED: ProblemCode.VIEW_CHAIN_FORGED,
}


class Link(NamedTuple):
    """How an event hangs in its chain."""

    previous: bytes
    hash: bytes


class Verdict(NamedTuple):
    """The receipt, or the problem that is answered once the finding is committed."""

    receipt: dict[str, Any] | None
    problem: ProblemError | None = None


# --- registering ----------------------------------------------------------------------------------------------------


def register(connection: Connection, user: str, device: str, registration: ChainRegistration, now: datetime) -> Verdict:
    """Take down a chain of `user` and answer what there is of it; the same again changes nothing.

    A chain that is known with another user or another key is refused; the caller commits either way.
    """
    key = unpacked(registration.public_key)
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {
        "id": registration.chain,
        "user": user,
        "device": device,
        "public_key": key,
        "registered": now,
        "head": 0,
        "hash": GENESIS,
    }
    insertion = build(tables.view_chain).values(values).on_conflict_do_nothing().returning(tables.view_chain.c.id)
    new = connection.execute(insertion).first() is not None
    chain = connection.execute(_LOCKED, {"chain": registration.chain}).one()
    if (chain.user, chain.public_key) != (user, key):
        _find(connection, chain.id, Finding.TAKEN, 0, 0, now)
        return Verdict(None, ProblemError(ProblemCode.VIEW_CHAIN_TAKEN))
    if new and connection.execute(_OTHERS, {"chain": chain.id, "user": user, "device": device}).first() is not None:
        _find(connection, chain.id, Finding.RESTARTED, 0, 0, now)
    return Verdict(_receipt(chain.id, chain.head, chain.hash, now))


def unpacked(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


_LOCKED: Final = select(tables.view_chain).where(tables.view_chain.c.id == bindparam("chain")).with_for_update()
_OTHERS: Final = select(tables.view_chain.c.id).where(
    tables.view_chain.c.user == bindparam("user"),
    tables.view_chain.c.device == bindparam("device"),
    tables.view_chain.c.id != bindparam("chain"),
    tables.view_chain.c.head > 0,
)
_KEY: Final = select(tables.view_chain.c.public_key).where(tables.view_chain.c.id == bindparam("chain"))


def key_of(connection: Connection, chain: str) -> bytes | None:
    """Return the public key of a chain, None when it is not known."""
    found: bytes | None = connection.execute(_KEY, {"chain": chain}).scalar_one_or_none()
    return found


def is_signed(key: bytes, signature: str, body: bytes) -> bool:
    """Tell whether `signature` (base64url) is that of `body` by the raw Ed25519 key `key`."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(unpacked(signature), body)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_unsigned(connection: Connection, chain: str) -> bool:
    """Tell whether something without its signature has been written down for a chain."""
    return connection.execute(_OPEN, {"chain": chain, "kind": Finding.UNSIGNED.value}).first() is not None


def unsigned(connection: Connection, chain: str, now: datetime) -> None:
    """Write down that something came in the name of a chain without its signature; once is enough."""
    _find(connection, chain, Finding.UNSIGNED, 0, 0, now)


def _receipt(chain: str, number: int, hash_: bytes, now: datetime) -> dict[str, Any]:
    return {"chain": chain, "number": number, "hash": hash_.hex(), "server_time": instant(now)}


# --- appending ------------------------------------------------------------------------------------------------------


def append(connection: Connection, batch: ViewBatch, now: datetime) -> Verdict:
    """Append what is new of a signed batch of a known chain, or write down why not; the caller commits either way."""
    chain = connection.execute(_LOCKED, {"chain": batch.chain}).one()
    appending = _Appending(connection, chain, batch)
    refused: tuple[Finding, ShippedEvent] | None = None
    for event in batch.events:
        finding = appending.take(event)
        if finding is not None:
            refused = finding, event
            break
    head, hash_ = appending.store(now)
    for first, until in appending.holes:
        _find(connection, chain.id, Finding.GAP, first, until, now)
    if refused is None:
        _resolve(connection, chain.id, now)
        return Verdict(_receipt(chain.id, head, hash_, now))
    finding, event = refused
    if finding is not Finding.GAP:
        _find(connection, chain.id, finding, event.number, event.number, now)
    _resolve(connection, chain.id, now)
    shared, shared_hash = appending.shared_before(event)
    problem = ProblemError(REFUSALS[finding], head={"number": shared, "hash": shared_hash.hex()})
    return Verdict(None, problem)


class _Appending:
    """One batch on its way into a chain that is locked."""

    def __init__(self, connection: Connection, chain: Row[Any], batch: ViewBatch) -> None:
        self._connection = connection
        self._chain = chain
        self._missing = batch.missing
        self._first = batch.events[0].number
        self._expected = self._first
        self._rows: list[dict[str, Any]] = []
        self._mandates: dict[tuple[str, str, str], str | None] = {}
        self.holes: list[tuple[int, int]] = []
        # Neighbours too: what is filled in between must fit on both sides.
        around = {"chain": chain.id, "low": self._first - 1, "high": self._first + len(batch.events)}
        self._known = {row.number: Link(row.previous, row.hash) for row in connection.execute(_AROUND, around)}
        self._recorded = frozenset(self._known)
        self._known[0] = Link(GENESIS, GENESIS)

    def take(self, event: ShippedEvent) -> Finding | None:
        """Check one event and keep it if it is new; return what is wrong with it."""
        link = Link(bytes.fromhex(event.previous), bytes.fromhex(event.hash))
        if event.number != self._expected or link.hash != chained(link.previous, event.body):
            return Finding.FORGED
        self._expected += 1
        known = self._known.get(event.number)
        if known is not None:
            return None if known.hash == link.hash else Finding.FORKED
        said = read_body(event.body)
        if said is None or (said.number, said.user) != (event.number, self._chain.user):
            return Finding.FORGED
        left, right = self._known.get(event.number - 1), self._known.get(event.number + 1)
        if left is None:
            self._hole(event.number)
            if not self._missing:
                return Finding.GAP
        elif left.hash != link.previous:
            return Finding.FORKED if event.number - 1 in self._recorded else Finding.FORGED
        if right is not None and right.previous != link.hash:
            return Finding.FORKED
        self._known[event.number] = link
        self._rows.append(self._row(event, link, said))
        return None

    def store(self, now: datetime) -> tuple[int, bytes]:
        """Write the new events and return the head of the chain."""
        head, hash_ = self._chain.head, self._chain.hash
        if self._rows:
            self._connection.execute(insert(tables.view_event), [row | {"received": now} for row in self._rows])
            last = self._rows[-1]
            if last["number"] > head:
                head, hash_ = last["number"], last["hash"]
                moved = update(tables.view_chain).where(tables.view_chain.c.id == self._chain.id)
                self._connection.execute(moved.values(head=head, hash=hash_))
        return head, hash_

    def shared_before(self, event: ShippedEvent) -> tuple[int, bytes]:
        """Return the last event before a refused one that client and record share, as far as the batch tells."""
        number = event.number - 1
        left = self._known.get(number)
        if left is not None and left.hash == bytes.fromhex(event.previous):
            return number, left.hash
        if left is None and self.holes:
            number = self.holes[-1][0] - 1
            return number, self._hash(number)
        return 0, GENESIS

    def _hole(self, number: int) -> None:
        below = self._connection.execute(_BELOW, {"chain": self._chain.id, "number": number}).scalar_one()
        self.holes.append(((below or 0) + 1, number - 1))

    def _hash(self, number: int) -> bytes:
        known = self._known.get(number)
        if known is not None:
            return known.hash
        found: bytes = self._connection.execute(_HASH, {"chain": self._chain.id, "number": number}).scalar_one()
        return found

    def _row(self, event: ShippedEvent, link: Link, said: ViewBody) -> dict[str, Any]:
        return {
            "chain": self._chain.id,
            "number": event.number,
            "previous": link.previous,
            "hash": link.hash,
            "body": event.body,
            "mandate": self._mandate(said),
            **columns(said),
        }

    def _mandate(self, said: ViewBody) -> str | None:
        """Return the mandate by which the user might look on that day, by the grants that the record has now."""
        capability, day = _capability(said), local_date(said.at)
        key = (said.organisation, day.isoformat(), capability)
        if key not in self._mandates:
            try:
                access = policy.access(self._connection, said.user, said.organisation, day)
            except ProblemError:
                self._mandates[key] = None
            else:
                self._mandates[key] = access.mandate(capability)
        return self._mandates[key]


def _capability(said: ViewBody) -> str:
    """Return the capability that opens a view; that of a list is the list's own id, which its subject begins with."""
    name = said.view.partition(":")[0]
    if name in _OF_CUSTOMERS:
        return CUSTOMER_LOOKUP
    if name in _OF_CLAIMS:
        return PAYMENT_CLAIMS_REGISTER
    if name in _OF_LISTS:
        return (said.subject or "").partition("/")[0]
    return NOTICE_TRANSFER if said.view.startswith("list:transferred") or name == "trace" else NOTICES_INBOX


_OF_CUSTOMERS: Final = frozenset({"customer", "customer_list", "customer_copy", "customer_export"})
_OF_CLAIMS: Final = frozenset({"claim", "claim_list", "claim_payee"})
_OF_LISTS: Final = frozenset({"list_rows", "list_compare", "list_copy", "list_export", "invoice_dispute"})
_EVENT: Final = tables.view_event.c
_AROUND: Final = select(_EVENT.number, _EVENT.previous, _EVENT.hash).where(
    _EVENT.chain == bindparam("chain"), _EVENT.number.between(bindparam("low"), bindparam("high"))
)
_BELOW: Final = select(func.max(_EVENT.number)).where(
    _EVENT.chain == bindparam("chain"), _EVENT.number < bindparam("number")
)
_HASH: Final = select(_EVENT.hash).where(_EVENT.chain == bindparam("chain"), _EVENT.number == bindparam("number"))


def chained(previous: bytes, body: str) -> bytes:
    """Return the hash of an event that stands behind `previous`."""
    return hashlib.sha256(previous + body.encode()).digest()


def read_body(text: str) -> ViewBody | None:
    """Return what an event says, None when that is nothing we know."""
    try:
        found = from_json(text)
        if isinstance(found, list):
            # The ledger's first version wrote the values alone, in the order of the fields.
            found = dict(zip(LISTED, found, strict=True))
        said = ViewBody.model_validate(found)
        columns(said)
        local_date(said.at)
    except (ValueError, ValidationError, OverflowError):
        return None
    return said


def columns(said: ViewBody) -> Mapping[str, Any]:
    """Return what an event says as columns of the record."""
    return {
        "at": said.at.astimezone(UTC),
        "user": said.user,
        "organisation": said.organisation,
        "view": said.view,
        "subject": said.subject,
        "rows": said.rows,
        "data_at": said.data_at and said.data_at.astimezone(UTC),
    }


# --- findings -------------------------------------------------------------------------------------------------------

_FINDING: Final = tables.view_finding.c
_OPEN: Final = select(tables.view_finding).where(
    _FINDING.chain == bindparam("chain"), _FINDING.kind == bindparam("kind"), _FINDING.resolved.is_(None)
)
_PRESENT: Final = select(func.count()).where(
    _EVENT.chain == bindparam("chain"), _EVENT.number.between(bindparam("low"), bindparam("high"))
)


def _find(connection: Connection, chain: str, kind: Finding, number: int, until: int, now: datetime) -> None:
    """Write a finding down, unless it lies within one of its kind that is open already."""
    for known in connection.execute(_OPEN, {"chain": chain, "kind": kind.value}).all():
        if known.number <= number and until <= known.until:
            return
        if known.number == number:
            connection.execute(update(tables.view_finding).where(_FINDING.id == known.id).values(until=until))
            return
    values = {"chain": chain, "kind": kind.value, "number": number, "until": until, "at": now}
    connection.execute(insert(tables.view_finding), values)


def _resolve(connection: Connection, chain: str, now: datetime) -> None:
    """Close the gaps whose events have all arrived."""
    for gap in connection.execute(_OPEN, {"chain": chain, "kind": Finding.GAP.value}).all():
        if not missing(connection, gap):
            connection.execute(update(tables.view_finding).where(_FINDING.id == gap.id).values(resolved=now))


def missing(connection: Connection, gap: Row[Any]) -> int:
    """Return how many events of a gap have not arrived."""
    within = {"chain": gap.chain, "low": gap.number, "high": gap.until}
    arrived: int = connection.execute(_PRESENT, within).scalar_one()
    return int(gap.until) - int(gap.number) + 1 - arrived
