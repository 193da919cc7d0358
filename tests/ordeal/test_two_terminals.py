"""Two terminals of one user: a leader that is stopped, one that dies, and two that save as fast as they can."""

from __future__ import annotations

import json
import signal
from collections import defaultdict
from itertools import zip_longest
from typing import Any, Final

import pytest

from kelmu_tui.store import outbox
from tests.e2e.world import WORKER, World, eventually
from tests.ordeal.chaos import Backend, Chaos
from tests.ordeal.nursery import Child, Nursery
from tests.ordeal.record import CLIENT, check_effects, check_memory, converged, folder_of, ledger

STOPS: Final = 10
EACH_TIME: Final = 8
"""Commands that are given while the leader stands still."""
ANYWHERE_EACH: Final = 3
APPENDS: Final = 5000


@pytest.fixture
def leader(nursery: Nursery, order: dict[str, Any]) -> Child:
    """A terminal that leads."""
    return leading(nursery, order)


def leading(nursery: Nursery, order: dict[str, Any]) -> Child:
    """Start a terminal that finds the lead free."""
    found = nursery.start(CLIENT, order | {"do": "lead"})
    assert found.line() == ["leads"]
    return found


def wait_for(child: Child, *words: str) -> None:
    """Read what a child says until it says this."""
    for said in iter(child.line, []):
        if tuple(said[: len(words)]) == words:
            return
    raise AssertionError(f"it ended without {words}")


def sent(world: World) -> int:
    """Return how many commands the backend has decided."""
    ((count,),) = world.sql("SELECT count(*) FROM memo WHERE user = ?", WORKER)
    return int(count)


def wait_sent(world: World, count: int) -> None:
    """Wait until the backend has decided so many commands."""
    eventually(lambda: sent(world) >= count, f"{count} commands to be sent")


def wait_settled(world: World) -> None:
    """Wait until the leader has nothing left to do."""
    folder = folder_of(world, WORKER)
    eventually(lambda: {command["state"] for command in ledger(folder)} <= {"settled"}, "everything to be settled")


def saves_beside(world: World, leader: Child, nursery: Nursery, order: dict[str, Any]) -> bool:
    """Stop the leader and save in another terminal; False when it was stopped with the ledger's lock in its hand.

    Then nobody can save before it goes on, and the other terminal says so.
    """
    leader.signal(signal.SIGSTOP)
    begun = sent(world)
    other = nursery.start(CLIENT, order)
    last = ["saved", str(order["until"] - 1)]
    for said in iter(other.line, []):
        if [said[0], said[-1]] == last:
            break
        if said[0] in ("busy", "leads"):
            other.kill()
            assert said[0] == "busy"
            leader.signal(signal.SIGCONT)
            return False
    wait_for(other, "waits")
    other.kill()
    # What was on its way when the leader was stopped may arrive still; the backend hears of nothing else.
    assert sent(world) <= begun + outbox.PARALLEL
    return True


def test_a_leader_that_stands_still_and_one_that_dies(
    wired: tuple[World, Backend, Chaos], nursery: Nursery, order: dict[str, Any], leader: Child
) -> None:
    """The other terminal follows and saves, and sends nothing before the lead is free."""
    world, _, network = wired
    versions = dict(world.sql("SELECT id, version FROM notice"))
    network.healed = False
    for stop in range(STOPS):
        wanted = (stop + 1) * EACH_TIME
        # Some stops hit the leader in the middle of its work, with a transaction open or not; the others at rest.
        if stop % ANYWHERE_EACH:
            wait_settled(world)
        while not saves_beside(world, leader, nursery, order | {"do": "work", "until": wanted}):
            wait_settled(world)
        leader.signal(signal.SIGCONT)
        wait_sent(world, wanted)

    follower = nursery.start(CLIENT, order | {"do": "work", "until": STOPS * EACH_TIME})
    wait_for(follower, "follows")
    leader.kill()
    wait_for(follower, "leads")
    follower.kill()
    last = STOPS * EACH_TIME + 20
    alone = nursery.start(CLIENT, order | {"do": "work", "until": last})
    wait_sent(world, last)
    alone.kill()
    network.healed = True
    nursery.run(CLIENT, order | {"do": "drain"})
    commands = ledger(folder_of(world, WORKER))
    assert len(commands) == last
    check_memory(world, WORKER, commands)
    check_effects(world, WORKER, commands, versions)
    eventually(lambda: converged(world, nursery, order), "the same rows on both sides")
    assert nursery.complaints == ""


def test_ten_thousand_appends_of_two_terminals(
    wired: tuple[World, Backend, Chaos], nursery: Nursery, order: dict[str, Any]
) -> None:
    """Both save beside a leader that fills the replica again and again; every command is there, in its own order."""
    world, backend, _ = wired
    backend.stop()
    filling = nursery.start("tests.ordeal.filler", {"user": WORKER})
    assert filling.line() == ["filled"]
    writers = [
        nursery.start(CLIENT, order | {"do": "append", "until": APPENDS, "seed": f"kirjoittaja-{writer}"})
        for writer in range(2)
    ]
    saved: dict[str, list[str]] = defaultdict(list)
    for lines in zip_longest(*(iter(writer.line, []) for writer in writers)):
        for name, said in zip("01", lines, strict=True):
            if said is not None and said[0] == "saved":
                saved[name].append(said[1])
            elif said is not None:
                print(f"terminal {name}: slowest append {said[1]} s")
    assert [writer.end() for writer in writers] == [0, 0], nursery.complaints
    fills = sum(1 for said in filling.kill() if said == ["filled"])
    print(f"{fills} fills meanwhile")
    assert fills > 0

    commands = ledger(folder_of(world, WORKER))
    assert {command["id"] for command in commands} == {*saved["0"], *saved["1"]}
    assert len(commands) == len(saved["0"]) + len(saved["1"]) == 2 * APPENDS
    per_notice: dict[tuple[str, str], list[int]] = defaultdict(list)
    for command in commands:
        writer, _, number = json.loads(command["payload"])["text"].partition(" ")
        per_notice[command["aggregate"], writer].append(int(number))
    assert len(per_notice) == 2 * len(order["notices"])
    assert all(numbers == sorted(numbers) for numbers in per_notice.values())
    assert nursery.complaints == ""
