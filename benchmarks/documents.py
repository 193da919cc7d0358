"""Documents: a hundred mebibytes brought up against the same bytes by a bare client, and the memory that it takes."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import fill as filling
from benchmarks.ratios import Row
from benchmarks.uploading import SIZE, brought
from benchmarks.world import PERSONA, backend
from kelmu_backend import population
from kelmu_backend.database.engine import Database
from kelmu_backend.serve import database_url
from kelmu_tui.platform.clock import SystemClock

COUNT: Final = 10
"""Documents of a whole sending."""


def measured(folder: Path, rounds: int) -> Iterator[Row]:
    """Make a record and a machine, and bring documents up in turn."""
    data, home = folder / "documents", folder / "sender"
    data.mkdir(mode=0o700)
    database = Database(database_url(data))
    try:
        database.migrate()
        population.fill(database, population.generate(1, SystemClock().now(), 300, 30))
    finally:
        database.dispose()
    with backend(data) as url:
        filling.sign_in(home, url, PERSONA)
        brought("bare", home, url, 1)  # what a backend needs only once it has then
        mine, theirs, one = [], [], []
        for _ in range(rounds):
            mine.append(brought("ours", home, url, COUNT))
            theirs.append(brought("bare", home, url, COUNT))
            one.append(brought("ours", home, url, 1))
    took, plain = (statistics.median(found.seconds for found in of) for of in (mine, theirs))
    works, plainly = (statistics.median(found.cpu for found in of) for of in (mine, theirs))
    size = COUNT * SIZE / (1 << 20)
    detail = (
        f"{size / took:.0f} MiB/s ÷ {size / plain:.0f} MiB/s; processor time of the client {works:.2f} s ÷"
        f" {plainly:.2f} s"
    )
    what = f"{size:.0f} MiB in {COUNT} sealed documents brought up ÷ the same bytes by a bare httpx client, speed"
    yield Row(what, plain / took, 0.8, at_least=True, detail=detail)
    high, low = (statistics.median(found.peak for found in of) for of in (mine, one))
    detail = f"{high / 1024:.0f} MiB ÷ {low / 1024:.0f} MiB"
    yield Row(f"peak memory of the client, {COUNT} documents ÷ 1", high / low, 1.15, detail=detail)
