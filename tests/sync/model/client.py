"""A terminal: the part of a client that a crash takes away. Each `_commit` is a point at which it may die."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.sync.model import outbox
from tests.sync.model.bugs import Bug
from tests.sync.model.disk import REFUSED, Disk, Fill, apply_to
from tests.sync.model.server import LEASE, Answer, Change, Cursor, Page, Receipt, Result, Sent

PATIENCE: Final = 8.0
PARALLEL: Final = 4
RETRY_CEILING: Final = 300.0
TOLERANCE: Final = 300.0
BATCH: Final = 4


class Crash(BaseException):
    """The process dies here."""


class Terminal:
    """A process of a user over the user's disk, which it may share with another one.

    Args:
        time: the true time, which only the server knows.
        send: puts a message on the network.
    """

    def __init__(
        self, name: str, disk: Disk, dice: Random, bugs: frozenset[Bug], time: Callable[[], float],
        send: Callable[[str, Any, int], None],
    ) -> None:  # fmt: skip
        self.name = name
        self.disk = disk
        self.dice = dice
        self.bugs = bugs
        self.time = time
        self.send = send
        self.boot = 0
        self.crash_chance = 0.0
        self.leading = False
        self.stopped = False
        self.signed_out = False
        self.wall_off = 0.0
        self.anchored = False
        self.rebooted_at = 0.0
        self.shown: list[int] = []
        """Subjects whose content left the store, in order."""
        self.start()

    def start(self) -> None:
        """Begin as a new process: what was in flight is not known any more."""
        self.boot += 1
        self.leading = False
        self.asking: tuple[int, float] | None = None
        self.filling: tuple[int, float] | None = None
        self.shipping: tuple[int, float] | None = None
        self.flying: dict[str, tuple[int, float]] = {}
        self.numbers = 0

    def lead(self) -> None:
        """Take the lead: put back what a dead leader left."""
        self.leading = True
        if Bug.NO_RECOVERY not in self.bugs:
            outbox.recover(self.disk)
        outbox.hasten(self.disk, self.now() + 2.0)
        self._commit()
        self.follow_up()

    def _commit(self) -> None:
        if self.crash_chance and self.dice.random() < self.crash_chance:
            raise Crash

    # --- time --------------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """Return the time as far as it can be known here."""
        wall = self.time() + self.wall_off
        if Bug.WALL_CLOCK in self.bugs:
            return wall
        return self.time() if self.anchored else max(wall, self._floor())

    def _floor(self) -> float:
        """Return the earliest it can be: the last time that was heard, and what has passed since the restart."""
        return self.disk.heard_at + self.time() - self.rebooted_at

    def reboot(self) -> None:
        """Start the machine again: only the wall clock and what is on the disk tell the time."""
        self.anchored = False
        self.rebooted_at = self.time()

    def may_show(self) -> bool:
        """Tell whether the lease allows anything to be shown."""
        behind = not self.anchored and self.time() + self.wall_off < self._floor() - TOLERANCE
        if behind and Bug.WALL_CLOCK not in self.bugs:
            return False
        return self.now() <= self.disk.lease_until

    def hear(self, time: float) -> None:
        """Take the server's word for the time; what was put off before it was known is due now."""
        if not self.anchored:
            outbox.hasten(self.disk, time)
        self.anchored = True
        self.disk.heard_at = max(self.disk.heard_at, time)

    # --- the user ----------------------------------------------------------------------------------------------------

    def act(self, verb: str) -> str | None:
        """Give a command on a notice of the replica; return its key once it is saved."""
        scope = self.disk.scopes.get(self.disk.organisation)
        if scope is None or not scope.rows:
            return None
        notice = self.dice.choice(sorted(scope.rows))
        self._commit()
        key = outbox.append(self.disk, verb, notice, scope.rows[notice])
        self._commit()
        return key

    def look(self) -> int | None:
        """Look at a notice; return it when its content has left the store."""
        scope = self.disk.scopes.get(self.disk.organisation)
        if scope is None or not scope.rows or not self.may_show():
            return None
        notice = self.dice.choice(sorted(scope.rows))
        if Bug.SHOWN_BEFORE_LOGGED in self.bugs:
            self.shown.append(notice)
            self._commit()
            self._log(notice)
            return notice
        self._commit()
        self._log(notice)
        self._commit()
        self.shown.append(notice)
        return notice

    def _log(self, notice: int) -> None:
        outbox.log(self.disk, notice)

    # --- the loop ----------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Give up what took too long and send what is due."""
        if self.stopped or not self.leading:
            return
        now = self.time()
        for key, (attempt, until) in list(self.flying.items()):
            if until <= now:
                del self.flying[key]
                self.postpone(key, attempt)
        if not self.signed_out:
            self._send_due(now)
        if self.asking is None or self.asking[1] <= now:
            self.asking = (self._number(), now + PATIENCE)
            self.send("ask", self.disk.cursor, self.asking[0])
        wanted = self._wanted_fill()
        if wanted is not None and (self.filling is None or self.filling[1] <= now):
            name, fill = wanted
            self.filling = (self._number(), now + PATIENCE)
            self.send("fill", (name, fill.number, self.disk.epoch, fill.after), self.filling[0])
        unshipped = [view for view in self.disk.views if view.number >= self.disk.shipped][:BATCH]
        if unshipped and (self.shipping is None or self.shipping[1] <= now):
            self.shipping = (self._number(), now + PATIENCE)
            first = unshipped[0].number
            self.send("ship", (first, tuple(view.subject for view in unshipped)), self.shipping[0])

    def _number(self) -> int:
        self.numbers += 1
        return self.numbers

    def _send_due(self, now: float) -> None:
        for command in outbox.due(self.disk, self.now(), PARALLEL):
            if command.attempt and Bug.TIMER_STOPS in self.bugs:
                continue
            self._commit()
            outbox.freeze(self.disk, command, anew=Bug.BYTES_ANEW in self.bugs)
            self.flying[command.key] = (command.attempt, now + PATIENCE)
            self.send("push", outbox.wire(self.disk, command), command.attempt)
            if Bug.DELETE_ON_SEND in self.bugs and command.verb == "note":
                del self.disk.commands[command.key]
            self._commit()

    def postpone(self, key: str, attempt: int) -> None:
        """Put a command that brought no answer back into the queue."""
        self._commit()
        wait = self.dice.uniform(0, min(RETRY_CEILING, 2.0**attempt))
        outbox.postpone(self.disk, key, attempt, self.now() + wait)
        self._commit()

    # --- answers -----------------------------------------------------------------------------------------------------

    def pushed(self, sent: Sent, attempt: int, result: Result | None) -> None:
        """Take the answer to a command; None is one that says "not now"."""
        if self.flying.get(sent.key, (0, 0.0))[0] == attempt:
            del self.flying[sent.key]
        if result is None:
            self.postpone(sent.key, attempt)
            return
        self._commit()
        command = outbox.in_flight(self.disk, sent.key, attempt)
        if command is None:
            return
        if result.why:
            outbox.refuse(self.disk, command, result.why, self.now(), block=Bug.FOLLOWERS_GO_ON not in self.bugs)
        else:
            outbox.acknowledge(command, result, self.now(), settled=Bug.SETTLED_AT_ONCE in self.bugs)
        self._commit()
        if command.state == REFUSED and result.why == "forbidden":
            self.asking = None

    def asked(self, number: int, cursor: Cursor | None, answer: Answer | None) -> None:
        """Take an answer of the feed; None says that nothing is granted at all."""
        if self.asking is not None and self.asking[0] == number:
            self.asking = None
        disk = self.disk
        self._commit()
        if answer is None:
            for name in list(disk.scopes):
                self._purge(name)
            disk.cursor = None
            self._commit()
            self.follow_up()
            return
        if disk.cursor != cursor and Bug.LATE_ANSWERS not in self.bugs:
            return
        if not answer.reset and answer.cursor.epoch != disk.epoch:
            disk.cursor = None
            return
        if Bug.CURSOR_BEFORE_ROWS in self.bugs:
            disk.cursor = answer.cursor
            for _ in range(4):
                self._commit()
        if answer.reset:
            self._reset(answer)
        else:
            self._take(answer)
        disk.cursor, disk.epoch = answer.cursor, answer.cursor.epoch
        disk.lease, disk.lease_until = answer.time, answer.time + LEASE
        self.hear(answer.time)
        self._commit()
        self.follow_up()

    def _purge(self, name: str) -> None:
        if Bug.REVOKED_STAYS not in self.bugs:
            self.disk.purge(name)

    def _reset(self, answer: Answer) -> None:
        disk = self.disk
        for name in list(disk.scopes.keys() - answer.cursor.scopes):
            self._purge(name)
        disk.staged.clear()
        disk.beginnings += 1
        if answer.cursor.epoch != disk.epoch:
            disk.checkpoint = -1
        for name in sorted(answer.cursor.scopes):
            disk.begin_fill(name)

    def _take(self, answer: Answer) -> None:
        disk = self.disk
        for name in answer.revoked & disk.scopes.keys():
            self._purge(name)
        for change in answer.changes:
            scope = disk.scopes.get(change.scope)
            if scope is None:
                continue
            if scope.fill is None:
                disk.staged.append(change)
            else:
                self._into_fill(scope.fill, change)
        for name in sorted(answer.added):
            disk.begin_fill(name)
        if not answer.more or Bug.NO_CHECKPOINT in self.bugs:
            self._checkpoint(answer.cursor.seq)

    def _into_fill(self, fill: Fill, change: Change) -> None:
        if change.there:
            self._fill_row(fill, change.notice, change.version)
            return
        apply_to(fill.rows, change)
        fill.gone[change.notice] = max(fill.gone.get(change.notice, 0), change.version)

    def _fill_row(self, fill: Fill, notice: int, version: int) -> None:
        if version > fill.gone.get(notice, 0) or Bug.NO_TOMBSTONES in self.bugs:
            fill.rows[notice] = max(version, fill.rows.get(notice, 0))

    def _checkpoint(self, seq: int) -> None:
        disk = self.disk
        removed: list[int] = []
        for change in disk.staged:
            scope = disk.scopes.get(change.scope)
            if scope is None or scope.fill is not None:
                continue
            if apply_to(scope.rows, change) and not change.there:
                removed.append(change.notice)
        if Bug.REMOVAL_EVERYWHERE in self.bugs:
            for scope in disk.scopes.values():
                for notice in removed:
                    scope.rows.pop(notice, None)
        disk.staged.clear()
        disk.checkpoint = seq
        for scope in disk.scopes.values():
            if scope.fill is not None and scope.fill.need is not None and scope.fill.need <= seq:
                scope.rows, scope.fill = scope.fill.rows, None

    def follow_up(self) -> None:
        """Carry over to the commands what the replica's progress means for them."""
        outbox.follow_up(
            self.disk,
            self.now(),
            again=Bug.NO_SECOND_OFFER not in self.bugs,
            filling=self.disk.filling and Bug.SETTLED_WHILE_FILLING not in self.bugs,
            other=Bug.OTHER_EPOCH_SETTLES in self.bugs,
        )
        self._commit()

    def _wanted_fill(self) -> tuple[str, Fill] | None:
        for name, scope in sorted(self.disk.scopes.items()):
            if scope.fill is not None and scope.fill.need is None:
                return name, scope.fill
        return None

    def filled(self, number: int, asked: tuple[str, int, int | None, int], page: Page | None) -> None:
        """Take a page of a fill, if that fill is still wanted."""
        if self.filling is not None and self.filling[0] == number:
            self.filling = None
        name, generation, epoch, _ = asked
        scope = self.disk.scopes.get(name)
        if page is None or scope is None or scope.fill is None:
            return
        wanted = scope.fill.number == generation and page.epoch == epoch == self.disk.epoch
        if not wanted and Bug.LATE_FILLS not in self.bugs:
            return
        self._commit()
        for notice, version in page.rows:
            self._fill_row(scope.fill, notice, version)
        if page.last is None:
            scope.fill.need = page.head
        else:
            scope.fill.after = max(scope.fill.after, page.last)
        self._commit()

    def receipted(self, number: int, receipt: Receipt) -> None:
        """Take the server's word for the views it holds; one that comes late takes nothing back."""
        if self.shipping is not None and self.shipping[0] == number:
            self.shipping = None
        self._commit()
        if Bug.RECEIPT_FORGETS in self.bugs:
            self.disk.views.clear()
            self.disk.shipped = self.disk.viewed
        outbox.receive(self.disk, receipt.number)
        self._commit()
