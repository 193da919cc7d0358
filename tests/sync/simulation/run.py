"""One run: a seed, some hundred steps of chance, invariants after each, and a quiet end where all must agree."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from kelmu_backend import feed as backend_feed
from kelmu_backend import pull as backend_pull
from kelmu_tui.api import answers
from kelmu_tui.store import outbox
from kelmu_tui.store.errors import StoreCorrupt, StoreError
from kelmu_tui.store.outbox import State
from tests.sync.simulation import colleagues, fates
from tests.sync.simulation.disk import Crash, make_plan
from tests.sync.simulation.ends import Ends
from tests.sync.simulation.faults import Moment, Weather
from tests.sync.simulation.invariants import Invariants, Violation, hold, quiet, watched
from tests.sync.simulation.needles import needles
from tests.sync.simulation.network import Network
from tests.sync.simulation.places import Place
from tests.sync.simulation.player import ACCOUNTS, Player
from tests.sync.simulation.record import USERS, A, B, HandClock, Record
from tests.sync.simulation.service import Service
from tests.sync.simulation.terminal import Terminal
from tests.sync.simulation.wire import Turn

__all__ = ["Outcome", "Run", "Violation", "simulate"]

VERBS: Final = ("open", "take", "release", "handle", "reopen", "note", "note", "transfer", "transfer", "take-back")
MEMORY: Final = Path("/dev/shm")
KINDS: Final = ("act", "look", "settle", "fate", "work", "claim", "look_claims", "kela", "tick")
ROUND_TRIP: Final = 12.0
LONGEST_WAIT: Final = outbox.LONGEST_WAIT
"""What a command may wait at the most, whatever a planted bug makes of it."""


@dataclass
class Outcome:
    """What a run met.

    Attributes:
        events: how often what happened.
        reached: how often each pair of fault and state was met.
        digest: fingerprint of everything that happened, in order.
    """

    events: Counter[str] = field(default_factory=Counter)
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    digest: str = ""

    def __iadd__(self, other: Outcome) -> Outcome:
        self.events.update(other.events)
        self.reached.update(other.reached)
        return self


class Run:
    """The whole small world of one seed."""

    def __init__(self, seed: int, template: Path | Place, folder: Path) -> None:
        self.dice = random.Random(seed)
        self.clock = HandClock()
        self.weather = Weather(seed)
        self.record = Record(template, folder, self.clock, seed)
        self.record.ends = Ends(self.clock.at)
        self.record.arrive(A, 5)
        self.record.arrive(B, 4)
        colleagues.register(self.record, random.Random(f"colleagues-{seed}"), ACCOUNTS, 3)
        self.players = {
            user: Player(user, folder / user, self.clock, random.Random(f"{seed}-{user}"), seed) for user in USERS
        }
        self.service = Service(self.record, random.Random(f"service-{seed}"))
        self.net = Network(self.service, self.weather, self.clock, random.Random(f"net-{seed}"), self.struck)
        self.invariants = Invariants(self.record, self.players, self.clock)
        self.events: Counter[str] = Counter()
        self._digest = hashlib.sha256()
        self._folder = folder
        # How a run is: hasty or slow, with much or little that is given, looked at and befalls.
        pace = random.Random(f"pace-{seed}")
        self._tempo = pace.choice((0.5, 1.0, 1.0, 3.0))
        self._shares = [pace.choice((0.1, 0.2, 0.3)), pace.choice((0.03, 0.08)), 0.04, pace.choice((0.04, 0.1, 0.16))]
        self._shares.append(pace.choice((0.0, 0.03, 0.15)))
        self._shares += [pace.choice((0.03, 0.12, 0.3)), pace.choice((0.02, 0.06)), pace.choice((0.02, 0.08, 0.15))]
        self.verbs = VERBS + ("transfer", "transfer", "take-back", "take-back") * pace.choice((0, 0, 1, 3))

    def close(self) -> None:
        """Close all files."""
        for player in self.players.values():
            player.kill_all()
        self.record.drop()

    def trace(self, *what: object) -> None:
        """Put what happened into the fingerprint."""
        self._digest.update(repr(what).encode())

    @property
    def digest(self) -> str:
        """The fingerprint so far."""
        return self._digest.hexdigest()

    def struck(self, fault: str, player: Player) -> None:
        """Count a fault with the states it met."""
        seen = self.invariants.seen[player.user]
        states = {command.state for command in seen.stored.values()} | seen.claim_states()
        if player.user in self.net.away:
            states.add("offline")
        elif not player.home.signed_in:
            states.add("signed_out")
        else:
            states.add("filling" if seen.filling else "idle")
        self.weather.met(fault, sorted(states))
        self.trace(fault, player.user)

    # --- steps -------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let one thing happen, then look at everyone it concerns."""
        self.clock.at += timedelta(seconds=self.dice.uniform(0.05, 1.5) * self._tempo)
        self.record.end()
        player = self.players[self.dice.choice(list(USERS))]
        kind = self.dice.choices(KINDS, [*self._shares, 0.35])[0]
        self.trace(kind, player.user)
        if kind == "fate":
            fates.strike(self, player)
            self._check(*self.players.values())
        elif kind == "work":
            colleagues.work(self.record, self.dice, self.net.rows_under_way())
        elif kind == "kela":
            colleagues.handle(self.record, self.dice)
            self.invariants.effects()
        else:
            terminal = player.pick()
            if terminal is not None:
                self._do(kind, player, terminal)
            self._check(player)
        under_way = self.net.rows_under_way()
        if under_way and self.dice.random() < 0.25:
            colleagues.work(self.record, self.dice, under_way)
        for _ in range(self.dice.randrange(5)):
            self._deliver()

    def _do(self, kind: str, player: Player, terminal: Terminal) -> None:
        if kind == "act":
            verb = self.dice.choice(self.verbs)
            lease = self.record.lease(player.user)
            self.guarded(player, terminal, lambda: player.act(terminal, verb, lease))
        elif kind == "claim":
            lease = self.record.lease(player.user)
            self.guarded(player, terminal, lambda: player.claim(terminal, lease))
        elif kind == "look_claims":
            self.look_claims(player, terminal)
        elif kind == "look":
            self.look(player, terminal)
        elif kind == "settle":
            self.guarded(player, terminal, lambda: player.settle(terminal))
        else:
            self.tick(player, terminal)

    def look(self, player: Player, terminal: Terminal) -> None:
        """Let a user look at a notice, if one may be shown."""
        player.shown = None
        self.guarded(player, terminal, lambda: player.look(terminal))
        if terminal in player.terminals:
            self.invariants.look(player, terminal)

    def look_claims(self, player: Player, terminal: Terminal) -> None:
        """Let a user look at the claims, if they may be shown."""
        player.claimant.looked = None
        self.guarded(player, terminal, lambda: player.claimant.look(terminal))
        if terminal in player.terminals:
            self.invariants.claims(player, terminal)

    def tick(self, player: Player, terminal: Terminal) -> None:
        """Let a terminal do what is due."""
        leaderless = player.leader() is None
        self.guarded(player, terminal, terminal.tick)
        self.post(player, terminal)
        if leaderless and terminal in player.terminals:
            hold(player.leader() is not None, f"I11 {player.user}: nobody takes the lead")

    def post(self, player: Player, terminal: Terminal) -> None:
        """Send on its way what the calls of a terminal have begun to wait for."""
        for call in terminal.calls:
            if call.wants is not call.posted:
                call.posted = call.wants
                self.net.post(player, terminal, call)

    def take_turns(self, player: Player, terminal: Terminal) -> None:
        """Send on its way again what never leaves the machine, when everything else was lost."""
        for call in terminal.calls:
            if isinstance(call.wants, Turn):
                self.net.post(player, terminal, call)

    def _deliver(self) -> None:
        packet = self.net.take()
        if packet is None:
            return
        self.trace("packet", packet.player.user, packet.call.name, packet.back)
        if not self.net.forward(packet) or packet.terminal not in packet.player.terminals:
            return
        terminal, call = packet.terminal, packet.call
        self.guarded(packet.player, terminal, lambda: terminal.receive(call))
        self.post(packet.player, terminal)
        self._check(packet.player)

    def guarded(self, player: Player, terminal: Terminal, function: Callable[[], Any]) -> Any:
        """Run a unit of work of a process that may die in it, on a disk that may say no."""
        fault = self.weather.pick(Moment.UNIT)
        store = terminal.store
        if fault == "client_crash":
            store.fuse = self.dice.choice((0, 1, 2, 3, 5))
        elif fault is not None:
            store.plan = make_plan(fault, self.dice)
        try:
            return function()
        except Crash:
            self.struck("client_crash", player)
            self.died(player, terminal)
        except StoreCorrupt:
            player.mend(terminal)
        except StoreError as error:
            self.trace(error.code)
        finally:
            if store.plan is not None and store.plan.fired:
                self.struck(store.plan.fault, player)
            store.fuse = store.plan = None
        return None

    def died(self, player: Player, terminal: Terminal) -> None:
        """Bury a process; the user starts another one unless one still runs."""
        terminal.end(cleanly=self.dice.random() < 0.3)
        player.terminals.remove(terminal)
        if not player.terminals:
            player.start()

    def _check(self, *players: Player) -> None:
        self.invariants.effects()
        for player in players:
            try:
                self.invariants.user(player)
            except StoreCorrupt:
                # A torn page is met when it is read, which may be now.
                player.mend(player.awake[0])
                self.invariants.user(player)
            seen = self.invariants.seen[player.user]
            self.trace(seen.seq, seen.checkpoint, *((key, found.state) for key, found in seen.stored.items()))

    # --- the beginning and the end ------------------------------------------------------------------------------------

    def warm_up(self) -> None:
        """Fill the replicas without faults: the interesting things happen afterwards."""
        for _ in range(8):
            self._round(1.0)
        self.weather.calm = False

    def _round(self, seconds: float) -> None:
        for player in self.players.values():
            for terminal in list(player.awake):
                self.tick(player, terminal)
        for _ in range(400):
            if not self.net:
                break
            self._deliver()
        self.clock.at += timedelta(seconds=seconds)
        self.record.end()
        self._check(*self.players.values())

    def settle_down(self) -> None:
        """Heal everything, let it run, and compare."""
        self.weather.calm = True
        fates.heal(self)
        # I13: within the longest wait and three round trips, for each of the commands that stand behind each other.
        patience = LONGEST_WAIT.total_seconds() if self._waits_long() else 300.0
        until = self.clock.at + timedelta(seconds=patience + 3 * ROUND_TRIP)
        told: list[str] = []
        while self.clock.at < until:
            self._round(ROUND_TRIP)
            fates.come_back(self)
            told = self._told()
            if not told:
                break
        told += self.invariants.looks.record()
        hold(not told, "; ".join(told))
        for player in self.players.values():
            terminal = player.terminals[0]
            with terminal.store.read() as db:
                states = outbox.counts(db)
            self.events.update({state.value: n for state, n in states.items()})
            self._check_notes(player, terminal)
            self._check_claims(player, terminal)
            needles(player.home.folder)
            player.kill_all()
            with player.start().store.read() as db:
                begun = db.execute("SELECT key FROM main.secret WHERE key GLOB 'purge:*'").fetchall()
            hold(not begun, f"I5 {player.user}: a replica that had to go is still there after a start")

    def _told(self) -> list[str]:
        players = self.players.values()
        told = [line for player in players for line in quiet(player, player.terminals[0], self.record)]
        return told or [line for player in players for line in self.invariants.looks.told(player)]

    def _waits_long(self) -> bool:
        return any(player.clock_was_wrong for player in self.players.values())

    def _check_notes(self, player: Player, terminal: Terminal) -> None:
        """Every note that was settled stands in the record once, restore or not; a refused one never."""
        written = self.record.notes()
        with terminal.store.read() as db:
            rows = db.execute(
                "SELECT id, state, json_extract(payload, '$.text'), code FROM main.command LEFT JOIN main.conflict"
                " ON command = id WHERE verb = 'note'"
            )
            for key, state, text, code in rows.fetchall():
                self.events[f"note {state}"] += 1
                unheard = self._unheard(player, key)
                if state in (State.SETTLED, State.REFUSED) and code != "command_expired" and not unheard:
                    count = written[text] + self.record.gone_notes[text]
                    hold(
                        count == (state == State.SETTLED),
                        f"I2 {player.user}: a note, {state}, stands {count} times: {text}",
                    )

    def _check_claims(self, player: Player, terminal: Terminal) -> None:
        """What a terminal shows in the end is right; a registration that was settled has its claim, a refused none."""
        player.claimant.look(terminal)
        self.invariants.claims(player, terminal)
        book = self.record.book
        with terminal.store.read() as db:
            rows = db.execute(
                "SELECT id, aggregate, verb, state, code FROM main.command LEFT JOIN main.conflict ON command = id"
                " WHERE verb GLOB 'claim-*'"
            ).fetchall()
        for key, claim, verb, state, code in rows:
            self.events[f"{verb} {state}"] += 1
            known = code != "command_expired" and not self._unheard(player, key)
            if known and verb == "claim-register" and state in (State.SETTLED, State.REFUSED):
                given = [key] if state == State.SETTLED else []
                held = [one for one in book.registers.get(claim, []) if one == key]
                hold(held == given, f"C1 {player.user}: a registration, {state}, has {len(held)} claims")

    def _unheard(self, player: Player, key: str) -> bool:
        """Tell whether what became of a command may have been undone without its user's hearing of it."""
        # Whoever is shut out of everything cannot hear of a restore, and old commands are not offered again.
        deaf = not self.record.scopes(player.user) or player.clock_was_wrong
        return self.record.restored_old or (self.record.restored and deaf) or self.record.undone(key)


