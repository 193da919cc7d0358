"""One fetch of a list in a process of its own: `python -m benchmarks.fetching ours|bare HOME URL PERIOD`.

`ours` fetches as the program does. `bare` streams the same rows from the same backend and inserts them, as many in a
transaction, into one plain table of the list's columns in an encrypted file with the replica's settings. What it took
is printed as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.fill import demo_profile, failed
from benchmarks.list_world import Desk, town
from benchmarks.world import environment, peak_memory
from kelmu_tui.api.contract import HEADER_ORGANISATION
from kelmu_tui.api.lists import BATCH
from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.services.context import connect
from kelmu_tui.services.list_fetching import fetch_list, refresh_lists
from kelmu_tui.services.network import LedgerTokens
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import DemoKeys


class Fetched(NamedTuple):
    """What a fetch took.

    Attributes:
        seconds: from the first request for rows to the last row on the disk.
        cpu: of processor time of the client meanwhile.
        peak: KiB of the client's memory at the most.
    """

    seconds: float
    cpu: float
    peak: int


class _Watch:
    """Takes the time from when it is made."""

    def __init__(self) -> None:
        self._start, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Fetched:
        """Return what it took until now."""
        seconds, cpu = time.perf_counter() - self._start, time.process_time() - self._cpu
        return Fetched(seconds, cpu, peak_memory(os.getpid()))


async def ours(desk: Desk, home: Path, url: str, *periods: str) -> Fetched:
    """Fetch periods of the list on the machine in `home`, which does not have them yet."""
    with desk.opened(home) as context:
        async with connect(context, url, on_failure=failed) as connection:
            await refresh_lists(connection, context)
            watch = _Watch()
            for period in periods:
                await fetch_list(connection, context, desk.list_id, period, lambda _done, _total: None)
            return watch.read()


async def bare(desk: Desk, home: Path, url: str, period: str) -> Fetched:
    """Stream the same bytes and insert the same rows."""
    with desk.opened(home) as context:
        async with SignIn(url, clock=context.clock) as authorization:
            token = await LedgerTokens(context.store, authorization, context.clock).access_token()
    folder, own = home / "bare", desk.organisation.business_id
    shutil.rmtree(folder, ignore_errors=True)
    store = Store.open(folder, DemoKeys(folder, demo_profile(home)), SystemClock(), RandomIds())
    store.attach(own)
    columns = [column.id for column in desk.one.columns]
    with store.write("replica") as db:
        db.execute(f"CREATE TABLE replica.bare (id TEXT PRIMARY KEY, {', '.join(columns)}) WITHOUT ROWID")
    put = f"INSERT INTO replica.bare VALUES ({', '.join('?' * (len(columns) + 1))})"

    def insert(batch: list[tuple[Any, ...]]) -> None:
        with store.write("replica") as db:
            db.executemany(put, batch)

    headers = {"Authorization": f"Bearer {token}", HEADER_ORGANISATION: own}
    watch = _Watch()
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
        client.stream("GET", f"/v1/lists/{desk.list_id}/{period}/rows") as response,
    ):
        response.raise_for_status()
        batch: list[tuple[Any, ...]] = []
        async for line in response.aiter_lines():
            row = json.loads(line).get("row")
            if row is not None:
                batch.append((row["id"], *(_value(row[column]) for column in columns)))
            if len(batch) == BATCH:
                insert(batch)
                batch = []
        insert(batch)
    found = watch.read()
    store.close()
    return found


def _value(cell: Any) -> Any:
    return f"{cell['from']}/{cell['to']}" if isinstance(cell, dict) else cell


def fetched(how: str, home: Path, url: str, period: str) -> Fetched:
    """Fetch the town's list in a process of its own, on a copy of the machine in `home`."""
    machine = home.parent / f"{home.name}-{how}"
    shutil.copytree(home, machine)
    command = [sys.executable, "-m", "benchmarks.fetching", how, str(machine), url, period]
    done = subprocess.run(command, env=environment(machine), check=True, stdout=subprocess.PIPE)
    shutil.rmtree(machine)
    return Fetched(*json.loads(done.stdout))


if __name__ == "__main__":
    way = ours if sys.argv[1] == "ours" else bare
    print(json.dumps(asyncio.run(way(town(), Path(sys.argv[2]), sys.argv[3], sys.argv[4]))))
