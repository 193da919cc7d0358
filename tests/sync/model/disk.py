"""What a user's machine keeps through a crash: the outbox, the replica with its fills, the log of views."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.sync.model.server import Change, Cursor

QUEUED, SENDING, ACKNOWLEDGED, SETTLED = "queued", "sending", "acknowledged", "settled"
REFUSED, BLOCKED, UNDELIVERABLE = "refused", "blocked", "undeliverable"
PENDING: Final = frozenset((QUEUED, SENDING, ACKNOWLEDGED, BLOCKED))
OPEN: Final = frozenset((QUEUED, SENDING, ACKNOWLEDGED))


@dataclass(slots=True)
class Command:
    """A command from its saving to its end."""

    key: str
    number: int
    notice: int
    verb: str
    base: int
    after: str | None
    lease: float
    state: str = QUEUED
    if_match: int | None = None
    attempt: int = 0
    due: float = 0.0
    ack_seq: int = 0
    ack_version: int = 0
    ack_epoch: int = 0
    ended: float = 0.0
    why: str = ""


@dataclass(slots=True)
class Fill:
    """A generation that is being filled beside the one on the screen."""

    number: int
    rows: dict[int, int] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)
    after: int = -1
    need: int | None = None


@dataclass(slots=True)
class Scope:
    """A scope of the replica: the version of each row shown."""

    rows: dict[int, int] = field(default_factory=dict)
    fill: Fill | None = None


class View(NamedTuple):
    """A view that was logged."""

    number: int
    subject: int


@dataclass(slots=True)
class Disk:
    """One user's two files."""

    user: str
    organisation: str
    commands: dict[str, Command] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)
    numbers: int = 0
    mark: int | None = None
    """Epoch in which the commands of before were last offered again."""
    views: list[View] = field(default_factory=list)
    viewed: int = 0
    shipped: int = 0
    heard_at: float = 0.0
    """The latest time that is known to have been reached."""

    epoch: int | None = None
    cursor: Cursor | None = None
    checkpoint: int = -1
    lease: float = 0.0
    lease_until: float = 0.0
    scopes: dict[str, Scope] = field(default_factory=dict)
    staged: list[Change] = field(default_factory=list)
    generations: int = 0
    beginnings: int = 0
    """Times that the server said to begin anew: a late word to do so may begin a little earlier than the last one."""

    @property
    def filling(self) -> bool:
        """Whether any scope shows rows of before its fill."""
        return any(scope.fill is not None for scope in self.scopes.values())

    def begin_fill(self, name: str) -> None:
        """Begin to read a scope anew, beside what is shown of it."""
        self.generations += 1
        self.scopes.setdefault(name, Scope()).fill = Fill(self.generations)
        self.staged = [change for change in self.staged if change.scope != name]

    def purge(self, name: str) -> None:
        """Destroy a scope."""
        del self.scopes[name]
        self.staged = [change for change in self.staged if change.scope != name]

    def pending(self, notice: int) -> list[Command]:
        """Return the commands on a notice whose effect is shown, in local order."""
        return [one for one in self.commands.values() if one.notice == notice and one.state in PENDING]


def apply_to(rows: dict[int, int], change: Change) -> bool:
    """Apply a change to rows unless they are newer; return whether it counted."""
    stored = rows.get(change.notice)
    if change.there:
        if stored is None or change.version >= stored:
            rows[change.notice] = change.version
            return True
    elif stored is not None and change.version >= stored:
        del rows[change.notice]
        return True
    return False
