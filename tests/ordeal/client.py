"""A client without a face, as a process of its own: context, engine and outbox as `kelmu` puts them together.

What it is told to do comes as an order:

    work    give commands until the ledger holds `until` of them, and go on sending for ever
    append  give `until` notes of its own, then end; the lead is nobody's here
    drain   send until nothing waits any more, then end
    forgo   drop every command that was refused or stands behind one
    disturb read to the head, change `notices` in whatever way the rules allow, and send that
    dump    read once to the head, and tell every row as it is shown
    lead    keep everything up to date for ever

and on stdout: `saved <id> <number>` after the commit, `moved` for each commit of the sync, `waits` when nothing
happened for a moment, `busy` when another process holds the lock for too long, `leads` and `follows`, `quiet`, and
`row <JSON>`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

# Named here, although only used through `connect`, so that the nursery has them warm.
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.platform.paths import profile
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.services.context import Connection, Context, connect, open_context
from kelmu_tui.services.inbox import Inbox
from kelmu_tui.store import details, notices, outbox
from kelmu_tui.store.database import Changed, Store
from kelmu_tui.store.errors import StoreUnavailable
from kelmu_tui.store.outbox import Draft, State
from kelmu_tui.store.rows import Query, View
from kelmu_tui.sync.engine import Engine
from kelmu_tui.sync.status import Connection as Link
from kelmu_tui.sync.status import SyncStatus

WAITING: Final = 24
"""Commands that may wait to be sent before no more are given."""
MOMENT: Final = 0.02
BURST: Final = 0.9
"""How often the next command follows at once."""
HURRY: Final = 0.05
"""Every wait of the backoff is this part of what it would be: a hundred lives have to fit into a minute."""
VERBS: Final = ("note", "note", "note", "take", "release", "handle", "reopen", "open")


class Impatient(RandomIds):
    """Chance that makes nobody wait long."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number in the lower end of the range."""
        return super().uniform(low, low + (high - low) * HURRY)


def tell(*words: object) -> None:
    """Say a line at once and whole, whichever thread says it: the process may be killed for it."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Hand:
    """Gives commands, one for each number from 0 on; what is given depends on the number and what is shown."""

    def __init__(self, context: Context, order: Mapping[str, Any]) -> None:
        self._store = context.store
        self._inbox = context.inbox
        self._notices: Sequence[str] = order.get("notices", ())
        self._until: int = order.get("until", 0)
        self._seed: int = order.get("seed", 0)
        self._label: str = order.get("label", "numero")
        self.saving = False

    def give(self) -> list[tuple[str, int]]:
        """Save the next command and return it with its number; nothing when all are given or too many wait."""
        with self._store.read() as db:
            number = int(db.execute("SELECT count(*) FROM main.command").fetchone()[0])
            (waiting,) = db.execute("SELECT count(*) FROM main.command WHERE state IN ('queued', 'sending')").fetchone()
        if number >= self._until or waiting >= WAITING:
            return []
        dice = random.Random(f"{self._seed} {number}")
        self.saving = True
        try:
            for _ in range(100):
                if given := try_out(
                    self._inbox, dice.choice(self._notices), dice.choice(VERBS), f"koe {self._label} {number}"
                ):
                    return [(given, number)]
        finally:
            self.saving = False
        raise AssertionError("no rule allows anything any more")


def try_out(inbox: Inbox, notice: str, verb: str, text: str) -> str | None:
    """Give a command if the rules allow it, and return its id."""
    if verb == "note":
        outcome = inbox.note([notice], text)
    elif verb == "open":
        outcome = inbox.open(notice)
    else:
        outcome = getattr(inbox, verb)([notice])
    return outcome.commands[0] if outcome.commands else None


async def _work(context: Context, connection: Connection, order: Mapping[str, Any]) -> None:
    hand = Hand(context, order)
    happened = asyncio.Event()
    loop = asyncio.get_running_loop()

    def heard(change: Changed) -> None:
        if "command" in change.tables and not hand.saving:
            tell("moved")
            loop.call_soon_threadsafe(happened.set)

    context.store.listen(heard)
    dice = random.Random()
    while True:
        try:
            given = await connection.thread.run(hand.give)
        except StoreUnavailable as error:
            tell(error.reason)
            continue
        for id_, number in given:
            tell("saved", id_, number)
        if given and dice.random() < BURST:
            continue
        try:
            await asyncio.wait_for(happened.wait(), MOMENT)
        except TimeoutError:
            tell("waits")
        happened.clear()


def _left(store: Store) -> int:
    with store.read() as db:
        (left,) = db.execute(
            "SELECT count(*) FROM main.command WHERE state IN ('queued', 'sending', 'acknowledged')"
        ).fetchone()
    return int(left)


async def _drain(context: Context, connection: Connection) -> None:
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()
    connection.engine.listen(lambda _: changed.set())

    def heard(_: Changed) -> None:
        loop.call_soon_threadsafe(changed.set)

    context.store.listen(heard)
    while connection.engine.status.state is not Link.ONLINE or await connection.thread.run(_left, context.store) > 0:
        await changed.wait()
        changed.clear()
    tell("quiet")


def shown(context: Context) -> list[dict[str, Any]]:
    """Return every notice as it is shown, with the notes, in the terms of the backend's tables."""
    rows: list[dict[str, Any]] = []
    with context.store.read() as db:
        query = Query(View.ALL, user=context.active.user_id)
        for line in notices.page(db, query, limit=100_000):
            found = details.detail(db, line.id)
            assert found is not None
            rows.append(
                {
                    "id": line.id,
                    "version": line.version,
                    "status": line.status.value,
                    "assignee": line.assignee,
                    "handled_by": found.handled_by,
                    "due": line.due.isoformat(),
                    "municipality": line.municipality,
                    "name": [found.customer.family_name, found.customer.given_names],
                    "notes": [note.text for note in found.notes],
                }
            )
    return rows


