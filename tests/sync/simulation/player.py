"""The client's side: a real store and the real units of work of the sync, stepped by hand and crashed at will."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from kelmu_backend.pull import SnapshotPage
from kelmu_tui.api.answers import CommandAnswer, SnapshotPart, SnapshotRows
from kelmu_tui.api.contract import Changes, SnapshotEnd, SnapshotStart
from kelmu_tui.api.errors import SignInNeeded, Timeout
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store import outbox
from kelmu_tui.store.database import File, Store
from kelmu_tui.store.outbox import Draft, Frozen
from kelmu_tui.sync import pull, push
from tests.sync.simulation.record import PLACES, USERS, HandClock

PATIENCE: Final = timedelta(seconds=8)


class Crash(BaseException):
    """The process dies here."""


class Keys:
    """One key for everything: the simulation is about bytes on disk, not about who may read them."""

    def key(self, name: str) -> bytes:
        """Return the key."""
        return b"0123456789abcdef0123456789abcdef"

    def holds(self, name: str) -> bool:
        """Tell that no file was begun: none is missed that is empty."""
        return False

    def forget(self, name: str) -> None:
        """Nothing is kept."""

    def drop(self) -> None:
        """Nothing is kept."""

    def set_aside(self, stamp: str) -> Path:
        """Nothing is kept."""
        raise AssertionError


class FragileStore(Store):
    """A store whose process may die before or after any commit."""

    chance: float = 0.0
    dice: random.Random

    @contextmanager
    def write(self, file: File = "main") -> Iterator[Any]:
        """Give a transaction that may be the last."""
        with super().write(file) as db:
            yield db
            self.may_crash()
        self.may_crash()

    def may_crash(self) -> None:
        """Die, sometimes."""
        if self.chance and self.dice.random() < self.chance:
            raise Crash


@dataclass
class Message:
    """Something on its way; `boot` is the life of the client it belongs to."""

    user: str
    boot: int
    kind: str
    request: Any
    answer: Any = None
    number: int = 0


@dataclass
class Waiting:
    """A question without its answer yet."""

    number: int
    until: Any
    what: Any = None
    parts: int = field(default=0)


class Player:
    """One terminal of one user."""

    def __init__(self, user: str, folder: Path, clock: HandClock, dice: random.Random, seed: int) -> None:
        self.user = user
        self.organisation = USERS[user].business_id
        self.folder = folder
        self.clock = clock
        self.dice = dice
        self.ids = SeededIds(f"{user}-{seed}")
        self.boot = 0
        self.numbers = 0
        self.saved: dict[str, str] = {}
        self.signed_out = False
        self.store = self._start()

    def _start(self) -> FragileStore:
        store = FragileStore.open(self.folder, Keys(), self.clock, self.ids)
        assert isinstance(store, FragileStore)
        for schema in ("main", "replica"):
            if schema == "replica":
                store.attach(self.organisation)
            # The process dies, the machine does not: the disk need not be asked on each commit.
            store.db.execute(f"PRAGMA {schema}.synchronous = OFF")
        store.dice = self.dice
        self.sending: dict[str, tuple[Frozen, Any]] = {}
        self.asking: Waiting | None = None
        self.filling: Waiting | None = None
        self.boot += 1
        push.start(store)
        pull.follow_up(store)
        return store

    def crash(self) -> None:
        """Die without any farewell and start again."""
        if self.store._db is not None and self.store._db.in_transaction:
            self.store._db.execute("ROLLBACK")
        self.store.close()
        self.store = self._start()

    # --- the user ----------------------------------------------------------------------------------------------------

    def act(self, verb: str, lease: str) -> None:
        """Give a command on some notice that is in the replica."""
        table = "trace" if verb == "take-back" else "notice"
        with self.store.read() as db:
            rows = db.execute(
                f"SELECT r.id, r.version FROM replica.{table} AS r JOIN replica.scope AS s"
                " ON s.generation = r.generation ORDER BY r.id"
            ).fetchall()
        if not rows:
            return
        id_, version = self.dice.choice(rows)
        key = self.ids.new()
        payload: dict[str, Any] = {}
        if verb == "note":
            payload = {"text": f"Soitettu, {key}"}
        if verb == "transfer":
            place = self.dice.choice([place for places in PLACES.values() for place in places])
            payload = {"municipality": place, "reason": "Muuttanut"}
        draft = Draft(self.user, self.organisation, id_, verb, payload, {"by": self.user}, version, lease)
        with self.store.write() as db:
            outbox.append(db, draft, id=key, now=self.clock.now())
        # Only now it is saved: a crash before the commit would have told the user so.
        self.saved[key] = id_

    # --- the network loop --------------------------------------------------------------------------------------------

    def tick(self) -> list[Message]:
        """Give up what took too long and say what goes out now."""
        now = self.clock.now()
        for key, (sent, until) in list(self.sending.items()):
            if until <= now:
                del self.sending[key]
                push.failed(self.store, sent, Timeout())
        out: list[Message] = []
        if not self.signed_out:
            for sent in push.take_due(self.store):
                self.sending[sent.id] = (sent, now + PATIENCE)
                out.append(Message(self.user, self.boot, "push", sent))
        if self.asking is None or self.asking.until <= now:
            ask = pull.next_ask(self.store)
            self.asking = Waiting(self._number(), now + PATIENCE, ask)
            out.append(Message(self.user, self.boot, "ask", ask, number=self.asking.number))
        fill = pull.next_fill(self.store)
        if fill is not None and (self.filling is None or self.filling.until <= now):
            self.filling = Waiting(self._number(), now + PATIENCE, fill)
            out.append(Message(self.user, self.boot, "fill", fill, number=self.filling.number))
        pull.sweep(self.store)
        return out

    def _number(self) -> int:
        self.numbers += 1
        return self.numbers

    def receive(self, message: Message) -> Message | None:
        """Take an answer; return what it makes us ask for at once."""
        if message.boot != self.boot:
            return None
        if message.kind == "push":
            self._pushed(message.request, message.answer)
        elif message.kind == "ask":
            self._asked(message)
        else:
            return self._filled(message)
        return None

    def _pushed(self, sent: Frozen, answer: CommandAnswer | SignInNeeded) -> None:
        if sent.id in self.sending and self.sending[sent.id][0].attempt == sent.attempt:
            del self.sending[sent.id]
        if isinstance(answer, SignInNeeded):
            push.failed(self.store, sent, answer)
            self.signed_out = True
            return
        if push.answered(self.store, sent, answer).pull_now:
            self.asking = None

    def _asked(self, message: Message) -> None:
        # Any answer is offered, an overtaken one too: the store has to know by itself which ones count.
        if self.asking is not None and message.number == self.asking.number:
            self.asking = None
        if isinstance(message.answer, Changes):
            pull.take_changes(self.store, message.request, message.answer)
        elif message.answer.status == 403:
            pull.shut_out(self.store, message.request)

    def _filled(self, message: Message) -> Message | None:
        if self.filling is None or message.number != self.filling.number:
            return None
        stream, last = message.answer
        if stream is None or stream.page is None:
            self.filling = None
            return None
        for part in _parts(message.request, stream.page, first=last is None):
            if not pull.take_part(self.store, message.request, part):
                self.filling = None
                return None
        if stream.page.last is None:
            self.filling = None
            return None
        return Message(self.user, self.boot, "fill", message.request, number=message.number, answer=stream.page.last)


def _parts(fill: pull.Fill, page: SnapshotPage, *, first: bool) -> list[SnapshotPart]:
    parts: list[SnapshotPart] = []
    if first:
        parts.append(SnapshotStart(epoch=page.epoch, scope=fill.scope, count=page.count, head=page.head))
    if page.rows:
        parts.append(SnapshotRows(page.rows))
    if page.last is None:
        parts.append(SnapshotEnd(head=page.head))
    return parts
