"""The world that is measured: a county with a very full inbox, its backend, and a worker's machine.

The population is the demo's, but every notice is sent to one county, so that a hundred thousand of them lie in one
inbox and not in three hundred.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Final

from kelmu_backend import population
from kelmu_backend.database.engine import Database
from kelmu_backend.population.rows import Bundle
from kelmu_backend.population.world import World
from kelmu_backend.serve import database_url
from kelmu_tui.domain.organisations import Organisation, social_care_organiser
from kelmu_tui.platform.clock import SystemClock

PERSONA: Final = "persona-county-worker"
TAMPERE: Final = "837"
PEOPLE: Final = 5000


def county() -> Organisation:
    """The county of the persona that is measured."""
    return social_care_organiser(TAMPERE)


@dataclass(frozen=True, slots=True)
class CrowdedWorld(World):
    """A population whose notices all lie with one county."""

    def notices(self) -> Iterator[Bundle]:
        """Yield the population's notices, moved to the county's municipalities in turn."""
        holder = county()
        # Without super(): a dataclass with slots is made anew and the compiler's class cell names the old one.
        for found, municipality in zip(World.notices(self), cycle(holder.municipalities), strict=False):
            moved = {"organisation": holder.business_id, "municipality": municipality, "transferred_from": None}
            yield replace(found, notice=found.notice | moved, notes=(), traces=())


def fill(folder: Path, notices: int) -> None:
    """Fill the record in `folder` with `notices` notices in one inbox."""
    database = Database(database_url(folder))
    try:
        database.migrate()
        made = population.generate(1, SystemClock().now(), PEOPLE, notices)
        fields = {name: getattr(made, name) for name in World.__dataclass_fields__}
        population.fill(database, CrowdedWorld(**fields))
    finally:
        database.dispose()


@contextlib.contextmanager
def backend(folder: Path) -> Iterator[str]:
    """Serve the record in `folder` and give the address."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "kelmu_backend", "serve", "--demo", "--port", "0"]
    log = (folder / "backend.log").open("ab")
    process = subprocess.Popen([*command, "--data", str(folder), "--ready-file", str(ready)], stderr=log)
    try:
        while not ready.exists():
            if process.poll() is not None:
                raise RuntimeError((folder / "backend.log").read_text())
            time.sleep(0.05)
        yield str(json.loads(ready.read_text())["url"])
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def backend_process(folder: Path) -> int:
    """Return the process that serves the record in `folder`."""
    return int(json.loads((folder / "ready.json").read_text())["pid"])


def peak_memory(process: int) -> int:
    """Return the peak resident memory of a process in KiB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    raise AssertionError("the kernel does not tell the peak memory")


def forget_peak(process: int) -> None:
    """Let the peak of a process's memory begin anew with what it has now."""
    Path(f"/proc/{process}/clear_refs").write_text("5")


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a program of ours whose data lie in `home`.

    Bytecode is kept, as it is where a package is installed: otherwise the compiler would be measured with each start.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "KELMU_HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
