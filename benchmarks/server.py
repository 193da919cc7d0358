"""Requests a second: an inbox's change poll ÷ a bare route of the same framework that returns the same bytes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.ratios import Row
from benchmarks.world import county
from kelmu_tui.api.contract import HEADER_ORGANISATION
from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.platform.clock import SystemClock

USERS = ("persona-county-worker", "persona-county-colleague", "persona-supervisor")
REQUESTS = 150
"""Of one user and round: below the burst that the rate limit allows."""
LINES = 4
"""Connections that ask at the same time."""

BARE = """
import sys, uvicorn
from fastapi import FastAPI, Response
app, body = FastAPI(), open(sys.argv[1], "rb").read()
@app.get("/bare")
def bare() -> Response:
    return Response(body, media_type="application/json")
uvicorn.run(app, port=int(sys.argv[2]), log_config=None, access_log=False)
"""


async def rate(url: str, path: str, headers: dict[str, str]) -> float:
    """Return the requests a second of a small raw client; a library's own cost would drown the difference."""
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 0
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode()

    async def line() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for _ in range(REQUESTS // LINES):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                raise RuntimeError(head.decode())
            length = next(int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:"))
            await reader.readexactly(length)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(line() for _ in range(LINES)))
    return REQUESTS // LINES * LINES / (time.perf_counter() - start)


async def _token(url: str, persona: str) -> str:
    async with SignIn(url, clock=SystemClock()) as sign_in:
        authorization = await sign_in.start("benchmark")
        await sign_in.approve(authorization.user_code, persona)
        tokens = await sign_in.poll(authorization, at_once=True)
        return tokens.access_token


@contextlib.contextmanager
def _bare_route(body: bytes, folder: Path) -> Iterator[str]:
    (folder / "answer.json").write_bytes(body)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", BARE, str(folder / "answer.json"), str(port)])
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def change_poll(url: str, folder: Path) -> Row:
    """Measure a poll at the head of the feed, as every open inbox sends it; each user has a cursor of their own."""
    ours, theirs = [], []
    for persona in USERS:
        headers = {
            HEADER_ORGANISATION: county().business_id,
            "Authorization": f"Bearer {asyncio.run(_token(url, persona))}",
        }
        path, answer = _at_head(url, headers)
        with _bare_route(answer, folder) as bare:
            asyncio.run(rate(bare, "/bare", {}))
            ours.append(asyncio.run(rate(url, path, headers)))
            theirs.append(asyncio.run(rate(bare, "/bare", {})))
    mine, other = statistics.median(ours), statistics.median(theirs)
    detail = f"{mine:.0f}/s ÷ {other:.0f}/s, answers of {len(answer)} bytes"
    return Row("change polls a second ÷ a bare route", mine / other, 0.5, at_least=True, detail=detail)


def _at_head(url: str, headers: dict[str, str]) -> tuple[str, bytes]:
    """Return the path of a poll that finds nothing, and its answer."""
    first = httpx.get(f"{url}/v1/changes", headers=headers).raise_for_status()
    path = f"/v1/changes?cursor={first.json()['cursor']}&wait=0"
    return path, httpx.get(f"{url}{path}", headers=headers).raise_for_status().content
