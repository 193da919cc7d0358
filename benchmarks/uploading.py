"""Documents brought up in a process of their own: `python -m benchmarks.uploading ours|bare HOME URL COUNT`.

`ours` seals so many documents of the largest size, queues them as one sending, and brings them up as `kelmu documents
send` does; what is timed begins when they are sealed. `bare` sends the same bytes from memory to the same routes with
httpx, one request for each document. Both take away afterwards what they brought. What it took is printed as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx

from benchmarks.fetching import Fetched
from benchmarks.fill import demo_profile, failed, nobody
from benchmarks.world import environment, forget_peak, peak_memory
from kelmu_tui.api.contract import HEADER_DEVICE, HEADER_ORGANISATION, TUS_VERSION
from kelmu_tui.api.sign_in import SignIn
from kelmu_tui.api.uploads import OFFSETS, PATH
from kelmu_tui.domain.capabilities import DOCUMENTS_SEND
from kelmu_tui.domain.documents import limits
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.services.context import Context, connect, open_context
from kelmu_tui.services.network import LedgerTokens
from kelmu_tui.store import copies, outbox
from kelmu_tui.store.copies import NewCopy
from kelmu_tui.store.outbox import Draft
from kelmu_tui.store.sealed import Seal

SIZE: Final = limits().file_bytes
"""Bytes of a document: the most that one may have."""
PART: Final = 1 << 18


def opened(home: Path) -> Context:
    """Open the store of who signed in on the machine in `home`."""
    return open_context(demo_profile(home), ask=nobody, needs=frozenset({DOCUMENTS_SEND}))


def sealed(context: Context, count: int) -> str:
    """Queue a sending of `count` documents that nobody has looked at: their content is of no interest here."""
    ids, made = RandomIds(), []
    for _ in range(count):
        seal = Seal(context.store.folder, ids.new())
        for _ in range(SIZE >> 20):
            seal.write(os.urandom(1 << 20))
        seal.finish()
        made.append((seal, NewCopy(seal.document, seal.size, seal.key, None, ())))
    sending, own, active = ids.new(), context.active.organisation.business_id, context.active
    draft = Draft(active.user_id, own, sending, "document-send", {"documents": []}, {}, 0, active.lease)
    with context.store.write() as db:
        outbox.append(db, draft, id=ids.new(), now=context.clock.now())
        copies.add(db, sending, own, [copy for _, copy in made])
        context.store.changed("sending", keys=(sending,))
    for seal, _ in made:
        seal.close()
    return sending


async def ours(home: Path, url: str, count: int) -> Fetched:
    """Bring documents up as the program does."""
    with opened(home) as context:
        async with connect(context, url, on_failure=failed) as connection:
            await connection.client.session()  # whoever sends has a connection already, and so has the bare client
            sending = sealed(context, count)
            forget_peak(os.getpid())
            start, cpu = time.perf_counter(), time.process_time()
            if not await connection.engine.bring_up(lambda _one, _sent: None):
                raise RuntimeError("somebody else leads")
            found = Fetched(time.perf_counter() - start, time.process_time() - cpu, peak_memory(os.getpid()))
            with context.store.read() as db:
                states = {copy.state for copy in copies.of(db, sending)}
            if states != {copies.State.WHOLE}:
                raise RuntimeError(str(states))
            context.sendings.cancel(sending)
            await connection.engine.bring_up()
    return found


async def bare(home: Path, url: str, count: int) -> Fetched:
    """Send the same bytes with a plain client."""
    with opened(home) as context:
        own, device = context.active.organisation.business_id, context.active.device
        async with SignIn(url, clock=context.clock) as authorization:
            token = await LedgerTokens(context.store, authorization, context.clock).access_token()
    ids = [RandomIds().new() for _ in range(count)]
    bodies = [os.urandom(SIZE) for _ in ids]
    headers = {
        "Authorization": f"Bearer {token}",
        HEADER_ORGANISATION: own,
        HEADER_DEVICE: device,
        "Tus-Resumable": TUS_VERSION,
    }
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        (await client.get("/v1/session")).raise_for_status()
        start, cpu = time.perf_counter(), time.process_time()
        for document, body in zip(ids, bodies, strict=True):
            metadata = f"document {b64encode(document.encode()).decode()}"
            of_this = {
                "Upload-Length": str(SIZE),
                "Upload-Metadata": metadata,
                "Content-Type": OFFSETS,
                "Content-Length": str(SIZE),
            }
            answer = await client.post(PATH, headers=of_this, content=_parts(body))
            if answer.status_code != 201 or answer.headers["upload-offset"] != str(SIZE):
                raise RuntimeError(answer.text)
        found = Fetched(time.perf_counter() - start, time.process_time() - cpu, peak_memory(os.getpid()))
        for document in ids:
            (await client.delete(f"{PATH}/{document}")).raise_for_status()
    return found


async def _parts(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body in parts: at once it takes httpx longer."""
    for start in range(0, len(body), PART):
        yield body[start : start + PART]


def brought(how: str, home: Path, url: str, count: int) -> Fetched:
    """Bring documents up in a process of its own, on a copy of the machine in `home`."""
    machine = home.parent / f"{home.name}-{how}"
    shutil.copytree(home, machine)
    command = [sys.executable, "-m", "benchmarks.uploading", how, str(machine), url, str(count)]
    done = subprocess.run(command, env=environment(machine), check=True, stdout=subprocess.PIPE)
    shutil.rmtree(machine)
    return Fetched(*json.loads(done.stdout))


if __name__ == "__main__":
    way = ours if sys.argv[1] == "ours" else bare
    print(json.dumps(asyncio.run(way(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))))
