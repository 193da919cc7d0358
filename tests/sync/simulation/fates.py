"""What befalls users, machines and the backend: the faults that no single message meets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tests.sync.simulation.disk import Crash
from tests.sync.simulation.player import Player
from tests.sync.simulation.record import INBOX, LOOK_UP, A, B
from tests.sync.simulation.service import NEW_SCHEMA, OLD_SCHEMA

if TYPE_CHECKING:
    from tests.sync.simulation.run import Run

LEASE_OVER: Final = timedelta(hours=13)
MEMORY_OVER: Final = timedelta(days=91)
FULL: Final = (INBOX, LOOK_UP)


def strike(run: Run, player: Player) -> None:
    """Let something happen: half of it ordinary, half of it a fault of this run."""
    roll = run.dice.random()
    if roll < 0.12:
        run.record.arrive(run.dice.choice([A, B]))
    elif roll < 0.27:
        run.record.compact(run.dice.choice((0, 3, 6)))
    elif roll < 0.37:
        run.record.back_up()
    elif roll < 0.45:
        player.copy_files()
    elif roll < 0.52:
        player.clock.mend()
        _come_back(run, player)
    else:
        fault = run.weather.fate()
        if fault is not None:
            fate = _FATES[fault]
            run.trace(fault)
            # The states are those that it meets, not those that it leaves behind.
            meant = run.weather.reached.copy()
            run.struck(fault, player)
            if not fate(run, player):
                run.weather.reached = meant


def heal(run: Run) -> None:
    """Let everything be well again, and everybody go on."""
    run.service.schema = NEW_SCHEMA
    run.net.away.clear()
    for player in run.players.values():
        for terminal in list(player.terminals):
            if terminal.stopped:
                terminal.stopped = False
        player.clock.mend()
        if not player.terminals:
            player.start()
        while len(player.terminals) > 1:
            player.kill(player.terminals[-1])
    come_back(run)
    run.record.forget()


def come_back(run: Run) -> None:
    """Let everybody sign in who is asked to."""
    for player in run.players.values():
        _come_back(run, player)


def _come_back(run: Run, player: Player) -> None:
    """Sign in and update, as a user does who is asked to."""
    player.home.update_needed = False if run.service.schema == NEW_SCHEMA else player.home.update_needed
    if player.home.signed_in:
        return
    terminal = player.pick()
    if terminal is not None and player.user not in run.net.away:
        terminal.sign_in()
        run.post(player, terminal)


def _partition(run: Run, player: Player) -> bool:
    if player.user in run.net.away:
        run.net.away.discard(player.user)
        return False
    run.net.away.add(player.user)
    return True


def _crash_in_purge(run: Run, player: Player) -> bool:
    terminal = player.pick()
    if terminal is None:
        return False
    before = terminal.store.organisation
    terminal.store.fuse = run.dice.randrange(12)
    try:
        terminal.sign_out()
    except Crash:
        run.died(player, terminal)
        return before is not None
    finally:
        terminal.store.fuse = None
    return False


def _wrong_key(run: Run, player: Player) -> bool:
    player.lose_key()
    return True


def _tear(run: Run, player: Player) -> bool:
    done = player.tear()
    run.invariants.looks.tampered(player)
    return done


def _old_ledger(run: Run, player: Player) -> bool:
    done = player.put_back_ledger()
    if done:
        run.invariants.looks.tampered(player)
    return done


def _old_replica(run: Run, player: Player) -> bool:
    return player.put_back_replica()


def _turn(by: timedelta) -> Callable[[Run, Player], bool]:
    def turn(run: Run, player: Player) -> bool:
        player.clock.turn(by)
        return _wrong_clock(run, player)

    return turn


def _stop_clock(run: Run, player: Player) -> bool:
    player.clock.stop()
    return _wrong_clock(run, player)


def _wrong_clock(run: Run, player: Player) -> bool:
    player.clock_was_wrong = True
    if run.dice.random() < 0.4:
        player.reboot()
    return True


def _jump(run: Run, by: timedelta) -> None:
    """Let time pass while everybody sleeps; nothing that was on its way arrives after that."""
    run.clock.at += by
    run.net.clear()
    for player in run.players.values():
        for terminal in player.terminals:
            run.take_turns(player, terminal)
    run.record.forget()


def _lease_over(run: Run, player: Player) -> bool:
    _jump(run, LEASE_OVER)
    for other in run.players.values():
        terminal = other.pick()
        if terminal is not None and run.dice.random() < 0.5:
            run.look(other, terminal)
    return True


def _memo_expired(run: Run, player: Player) -> bool:
    _jump(run, MEMORY_OVER)
    return True


def _restore(run: Run, player: Player) -> bool:
    if not run.record.restore():
        return False
    run.invariants.restored()
    return True


def _revoke(run: Run, player: Player) -> bool:
    before = run.record.scopes(player.user)
    run.record.regrant(player.user, *run.dice.choice([(), (LOOK_UP,), (INBOX,)]))
    return run.record.scopes(player.user) < before


def _grant(run: Run, player: Player) -> bool:
    before = run.record.scopes(player.user)
    run.record.regrant(player.user, *FULL)
    return before < run.record.scopes(player.user)


def _grant_again(run: Run, player: Player) -> bool:
    """Take a mandate away and give it back before the client can have asked."""
    if not run.record.scopes(player.user):
        return False
    run.record.regrant(player.user)
    run.record.regrant(player.user, *FULL)
    return True


def _second(run: Run, player: Player) -> bool:
    if len(player.terminals) != 1:
        return False
    player.start()
    return True


def _kill_leader(run: Run, player: Player) -> bool:
    leader = player.leader()
    if leader is None:
        return False
    run.died(player, leader)
    return True


def _stop_leader(run: Run, player: Player) -> bool:
    stopped = [terminal for terminal in player.terminals if terminal.stopped]
    for terminal in stopped:
        terminal.stopped = False
    leader = player.leader()
    if stopped or leader is None:
        return False
    leader.stopped = True
    if not player.awake:
        player.start()
    return True


def _old_schema(run: Run, player: Player) -> bool:
    terminal = player.pick()
    if terminal is None:
        return False
    before = len(player.saved)
    verb, lease = run.dice.choice(run.verbs), run.record.lease(player.user)
    run.guarded(player, terminal, lambda: player.act(terminal, verb, lease, OLD_SCHEMA))
    return len(player.saved) > before


def _backend_behind(run: Run, player: Player) -> bool:
    if run.service.schema == OLD_SCHEMA:
        run.service.schema = NEW_SCHEMA
        return False
    run.service.schema = OLD_SCHEMA
    return True


_FATES: Final[dict[str, Callable[[Run, Player], bool]]] = {
    "partition": _partition,
    "crash_in_purge": _crash_in_purge,
    "wrong_key": _wrong_key,
    "corrupt_page": _tear,
    "old_ledger": _old_ledger,
    "old_replica": _old_replica,
    "clock_day_ahead": _turn(timedelta(days=1)),
    "clock_day_behind": _turn(timedelta(days=-1)),
    "clock_years_behind": _turn(timedelta(days=-5 * 365)),
    "clock_stopped": _stop_clock,
    "lease_over": _lease_over,
    "memo_expired": _memo_expired,
    "server_restore": _restore,
    "scope_revoked": _revoke,
    "scope_granted": _grant,
    "scope_granted_again": _grant_again,
    "second_terminal": _second,
    "leader_killed": _kill_leader,
    "leader_stopped": _stop_leader,
    "old_schema": _old_schema,
    "backend_behind_426": _backend_behind,
}
