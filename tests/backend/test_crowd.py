"""A crowd in a running demo: it comes by itself, also after a kill, and answers do not wait for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from kelmu_backend import serve
from kelmu_backend.database.engine import Database
from kelmu_backend.population import Crowd, crowd, fill, generate
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.platform.clock import SystemClock
from tests.backend.test_cli import PATIENCE, running, url_of


def _wait(found: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < ends, "it does not happen"
        os.sched_yield()


def test_a_crowd_comes_while_the_demo_serves_also_after_a_kill(tmp_path: Path) -> None:
    database = Database(serve.database_url(tmp_path / "data"))
    database.migrate()
    now = SystemClock().now()
    fill(database, generate(5, now, people=40, notices=20))
    with database.write() as connection:
        crowd.begin(connection, Crowd(5, local_date(now), 1_000_000, 0))

    def done() -> int:
        with database.read() as connection:
            left = crowd.missing(connection)
        assert left is not None
        return left.done

    with running(tmp_path) as (process, ready):
        url_of(process, ready)
        _wait(lambda: done() > 0)
    killed = done()
    ready.unlink()
    with running(tmp_path) as (process, ready):
        url = url_of(process, ready)
        _wait(lambda: done() > killed)
        assert httpx.get(f"{url}/v1/health").json() == {"status": "ok"}
    database.dispose()
