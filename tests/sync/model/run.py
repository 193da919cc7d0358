"""One run: a seed that also draws which faults are frequent, steps of chance, a quiet end where all must agree."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from tests.sync.model.bugs import Bug
from tests.sync.model.client import Crash, Terminal
from tests.sync.model.disk import Disk
from tests.sync.model.invariants import Witness
from tests.sync.model.network import Network
from tests.sync.model.server import DAY, Server, Violation, user_scopes

USERS: Final = {"aino": "A", "bertta": "A", "bo": "B"}
VERBS: Final = ("note", "set", "set", "transfer")
STEPS: Final = 400
JUMPS: Final = (0.0, 0.0, DAY, -DAY, -5 * 365 * DAY, 3_600.0)
SLEEPS: Final = (600.0, 3_600.0, 13 * 3_600.0, 3 * DAY, 8 * DAY, 91 * DAY)


class Run:
    """The world of one seed."""

    def __init__(self, seed: int, bugs: frozenset[Bug] = frozenset()) -> None:
        self.dice = random.Random(seed)
        self.bugs = bugs
        self.server = Server(self.dice, bugs, USERS)
        self.net = Network(self.server, self.dice)
        self.witnesses: dict[str, Witness] = {}
        self.terminals: dict[str, Terminal] = {}
        for user, organisation in USERS.items():
            disk = Disk(user, organisation)
            own = [self._terminal(f"{user}-{n}", disk) for n in (1, 2)]
            self.witnesses[user] = Witness(disk, own)
        self.reached: Counter[str] = Counter()
        self._draw()

    def _terminal(self, name: str, disk: Disk) -> Terminal:
        def send(kind: str, what: Any, number: int) -> None:
            self.net.post(terminal, kind, what, number)

        terminal = Terminal(name, disk, self.dice, self.bugs, lambda: self.server.time, send)
        self.terminals[name] = terminal
        return terminal

    def _draw(self) -> None:
        """Draw how often each thing happens in this run: rare meetings of faults become frequent in some runs."""
        dice = self.dice

        def rate(usual: float) -> float:
            return usual * dice.choice((0.0, 0.3, 1.0, 1.0, 3.0))

        self.net.drop, self.net.double, self.net.trouble = rate(0.1), rate(0.1), rate(0.04)
        self.net.shuffle = dice.random() < 0.8
        self.net.slow_fills = dice.choice((0.0, 0.0, 0.5, 0.8))
        chance = rate(0.01)
        for terminal in self.terminals.values():
            terminal.crash_chance = chance
        self.deliveries = dice.choice((1, 2, 3, 4))
        self.events: list[tuple[float, str, Callable[[str], None]]] = []
        total = 0.0
        for weight, name, what in (
            (0.16 * dice.choice((0.5, 1.0, 2.0)), "act", self._act),
            (0.05, "look", self._look),
            (rate(0.02), "kill", self._kill),
            (rate(0.01), "away", self._away),
            (rate(0.02), "regrant", self._regrant),
            (rate(0.012), "compact", lambda _: self.server.compact()),
            (rate(0.004), "back up", lambda _: self.server.back_up()),
            (rate(0.003), "restore", lambda _: self._restore()),
            (rate(0.006), "stop", self._stop),
            (rate(0.006), "turn the clock", self._turn),
            (rate(0.003), "sleep", lambda _: self._sleep()),
            (rate(0.006), "sign out", self._sign_out),
            (0.30, "tick", self._tick),
        ):
            total += weight
            self.events.append((total, name, what))
        self.total = total

    # --- steps -------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let one thing happen, then deliver a little, and look at everything."""
        dice = self.dice
        self.server.time += dice.uniform(0.05, 1.5)
        user = dice.choice(tuple(USERS))
        roll = dice.random() * self.total
        for bound, name, what in self.events:
            if roll < bound:
                self.reached[name] += 1
                what(user)
                break
        self.witnesses[user].check(self.server)
        for _ in range(dice.randrange(self.deliveries + 1)):
            self.deliver()

    def deliver(self) -> None:
        """Let a message arrive and look at whoever took it."""
        if not self.net.waiting:
            return
        net = self.net
        try:
            net.deliver(self.terminals)
        except Crash:
            assert net.taking is not None
            self._crashed(net.taking)
        if net.taking is not None:
            self.witnesses[net.taking.disk.user].check(self.server)

    def _alive(self, terminal: Terminal, work: Callable[[], None]) -> None:
        """Let a terminal do something that it may die of."""
        try:
            work()
        except Crash:
            self._crashed(terminal)

    def _crashed(self, terminal: Terminal) -> None:
        self.reached["crash"] += 1
        self._die(terminal)

    def _die(self, terminal: Terminal) -> None:
        terminal.start()
        terminal.stopped = False
        self.witnesses[terminal.disk.user].crashed()

    def _own(self, user: str) -> Terminal:
        return self.dice.choice(self.witnesses[user].terminals)

    def _act(self, user: str) -> None:
        terminal = self._own(user)

        def act() -> None:
            key = terminal.act(self.dice.choice(VERBS))
            if key is not None:
                self.witnesses[user].saved.append(key)

        self._alive(terminal, act)

    def _look(self, user: str) -> None:
        terminal = self._own(user)

        def look() -> None:
            notice = terminal.look()
            if notice is not None:
                self.witnesses[user].looked(terminal, notice, self.server.time)

        self._alive(terminal, look)

    def _tick(self, user: str) -> None:
        for terminal in self.witnesses[user].terminals:
            self._lead(terminal)
            self._alive(terminal, terminal.tick)

    def _lead(self, terminal: Terminal) -> None:
        """Let a terminal try the lock of its user."""
        if terminal.leading or terminal.stopped:
            return
        free = not any(other.leading for other in self.witnesses[terminal.disk.user].terminals)
        if free or Bug.TWO_LEADERS in self.bugs:
            self._alive(terminal, terminal.lead)

    def _kill(self, user: str) -> None:
        self._die(self._own(user))

    def _away(self, user: str) -> None:
        self.net.away ^= {user}

    def _regrant(self, user: str) -> None:
        whole = user_scopes(USERS[user])
        self.server.grants[user] = self.dice.choice((frozenset(), frozenset((USERS[user],)), whole, whole, whole))

    def _restore(self) -> None:
        if self.server.restore():
            self.net.waiting.clear()  # the connections of the server that was are gone with it
            self.reached["restored"] += 1

    def _stop(self, user: str) -> None:
        terminal = self._own(user)
        terminal.stopped = not terminal.stopped

    def _turn(self, user: str) -> None:
        """Turn the wall clock, sometimes over a restart of the machine."""
        off, again = self.dice.choice(JUMPS), self.dice.random() < 0.3
        for terminal in self.witnesses[user].terminals:
            terminal.wall_off = off
            if again:
                self._die(terminal)
                terminal.reboot()

    def _sleep(self) -> None:
        self.server.time += self.dice.choice(SLEEPS)
        self.server.forget()

    def _sign_out(self, user: str) -> None:
        for terminal in self.witnesses[user].terminals:
            terminal.signed_out = not terminal.signed_out

    # --- the end -----------------------------------------------------------------------------------------------------

    def settle_down(self) -> None:
        """Heal everything, let it run, and compare."""
        net = self.net
        net.away, net.drop, net.double, net.trouble, net.slow_fills = set(), 0.0, 0.0, 0.0, 0.0
        net.shuffle = False
        for terminal in self.terminals.values():
            terminal.stopped = terminal.signed_out = False
            terminal.crash_chance = 0.0
        for round_ in range(120):
            self.server.time += 10.0 if round_ < 60 else 60.0
            for user in USERS:
                self._tick(user)
            while net.waiting:
                self.deliver()
            for witness in self.witnesses.values():
                witness.check(self.server)
            if round_ > 3 and all(witness.settled(self.server) for witness in self.witnesses.values()):
                break
        for witness in self.witnesses.values():
            witness.check_end(self.server)
            self.reached.update(command.state for command in witness.disk.commands.values())


def run(seed: int, *, steps: int = STEPS, bugs: frozenset[Bug] = frozenset()) -> Counter[str]:
    """Run one seed and count what it met.

    Raises:
        Violation: an invariant broke; the message ends with the line that replays it.
    """
    world = Run(seed, bugs)
    number = 0
    try:
        while number < steps:
            world.step()
            number += 1
        world.settle_down()
    except Violation as violation:
        planted = "".join(f" --plant {bug}" for bug in sorted(bugs))
        line = f"python -m tests.sync.model replay {seed} --steps {steps}{planted}"
        raise Violation(f"{violation} (seed {seed}, step {number}; replay: {line})") from None
    return world.reached
