"""A thousand commands through a network that lies, while client and backend are killed again and again.

Every command that was reported saved has its one effect, or is told as refused or blocked; nothing happens twice.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Final

from tests.e2e.world import COLLEAGUE, WORKER, World, eventually
from tests.ordeal.chaos import Backend, Chaos, Mode
from tests.ordeal.nursery import Nursery
from tests.ordeal.record import CLIENT, check_effects, check_memory, converged, folder_of, ledger

COMMANDS: Final = 1000
LIVES: Final = 100
LONGEST_LIFE: Final = 40
"""Lines that a client may say before it dies."""
BACKEND_DIES_EACH: Final = 9
AWAY_EACH: Final = 13
COLLEAGUE_EACH: Final = 30
DISTURBED: Final = 4


def reported(said: Iterable[list[str]]) -> list[str]:
    """Return the commands that were told as saved; of a line that is half said nobody has been told anything."""
    return [words[1] for words in said if words[0] == "saved" and len(words) == 3]


def test_a_thousand_commands_and_a_hundred_deaths(
    wired: tuple[World, Backend, Chaos], nursery: Nursery, seed: int
) -> None:
    world, backend, network = wired
    dice = random.Random(seed)
    world.sign_in(COLLEAGUE, sync=True)
    world.sign_in(WORKER, sync=True)
    notices = [row["id"] for row in world.free(WORKER)]
    versions = dict(world.sql("SELECT id, version FROM notice"))
    order = {"do": "work", "user": WORKER, "url": network.url, "notices": notices, "seed": seed}

    saved: list[str] = []
    for life in range(LIVES):
        network.healed = life % COLLEAGUE_EACH == COLLEAGUE_EACH - 1
        if network.healed:
            network.switch(Mode.PASS)
            backend.wait()
            nursery.run(
                CLIENT, order | {"do": "disturb", "user": COLLEAGUE, "notices": dice.sample(notices, DISTURBED)}
            )
            network.healed = False
        if life % BACKEND_DIES_EACH == BACKEND_DIES_EACH - 1:
            backend.kill()
            backend.start()
        network.switch(Mode.AWAY if life % AWAY_EACH == AWAY_EACH - 1 else Mode.PASS)
        client = nursery.start(CLIENT, order | {"until": (life + 1) * COMMANDS // LIVES})
        said = [client.line() for _ in range(dice.randint(1, LONGEST_LIFE))]
        assert all(said), nursery.complaints  # else it died of itself
        saved += reported([*said, *client.kill()])

    network.switch(Mode.PASS)
    backend.wait()
    client = nursery.start(CLIENT, order | {"until": COMMANDS})
    said = []
    while not said or said[-1][0] != "saved" or said[-1][2] != str(COMMANDS - 1):
        said.append(client.line())
    saved += reported([*said, *client.kill()])
    network.healed = True
    nursery.run(CLIENT, order | {"do": "drain"})

    commands = ledger(folder_of(world, WORKER))
    states = Counter(command["state"] for command in commands)
    print(f"{len(saved)} told as saved", dict(states), dict(network.fates))
    assert sum(states.values()) == COMMANDS
    # A death may come between a commit and its line, once in each life.
    assert len(set(saved)) == len(saved) >= COMMANDS - LIVES
    assert set(saved) <= {command["id"] for command in commands}
    assert set(states) <= {"settled", "refused", "blocked"}
    assert min(network.fates.values()) > 0
    check_memory(world, WORKER, commands)
    check_effects(world, WORKER, commands, versions)
    nursery.run(CLIENT, order | {"do": "forgo"})
    eventually(lambda: converged(world, nursery, order), "the same rows on both sides")
    assert nursery.complaints == ""
