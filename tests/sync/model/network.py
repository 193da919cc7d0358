"""The network: messages on their way, dropped, doubled, delayed and overtaken at will."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.sync.model.client import Terminal
from tests.sync.model.server import Answer, Page, Receipt, Result, Sent, Server

REACH: Final = 12
"""How far behind the oldest message a delivered one may stand."""


@dataclass(frozen=True, slots=True)
class Message:
    """A question of one life of a terminal, or the answer to it."""

    terminal: str
    boot: int
    kind: str
    what: Any
    number: int
    answer: Any = None
    answered: bool = False


class Network:
    """Everything that is on its way."""

    def __init__(self, server: Server, dice: Random) -> None:
        self.server = server
        self.dice = dice
        self.waiting: list[Message] = []
        self.away: set[str] = set()
        self.drop = self.double = self.trouble = 0.0
        self.shuffle = False
        self.slow_fills = 0.0
        """Chance that a page of a fill, read already, lets the next message by."""
        self.taking: Terminal | None = None
        """The terminal that took the last answer: a crash on the way is its own."""

    def post(self, terminal: Terminal, kind: str, what: Any, number: int) -> None:
        """Put a question on its way."""
        self.waiting.append(Message(terminal.name, terminal.boot, kind, what, number))

    def deliver(self, terminals: dict[str, Terminal]) -> None:
        """Let one message arrive."""
        self.taking = None
        place = self.dice.randrange(min(len(self.waiting), REACH)) if self.shuffle else 0
        message = self.waiting[place]
        if message.answered and message.kind == "fill" and self.slow_fills and self.dice.random() < self.slow_fills:
            return
        if not self.double or self.dice.random() >= self.double:
            self.waiting.pop(place)
        terminal = terminals[message.terminal]
        if terminal.disk.user in self.away or (self.drop and self.dice.random() < self.drop):
            return
        if not message.answered:
            answer = self._answer(terminal.disk.user, message)
            self.waiting.append(
                Message(
                    message.terminal, message.boot, message.kind, message.what, message.number, answer, answered=True
                )
            )
            return
        if message.boot == terminal.boot and not terminal.stopped:
            self.taking = terminal
            _take(terminal, message)

    def _answer(self, user: str, message: Message) -> Any:
        server = self.server
        if self.trouble and self.dice.random() < self.trouble:
            return _TROUBLE
        if message.kind == "push":
            return server.command(message.what)
        if message.kind == "ask":
            return server.changes(user, message.what)
        if message.kind == "fill":
            name, _, _, after = message.what
            return server.fill(user, name, after)
        return server.ship(user, *message.what)


_TROUBLE: Final = object()
"""An answer that says "not now": a busy or broken server, a token that ran out, JSON that is not ours."""


def _take(terminal: Terminal, message: Message) -> None:
    answer = message.answer
    if message.kind == "push":
        assert isinstance(message.what, Sent)
        terminal.pushed(message.what, message.number, answer if isinstance(answer, Result) else None)
    elif answer is _TROUBLE:
        return
    elif message.kind == "ask":
        assert answer is None or isinstance(answer, Answer)
        terminal.asked(message.number, message.what, answer)
    elif message.kind == "fill":
        terminal.filled(message.number, message.what, answer if isinstance(answer, Page) else None)
    elif isinstance(answer, Receipt):
        terminal.receipted(message.number, answer)
