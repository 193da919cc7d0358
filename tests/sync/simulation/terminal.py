"""One process of a user: a real store, the real client, and the real units of work of the sync, stepped by hand.

It does what `sync.engine` and its loops do, without tasks and without waiting: the same units in the same order, with
the same answers to the same errors.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, UpdateNeeded
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.clock import Clock
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.services import session as sessions
from kelmu_tui.services.claims import Claims
from kelmu_tui.services.customers import Customers
from kelmu_tui.services.inbox import Inbox
from kelmu_tui.services.known import SessionProblem
from kelmu_tui.services.network import keep_session, renew_session
from kelmu_tui.services.session import Session, put_secrets
from kelmu_tui.store import chain, feed, lease, views
from kelmu_tui.store.errors import StoreCorrupt, StoreError
from kelmu_tui.store.outbox import Frozen
from kelmu_tui.sync import backoff, pull, push, ship
from kelmu_tui.sync.leader import LeaderLock
from tests.sync.simulation import wire
from tests.sync.simulation.disk import FragileStore, Keys
from tests.sync.simulation.wire import Call, Turn

PATIENCE: Final = 8.0
FILL_PATIENCE: Final = 40.0
"""Seconds before the client gives up."""


class Home:
    """What outlives the processes of a user: files, keys, the machine and whether somebody is signed in.

    Attributes:
        boot: names the machine's present run.
        signed_in: whether there is a session, as far as the terminals know.
        update_needed: whether the backend no longer understands the commands.
        overtaken: whether answers are taken that nobody waits for any more, as after a stop of the process.
        heard: how many answers of the feed were taken.
        answered: how many of them when the last answer to a command came, which may hold a row.
        lost: scopes that were taken away and whose old pages have not been taken out of the log yet.
    """

    def __init__(self, user: str, organisation: str, folder: Path, clock: Clock, dice: random.Random) -> None:
        self.user = user
        self.organisation = organisation
        self.folder = folder
        self.clock = clock
        self.dice = dice
        self.keys = Keys()
        self.boot = "boot-0"
        self.signed_in = True
        self.update_needed = False
        self.overtaken = dice.random() < 0.5
        self.heard = self.answered = 0
        self.lost: set[str] = set()
        self.graveyard: list[FragileStore] = []


class Terminal:
    """A process.

    Attributes:
        stopped: whether it stands still (SIGSTOP), with its lock and all that it holds.
        calls: what it waits for.
        settled: whether the last tick went through with nothing left to be done again.
    """

    def __init__(self, home: Home, number: int, seed: int) -> None:
        self.home = home
        self.ids = SeededIds(f"{home.user}-{number}-{seed}")
        self.stopped = False
        self.settled = False
        self.calls: list[Call] = []
        self.lock = LeaderLock(home.folder)
        self._client = wire.client(home.user, self.ids)
        self._inbox: Inbox | None = None
        self._claims: Claims | None = None
        self._leads = False
        self._owed: list[Callable[[], Any]] = []
        self._fill_due = 0.0
        self._ask_due = 0.0
        self._ship_due = 0.0
        self._shut_out = False
        self.store = self._open()

    def _open(self) -> FragileStore:
        home = self.home
        store = FragileStore.open(home.folder, home.keys, home.clock, self.ids, home.boot)
        assert isinstance(store, FragileStore)
        store.lost = home.lost
        try:
            # The process dies, the machine does not: the disk need not be asked on each commit.
            store.db.execute("PRAGMA main.synchronous = OFF")
            if lease.overdue(store):
                sessions.destroy_replicas(store)
            if home.signed_in:
                self._attach(store)
        except BaseException:
            store.close()
            raise
        return store

    def _attach(self, store: FragileStore) -> None:
        if store.organisation is None:
            store.attach(self.home.organisation)
            store.db.execute("PRAGMA replica.synchronous = OFF")

    def end(self, *, cleanly: bool = False) -> None:
        """End the process: killed, it writes nothing more and its log stays as it is."""
        for call in self.calls:
            call.close()
        self.calls = []
        self.lock.release()
        store = self.store
        store.plan = store.fuse = None
        store.purging = False
        if store._db is not None and store._db.in_transaction:
            store._db.execute("ROLLBACK")
        if cleanly:
            store.close()
        else:
            # Closing would tidy up the log, which a process that was killed does not do.
            self.home.graveyard.append(store)

    # --- the loops ---------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what is due, and begin the calls that are."""
        self.settled = False
        seconds = self.home.clock.monotonic()
        for call in [call for call in self.calls if call.until <= seconds and not isinstance(call.wants, Turn)]:
            if self.home.overtaken and call.name in ("ask", "fill") and call.until + 3 * PATIENCE > seconds:
                continue  # nobody waits for it any more, and yet it may come
            self._go_on(call, partial(call.fail, httpx.ReadTimeout("too slow")))
        with suppress(StoreError):
            self.store.poll()
        if not self.lock.try_acquire():
            self._leads = False
            return
        self.lock.beat(self.store.clock.now())
        if not self._leads:
            self._leads = True
            self._owe(lambda: push.start(self.store))
            self._owe(lambda: pull.follow_up(self.store))
        self._pay()
        self._begin()
        if self.store.organisation is not None:
            pull.sweep(self.store)
        self.settled = not self._owed

    def _begin(self) -> None:
        home, store = self.home, self.store
        self._tell()
        if not home.signed_in or home.update_needed:
            return
        self._attach(store)
        seconds = home.clock.monotonic()
        for item in push.take_due(store):
            self._call("send", self._send(item), PATIENCE)
        with store.read() as db:
            revision = feed.state(db).session_revision
        if not self._waits("session"):
            self._call("session", self._renew(revision), PATIENCE)
        if not self._waits("ask") and seconds >= self._ask_due and (ask := pull.next_ask(store)) is not None:
            self._call("ask", self._ask(ask), PATIENCE)
        if not self._waits("fill") and seconds >= self._fill_due and (fill := pull.next_fill(store)) is not None:
            self._call("fill", self._fill(fill), FILL_PATIENCE)

    def _tell(self) -> None:
        waiting = ship.waiting(self.store)
        due = self.home.clock.monotonic() >= self._ship_due and (waiting.known or self.home.signed_in)
        if waiting.events and due and not self._waits("ship") and (step := ship.next_step(self.store)) is not None:
            self._call("ship", self._ship(step), PATIENCE)

    def _waits(self, name: str) -> bool:
        return any(call.name == name and call.until > self.home.clock.monotonic() for call in self.calls)

    def _call(self, name: str, coroutine: Any, patience: float) -> None:
        call = Call(name, coroutine, self.home.clock.monotonic() + patience)
        self.calls.append(call)
        self._go_on(call, call.step)

    def receive(self, call: Call) -> None:
        """Go on with a call for which something came."""
        self.settled = False
        self.store.may_crash()
        self._go_on(call, lambda: call.step(call.step_with))

    def _go_on(self, call: Call, step: Callable[[], None]) -> None:
        try:
            step()
        finally:
            if call.wants is None and call in self.calls:
                self.calls.remove(call)

    def _owe(self, unit: Callable[[], Any]) -> None:
        """Run a unit of work that must not be skipped: a disk that says no is asked again at the next tick."""
        self._owed.append(unit)
        self._pay()

    def _pay(self) -> None:
        while self._owed:
            try:
                self._owed[0]()
            except StoreCorrupt:
                raise
            except StoreError:
                return
            self._owed.pop(0)

    # --- calls -------------------------------------------------------------------------------------------------------

    async def _send(self, item: Frozen) -> None:
        try:
            answer = await self._client.command(
                item.organisation, item.aggregate, item.verb, item.id, item.if_match, item.body, item.lease, item.schema
            )
        except ApiError as error:
            failure = error
            self._paused(error)
            self._owe(lambda: push.failed(self.store, item, failure))
        else:
            self.home.answered = self.home.heard
            self._owe(lambda: push.answered(self.store, item, answer))

    async def _ask(self, ask: pull.Ask) -> None:
        try:
            answer = await self._client.changes(ask.organisation, ask.cursor)
        except ApiError as error:
            if isinstance(error, ProblemAnswer) and error.status == 403:
                self._shut_out = True
                self.home.lost |= self._held()
                pull.shut_out(self.store, ask)
            if not self._paused(error):
                wait = backoff.delay(2, self.ids, retry_after=error.retry_after, ceiling=backoff.PROBE_CEILING)
                self._ask_due = self.home.clock.monotonic() + wait
            return
        lost = self._held() - set(answer.granted)
        self.home.lost |= lost
        if pull.take_changes(self.store, ask, answer).applied:
            self.home.heard += 1
        else:
            self.home.lost -= lost

    def _held(self) -> set[str]:
        with self.store.read() as db:
            return {scope.name for scope in feed.state(db).scopes}

    async def _fill(self, fill: pull.Fill) -> None:
        try:
            stream = self._client.snapshot(fill.organisation, fill.scope, fill.after)
            async with aclosing(stream) as parts:
                async for part in parts:
                    if not pull.take_part(self.store, fill, part):
                        return
                    await Turn()
                    self.store.may_crash()
        except ApiError as error:
            if not self._paused(error):
                wait = backoff.delay(2, self.ids, retry_after=error.retry_after, ceiling=60.0)
                self._fill_due = self.home.clock.monotonic() + wait

    async def _ship(self, step: ship.Register | ship.Batch) -> None:
        try:
            if isinstance(step, ship.Register):
                receipt = await self._client.register_views(step.registration)
            else:
                receipt = await self._client.ship_views(step.body, step.signature)
        except ApiError as error:
            if isinstance(error, SignInNeeded):
                self._paused(error)
            elif not isinstance(error, ProblemAnswer) or not ship.refused(self.store, step, error):
                wait = backoff.delay(2, self.ids, retry_after=error.retry_after)
                self._ship_due = self.home.clock.monotonic() + wait
        else:
            ship.answered(self.store, step, receipt)

    async def _renew(self, revision: int | None) -> None:
        try:
            if await renew_session(self.store, self._client, revision, shut_out=self._shut_out):
                self._shut_out = False
                self._inbox = None
        except ApiError as error:
            self._paused(error)

    def _paused(self, error: ApiError) -> bool:
        if isinstance(error, SignInNeeded):
            self.home.signed_in = False
        if isinstance(error, UpdateNeeded):
            self.home.update_needed = True
        return isinstance(error, SignInNeeded | UpdateNeeded)

    # --- the user ----------------------------------------------------------------------------------------------------

    def sign_in(self) -> None:
        """Begin to sign in; the call ends with a session, or without."""
        self._call("session", self._sign_in(), PATIENCE)

    async def _sign_in(self) -> None:
        try:
            info = await self._client.session()
        except ApiError:
            return
        with self.store.write() as db:
            if chain.barred(db):
                views.begin_again(db, self.home.user, self.ids)
        keep_session(self.store, info, {"device": f"device-{self.home.user}", "refresh_token": "token"})
        self.home.signed_in = True
        self._inbox = None
        self._attach(self.store)

    def sign_out(self) -> None:
        """End the session and destroy what was copied, as `services.network.end_session` does; commands stay."""
        # The loops end, and start anew with whoever signs in.
        for call in self.calls:
            call.close()
        self.calls.clear()
        self._leads = False
        gone: dict[str, str | None] = dict.fromkeys((*sessions.TOKEN_SECRETS, "session", lease.SECRET))
        self.home.signed_in = False
        put_secrets(self.store, gone)
        sessions.destroy_replicas(self.store)
        self._inbox = None

    def inbox(self) -> Inbox | None:
        """Return the inbox if the session opens one."""
        if self.store.organisation is None:
            return None
        if self._inbox is None:
            session = Session(self.store)
            try:
                active = session.activate(self.home.organisation, local_date(self.store.clock.now()))
            except SessionProblem:
                return None
            self._inbox = Inbox(self.store, active, self.store.clock, self.ids)
            customers = Customers(self.store, active, self.store.clock, self.ids)
            self._claims = Claims(self.store, active, self.store.clock, self.ids, customers)
        return self._inbox

    def claims(self) -> Claims | None:
        """Return the claims if the session opens the organisation; whether it allows them they ask themselves."""
        return None if self.inbox() is None else self._claims

    def forget_inbox(self) -> None:
        """Choose the organisation anew at the next look: a lease or a mandate may have changed."""
        self._inbox = None
