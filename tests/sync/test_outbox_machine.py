"""Outbox and overlay under every order of events: Hypothesis looks for one that loses, doubles, reorders or hides a
command."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store import aftermath, endings, notices, outbox, overlay, replica
from kelmu_tui.store.database import Store
from kelmu_tui.store.endings import NotPossible
from kelmu_tui.store.outbox import PENDING, Draft, Frozen, State
from tests.store.build import fill, notice
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import A, HandClock

NOTICES = st.sampled_from(["n1", "n2"])
VERBS = st.sampled_from(["take", "note", "handle"])
ORGANISATION = A.business_id


class OutboxMachine(RuleBasedStateMachine):
    """A ledger, a backend that may say anything, a user who may end anything."""

    flights = Bundle("flights")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.clock = HandClock()
        self.ids = SeededIds(1)
        self.store = self._open()
        fill(self.store, [notice(name, organisation=ORGANISATION, version=1) for name in ("n1", "n2")])
        self.applied: list[tuple[int, str, int]] = []
        self.shown = {"n1": 1, "n2": 1}
        self.saved: list[str] = []
        self.wire: dict[str, tuple[int, bytes]] = {}
        self.versions = {"n1": 1, "n2": 1}
        self.seq = 0

    def _open(self) -> Store:
        store = Store.open(self.folder, Keys(), self.clock, self.ids)
        store.attach(ORGANISATION)
        for schema in ("main", "replica"):
            store.db.execute(f"PRAGMA {schema}.synchronous = OFF")
        return store

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(notice=NOTICES, verb=VERBS)
    def give(self, notice: str, verb: str) -> None:
        """The user gives a command."""
        payload = {"text": "Soitettu"} if verb == "note" else {}
        draft = Draft("aino", ORGANISATION, notice, verb, payload, {}, self.versions[notice], "lease")
        with self.store.write() as db:
            self.saved.append(outbox.append(db, draft, id=self.ids.new(), now=self.clock.now()))

    @rule(target=flights)
    def send(self) -> tuple[Frozen, ...]:
        """What is due goes out."""
        self.clock.at += timedelta(seconds=1)
        with self.store.write() as db:
            sent = [outbox.freeze(db, key) for key in outbox.due(db, self.clock.now())]
        frozen = tuple(item for item in sent if item is not None)
        assert len(frozen) == len(sent)
        for item in frozen:
            assert self.wire.setdefault(item.id, (item.if_match, item.body)) == (item.if_match, item.body)
        return frozen

    @rule(flight=consumes(flights), verdict=st.sampled_from(["applied", "refused", "later"]))
    def answer(self, flight: tuple[Frozen, ...], verdict: str) -> None:
        """Answers come, some of them for sendings that were given up."""
        for item in flight:
            with self.store.write() as db:
                if not outbox.in_flight(db, item.id, item.attempt):
                    continue
                if verdict == "applied":
                    self.seq += 1
                    self.versions[item.aggregate] += 1
                    version = self.versions[item.aggregate]
                    self.applied.append((self.seq, item.aggregate, version))
                    outbox.acknowledge(db, item.id, seq=self.seq, version=version, epoch="e1", now=self.clock.now())
                elif verdict == "refused":
                    outbox.refuse(db, item.id, {"code": "version_conflict"}, None, self.clock.now())
                else:
                    due_at = self.clock.now() + timedelta(seconds=3)
                    outbox.postpone(db, item.id, due_at=due_at, problem={"code": "internal"})

    @rule()
    def die(self) -> None:
        """The process ends and another one leads."""
        self.store.close()
        self.store = self._open()
        with self.store.write() as db:
            outbox.recover(db)

    @rule(behind=st.integers(0, 3), filling=st.booleans(), epoch=st.sampled_from(["e1", "e1", "e2"]))
    def catch_up(self, behind: int, filling: bool, epoch: str) -> None:
        """The replica reaches some point of the feed; only then is it asked what that means for the commands."""
        reached = max(0, self.seq - behind)
        self.shown = {
            name: max([version for seq, which, version in self.applied if which == name and seq <= reached] + [now])
            for name, now in self.shown.items()
        }
        with self.store.write("replica") as db:
            rows = [notice(name, organisation=ORGANISATION, version=version) for name, version in self.shown.items()]
            replica.put_rows(db, 1, rows)
        with self.store.write() as db:
            settled = aftermath.settle(
                db, ORGANISATION, epoch=epoch, checkpoint=self.seq - behind, filling=filling, now=self.clock.now()
            )
            # A replica that has not heard of the effects' epoch, or whose epoch is over, shows none of them.
            assert epoch == "e1" or not settled
            for _, state, seq in db.execute("SELECT id, state, ack_seq FROM main.command WHERE ack_seq IS NOT NULL"):
                if epoch == "e1" and state == State.ACKNOWLEDGED:
                    assert filling or seq > self.seq - behind

    @rule(data=st.data(), how=st.sampled_from(["discard", "redo", "retry"]))
    def end(self, data: st.DataObject, how: str) -> None:
        """The user acts on some command."""
        if not self.saved:
            return
        key = data.draw(st.sampled_from(self.saved))
        with self.store.write() as db:
            before = outbox.command(db, key)
            assert before is not None
            try:
                if how == "discard":
                    endings.discard(db, key, self.clock.now())
                elif how == "redo":
                    made = endings.redo(
                        db, key, version=self.versions[before.aggregate], lease=None, ids=self.ids, now=self.clock.now()
                    )
                    self.saved += made
                else:
                    endings.retry(db, key)
                    if before.state is State.UNDELIVERABLE:
                        self.saved.remove(key)
                        self.saved.append(key)
            except NotPossible:
                assert outbox.command(db, key) == before
            else:
                assert before.state not in (State.SENDING, State.ACKNOWLEDGED, State.SETTLED)

    @rule(scopes=st.sampled_from([(), (f"notices:{ORGANISATION}",)]))
    def lose_mandate(self, scopes: tuple[str, ...]) -> None:
        """A scope may have ended."""
        with self.store.write() as db:
            aftermath.strand(db, ORGANISATION, scopes, self.clock.now())

    @invariant()
    def nothing_is_lost_and_order_holds(self) -> None:
        """All commands are there, one of a notice is in flight, refusals have their items, the blocked stand behind."""
        with self.store.read() as db:
            rows = db.execute("SELECT id, aggregate, state, body FROM main.command ORDER BY number").fetchall()
            conflicts = {row[0] for row in db.execute("SELECT command FROM main.conflict WHERE ended IS NULL")}
            pending = [command.id for command in outbox.pending(db, ORGANISATION)]
        assert [row[0] for row in rows] == self.saved
        flying = [row[1] for row in rows if row[2] == State.SENDING]
        assert len(flying) == len(set(flying)) <= outbox.PARALLEL
        assert conflicts == {row[0] for row in rows if row[2] == State.REFUSED}
        assert pending == [row[0] for row in rows if row[2] in PENDING]
        assert not any(row[2] == State.UNDELIVERABLE and row[3] is not None for row in rows)

    @invariant()
    def what_is_shown_is_the_row_with_the_own_commands_upon_it(self) -> None:
        """Reckon anew what stands on the screen: row of the replica, then each command that it does not hold yet."""
        with self.store.read() as db:
            lines = {line.id: line for line in notices.any_lines(db, self.shown)}
            pending = outbox.pending(db, ORGANISATION)
            notes = {name: overlay.effect(db, overlay.frame(db), name) for name in self.shown}
        for name, version in self.shown.items():
            mine = [one for one in pending if one.aggregate == name]
            own = [one.verb for one in mine if one.ack_version is None or one.ack_version > version]
            status, holder = "new", None
            for verb in own:
                if verb == "take" and status != "handled":
                    status, holder = "in_progress", "aino"
                elif verb == "handle" and status != "handled":
                    status = "handled"
            line = lines[name]
            assert (line.status.value, line.assignee is not None) == (status, holder is not None), (name, own)
            assert line.pending == bool(mine)
            effect = notes[name]
            assert effect is not None
            assert len(effect.notes) == own.count("note")


OutboxMachine.TestCase.settings = settings(
    max_examples=300, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
TestOutboxMachine = OutboxMachine.TestCase
