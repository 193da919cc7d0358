"""What must hold at each step (I1 to I16), looked at from outside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from tests.sync.model.client import Terminal
from tests.sync.model.disk import ACKNOWLEDGED, OPEN, REFUSED, SETTLED, Disk
from tests.sync.model.outbox import OFFERED
from tests.sync.model.server import Server, Violation

UNKNOWN_END: Final = frozenset(("expired",))
"""Refusals of commands so old that nobody remembers whether they had an effect: they say so."""


@dataclass(slots=True)
class Witness:
    """What was seen of one user so far."""

    disk: Disk
    terminals: list[Terminal]
    saved: list[str] = field(default_factory=list)
    epoch: int | None = None
    beginnings: int = 0
    seq: int = -1
    checkpoint: int = -1
    shown: dict[tuple[str, int], int] = field(default_factory=dict)
    old_rows: bool = False

    def check(self, server: Server) -> None:
        """Look at everything that must hold at each step.

        Raises:
            Violation: names the invariant.
        """
        disk = self.disk
        self._commands(server)
        if sum(terminal.leading for terminal in self.terminals) > 1:
            raise Violation(f"I11 {disk.user}: two leaders")
        self._time()
        self._scopes(server)
        self._applied(server)

    def _commands(self, server: Server) -> None:
        disk, commands = self.disk, self.disk.commands
        for key in self.saved:
            if key not in commands:
                raise Violation(f"I1 {disk.user}: {key} was saved and is gone")
        own = disk.scopes.get(disk.organisation)
        for command in commands.values():
            if command.state == REFUSED:
                if command.key not in disk.conflicts:
                    raise Violation(f"I10 {disk.user}: {command.key} refused without a conflict item")
                if server.s.effects[command.key] and command.why not in UNKNOWN_END:
                    raise Violation(f"I2 {disk.user}: {command.key} refused ({command.why}), and it has an effect")
            elif command.state == SETTLED and own is not None and command.ack_epoch == server.epoch:
                # Also while the replica has yet to hear of that epoch: it shows rows of before then.
                version = own.rows.get(command.notice)
                if version is not None and version < command.ack_version:
                    raise Violation(f"I9 {disk.user}: the change of {command.key} has vanished for a moment")
            if command.state in (ACKNOWLEDGED, SETTLED) and command.after is not None:
                before = commands.get(command.after)
                if before is not None and before.state == REFUSED and not server.restored:
                    raise Violation(f"I8 {disk.user}: {command.key} applied behind a refused one")

    def _time(self) -> None:
        disk = self.disk
        seq = disk.cursor.seq if disk.cursor is not None else -1
        if disk.epoch == self.epoch:
            if disk.cursor is not None and seq < self.seq and disk.beginnings == self.beginnings:
                raise Violation(f"I4 {disk.user}: the cursor went back")
            if disk.checkpoint < self.checkpoint:
                raise Violation(f"I4 {disk.user}: the checkpoint went back")
        else:
            self.old_rows = True
        shown = {
            (name, notice): version for name, scope in disk.scopes.items() for notice, version in scope.rows.items()
        }
        if self.old_rows:
            # Rows of before a restore stay on screen till the new fill stands; their versions tell nothing.
            self.old_rows, self.shown = disk.filling, {}
        for key, version in shown.items() if not self.old_rows else ():
            if version < self.shown.get(key, 0):
                raise Violation(f"I4 {disk.user}: row {key} went back")
        self.shown = {} if self.old_rows else shown
        self.epoch, self.checkpoint, self.beginnings = disk.epoch, disk.checkpoint, disk.beginnings
        if disk.cursor is not None:
            self.seq = seq

    def _scopes(self, server: Server) -> None:
        disk = self.disk
        if disk.cursor is not None and not disk.scopes.keys() <= disk.cursor.scopes:
            raise Violation(f"I5 {disk.user}: rows of a scope whose end was told")
        if disk.cursor is None and disk.epoch is not None and disk.scopes and not server.grants[disk.user]:
            return

    def _applied(self, server: Server) -> None:
        """Compare what is shown at the checkpoint with the feed up to there."""
        disk = self.disk
        if disk.epoch != server.epoch:
            return
        for name, scope in disk.scopes.items():
            if scope.fill is not None or name not in server.grants[disk.user]:
                continue
            for (where, notice), (seq, version, there) in server.s.feed.items():
                if where != name or seq > disk.checkpoint:
                    continue
                if (scope.rows.get(notice) == version) is not there:
                    raise Violation(f"I7 {disk.user}: {name}/{notice} of {seq} is not what the checkpoint says")

    def looked(self, terminal: Terminal, notice: int, true_time: float) -> None:
        """Look at a view that has just been shown.

        Raises:
            Violation: it was not logged, or the lease was over.
        """
        logged = Counter(view.subject for view in self.disk.views)
        seen = Counter(subject for one in self.terminals for subject in one.shown)
        if seen[notice] > logged[notice]:
            raise Violation(f"I6 {self.disk.user}: shown before it was logged")
        if terminal.anchored and true_time > self.disk.lease_until:
            raise Violation(f"I12 {self.disk.user}: shown after the lease")

    def crashed(self) -> None:
        """Look at what a death left.

        Raises:
            Violation: something was shown that is not logged.
        """
        logged = Counter(view.subject for view in self.disk.views)
        seen = Counter(subject for one in self.terminals for subject in one.shown)
        if any(count > logged[subject] for subject, count in seen.items()):
            raise Violation(f"I6 {self.disk.user}: shown and not logged")

    def settled(self, server: Server) -> bool:
        """Tell whether everything is quiet: replica and outbox are where they are to end."""
        return (
            not self._left()
            and not self.disk.filling
            and self._rows() == self._wanted(server)
            and self._shipped(server)
        )

    def _left(self) -> list[str]:
        return [one.key for one in self.disk.commands.values() if one.state in OPEN]

    def _rows(self) -> dict[str, dict[int, int]]:
        return {name: scope.rows for name, scope in self.disk.scopes.items()}

    def _wanted(self, server: Server) -> dict[str, dict[int, int]]:
        return {name: server.rows(name) for name in server.grants[self.disk.user]}

    def _shipped(self, server: Server) -> bool:
        # Whoever may see nothing hears of no restore either, so nothing of before it is told again.
        return not self._in_touch(server) or server.s.views[self.disk.user] == [
            view.subject for view in self.disk.views
        ]

    def _in_touch(self, server: Server) -> bool:
        return self.disk.epoch == server.epoch

    def check_end(self, server: Server) -> None:
        """Look at what must hold once everything has healed.

        Raises:
            Violation: names the invariant.
        """
        user = self.disk.user
        if left := self._left():
            raise Violation(f"I13 {user}: commands without an end: {left}")
        if self._rows() != self._wanted(server):
            raise Violation(f"I3 {user}: {self._rows()} instead of {self._wanted(server)}")
        if not self._shipped(server):
            raise Violation(f"I6 {user}: views not shipped exactly once")
        for command in self.disk.commands.values():
            effects = server.s.effects[command.key]
            known = self._in_touch(server) and command.ended >= server.time - OFFERED
            if command.state == SETTLED and effects != 1 and known:
                raise Violation(f"I2 {user}: {command.key} settled with {effects} effects")
            if command.state == REFUSED and effects and command.why not in UNKNOWN_END:
                raise Violation(f"I2 {user}: {command.key} refused with {effects} effects")
