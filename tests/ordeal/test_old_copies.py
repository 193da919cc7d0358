"""Somebody puts back an old copy of the ledger, of the replica, or of both: it starts, and nothing happens twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.world import WORKER, World, eventually
from tests.ordeal.chaos import Backend, Chaos, Mode
from tests.ordeal.client import VERBS
from tests.ordeal.nursery import Nursery
from tests.ordeal.record import CLIENT, check_memory, converged, folder_of, ledger, open_folder, organisation_of

EARLY: Final = 12
LATE: Final = 12


def save(nursery: Nursery, order: dict[str, Any], until: int, label: str) -> None:
    """Save commands up to that number and end."""
    client = nursery.start(CLIENT, order | {"do": "work", "until": until, "label": label})
    while (words := client.line())[0] != "saved" or words[2] != str(until - 1):
        assert words, nursery.complaints
    client.kill()


def effects(world: World) -> list[tuple[Any, ...]]:
    """Return everything that commands of the worker have done, in order."""
    done = world.sql("SELECT subject, action FROM audit WHERE user = ? AND outcome = 'done' ORDER BY id", WORKER)
    return [row for row in done if row[1].removeprefix("notice.") in VERBS]


@pytest.mark.parametrize(
    ("put_back", "shredded"),
    [(("ledger",), False), (("replica",), False), (("ledger", "replica"), False), (("replica",), True)],
    ids=["ledger", "replica", "both", "replica-of-a-shredded-key"],
)
def test_an_old_copy(
    wired: tuple[World, Backend, Chaos],
    nursery: Nursery,
    order: dict[str, Any],
    tmp_path: Path,
    put_back: tuple[str, ...],
    shredded: bool,
) -> None:
    world, _, network = wired
    folder, old = folder_of(world, WORKER), tmp_path / "old"
    network.switch(Mode.AWAY)
    save(nursery, order, EARLY, "varhain")
    shutil.copytree(folder, old)
    early = ledger(folder)
    assert {command["state"] for command in early} <= {"queued", "sending"}
    network.switch(Mode.PASS)
    nursery.run(CLIENT, order | {"do": "drain"})
    save(nursery, order, EARLY + LATE, "myöhään")
    nursery.run(CLIENT, order | {"do": "drain"})
    before = effects(world)
    assert len(before) == EARLY + LATE
    commands = ledger(folder)
    assert {command["state"] for command in commands} == {"settled"}
    if shredded:
        organisation = organisation_of(world, WORKER)
        store = open_folder(folder)
        store.destroy_replica(organisation)
        store.attach(organisation)
        store.close()

    for path in files(folder, put_back):
        path.unlink()
    for path in files(old, put_back):
        shutil.copy2(path, folder / path.name)
    nursery.run(CLIENT, order | {"do": "drain"})
    assert effects(world) == before
    present = ledger(folder)
    wanted = early if "ledger" in put_back else commands
    assert [command["id"] for command in present] == [command["id"] for command in wanted]
    assert {command["state"] for command in present} == {"settled"}
    check_memory(world, WORKER, commands)
    eventually(lambda: converged(world, nursery, order), "the same rows on both sides")

    save(nursery, order, len(present) + LATE, "uudelleen")
    nursery.run(CLIENT, order | {"do": "drain"})
    assert len(effects(world)) == len(before) + LATE
    assert {command["state"] for command in ledger(folder)} == {"settled"}
    eventually(lambda: converged(world, nursery, order), "the same rows on both sides")
    assert nursery.complaints == ""


def files(folder: Path, kinds: tuple[str, ...]) -> Iterator[Path]:
    """Return the files of the ledger or the replica, with their logs."""
    for kind in kinds:
        yield from sorted(folder.glob(f"{kind}*.db*"))
