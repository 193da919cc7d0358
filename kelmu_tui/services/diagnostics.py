"""What the support asks of a terminal that does not do what it should: one value, for the screen and the command line.

It is meant to be pasted into a ticket, so nothing in it is personal: no names, no ids of users, customers or notices,
no paths, no tokens; identifiers are shortened, errors are codes and the request ids under which the backend logged
them. Only local files are read.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from kelmu_tui.services.session import NotSignedIn, Session, secret
from kelmu_tui.store import feed, measures, outbox, troubles
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import method
from kelmu_tui.store.measures import SHORT, Database, FileSize, Waiting
from kelmu_tui.store.page import nobodys
from kelmu_tui.store.troubles import TroubleLine
from kelmu_tui.sync.leader import Lead, is_led, last_beat

TROUBLES: Final = 20
"""Errors that are told, the newest ones."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")


class ScopeState(StrEnum):
    """`live` follows the feed, `filling` is read anew from the snapshot."""

    LIVE = "live"
    FILLING = "filling"


class Scope(NamedTuple):
    """A scope of the feed: `generation` is shown (0: none yet); of a fill `filled` of `expected` rows are here."""

    name: str
    state: ScopeState
    generation: int
    filled: int
    expected: int


class Place(NamedTuple):
    """Where the replica stands in the feed; `epoch` is shortened, None before the first answer."""

    epoch: str | None
    seq: int
    checkpoint: int
    scopes: tuple[Scope, ...]


class Ages(NamedTuple):
    """How old things are: the backend's last complete answer, the end of the lease, the mandates' revision."""

    synced_at: datetime | None
    lease_until: datetime | None
    session_revision: int | None
    signed_in: bool


class Queue(NamedTuple):
    """The outbox: how many commands in each state that occurs, the oldest one that waits, refusals not acted on."""

    states: dict[str, int]
    oldest: Waiting | None
    conflicts: int


class Broken(NamedTuple):
    """A file that did not open and was moved aside since the store was opened."""

    file: str
    kind: str
    at: datetime


class Storage(NamedTuple):
    """The local files: `keys` says what opens them (`keyring`, `passphrase`, `demo`)."""

    keys: str | None
    files: tuple[FileSize, ...]
    databases: tuple[Database, ...]
    incidents: tuple[Broken, ...]


class Leader(NamedTuple):
    """Which of the user's terminals talks to the backend, and its last sign of life."""

    who: Lead
    beat_at: datetime | None


class Diagnostics(NamedTuple):
    """Everything; `backend` is a host with its port, `device` is shortened, `unshipped` counts views shown."""

    feed: Place | None
    ages: Ages
    queue: Queue
    troubles: tuple[TroubleLine, ...]
    storage: Storage
    leader: Leader
    unshipped: int
    backend: str
    device: str


def examine(store: Store, session: Session, *, leading: bool = False) -> Diagnostics:
    """Read the diagnostics in one unit of work.

    Args:
        leading: this process leads; otherwise it is found out whether another one does.
    """
    with store.read() as db:
        place = _place(db) if store.organisation is not None else None
        now = feed.state(db) if store.organisation is not None else None
        states = {state.value: count for state, count in sorted(outbox.counts(db).items())}
        queue = Queue(states, _told(measures.oldest_waiting(db)), outbox.open_conflicts(db))
        listed = tuple(_safe(line) for line in troubles.troubles(db, TROUBLES))
        databases, unshipped = measures.databases(db), measures.unshipped(db)
    ages = Ages(
        now.synced_at if now is not None else None,
        _lease_until(session),
        now.session_revision if now is not None else None,
        session.signed_in(),
    )
    incidents = tuple(Broken(found.file, found.kind, found.at) for found in store.incidents)
    return Diagnostics(
        feed=place,
        ages=ages,
        queue=queue,
        troubles=listed,
        storage=Storage(method(store.folder), measures.files(store), databases, incidents),
        leader=leader(store, leading=leading),
        unshipped=unshipped,
        backend=host(secret(store, "backend") or ""),
        device=(secret(store, "device") or "")[:SHORT],
    )


def leader(store: Store, *, leading: bool = False) -> Leader:
    """Return who leads; without a sign of life there never was a leader."""
    beat = last_beat(store.folder)
    if leading:
        return Leader(Lead.THIS, beat)
    return Leader(Lead.ANOTHER if beat is not None and is_led(store.folder) else Lead.NOBODY, beat)


def host(url: str) -> str:
    """Return host and port of an address, without anything else that an address may hold."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    name = f"[{name}]" if ":" in name else name
    return name if port is None else f"{name}:{port}"


def as_data(value: object) -> Any:
    """Return a value of this module as what JSON is made of: objects for named tuples, the rest as it is."""
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        items = [as_data(item) for item in value]
        return items if names is None else dict(zip(names, items, strict=True))
    return value


def _place(db: Any) -> Place:
    now, filled = feed.state(db), measures.filled(db)
    return Place(
        now.epoch[:SHORT] if now.epoch is not None else None,
        now.seq,
        now.checkpoint,
        tuple(
            Scope(
                nobodys(scope.name),
                ScopeState.LIVE if scope.filling is None else ScopeState.FILLING,
                scope.generation,
                filled.get(scope.filling, 0) if scope.filling is not None else 0,
                scope.expected or 0,
            )
            for scope in now.scopes
        ),
    )


def _lease_until(session: Session) -> datetime | None:
    try:
        return session.lease()[1]
    except NotSignedIn:
        return None


def _told(waiting: Waiting | None) -> Waiting | None:
    return None if waiting is None else waiting._replace(request_id=_id_or_nothing(waiting.request_id))


def _safe(line: TroubleLine) -> TroubleLine:
    return line._replace(request_id=_id_or_nothing(line.request_id))


def _id_or_nothing(request_id: str) -> str:
    """Drop what is no identifier: it may have come over the wire, and this is going to be pasted."""
    return request_id if _REQUEST_ID.match(request_id) else ""
