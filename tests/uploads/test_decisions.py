"""Uploading under every order of events: Hypothesis looks for a sending that is lost, doubled, altered, or sent after
it was taken back."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kelmu_tui.api.contract import ProblemCode
from kelmu_tui.api.errors import ApiError, Unreachable
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.store import aftermath, copies, endings, outbox, sealed, sendings
from kelmu_tui.store.copies import Due
from kelmu_tui.store.database import Store
from kelmu_tui.store.endings import NotPossible
from kelmu_tui.store.outbox import State
from kelmu_tui.store.sealed import BrokenSeal, Copy
from kelmu_tui.sync import push, upload
from kelmu_tui.sync.uploading import NotWanted, deliver
from tests.store.build import flip
from tests.sync.simulation.player import Keys
from tests.sync.simulation.record import A, HandClock
from tests.uploads.model import Taker, problem, queue, run

OWN = A.business_id
CONTENTS = st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=2)
FAULTS = st.sampled_from(["none", "none", "none", "cut", "cut", "silent", "away", "busy", "full", "refused"])


class UploadMachine(RuleBasedStateMachine):
    """A ledger with sealed copies, a backend with every fault, a user who may change their mind."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.clock = HandClock()
        self.ids = SeededIds(1)
        self.store = self._open()
        self.backend = Taker()
        self.given: dict[str, list[bytes]] = {}
        self.cancelled: set[str] = set()
        self.broken: set[str] = set()
        self.refused: set[str] = set()
        self.ended = False

    def _open(self) -> Store:
        store = Store.open(self.folder, Keys(), self.clock, self.ids)
        store.db.execute("PRAGMA main.synchronous = OFF")
        return store

    def teardown(self) -> None:
        """With the faults gone, everything that should arrive has arrived; nothing is left behind."""
        try:
            self._quiesce()
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

    # --- the user ----------------------------------------------------------------------------------------------------

    @initialize(many=st.lists(CONTENTS, min_size=2, max_size=3))
    def begin(self, many: list[list[bytes]]) -> None:
        """Some wait from the beginning."""
        for contents in many:
            self.give(contents)

    @precondition(lambda self: not self.ended and len(self.given) < 4)
    @rule(contents=CONTENTS)
    def give(self, contents: list[bytes]) -> None:
        """Documents are sealed and queued."""
        self.given[queue(self.store, self.ids, OWN, contents)] = contents

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 3))
    def cancel(self, which: int) -> None:
        """One is taken back, if that is still possible."""
        sending = self._chosen(which)
        with self.store.write() as db:
            found = sendings.command_of(db, OWN, sending)
            if found is None:
                return
            try:
                endings.discard(db, found.id, self.clock.now())
            except NotPossible:
                return
        self.cancelled.add(sending)
        assert sending not in self.backend.sendings or self.refused & {sending}

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 3))
    def retry(self, which: int) -> None:
        """One is to go on now, or given again."""
        sending = self._chosen(which)
        with self.store.write() as db:
            found = sendings.command_of(db, OWN, sending)
            if found is None:
                return
            try:
                if found.state is State.REFUSED:
                    endings.redo(db, found.id, version=None, lease=None, ids=self.ids, now=self.clock.now())
                    self.refused.discard(sending)
                else:
                    endings.retry(db, found.id)
            except NotPossible:
                return

    @precondition(lambda self: self.given and not self.ended)
    @rule(which=st.integers(0, 3))
    def damage(self, which: int) -> None:
        """The disk changes a byte of a copy."""
        sending = self._chosen(which)
        with self.store.read() as db:
            row = db.execute(
                "SELECT document FROM main.sealed_copy WHERE sending = ? AND key IS NOT NULL", (sending,)
            ).fetchone()
        if row is not None:
            flip(sealed.folder(self.folder) / row[0], 0)
            self.broken.add(sending)

    def _chosen(self, which: int) -> str:
        return sorted(self.given)[which % len(self.given)]

    # --- the sync ----------------------------------------------------------------------------------------------------

    @rule(faults=st.lists(st.tuples(FAULTS, st.integers(0, 9)), min_size=1, max_size=4))
    def bring_up(self, faults: list[tuple[str, int]]) -> None:
        """Documents go up, as far as the network lets them."""
        for fault, place in faults:
            self.clock.at += timedelta(seconds=2)
            one = upload.take(self.store)
            if one is not None:
                self._set(fault, place)
                self._deliver(one)
                self.backend.cut, self.backend.silent, self.backend.away, self.backend.error = None, 0, False, None

    def _set(self, fault: str, place: int) -> None:
        match fault:
            case "cut":
                self.backend.cut = place
            case "silent":
                self.backend.silent = 1
            case "away":
                self.backend.away = True
            case "busy":
                self.backend.error = problem(423, ProblemCode.UPLOAD_BUSY)
            case "full":
                self.backend.error = problem(409, ProblemCode.UPLOADS_FULL)
            case "refused":
                self.backend.error = problem(413, ProblemCode.UPLOAD_TOO_LARGE)

    def _deliver(self, one: Due) -> None:
        async def heard(sent: int) -> bool:
            return upload.progressed(self.store, one, sent)

        async def carry() -> None:
            copy = None if one.key is None else Copy(self.folder, one.document, one.key, one.size)
            try:
                await deliver(self.backend, copy, one, heard)
            finally:
                if copy is not None:
                    copy.close()

        try:
            run(carry())
        except ApiError as error:
            before = self._state(one.sending)
            upload.failed(self.store, one, error)
            if before is State.QUEUED and self._state(one.sending) is State.REFUSED:
                self.refused.add(one.sending)
        except BrokenSeal:
            assert one.sending in self.broken
            upload.broke(self.store, one)
        except NotWanted:
            assert one.sending in self.cancelled or self.ended
        else:
            upload.done(self.store, one)

    def _state(self, sending: str) -> State | None:
        with self.store.read() as db:
            found = sendings.command_of(db, OWN, sending)
        return None if found is None else found.state

    @rule(lost=st.booleans())
    def send(self, lost: bool) -> None:
        """What is due goes out; answers may get lost."""
        self.clock.at += timedelta(seconds=2)
        for item in push.take_due(self.store):
            assert item.aggregate not in self.cancelled
            self.backend.silent = int(lost)
            try:
                answer = self.backend.command(item)
            except Unreachable as error:
                push.failed(self.store, item, error)
            else:
                push.answered(self.store, item, answer)
            self.backend.silent = 0

    @rule()
    def mend(self) -> None:
        """The loop looks what the backend has lost, and tidies up."""
        upload.mend(self.store)

    @rule()
    def die(self) -> None:
        """The process ends and another one leads."""
        self.store.close()
        self.store = self._open()
        push.start(self.store)
        upload.start(self.store)

    # --- the backend -------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.backend.uploads)
    @rule(which=st.integers(0, 9), keep=st.booleans())
    def lose(self, which: int, keep: bool) -> None:
        """The backend loses what was uploaded, or a byte of it turns into another one."""
        document = sorted(self.backend.uploads)[which % len(self.backend.uploads)]
        data = self.backend.uploads[document].data
        if keep and data:
            data[0] ^= 0xFF
        else:
            del self.backend.uploads[document]

    @precondition(lambda self: not self.ended)
    @rule(really=st.integers(0, 3))
    def end_mandate(self, really: int) -> None:
        """The mandate ends, at times; it does not come back."""
        if really:
            return
        with self.store.write() as db:
            aftermath.strand(db, OWN, (), self.clock.now())
            aftermath.forget_customers(db, OWN, ())
        self.ended = True

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def what_arrived_is_what_was_given(self) -> None:
        """Nothing is altered, and nothing arrives that was taken back."""
        for sending, contents in self.backend.sendings.items():
            assert contents == self.given[sending]
            assert sending not in self.cancelled

    @invariant()
    def a_copy_lives_as_long_as_its_sending(self) -> None:
        """Copies are there while they may be sent, and destroyed with the receipt, the end or the mandate."""
        for sending in self.given:
            state = self._state(sending)
            with self.store.read() as db:
                held = db.execute(
                    "SELECT count(key), count(*) FROM main.sealed_copy WHERE sending = ?", (sending,)
                ).fetchone()
            if state is State.QUEUED and not self.ended:
                assert held[0] == held[1]
            if sending in self.cancelled or self.ended or state in (State.ACKNOWLEDGED, State.SETTLED):
                assert held[0] == 0

    @invariant()
    def a_command_waits_for_its_documents(self) -> None:
        """No command was sent before every document was whole."""
        with self.store.read() as db:
            early = db.execute(
                "SELECT 1 FROM main.command AS c JOIN main.sealed_copy AS k ON k.sending = c.aggregate"
                " WHERE c.state = 'sending' AND k.state IN ('sealed', 'begun', 'lost', 'broken')"
            ).fetchone()
        assert early is None

    def _quiesce(self) -> None:
        self.die()
        for _ in range(60):
            upload.hasten(self.store)
            push.hasten(self.store)
            one = upload.take(self.store)
            if one is not None:
                self._deliver(one)
            self.send(lost=False)
            upload.mend(self.store)
        for sending in self.given:
            state = self._state(sending)
            arrived = sending in self.backend.sendings
            if sending in self.cancelled:
                assert not arrived
                assert state is None
            elif state in (State.QUEUED, State.SENDING):
                raise AssertionError("it waits for ever")
            elif not self.ended and sending not in self.broken | self.refused:
                # The backend may have lost it as often as is mended without the user.
                assert arrived or self._reissues(sending) >= upload.ROUNDS
                assert arrived == (state is State.ACKNOWLEDGED)
        assert self._files() == self._held()
        self.what_arrived_is_what_was_given()
        self.a_copy_lives_as_long_as_its_sending()
        self._check_nothing_left_behind()

    def _check_nothing_left_behind(self) -> None:
        """What was taken back is gone at the backend, too, unless the mandate to say so has ended."""
        if self.ended:
            return
        with self.store.read() as db:
            for sending in self.cancelled:
                assert {one.state for one in copies.of(db, sending)} <= {copies.State.ENDED, copies.State.BROKEN}
                assert not {one.document for one in copies.of(db, sending)} & self.backend.uploads.keys() or (
                    sending in self.broken
                )

    def _reissues(self, sending: str) -> int:
        with self.store.read() as db:
            row = db.execute(
                "SELECT count(*) FROM main.command WHERE aggregate = ? AND state = 'reissued'", (sending,)
            ).fetchone()
        return int(row[0])

    def _files(self) -> set[str]:
        folder = sealed.folder(self.folder)
        return {path.name for path in folder.iterdir()} if folder.exists() else set()

    def _held(self) -> set[str]:
        with self.store.read() as db:
            return {row[0] for row in db.execute("SELECT document FROM main.sealed_copy WHERE key IS NOT NULL")}