@contextmanager
def _small(seed: int) -> Iterator[None]:
    """Make pages, chunks and snapshots so small that a few rows need several, each run in its own way."""
    dice = random.Random(f"sizes-{seed}")
    before = backend_feed.PAGE, backend_pull.SNAPSHOT_PAGE, answers.CHUNK
    backend_feed.PAGE = dice.choice((1, 2, 3, 3))  # type: ignore[misc]
    backend_pull.SNAPSHOT_PAGE = dice.choice((1, 2, 2, 4))  # type: ignore[misc]
    answers.CHUNK = dice.choice((1, 1, 2, 250))  # type: ignore[misc]
    try:
        yield
    finally:
        backend_feed.PAGE, backend_pull.SNAPSHOT_PAGE, answers.CHUNK = before  # type: ignore[misc]


def simulate(seed: int, template: Path | Place, *, steps: int = 200) -> Outcome:
    """Run one seed and tell what it met.

    Raises:
        Violation: an invariant broke; the message ends with the line that replays it.
    """
    memory = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as name, _small(seed), watched():
        run = Run(seed, template, Path(name))
        number = 0
        try:
            run.warm_up()
            while number < steps:
                run.step()
                number += 1
            run.settle_down()
        except Violation as violation:
            replay = f"python -m tests.sync.simulation replay {seed} --steps {steps}"
            raise Violation(f"{violation} (seed {seed}, step {number}; replay: {replay})") from None
        finally:
            run.close()
        run.events["effects"] += len(run.record.effects)
        run.events["restored"] += run.record.restored
        run.events["claims"] += len(run.record.book.states)
        run.events.update({f"Kela: {what}": count for what, count in run.record.book.moves.items()})
        return Outcome(run.events, run.weather.reached, run.digest)
