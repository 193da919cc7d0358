"""The outbox and the log of views as operations on a disk; each is one transaction."""

from __future__ import annotations

from typing import Final

from tests.sync.model.disk import (
    ACKNOWLEDGED,
    BLOCKED,
    QUEUED,
    REFUSED,
    SENDING,
    SETTLED,
    UNDELIVERABLE,
    Command,
    Disk,
    View,
)
from tests.sync.model.server import DAY, Result, Sent

OFFERED: Final = 80 * DAY
"""How old a command may be that is offered again: well within the server's memory."""
LONGEST_WAIT: Final = 3_600.0
COMMUTES: Final = frozenset(("note",))


def append(disk: Disk, verb: str, notice: int, version: int) -> str:
    """Save a command behind those that are pending on the notice."""
    before = disk.pending(notice)
    last = before[-1] if before else None
    disk.numbers += 1
    key = f"{disk.user}-{disk.numbers}"
    state = BLOCKED if last is not None and last.state == BLOCKED else QUEUED
    disk.commands[key] = Command(
        key, disk.numbers, notice, verb, version, last.key if last else None, disk.lease, state
    )
    return key


def recover(disk: Disk) -> None:
    """Put what was in flight back into the queue."""
    for command in disk.commands.values():
        if command.state == SENDING:
            command.state = QUEUED


def hasten(disk: Disk, until: float) -> None:
    """Let no command wait longer than `until`."""
    for command in disk.commands.values():
        if command.state == QUEUED:
            command.due = min(command.due, until)


def due(disk: Disk, now: float, limit: int) -> list[Command]:
    """Return what may go out: the first open command of each notice, oldest first."""
    busy: set[int] = set()
    flying = 0
    found = []
    for command in disk.commands.values():
        if command.state == SENDING:
            flying += 1
        elif command.state == QUEUED and command.notice not in busy and not now < command.due <= now + LONGEST_WAIT:
            found.append(command)
        if command.state in (QUEUED, SENDING):
            busy.add(command.notice)
    return found[: max(0, limit - flying)]


def freeze(disk: Disk, command: Command, *, anew: bool) -> None:
    """Take a command into flight and fix what it demands, once and for all."""
    if command.if_match is None:
        command.if_match = _expected(disk, command)
    elif anew:
        scope = disk.scopes.get(disk.organisation)
        command.if_match = max(command.if_match, scope.rows.get(command.notice, 0) if scope else 0)
    command.state, command.due = SENDING, 0.0
    command.attempt += 1


def _expected(disk: Disk, command: Command) -> int:
    before = disk.commands.get(command.after) if command.after is not None else None
    if before is None or not before.ack_version:
        return command.base
    if before.verb in COMMUTES and before.ack_version > (before.if_match or 0) + 1:
        return command.base
    return max(command.base, before.ack_version)


def wire(disk: Disk, command: Command) -> Sent:
    """Return what goes on the wire."""
    assert command.if_match is not None
    return Sent(disk.user, command.key, command.notice, command.verb, command.if_match, command.lease, command.number)


def in_flight(disk: Disk, key: str, attempt: int) -> Command | None:
    """Return a command when this is the sending that is waited for."""
    command = disk.commands.get(key)
    return command if command is not None and command.state == SENDING and command.attempt == attempt else None


def postpone(disk: Disk, key: str, attempt: int, due_at: float) -> None:
    """Put a command back into the queue."""
    command = in_flight(disk, key, attempt)
    if command is not None:
        command.state, command.due = QUEUED, due_at


def acknowledge(command: Command, result: Result, now: float, *, settled: bool) -> None:
    """Note that a command was applied."""
    command.state = SETTLED if settled else ACKNOWLEDGED
    command.ack_seq, command.ack_version, command.ack_epoch = result.seq, result.version, result.epoch
    command.ended = now


def refuse(disk: Disk, command: Command, why: str, now: float, *, block: bool) -> None:
    """Note a refusal; what stands behind it and was never sent is blocked."""
    command.state, command.why, command.ended = REFUSED, why, now
    disk.conflicts.add(command.key)
    behind = {command.key}
    for other in disk.commands.values():
        if other.after in behind:
            behind.add(other.key)
            if block and other.state == QUEUED and other.if_match is None:
                other.state = BLOCKED


def follow_up(disk: Disk, now: float, *, again: bool, filling: bool, other: bool = False) -> None:
    """Offer again after a restore, settle what the replica shows by itself, set aside what can't be delivered.

    A restored server may have lost views as well as effects: both are told again, and it knows what it has. With
    `other` an effect of another epoch settles too.
    """
    if disk.epoch is None:
        return
    if disk.mark != disk.epoch:
        if disk.mark is not None and again:
            _offer_again(disk, now)
            disk.shipped = 0
        disk.mark = disk.epoch
    for command in disk.commands.values():
        if command.state == ACKNOWLEDGED:
            caught_up = command.ack_epoch == disk.epoch and disk.checkpoint >= command.ack_seq and not filling
            # Without any scope there is no place where an effect would show.
            if caught_up or not disk.scopes or (other and command.ack_epoch != disk.epoch):
                command.state = SETTLED
        elif command.state in (QUEUED, BLOCKED) and command.if_match is None:
            needed = {disk.organisation} | ({disk.organisation.lower()} if command.verb == "transfer" else set())
            if not needed <= disk.scopes.keys():
                command.state = UNDELIVERABLE


def _offer_again(disk: Disk, now: float) -> None:
    for command in disk.commands.values():
        if (
            command.state in (ACKNOWLEDGED, SETTLED)
            and command.ack_epoch != disk.epoch
            and (command.state == ACKNOWLEDGED or command.ended >= now - OFFERED)
        ):
            command.state, command.due = QUEUED, 0.0
            command.ack_seq = command.ack_version = command.ack_epoch = 0
        elif command.state == SENDING:
            command.state = QUEUED


def log(disk: Disk, subject: int) -> None:
    """Log a view."""
    disk.views.append(View(disk.viewed, subject))
    disk.viewed += 1


def receive(disk: Disk, number: int) -> None:
    """Note that the server holds all views before `number`; a restored one may hold fewer than it did."""
    disk.shipped = number if number <= disk.viewed else disk.shipped
