"""The network between terminals and backend: what is on its way, in which order it comes, and what happens to it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import httpx

from tests.sync.simulation.faults import Moment, Weather
from tests.sync.simulation.player import Player
from tests.sync.simulation.record import HandClock
from tests.sync.simulation.service import Reply, Service, garbage
from tests.sync.simulation.terminal import Terminal
from tests.sync.simulation.wire import Ask, Call, More

Struck = Callable[[str, Player], None]
SLOW_FILLS: Final = 0.3
"""Share of the snapshots whose first rows arrive when the feed has gone on: a fill is long in life, and short here."""
_NO_WAY: Final = {
    "connection_refused": "All connection attempts failed",
    "tls_failure": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
}
_ID: Final = re.compile(rb'"id":"(n[0-9]{4})"')


class Packet(NamedTuple):
    """Something on its way: to the backend, or back to the call that waits for it with `wants`."""

    player: Player
    terminal: Terminal
    call: Call
    wants: Any
    ripe: datetime
    answer: Reply | bytes | None = None
    back: bool = False


class Network:
    """All that is on its way.

    Attributes:
        away: users that are cut off.
    """

    def __init__(
        self, service: Service, weather: Weather, clock: HandClock, dice: random.Random, struck: Struck
    ) -> None:
        self.away: set[str] = set()
        self._service = service
        self._weather = weather
        self._clock = clock
        self._dice = dice
        self._struck = struck
        self._on_the_way: list[Packet] = []

    def __bool__(self) -> bool:
        return bool(self._on_the_way)

    def rows_under_way(self) -> frozenset[str]:
        """Return the notices in the parts of snapshots that have left the backend and not arrived."""
        found: set[str] = set()
        for packet in self._on_the_way:
            if packet.back and packet.call.name == "fill":
                pieces = packet.answer.pieces if isinstance(packet.answer, Reply) else (packet.answer,)
                found.update(id_.decode() for piece in pieces for id_ in _ID.findall(piece or b""))
        return frozenset(found)

    def clear(self) -> None:
        """Lose everything that is on its way."""
        self._on_the_way.clear()

    def post(self, player: Player, terminal: Terminal, call: Call) -> None:
        """Send on its way what a call waits for."""
        wants = call.wants
        if isinstance(wants, Ask):
            self._add(Packet(player, terminal, call, wants, self._clock.at))
        elif isinstance(wants, More):
            # Bytes that are on their way need nobody; further lines are read at the backend when their turn comes.
            drip = wants.lines is None and not self._weather.calm
            ripe = self._clock.at + timedelta(seconds=self._dice.uniform(0.0, 3.0)) if drip else self._clock.at
            self._add(Packet(player, terminal, call, wants, ripe, None, back=wants.lines is None))
        elif wants is not None:
            self._add(Packet(player, terminal, call, wants, self._clock.at, None, back=True))

    def _add(self, packet: Packet) -> None:
        self._on_the_way.append(packet)

    def take(self) -> Packet | None:
        """Take what comes next; None when nothing has had its time."""
        for place, packet in enumerate(self._on_the_way):
            if packet.terminal.stopped:
                continue
            if packet.ripe <= self._clock.at or self._weather.calm:
                return self._on_the_way.pop(place)
        return None

    def forward(self, packet: Packet) -> bool:
        """Carry a packet one way; True when the call has to be stepped with its answer."""
        if packet.call.wants is not packet.wants:
            return False  # nobody waits for it any more
        if isinstance(packet.wants, Ask):
            return self._back(packet) if packet.back else self._there(packet)
        if isinstance(packet.wants, More):
            return self._further(packet, packet.wants)
        packet.call.step_with = None
        return True

    def _there(self, packet: Packet) -> bool:
        player, ripe = packet.player, self._clock.at
        if player.user in self.away:
            return False
        fault = self._weather.pick(Moment.SEND)
        if fault is not None:
            self._struck(fault, player)
        match fault:
            case "drop_request":
                return False
            case "delay":
                if self._dice.random() < 0.4:
                    self._add(packet._replace(ripe=self._later(12.0)))
                    return False
                ripe = self._later(25.0)
            case "reorder":
                self._on_the_way.insert(self._dice.randrange(len(self._on_the_way) + 1), packet)
                return False
            case "duplicate":
                self._add(packet)
            case "connection_refused" | "tls_failure":
                self._add(packet._replace(answer=Reply(error=httpx.ConnectError(_NO_WAY[fault])), back=True))
                return False
            case _:
                pass
        fault = self._weather.pick(Moment.SERVE)
        reply, happened = self._service.handle(player.user, packet.wants.request, fault)
        for name in (fault if happened else None, self._service.said):
            if name is not None:
                self._struck(name, player)
        self._add(packet._replace(answer=reply, back=True, ripe=self._ripe(packet, ripe)))
        return False

    def _ripe(self, packet: Packet, ripe: datetime) -> datetime:
        slow = packet.call.name == "fill" and not self._weather.calm and self._dice.random() < SLOW_FILLS
        return self._later(15.0) if slow else ripe

    def _later(self, most: float) -> datetime:
        return self._clock.at + timedelta(seconds=self._dice.uniform(1.0, most))

    def _back(self, packet: Packet) -> bool:
        player, reply = packet.player, packet.answer
        assert isinstance(reply, Reply)
        if player.user in self.away:
            return False
        fault = self._weather.pick(Moment.REPLY) if reply.error is None else None
        match fault:
            case "drop_answer":
                self._struck(fault, player)
                return False
            case "wrong_json":
                self._struck(fault, player)
                reply = garbage(self._dice)
            case "cut_body":
                self._struck(fault, player)
                reply = self._cut(reply)
            case "slow_drip":
                self._struck(fault, player)
                reply = reply._replace(pieces=_drops(reply.pieces, self._dice))
            case _:
                pass
        packet.call.step_with = reply
        return True

    def _cut(self, reply: Reply) -> Reply:
        body = reply.pieces[0] or b""
        return reply._replace(pieces=(body[: self._dice.randrange(len(body) + 1)], None), lines=None)

    def _further(self, packet: Packet, wants: More) -> bool:
        if packet.player.user in self.away:
            return False
        if packet.back or wants.lines is None:
            packet.call.step_with = packet.answer
            return True
        fault = self._weather.pick(Moment.REPLY)
        more = wants.lines.more()
        if fault is not None and fault != "wrong_json":
            self._struck(fault, packet.player)
            if fault == "drop_answer":
                return False
            if fault == "cut_body":
                more = (more or b"")[: self._dice.randrange(len(more or b"") + 1)] or None
            if fault == "slow_drip":
                # The lines are read now, and arrive when much else has happened.
                self._add(packet._replace(ripe=self._later(9.0), answer=more, back=True))
                return False
        packet.call.step_with = more
        return True


def _drops(pieces: tuple[bytes | None, ...], dice: random.Random) -> tuple[bytes | None, ...]:
    body = pieces[0] or b""
    places = sorted(dice.randrange(len(body) + 1) for _ in range(dice.choice((2, 5, 9))))
    ends = [*places, len(body)]
    return tuple(body[start:end] for start, end in zip([0, *places], ends, strict=True))
