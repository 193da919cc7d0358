"""The power fails at each of two hundred moments of a day: what was told saved is there, and the copy of the
backend's rows stands at one of its commits."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.ordeal import day, disk, power
from tests.ordeal.nursery import Nursery
from tests.store.build import OWN, open_store

POINTS: Final = 200
SEED: Final = 20261126
GOES_ON_EACH: Final = 7
"""Of so many moments at one the day is gone through once more on what is left."""


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> list[power.Record]:
    """What a process did to its files from its first start on."""
    place = tmp_path_factory.mktemp("power")
    folder = place / "one"
    folder.mkdir(mode=0o700)
    env = {**os.environ, "LD_PRELOAD": str(disk.build(place))}
    with Nursery(place / "stderr", "tests.ordeal.day", env=env) as nursery:
        nursery.run("tests.ordeal.day", {"folder": str(folder), "journal": str(place / "journal")})
        assert nursery.complaints == ""
    return list(power.read_journal(place / "journal"))


def _marks(records: Sequence[power.Record], word: str) -> list[str]:
    texts = [record.data.decode() for record in records if record.kind == "M"]
    return [text.removeprefix(f"{word} ") for text in texts if text.startswith(f"{word} ")]


@pytest.mark.parametrize("part", [False, True], ids=["nothing", "a-part"])
def test_of_what_was_not_synced_there_is(journal: list[power.Record], tmp_path: Path, part: bool) -> None:
    syncs = [number for number, record in enumerate(journal) if record.kind in "SD"]
    assert len(syncs) >= POINTS
    chosen = [syncs[len(syncs) * point // POINTS] for point in range(POINTS)]
    states = set(_marks(journal, "state"))
    (last,) = _marks(journal, "last")
    dice = random.Random(SEED)
    there = power.Disk()
    for number, record in enumerate(journal):
        if there.take(record) and number in chosen:
            folder = tmp_path / "one"
            power.restore(there.by_chance(dice) if part else there.synced(), folder)
            goes_on = chosen.index(number) % GOES_ON_EACH == 0
            _check(folder, _marks(journal[:number], "saved"), states, last if goes_on else None)
            shutil.rmtree(folder)


def _check(folder: Path, saved: Sequence[str], states: set[str], last: str | None) -> None:
    """Start on what is left; with `last`, what is shown at the end of the day, go through the day once more."""
    with closing(open_store(folder)) as store:
        store.attach(OWN)
        assert store.incidents == ()
        assert store.set_aside_broken() == ()
        assert [name for name in disk.commands(store) if name in set(saved)] == saved
        assert disk.digest(store) in states, "the replica stands between two commits"
        if last is not None:
            day.work_through(store, lambda *_: None)
            assert day.visible(store) == last
