"""Ship the log of views, as synchronous units of work over the store: what to send next, and what an answer does.

The network is the caller's. A batch is a piece of the ledger's chain, signed by the chain's own key, so that it can be
sent when session and mandates have ended; only to register the chain somebody has to be signed in. Whatever comes
twice, late or never does no harm: the backend takes each event once, and a receipt only says what it has.

    receipt                          events up to it are received; if it can't be this ledger's, barred in the end
    409 view_chain_gap               the backend lost some (a restore): what the ledger still has goes again
    409 forked, forged, taken · 403  the ledger is an old or an altered copy: barred till the next sign-in
    404                              the backend does not know the chain (a restore): register it again
    anything else, no answer         the same again, with backoff
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from kelmu_tui.api.contract import (
    MAX_EVENTS,
    ChainHead,
    ChainRegistration,
    ProblemCode,
    ShippedEvent,
    ViewBatch,
    ViewReceipt,
)
from kelmu_tui.api.errors import ProblemAnswer
from kelmu_tui.store import chain, views
from kelmu_tui.store.chain import Chain
from kelmu_tui.store.database import Store
from kelmu_tui.store.outbox import stamp
from kelmu_tui.store.views import Logged

FULL: Final = 50
"""Events that go out at once; fewer wait a while for company."""
MAX_BYTES: Final = 56 * 1024
"""Longest body of a batch; the backend reads no more than 64 KiB before it knows who sends."""
_AROUND: Final = 300
"""Bytes of an event on the wire besides its text, generously."""
ALARMS: Final = frozenset(
    {
        ProblemCode.VIEW_CHAIN_FORKED,
        ProblemCode.VIEW_CHAIN_FORGED,
        ProblemCode.VIEW_CHAIN_TAKEN,
        ProblemCode.VIEW_SIGNATURE_WRONG,
    }
)


@dataclass(frozen=True, slots=True)
class Register:
    """Tell the backend of the chain; this needs a session."""

    chain: str
    registration: ChainRegistration


@dataclass(frozen=True, slots=True)
class Batch:
    """Send these bytes with this signature; `last` is the number of the last event in them."""

    chain: str
    body: bytes
    signature: str
    last: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What there is to ship: `events` counted up to `FULL`, and whether the chain is registered."""

    events: int
    known: bool


def waiting(store: Store) -> Waiting:
    """Return what there is to ship; nothing of a barred ledger."""
    with store.read() as db:
        found = chain.read(db)
        if found is not None and found.alarm is not None:
            return Waiting(0, known=found.known)
        return Waiting(views.waiting(db, FULL), known=found is not None and found.known)


def next_step(store: Store) -> Register | Batch | None:
    """Return what to send next, None when nothing waits."""
    with store.read() as db:
        found = chain.read(db)
        events = views.unshipped(db, MAX_EVENTS)
        missing = bool(events) and not views.follows(db, events[0].number)
        device = db.execute("SELECT value FROM main.secret WHERE key = 'device'").fetchone()
    if not events or (found is not None and found.alarm is not None):
        return None
    if found is None:
        # Events from before ledgers had chains.
        with store.write() as db:
            chain.ensure(db, store.ids)
        return next_step(store)
    try:
        if found.known:
            return _batch(found, events, missing)
        # The backend prefers the device that was named at sign-in.
        name = device[0] if device is not None else "-"
        return Register(found.id, ChainRegistration(chain=found.id, public_key=found.public_key(), device=name))
    except ValueError:
        # Nothing that was logged is such that it can't be sent.
        with store.write() as db:
            chain.bar(db, ProblemCode.VIEW_CHAIN_FORGED.value)
            store.changed("secret", "view_event")
        return None


def answered(store: Store, sent: Register | Batch, receipt: ViewReceipt) -> None:
    """Take a receipt; one for another chain than the present does nothing."""
    with store.write() as db:
        found = chain.read(db)
        if found is None or found.id != sent.chain:
            return
        ours = views.agrees(db, receipt.number, bytes.fromhex(receipt.hash))
        taken = sent.last if isinstance(sent, Batch) else 0
        if isinstance(sent, Register):
            chain.set_known(db, known=True)
            if ours:
                views.rewind(db, receipt.number)
        views.received(db, receipt.number if ours else taken, stamp(store.clock.now()))
        if not ours and not views.waiting(db, 1):
            # It has events that this ledger never logged: a newer one was here before. As long as there is something
            # to tell, that is told instead, so that the backend finds it out as well.
            chain.bar(db, ProblemCode.VIEW_CHAIN_FORKED.value)
            store.changed("secret")
        store.changed("view_event", keys=("chain",))


def refused(store: Store, sent: Register | Batch, error: ProblemAnswer) -> bool:
    """Take a refusal; return whether it decided anything, so that there is another step than the same again."""
    code = error.problem.code if error.problem is not None else None
    head = error.problem.head if error.problem is not None else None
    with store.write() as db:
        found = chain.read(db)
        if found is None or found.id != sent.chain:
            return True
        if code is not None and code in ALARMS:
            if head is not None:
                views.received(db, head.number, stamp(store.clock.now()))
            chain.bar(db, code.value)
            store.changed("secret")
        elif code is ProblemCode.VIEW_CHAIN_GAP and head is not None:
            return _rewound(store, db, head)
        elif code is ProblemCode.NOT_FOUND and isinstance(sent, Batch):
            chain.set_known(db, known=False)
        else:
            return False
        store.changed("view_event", keys=("chain",))
        return True


def _rewound(store: Store, db: Any, head: ChainHead) -> bool:
    """Let everything behind the backend's head wait again; a head that is not ours shows an old copy here too."""
    if views.agrees(db, head.number, bytes.fromhex(head.hash)):
        views.rewind(db, head.number)
    else:
        chain.bar(db, ProblemCode.VIEW_CHAIN_FORKED.value)
        store.changed("secret")
    store.changed("view_event", keys=("chain",))
    return True


def _batch(found: Chain, events: list[Logged], missing: bool) -> Batch:
    """Return the signed batch of as many events as its longest body holds."""
    size, count = 0, 0
    for event in events:
        size += len(json.dumps(event.body)) + _AROUND
        if count and size > MAX_BYTES:
            break
        count += 1
    shipped = [
        ShippedEvent(number=event.number, previous=event.previous.hex(), hash=event.hash.hex(), body=event.body)
        for event in events[:count]
    ]
    body = ViewBatch(chain=found.id, missing=missing, events=shipped).model_dump_json().encode()
    return Batch(found.id, body, found.sign(body), events[count - 1].number)
