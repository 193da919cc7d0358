"""A long first fill that breaks off ten times goes on where it stopped; `KELMU_SOAK` makes it 100 000 rows."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from sqlalchemy import insert, select

from kelmu_backend.database import tables
from kelmu_backend.feed import Entry, record
from kelmu_backend.policy import notices_scope
from kelmu_tui.api.errors import ApiError
from kelmu_tui.platform.ids import SeededIds
from kelmu_tui.platform.tasks import Tasks
from kelmu_tui.store.database import Store
from kelmu_tui.store.thread import StoreThread
from kelmu_tui.sync.engine import Engine
from tests.api.world import World
from tests.sync.simulation.disk import Keys
from tests.sync.simulation.ground import notice_row
from tests.sync.simulation.record import A

ROWS = 100_000 if os.environ.get("KELMU_SOAK") else 12_000
CUTS = 10


class Torn(httpx.AsyncByteStream):
    """A body that breaks off behind some rows."""

    def __init__(self, whole: bytes, rows: int) -> None:
        self._lines = whole.splitlines(keepends=True)
        self._rows = rows
        self.told = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for line in self._lines:
            if line.startswith(b'{"line":"row"'):
                if self.told == self._rows:
                    yield line[: len(line) // 2]
                    raise httpx.ReadError("cut")
                self.told += 1
            yield line


class Tearing(httpx.AsyncBaseTransport):
    """The way to the backend, cut in the middle of each of the first snapshots."""

    def __init__(self, inner: httpx.AsyncBaseTransport, rows: int) -> None:
        self._inner = inner
        self._rows = rows
        self.bodies: list[Torn] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if request.url.path != "/v1/snapshot" or "notices" not in str(request.url):
            return answer
        whole = len(self.bodies) >= CUTS
        body = Torn(await answer.aread(), ROWS * 2 if whole else self._rows)
        self.bodies.append(body)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body, request=request)


async def test_it_goes_on_where_it_stopped_and_ends_with_exactly_what_there_is(world: World, tmp_path: Path) -> None:
    clock, database = world.clock, world.core.database
    rows = [notice_row(number, A, clock.now()) | {"published": True} for number in range(10_000, 10_000 + ROWS)]
    with database.write() as connection:
        connection.execute(insert(tables.notice), rows)
        record(connection, [Entry(notices_scope(A.business_id), row["id"], 1) for row in rows])
    tearing = Tearing(world.transport, ROWS // (CUTS + 1))
    client = world.lasting_client("aino", tearing)
    broken: list[str] = []
    for _ in range(CUTS + 1):
        # Each time a new process: what it knows of the fill stands on the disk alone.
        store = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(1))
        store.attach(A.business_id)
        thread = StoreThread(store)
        try:
            await Engine(thread, client, clock, SeededIds(2), Tasks(lambda *_: None)).once()
        except ApiError as error:
            broken.append(error.code)
        finally:
            thread.close()
            store.close()
    await client.close()

    store = Store.open(tmp_path / "aino", Keys(), clock, SeededIds(1))
    store.attach(A.business_id)
    with store.read() as db:
        shown = dict(
            db.execute(
                "SELECT n.id, n.version FROM replica.notice AS n JOIN replica.scope AS s ON s.generation = n.generation"
            )
        )
    store.close()
    with database.read() as connection:
        held = dict(
            connection.execute(
                select(tables.notice.c.id, tables.notice.c.version).where(
                    tables.notice.c.organisation == A.business_id, tables.notice.c.published
                )
            ).all()
        )
    assert len(tearing.bodies) == CUTS + 1
    assert broken == ["unreachable"] * CUTS
    assert shown == held
    assert sum(body.told for body in tearing.bodies) < 1.2 * ROWS
