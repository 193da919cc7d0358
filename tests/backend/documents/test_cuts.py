"""Uploads that are cut: by real connections that break at every tenth of the length, and by processes that end."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from kelmu_backend import policy
from kelmu_backend.database.document_tables import upload
from kelmu_backend.documents.vault import Writer
from kelmu_backend.routes import uploads as routes

from .support import CONTENT, Sender, care, content_of, digest, files, half_written, is_written

CONTENT_OF_IT = b"".join(number.to_bytes(4, "big") for number in range(600_000))
"""2 400 000 bytes of which no two places are alike: two whole pieces and a part of one."""


async def cut(wired: Sender, document: str, offset: int, whole: bytes, sent: int, **more: str) -> None:
    """Announce `whole` and break the connection once the backend must have `sent` bytes of it."""
    url = urlsplit(str(wired.client.base_url))
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    headers = wired.headers(Upload_Offset=str(offset), Content_Type=CONTENT, Content_Length=str(len(whole)), **more)
    lines = [f"PATCH /v1/uploads/{document} HTTP/1.1", f"Host: {url.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + whole[:sent])
    await writer.drain()
    # What was written is read before the end of the connection is: it is one stream.
    writer.close()
    await writer.wait_closed()


async def until_counted(wired: Sender, document: str, offset: int) -> None:
    """Return once the record counts `offset` bytes and nobody writes."""
    async with asyncio.timeout(20):
        while is_written(wired) or await wired.offset(document) != offset:  # noqa: ASYNC110 - a lock has no event
            await asyncio.sleep(0)


@pytest.mark.parametrize("checked", [False, True])
async def test_a_cut_at_every_tenth_keeps_what_came(wired: Sender, checked: bool) -> None:
    document = wired.new()
    await wired.create(document, len(CONTENT_OF_IT))
    at = 0
    for tenth in range(1, 10):
        until = len(CONTENT_OF_IT) * tenth // 10
        rest = CONTENT_OF_IT[at:]
        more = {"Upload_Checksum": digest(rest)} if checked else {}
        await cut(wired, document, at, rest, until - at, **more)
        await until_counted(wired, document, until)
        assert content_of(wired, document) == CONTENT_OF_IT[:until]
        at = until
    answer = await wired.add(document, at, CONTENT_OF_IT[at:])
    assert answer.status_code == 204
    assert content_of(wired, document) == CONTENT_OF_IT


async def test_a_cut_before_the_first_byte_changes_nothing(wired: Sender) -> None:
    document = wired.new()
    await wired.create(document, 100)
    before = wired.world.all(upload)
    await cut(wired, document, 0, bytes(100), 0)
    await until_counted(wired, document, 0)
    assert wired.world.all(upload) == before


async def test_a_connection_that_falls_silent_counts_as_cut(wired: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "IDLE", 0.05)
    document = wired.new()
    await wired.create(document, 8)
    never = asyncio.Event()

    async def silent() -> object:
        yield b"abcd"
        await never.wait()

    headers = wired.headers(Upload_Offset="0", Content_Type=CONTENT, Content_Length="8")
    sending = asyncio.ensure_future(
        wired.client.patch(f"/v1/uploads/{document}", headers=headers, content=silent())  # type: ignore[arg-type]
    )
    await until_counted(wired, document, 4)
    sending.cancel()
    assert (await wired.add(document, 4, b"efgh")).status_code == 204
    assert content_of(wired, document) == b"abcdefgh"


async def test_what_a_killed_process_wrote_and_did_not_count_is_cut_off(wired: Sender) -> None:
    document = wired.new()
    await wired.create(document, len(CONTENT_OF_IT))
    await wired.add(document, 0, CONTENT_OF_IT[:1_200_000])
    (row,) = wired.world.all(upload)
    path = wired.world.config.document_folder / row["place"]
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.write(b"half a piece that nobody counted")
    assert content_of(wired, document) == CONTENT_OF_IT[:1_200_000]
    assert (await wired.add(document, 1_200_000, CONTENT_OF_IT[1_200_000:])).status_code == 204
    assert content_of(wired, document) == CONTENT_OF_IT


async def test_a_full_disk_is_told_and_nothing_counts(wired: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    document = wired.new()
    await wired.create(document, 8)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "add", full)
        answer = await wired.add(document, 0, b"abcdefgh")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_break")
    assert answer.headers["Retry-After"] == "30"
    assert await wired.offset(document) == 0
    assert (await wired.add(document, 0, b"abcdefgh")).status_code == 204
    assert content_of(wired, document) == b"abcdefgh"


async def test_a_disk_that_opens_nothing_is_told_like_a_full_one(
    wired: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = wired.new()
    await wired.create(document, 8)

    def refuse(*_: object) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(type(wired.world.core.vault), "writer", refuse)
        answer = await wired.add(document, 0, b"abcdefgh")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_break")
    assert (await wired.add(document, 0, b"abcdefgh")).status_code == 204


async def test_a_mandate_that_ends_while_bytes_come_lets_none_of_them_count(wired: Sender) -> None:
    document = wired.new()
    await wired.create(document, 8)
    async with half_written(wired, document, b"abcd", b"efgh") as (go_on, adding):
        with wired.world.database.write() as connection:
            policy.replace_grants(connection, "aino", [])
        go_on.set()
        answer = await adding
    assert (answer.status_code, answer.json()["code"]) == (403, "organisation_not_allowed")
    (row,) = wired.world.all(upload)
    assert (row["offset"], row["pieces"], row["stored"]) == (0, 0, 0)


async def test_files_that_belong_to_nothing_go(wired: Sender) -> None:
    document = await wired.upload(b"abcd")
    folder = wired.world.config.document_folder
    folder.mkdir(exist_ok=True)
    (folder / ("e" * 32)).write_bytes(b"left behind")
    assert await care(wired.world).sweep() == 1
    assert content_of(wired, document) == b"abcd"
    assert {path.name for path in files(folder)} <= {row["place"] for row in wired.world.all(upload)}
