"""Several processes of one backend on PostgreSQL, each with a folder of its own: any of them goes on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from kelmu_backend.config import Config
from kelmu_backend.database.document_tables import upload, upload_piece
from tests.backend.conftest import HandClock, World, refusal, serve

from .support import Sender, care, content_of, files, half_written, pdf, sending_id, served


@pytest.fixture
async def elsewhere(sender: Sender, tmp_path: Path) -> AsyncIterator[Sender]:
    """Give the same user at another process, on another machine."""
    world = sender.world
    if world.database.is_sqlite:
        pytest.skip("a record in a file is one machine's")
    assert isinstance(world.clock, HandClock)
    config: Config = replace(world.config, documents=tmp_path / "elsewhere")
    async with serve(config, world.clock) as other:
        other._tokens.update({"aino": world.token("aino")})
        yield Sender(other, other.client, documents=sender.documents)


def folders(*worlds: World) -> list[Path]:
    """Return what lies in the folders of processes."""
    return [path for world in worlds for path in files(world.config.document_folder)]


async def test_what_one_began_another_goes_on_with(sender: Sender, elsewhere: Sender) -> None:
    content = pdf(2_500_000)
    document = sender.new()
    sender.documents[document] = content
    await sender.create(document, len(content), content[:1_000_000])
    assert await elsewhere.offset(document) == 1_000_000
    assert (await elsewhere.add(document, 1_000_000, content[1_000_000:2_000_000])).status_code == 204
    assert (await sender.add(document, 2_000_000, content[2_000_000:])).status_code == 204
    assert content_of(elsewhere, document) == content_of(sender, document) == content
    assert folders(sender.world, elsewhere.world) == []
    assert (await elsewhere.send(sending_id(), sender.body(document))).status_code == 200
    sender.world.clock.pass_by(seconds=5)
    assert await care(sender.world).take() == 1
    assert sender.world.all(upload) == sender.world.all(upload_piece) == []


async def test_of_two_who_write_on_two_machines_one_counts(sender: Sender, elsewhere: Sender) -> None:

    first, second = os.urandom(1_500_000), os.urandom(1_500_000)
    document = sender.new()
    await sender.create(document, len(first))
    parts = first[:1_200_000], first[1_200_000:]
    async with (
        served(sender.world) as url,
        httpx.AsyncClient(base_url=url) as client,
        half_written(sender, document, *parts, client=client) as (go_on, writing),
    ):
        # The lock is on another machine's file: both write, and whoever counts first is right.
        assert (await elsewhere.add(document, 0, second)).status_code == 204
        go_on.set()
        late = await writing
    assert refusal(late) == (409, "upload_offset", None)
    assert late.headers["Upload-Offset"] == str(len(second))
    assert content_of(sender, document) == second
    assert folders(sender.world, elsewhere.world) == []
