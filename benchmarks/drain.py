"""Sending a full outbox ÷ a bare client that posts the same requests from memory, both four at a time.

The engine commits each command to the synced ledger before it leaves and when its answer is there, and reads its own
changes from the feed meanwhile: the same backend has to tell them, the same two cores have to store them. The bare
client keeps nothing and asks nothing. Hence a budget of three, not of one.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from benchmarks.fill import demo_profile, failed, nobody
from benchmarks.ratios import Row
from benchmarks.world import county
from kelmu_tui.api import contract
from kelmu_tui.api.client import http_client
from kelmu_tui.services.context import Context, connect, open_context
from kelmu_tui.services.network import LedgerTokens
from kelmu_tui.store import outbox
from kelmu_tui.store.outbox import PARALLEL
from kelmu_tui.sync.status import Connection, SyncStatus

COMMANDS: Final = 60
ROUNDS: Final = 3
"""Of both together 360 commands: below the burst that the rate limit allows a user."""
VERB: Final = "take"
PATIENCE: Final = 60.0


class Target(NamedTuple):
    """A notice that nobody has touched."""

    id: str
    version: int


def targets(context: Context) -> list[Target]:
    """Return as many of them as all rounds need, each for one command."""
    with context.store.read() as db:
        rows = db.execute(
            "SELECT id, version FROM replica.notice WHERE status = 'new' AND assignee IS NULL AND generation ="
            " (SELECT generation FROM replica.scope WHERE name = ?) ORDER BY tie LIMIT ?",
            (f"notices:{county().business_id}", 2 * ROUNDS * COMMANDS),
        ).fetchall()
    if len(rows) < 2 * ROUNDS * COMMANDS:
        raise AssertionError("too few notices that are new")
    return [Target(*row) for row in rows]


async def ours(context: Context, url: str, wanted: list[Target]) -> float:
    """Return the seconds from the last command's saving to the last acknowledgement, by an engine that is at work."""
    online, done = asyncio.Event(), asyncio.Event()
    saved = False

    def heard(status: SyncStatus) -> None:
        if status.state is Connection.ONLINE:
            online.set()
        if saved and not status.queued:
            done.set()

    async with connect(context, url, on_failure=failed) as connection:
        stop = connection.engine.listen(heard)
        running = asyncio.create_task(connection.engine.run())
        try:
            async with asyncio.timeout(PATIENCE):
                await online.wait()
                outcome = await connection.thread.run(context.inbox.take, [target.id for target in wanted])
                start, saved = time.perf_counter(), True
                await done.wait()
            found = time.perf_counter() - start
        finally:
            stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    with context.store.read() as db:
        if len(outcome.done) < len(wanted) or outbox.open_conflicts(db):
            raise AssertionError("a command was refused")
    return found


async def bare(context: Context, url: str, wanted: list[Target], token: str) -> float:
    """Return the seconds that the same requests take without a store."""
    waiting = list(wanted)
    headers = {
        "Accept": "application/json, application/problem+json",
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        contract.HEADER_DEVICE: context.active.device,
        contract.HEADER_ORGANISATION: county().business_id,
        contract.HEADER_LEASE: context.active.lease,
        contract.HEADER_SCHEMA: str(contract.SCHEMA),
    }

    async def line(http: httpx.AsyncClient) -> None:
        while waiting:
            target = waiting.pop()
            own = {
                contract.HEADER_IDEMPOTENCY: context.ids.new(),
                contract.HEADER_REQUEST_ID: context.ids.new(),
                contract.HEADER_VERSION: f'"{target.version}"',
            }
            body = outbox.wire_body(VERB, {})
            path = f"/v1/notices/{target.id}/{VERB}"
            (await http.post(path, content=body, headers=headers | own)).raise_for_status()

    async with http_client(url) as http:
        start = time.perf_counter()
        await asyncio.gather(*(line(http) for _ in range(PARALLEL)))
        return time.perf_counter() - start


async def _measure(home: Path, url: str) -> tuple[float, float]:
    mine, theirs = [], []
    with open_context(demo_profile(home), organisation=county().business_id, ask=nobody) as context:
        async with connect(context, url, on_failure=failed) as connection:
            await connection.engine.once()
            token = await LedgerTokens(context.store, connection.sign_in, context.clock).access_token()
        ready = targets(context)
        for _ in range(ROUNDS):
            mine.append(await ours(context, url, [ready.pop() for _ in range(COMMANDS)]))
            theirs.append(await bare(context, url, [ready.pop() for _ in range(COMMANDS)], token))
    return min(mine), min(theirs)


def drain(home: Path, url: str) -> Row:
    """Measure both in turn on the same backend; of rounds of half a second the best of each counts."""
    mine, theirs = asyncio.run(_measure(home, url))
    detail = f"{COMMANDS / mine:.0f}/s ÷ {COMMANDS / theirs:.0f}/s"
    return Row("sending a queue of commands ÷ posting them without a store, time", mine / theirs, 3.0, detail=detail)