TestUploads = UploadMachine.TestCase
TestUploads.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_a_command_of_documents_waits_in_the_outbox_until_they_are_up(tmp_path: Path) -> None:
    clock, ids = HandClock(), SeededIds(1)
    store = Store.open(tmp_path / "one", Keys(), clock, ids)
    try:
        queue(store, ids, OWN, [b"one", b"two"])
        assert push.take_due(store) == []
        assert push.next_due(store) is None
        for _ in range(2):
            one = upload.take(store)
            assert one is not None
            assert push.take_due(store) == []
            upload.done(store, one)
        (frozen,) = push.take_due(store)
        assert frozen.verb == "document-send"
        assert frozen.if_match == 0
        with store.read() as db:
            assert outbox.next_due(db) is None
    finally:
        store.close()


def test_what_was_sent_is_asked_for_although_the_mandate_ended_before_the_answer(tmp_path: Path) -> None:
    clock, ids = HandClock(), SeededIds(1)
    store = Store.open(tmp_path / "one", Keys(), clock, ids)
    try:
        sending = queue(store, ids, OWN, [b"one"])
        one = upload.take(store)
        assert one is not None
        upload.done(store, one)
        (frozen,) = push.take_due(store)
        push.failed(store, frozen, Unreachable())
        with store.write() as db:
            aftermath.strand(db, OWN, (), clock.now())
            aftermath.forget_customers(db, OWN, ())
        clock.at += timedelta(minutes=10)
        (again,) = push.take_due(store)
        assert (again.id, again.body) == (frozen.id, frozen.body)
        with store.read() as db:
            assert not copies.all_held(db, sending)
    finally:
        store.close()
