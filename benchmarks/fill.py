"""The first fill of an inbox ÷ streaming the same bytes and bulk-inserting them into an encrypted table."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from pathlib import Path

import httpx

from benchmarks.ratios import Row
from benchmarks.world import PERSONA, county
from kelmu_tui.api.contract import HEADER_ORGANISATION
from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import connect, open_context
from kelmu_tui.services.network import LedgerTokens, complete
from kelmu_tui.services.session import device
from kelmu_tui.store.database import Store
from kelmu_tui.store.keys import DemoKeys

BATCH = 500
"""Rows of a transaction, in both."""


def demo_profile(home: Path) -> Profile:
    """Return the demo's profile of a worker's machine in `home`."""
    return Profile("demo", home / "data" / "demo", home / "settings.toml")


def nobody(_new: bool) -> str:
    """Stand in for the question for a passphrase, which the demo never asks."""
    raise AssertionError("the demo has no passphrase")


def sign_in(home: Path, url: str, persona: str = PERSONA) -> None:
    """Sign a persona in on an empty machine in `home`."""
    shutil.rmtree(home, ignore_errors=True)
    asyncio.run(_sign_in(demo_profile(home), url, persona))


async def _sign_in(profile: Profile, url: str, persona: str) -> None:
    clock, ids = SystemClock(), RandomIds()
    async with SignIn(url, device=device(profile, ids), clock=clock) as authorization:
        asked = await authorization.start("benchmark")
        await authorization.approve(asked.user_code, persona)
        tokens = await authorization.poll(asked, at_once=True)
        (await complete(profile, url, tokens, clock=clock, ids=ids, ask=nobody)).close()


def failed(name: str, failure: BaseException) -> None:
    """A background task must not fail in a measurement."""
    raise AssertionError(name) from failure


async def ours(home: Path, url: str) -> float:
    """Return the seconds from the first request to the filled inbox."""
    with open_context(demo_profile(home), organisation=county().business_id, ask=nobody) as context:
        async with connect(context, url, on_failure=failed) as connection:
            start = time.perf_counter()
            await connection.engine.once()
            return time.perf_counter() - start


async def bare(home: Path, url: str, folder: Path) -> float:
    """Return the seconds that the stream and plain inserts into an encrypted file take."""
    with open_context(demo_profile(home), organisation=county().business_id, ask=nobody) as context:
        async with SignIn(url, clock=context.clock) as authorization:
            token = await LedgerTokens(context.store, authorization, context.clock).access_token()
    shutil.rmtree(folder, ignore_errors=True)
    store = Store.open(folder, DemoKeys(folder, demo_profile(home)), SystemClock(), RandomIds())
    with store.write() as db:
        db.execute("CREATE TABLE bare (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")
    headers = {"Authorization": f"Bearer {token}", HEADER_ORGANISATION: county().business_id}
    start = time.perf_counter()
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
        client.stream("GET", "/v1/snapshot", params={"scope": f"notices:{county().business_id}"}) as response,
    ):
        response.raise_for_status()
        batch: list[tuple[str, str]] = []
        async for line in response.aiter_lines():
            row = json.loads(line).get("row")
            if row is not None:
                batch.append((row["id"], line))
            if len(batch) == BATCH:
                _insert(store, batch)
                batch = []
        _insert(store, batch)
    found = time.perf_counter() - start
    store.close()
    return found


def _insert(store: Store, batch: list[tuple[str, str]]) -> None:
    with store.write() as db:
        db.executemany("INSERT INTO bare VALUES (?, ?)", batch)


def first_fill(home: Path, url: str, folder: Path, notices: int) -> Row:
    """Measure both on the same backend; the machine in `home` is left with a filled inbox."""
    sign_in(home, url)
    mine = asyncio.run(ours(home, url))
    theirs = asyncio.run(bare(home, url, folder))
    detail = f"{notices} notices: {mine:.1f} s ÷ {theirs:.1f} s"
    return Row("first fill ÷ streaming and inserting the same bytes", mine / theirs, 3.0, detail=detail)