async def _live(context: Context, order: Mapping[str, Any]) -> int:
    failures: list[tuple[str, BaseException]] = []
    async with connect(context, order["url"], on_failure=lambda *failure: failures.append(failure)) as connection:
        if order["do"] == "dump":
            await connection.engine.once()
            for row in await connection.thread.run(shown, context):
                tell("row", json.dumps(row))
            return 0
        if order["do"] == "disturb":
            await connection.engine.once()
            await connection.thread.run(_change, context.inbox, order["notices"])
            await connection.engine.once()
            return 0
        tasks = Tasks(lambda *failure: failures.append(failure))
        connection.engine.listen(_told(connection.engine))
        tasks.spawn("engine", connection.engine.run())
        if order["do"] == "work":
            await _work(context, connection, order)
        elif order["do"] == "drain":
            await _drain(context, connection)
        else:
            await asyncio.Event().wait()
        await tasks.close()
    for _, failure in failures:
        raise failure
    return 0


def _change(inbox: Inbox, chosen: Sequence[str]) -> None:
    for notice in chosen:
        for verb in ("take", "handle", "reopen"):
            if try_out(inbox, notice, verb, ""):
                break


def _told(engine: Engine) -> Any:
    last: list[str] = []

    def heard(_: SyncStatus) -> None:
        role = "leads" if engine._lock.held else "follows"
        if last[-1:] != [role]:
            last[:] = [role]
            tell(role)

    return heard


def _append(context: Context, order: Mapping[str, Any]) -> None:
    """Save without looking: what is shown of ten thousand commands that wait is another test's question."""
    store, active, chosen = context.store, context.active, order["notices"]
    slowest = 0.0
    for number in range(order["until"]):
        text = {"text": f"{order['seed']} {number}"}
        draft = Draft(
            active.user_id,
            active.organisation.business_id,
            chosen[number % len(chosen)],
            "note",
            text,
            {},
            1,
            active.lease,
        )
        begun = store.clock.monotonic()
        with store.write() as db:
            id_ = outbox.append(db, draft, id=context.ids.new(), now=store.clock.now())
        slowest = max(slowest, store.clock.monotonic() - begun)
        tell("saved", id_, number)
    tell("slowest", f"{slowest:.3f}")


def _forgo(context: Context) -> None:
    for line in context.outbox.lines():
        if line.state in (State.REFUSED, State.BLOCKED):
            context.outbox.discard(line.id)


def _never(new: bool) -> str:
    raise AssertionError("the demo asks for no passphrase")


def main(order: Mapping[str, Any]) -> int:
    """Do what the order says; see the module."""
    try:
        context = open_context(profile("demo"), user=order["user"], ask=_never, ids=Impatient())
    except StoreUnavailable as error:
        tell(error.reason)
        return 1
    with context:
        if order["do"] == "append":
            _append(context, order)
            return 0
        if order["do"] == "forgo":
            _forgo(context)
            return 0
        return asyncio.run(_live(context, order))
