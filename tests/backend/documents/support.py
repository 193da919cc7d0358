"""A sender of documents: the tus protocol step by step, by hand, and the command that follows."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from kelmu_backend.database.document_tables import upload
from kelmu_backend.documents.caring import Documents
from kelmu_backend.documents.vault import Held
from kelmu_backend.policy import sendings_scope
from kelmu_backend.serve import address, bind
from kelmu_tui.api import contract
from kelmu_tui.domain.organisations import Organisation
from tests.backend.conftest import A, World

CODE = "010190-900P"
"""Identity code of the customer whose matter the user handles."""
CONTENT = "application/offset+octet-stream"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
PDF += b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n"


def pdf(size: int = 0, mark: bytes = b"") -> bytes:
    """Return a PDF of one page, of `size` bytes at least, with a mark in a stream that nobody shows."""
    filler = (mark + b" ") * (size // (len(mark) + 1) + 1) if mark else bytes(size)
    body = PDF + b"4 0 obj<</Length %d>>stream\n" % len(filler) + filler + b"\nendstream endobj\n"
    places = [body.index(b"%d 0 obj" % number) for number in range(1, 5)]
    table = b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + table + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def digest(content: bytes) -> str:
    """Return the value of `Upload-Checksum` for some bytes."""
    return "sha256 " + base64.b64encode(hashlib.sha256(content).digest()).decode()


def metadata(document: str) -> str:
    """Return the value of `Upload-Metadata` for a document."""
    return "document " + base64.b64encode(document.encode()).decode()


@dataclass
class Sender:
    """A user on a device who sends documents."""

    world: World
    client: httpx.AsyncClient
    user: str = "aino"
    organisation: Organisation = A
    device: str = ""
    made: int = 0
    documents: dict[str, bytes] = field(default_factory=dict)

    def new(self) -> str:
        """Return the id of another document."""
        self.made += 1
        return f"{self.made:08x}-0000-4000-8000-000000000000"

    def headers(self, **more: str) -> dict[str, str]:
        """Return the headers of a request."""
        own = {
            contract.HEADER_DEVICE: self.device or f"device-of-{self.user}",
            "Tus-Resumable": "1.0.0",
        }
        found = self.world.headers(self.user, self.organisation) | own
        return found | {name.replace("_", "-"): value for name, value in more.items()}

    async def create(self, document: str, length: int, body: bytes | None = None, **more: str) -> httpx.Response:
        """Begin an upload, with its first bytes or without."""
        given = {"Upload_Length": str(length), "Upload_Metadata": metadata(document)} | more
        if body is not None:
            given |= {"Content_Type": CONTENT}
        return await self.client.post("/v1/uploads", headers=self.headers(**given), content=body)

    async def add(self, document: str, offset: int, body: bytes, **more: str) -> httpx.Response:
        """Add bytes."""
        given = {"Upload_Offset": str(offset), "Content_Type": CONTENT} | more
        return await self.client.patch(f"/v1/uploads/{document}", headers=self.headers(**given), content=body)

    async def offset(self, document: str) -> int:
        """Return how much has come."""
        answer = await self.client.head(f"/v1/uploads/{document}", headers=self.headers())
        assert answer.status_code == 200, answer.headers
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert answer.headers["Cache-Control"] == "no-store"
        return int(answer.headers["Upload-Offset"])

    async def end(self, document: str) -> httpx.Response:
        """End an upload."""
        return await self.client.delete(f"/v1/uploads/{document}", headers=self.headers())

    async def upload(self, content: bytes, document: str | None = None) -> str:
        """Upload a document whole; return its id."""
        document = document or self.new()
        answer = await self.create(document, len(content))
        assert answer.status_code == 201, answer.text
        answer = await self.add(document, 0, content)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(content))), answer.text
        self.documents[document] = content
        return document

    def document(self, document: str, **changes: Any) -> dict[str, Any]:
        """Return what is said of a document."""
        content = self.documents.get(document, b"x")
        return {
            "id": document,
            "kind": "bill",
            "name": "Sähkölasku",
            "media_type": "application/pdf",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        } | changes

    def body(self, *documents: str | dict[str, Any], customer: str = CODE, **changes: Any) -> dict[str, Any]:
        """Return the body of the command."""
        return {
            "customer": customer,
            "asked_by": "customer",
            "asked_on": "2026-11-22",
            "way": "telephone",
            "case_reference": "123/26",
            "documents": [self.document(one) if isinstance(one, str) else one for one in documents],
        } | changes

    async def send(self, sending: str, body: dict[str, Any] | bytes, **changes: Any) -> httpx.Response:
        """Send the command."""
        device = {contract.HEADER_DEVICE: self.device} if self.device else {}
        return await self.world.command(
            sending, "send", None, self.user, self.organisation, of="sendings", body=body, **(device | changes)
        )

    async def rows(self) -> list[contract.SendingRow]:
        """Return the sendings as a snapshot tells them."""
        lines = await self.world.snapshot(scope_of(self), self.user, self.organisation)
        return [contract.SendingRow.model_validate(line["row"]) for line in lines if line["line"] == "row"]


def scope_of(sender: Sender) -> str:
    """Return the scope of a sender's receipts."""
    return sendings_scope(sender.organisation.business_id, sender.user)


def sending_id(number: int = 1) -> str:
    """Return the id of a sending."""
    return f"5e000000-0000-4000-8000-{number:012x}"


def care(world: World) -> Documents:
    """Return what happens to documents without a request."""
    return Documents(world.core)


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """Serve a world's app by real HTTP; give its address."""
    with bind("127.0.0.1", 0) as bound:
        settings = uvicorn.Config(world.app, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(settings)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        task = asyncio.get_running_loop().create_task(server.serve(sockets=[bound]))
        while not server.started:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0)
        try:
            yield address(bound)
        finally:
            server.should_exit = True
            await task


def files(folder: Path) -> Iterator[Path]:
    """Give all files below a folder."""
    return (path for path in folder.rglob("*") if path.is_file())


def is_written(sender: Sender) -> bool:
    """Tell whether somebody writes content now, without being in the way."""
    locks = Path("/proc/locks").read_text(encoding="utf-8").splitlines()
    locked = {line.split()[5].rpartition(":")[2] for line in locks if " FLOCK " in line and "->" not in line}
    with suppress(FileNotFoundError), os.scandir(sender.world.config.document_folder) as found:
        return any(str(one.inode()) in locked for one in found)
    return False


@asynccontextmanager
async def half_written(
    sender: Sender, document: str, *parts: bytes, client: httpx.AsyncClient | None = None
) -> AsyncIterator[tuple[asyncio.Event, asyncio.Future[httpx.Response]]]:
    """Add two parts to a document and stop between them; give what lets it go on, and the answer to come."""
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield parts[0]
        await go_on.wait()
        yield parts[1]

    headers = sender.headers(Upload_Offset="0", Content_Type=CONTENT)
    adding = asyncio.ensure_future(
        (client or sender.client).patch(f"/v1/uploads/{document}", headers=headers, content=slow())
    )
    async with asyncio.timeout(20):
        while not is_written(sender):  # a lock has no event
            assert not adding.done(), adding.result().text
            await asyncio.sleep(0)
    yield go_on, adding


def content_of(sender: Sender, document: str) -> bytes:
    """Return what the vault holds of a document."""
    (row,) = [row for row in sender.world.all(upload) if (row["document"], row["user"]) == (document, sender.user)]
    counted = {name: row[name] for name in ("place", "wrapped", "offset", "pieces", "stored")}
    content = b"".join(sender.world.core.vault.read(Held(**counted)))
    assert len(content) == row["offset"]
    return content
