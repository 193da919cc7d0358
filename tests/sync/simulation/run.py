"""One run: a seed, some hundred steps of chance, invariants after each, and a quiet end where all must agree."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from kelmu_backend.problems import ProblemError
from kelmu_tui.api.answers import CommandAnswer
from kelmu_tui.api.contract import ProblemCode
from kelmu_tui.api.errors import SignInNeeded
from kelmu_tui.store import feed, outbox
from kelmu_tui.store.outbox import State
from tests.sync.simulation.player import Crash, Message, Player
from tests.sync.simulation.record import INBOX, LOOK_UP, USERS, A, B, HandClock, Record, Stream

VERBS: Final = ("open", "take", "release", "handle", "reopen", "note", "note", "transfer", "transfer", "take-back")
MEMORY: Final = Path("/dev/shm")
ENDED: Final = (State.SETTLED, State.REFUSED, State.BLOCKED, State.UNDELIVERABLE, State.DISCARDED, State.REISSUED)


class Violation(AssertionError):
    """An invariant does not hold."""


@dataclass
class Seen:
    """What a client has shown so far, for invariants about time."""

    epoch: str | None = None
    seq: int = -1
    checkpoint: int = -1
    old_rows: bool = False
    versions: dict[tuple[str, str], int] = field(default_factory=dict)


class Run:
    """The whole small world of one seed."""

    def __init__(self, seed: int, template: Path, folder: Path, *, crash: float = 0.01) -> None:
        self.dice = random.Random(seed)
        self.clock = HandClock()
        self.record = Record(template, folder, self.clock, seed)
        self.record.arrive(A, 5)
        self.record.arrive(B, 4)
        self.players = {
            user: Player(user, folder / user, self.clock, random.Random(f"{seed}-{user}"), seed) for user in USERS
        }
        self.net: list[Message] = []
        self.away: set[str] = set()
        self.faults = True
        self.chance = crash
        self.seen = {user: Seen() for user in USERS}
        self.reached: Counter[str] = Counter()

    def close(self) -> None:
        """Close all files."""
        for player in self.players.values():
            player.store.close()
        self.record.close()

    # --- steps -------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let one thing happen, then look at everything."""
        self.clock.at += timedelta(seconds=self.dice.uniform(0.05, 1.5))
        user = self.dice.choice(list(USERS))
        roll = self.dice.random()
        if roll < 0.20:
            self._guarded(user, self.players[user].act, self.dice.choice(VERBS), self.record.lease(user))
        elif roll < 0.22:
            self.players[user].crash()
        elif roll < 0.27:
            self._fate(user)
        elif roll < 0.60:
            self._tick(user)
        for _ in range(self.dice.randrange(4)):
            if self.net:
                self._deliver()
                self.check()
        self.check()

    def _fate(self, user: str) -> None:
        roll = self.dice.random()
        if roll < 0.25:
            self.away ^= {user}
        elif roll < 0.45:
            mandates = self.dice.choice([(), (LOOK_UP,), (INBOX, LOOK_UP), (INBOX, LOOK_UP), (INBOX, LOOK_UP)])
            self.record.regrant(user, *mandates)
        elif roll < 0.65:
            self.record.arrive(self.dice.choice([A, B]))
        elif roll < 0.80:
            self.record.compact()
        elif roll < 0.91:
            self.record.back_up()
        elif roll < 0.95:
            self.record.restore()
        else:
            self.players[user].signed_out = False

    def _guarded(self, user: str, function: Any, *args: Any) -> Any:
        """Call a unit of work of a client that may die in it."""
        player = self.players[user]
        player.store.chance = self.chance if self.faults else 0.0
        try:
            return function(*args)
        except Crash:
            self.reached["crash"] += 1
            player.store.chance = 0.0
            player.crash()
            return None
        finally:
            player.store.chance = 0.0

    def _tick(self, user: str) -> None:
        self.net += self._guarded(user, self.players[user].tick) or []

    def _deliver(self) -> None:
        place = self.dice.randrange(min(len(self.net), 12)) if self.faults else 0
        message = self.net[place]
        if not self.faults or self.dice.random() > 0.1:
            self.net.pop(place)
        if message.user in self.away or (self.faults and self.dice.random() < 0.1):
            return
        if message.kind.startswith("answer:"):
            kind = message.kind.removeprefix("answer:")
            answer = Message(message.user, message.boot, kind, message.request, message.answer, message.number)
            again = self._guarded(message.user, self.players[message.user].receive, answer)
            if again is not None:
                self.net.append(again)
            return
        self.net.append(
            Message(
                message.user,
                message.boot,
                f"answer:{message.kind}",
                message.request,
                self._answer(message),
                message.number,
            )
        )

    def _answer(self, message: Message) -> Any:
        trouble = self.dice.random() if self.faults else 1.0
        if message.kind == "push":
            if trouble < 0.02:
                return SignInNeeded()
            if trouble < 0.05:
                return CommandAnswer(self.dice.choice([429, 500, 503]), retry_after=self.dice.choice([None, 1.0]))
            return self.record.command(message.user, message.request)
        if message.kind == "ask":
            if trouble < 0.03:
                return ProblemError(ProblemCode.INTERNAL)
            return self.record.changes(message.user, message.request.cursor)
        last = message.answer
        if trouble < 0.05:
            return Stream(None), last
        after = last if last is not None else message.request.after
        return self.record.page(message.user, message.request.scope, after, first=last is None), last

    # --- invariants --------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Look at every invariant that must hold at each step."""
        if not self.record.restored:
            self._check_effects()
        for user, player in self.players.items():
            with player.store.read() as db:
                stored = {
                    row[0]: (row[1], row[2], row[3], row[4])
                    for row in db.execute("SELECT id, state, ack_version, ack_epoch, aggregate FROM main.command")
                }
                conflicts = {row[0] for row in db.execute("SELECT command FROM main.conflict")}
                now = feed.state(db)
                shown = self._shown(db)
                strays = self._strays(db, now)
            for key in player.saved:
                _hold(key in stored, f"I1 {user}: a saved command is gone")
            for key, (state, *_) in stored.items():
                _hold(state != State.REFUSED or key in conflicts, f"I10 {user}: refused without a conflict item")
            _hold(not strays, f"I5 {user}: rows of no scope are left: {strays}")
            self._check_time(user, now, shown)
            if not self.record.restored:
                self._check_flicker(user, stored, shown, now)

    def _check_effects(self) -> None:
        done: dict[str, int] = {}
        order: dict[tuple[str, str], list[int]] = {}
        places: dict[str, int] = {}
        after_refused: set[str] = set()
        for player in self.players.values():
            with player.store.read() as db:
                places |= dict(db.execute("SELECT id, number FROM main.command"))
                after_refused |= {
                    row[0]
                    for row in db.execute(
                        "SELECT c.id FROM main.command AS c JOIN main.command AS p ON p.id = c.after"
                        " WHERE p.state = 'refused'"
                    )
                }
        for effect in self.record.effects:
            done[effect.key] = done.get(effect.key, 0) + 1
            _hold(done[effect.key] == 1, f"I2 {effect.user}: two effects of one command")
            _hold(effect.key not in after_refused, f"I8 {effect.user}: an effect behind a refused command")
            numbers = order.setdefault((effect.user, effect.notice), [])
            numbers.append(places[effect.key])
            _hold(numbers == sorted(numbers), f"I8 {effect.user}: effects out of local order")
        for user, player in self.players.items():
            with player.store.read() as db:
                refused = [row[0] for row in db.execute("SELECT id FROM main.command WHERE state = 'refused'")]
            _hold(not any(key in done for key in refused), f"I2b {user}: refused, and yet it has an effect")

    def _shown(self, db: Any) -> dict[tuple[str, str], int]:
        found = {}
        for table in ("notice", "trace"):
            for id_, version in db.execute(
                f"SELECT r.id, r.version FROM replica.{table} AS r JOIN replica.scope AS s"
                " ON s.generation = r.generation"
            ):
                found[table, id_] = version
        return found

    def _strays(self, db: Any, now: feed.FeedState) -> list[Any]:
        known = {generation for scope in now.scopes for generation in (scope.generation, scope.filling)}
        known |= set(feed._abandoned(db))
        found = []
        for table in ("notice", "trace", "announcement", "tombstone"):
            rows = db.execute(f"SELECT DISTINCT generation FROM replica.{table}").fetchall()
            found += [(table, row[0]) for row in rows if row[0] not in known]
        names = {scope.name.partition(":")[0] for scope in now.scopes}
        if "notices" not in names and db.execute("SELECT 1 FROM replica.notice").fetchone():
            found.append(("notice", "without a scope"))
        return found

    def _check_time(self, user: str, now: feed.FeedState, shown: dict[tuple[str, str], int]) -> None:
        seen = self.seen[user]
        if now.epoch == seen.epoch:
            _hold(now.seq >= seen.seq, f"I4 {user}: the cursor went back")
            _hold(now.checkpoint >= seen.checkpoint, f"I4 {user}: the checkpoint went back")
        else:
            # After a restore the old rows stay on screen until the new fill stands; their versions tell nothing.
            seen.old_rows = True
        if seen.old_rows:
            seen.versions, seen.old_rows = {}, now.filling
        for key, version in shown.items() if not seen.old_rows else ():
            before = seen.versions.get(key, 0)
            _hold(version >= before, f"I4 {user}: {key} fell from version {before} to {version}")
        if not seen.old_rows:
            seen.versions = dict(shown)
        seen.epoch, seen.seq, seen.checkpoint = now.epoch, now.seq, now.checkpoint

    def _check_flicker(
        self, user: str, stored: dict[str, Any], shown: dict[tuple[str, str], int], now: feed.FeedState
    ) -> None:
        # Settled means that the replica shows it by itself. A row that is not there has gone elsewhere, or waits
        # for a mandate that came back to fill it.
        for state, version, epoch, notice in stored.values():
            row = shown.get(("notice", notice))
            if state == State.SETTLED and epoch == now.epoch and row is not None and version is not None:
                _hold(row >= version, f"I9 {user}: an own change of {notice} has vanished for a moment")

    # --- the beginning and the end ------------------------------------------------------------------------------------

    def warm_up(self) -> None:
        """Fill the replicas without faults: the interesting things happen afterwards."""
        self.faults = False
        for _ in range(8):
            for user in USERS:
                self._tick(user)
            while self.net:
                self._deliver()
        self.faults = True

    def settle_down(self) -> None:
        """Heal everything, let it run, and compare."""
        self.faults = False
        self.away = set()
        for round_ in range(80):
            self.clock.at += timedelta(seconds=10 if round_ < 60 else 60)
            for player in self.players.values():
                player.signed_out = False
                self._tick(player.user)
            for _ in range(200):
                if not self.net:
                    break
                self._deliver()
            self.check()
            if round_ > 3 and all(self._quiet(player) for player in self.players.values()):
                break
        for user, player in self.players.items():
            with player.store.read() as db:
                states = outbox.counts(db)
                now = feed.state(db)
                shown = self._shown(db)
            self.reached.update({state.value: n for state, n in states.items()})
            left = {state.value: n for state, n in states.items() if state not in ENDED}
            _hold(not left, f"I13 {user}: commands without an end: {left}")
            wanted = self.record.visible(user)
            _hold(shown == wanted, f"I3 {user}: differs in {set(shown.items()) ^ set(wanted.items())}")
            held = {scope.name for scope in now.scopes}
            _hold(held == self.record.scopes(user), f"I5 {user}: scopes {held}")
            self._check_notes(player)

    def _check_notes(self, player: Player) -> None:
        """Every note that was settled stands in the record once, restore or not; a refused one never."""
        written = self.record.notes()
        with player.store.read() as db:
            rows = db.execute("SELECT state, payload FROM main.command WHERE verb = 'note'").fetchall()
        for state, payload in rows:
            count = written[json.loads(payload)["text"]]
            self.reached[f"note {state}"] += 1
            _hold(count == (state == State.SETTLED), f"I2 {player.user}: a note, {state}, stands {count} times")

    def _quiet(self, player: Player) -> bool:
        with player.store.read() as db:
            now = feed.state(db)
            open_ = [state for state in outbox.counts(db) if state not in ENDED]
            return not open_ and not now.filling and self._shown(db) == self.record.visible(player.user)


def _hold(condition: bool, message: str) -> None:
    if not condition:
        raise Violation(message)


def simulate(seed: int, template: Path, *, steps: int = 200, crash: float = 0.01) -> Counter[str]:
    """Run one seed and count what it met.

    Raises:
        Violation: an invariant broke; the message ends with the line that replays it.
    """
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        run = Run(seed, template, Path(name), crash=crash)
        number = 0
        try:
            run.warm_up()
            while number < steps:
                run.step()
                number += 1
            run.settle_down()
            run.reached["restored"] += run.record.restored
            run.reached["effects"] += len(run.record.effects)
            return run.reached
        except Violation as violation:
            replay = f"python -m tests.sync.simulation {seed} --steps {steps}"
            raise Violation(f"{violation} (seed {seed}, step {number}; replay: {replay})") from None
        finally:
            run.close()
