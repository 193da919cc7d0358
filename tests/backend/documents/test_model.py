"""Uploads against a model of a few lines: whatever is asked in whatever order, both know the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

import pytest

from kelmu_backend.database.document_tables import upload
from kelmu_tui.domain.documents import unfinished_kept

from .support import Sender, care, content_of, digest, files

DOCUMENTS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(4)]
STEPS = 150


@dataclass
class Known:
    """What the model knows of an upload."""

    length: int
    content: bytes
    expires: datetime


class Model:
    """What uploads are: a length that was announced, bytes that came in order, and an end in time."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.uploads: dict[str, Known] = {}

    def state(self, document: str) -> Known | int:
        """Return an upload, or with which status everything about it is answered."""
        found = self.uploads.get(document)
        if found is None:
            return 404
        return 410 if found.expires <= self.now else found

    def create(self, document: str, length: int) -> int:
        found = self.state(document)
        if isinstance(found, Known):
            return 201 if found.length == length else 409
        self.uploads[document] = Known(length, b"", self.now + unfinished_kept())
        return 201

    def add(self, document: str, offset: int, body: bytes, *, right: bool) -> int:
        found = self.state(document)
        if isinstance(found, int):
            return found
        if offset != len(found.content):
            return 409
        if len(found.content) + len(body) > found.length:
            return 413
        if not right:
            return 460
        if body:
            found.content += body
            found.expires = self.now + unfinished_kept()
        return 204

    def end(self, document: str) -> int:
        found = self.state(document)
        if isinstance(found, int):
            return found
        del self.uploads[document]
        return 204


@pytest.mark.parametrize("seed", range(4))
async def test_the_backend_knows_what_the_model_knows(sender: Sender, seed: int) -> None:
    chance = Random(seed)
    world = sender.world
    model = Model(world.clock.now())
    for _ in range(STEPS):
        document = chance.choice(DOCUMENTS)
        what = chance.choice(["create", "add", "add", "add", "add", "end", "time", "care"])
        if what == "create":
            length = chance.choice([1, 5, 3000])
            assert (await sender.create(document, length)).status_code == model.create(document, length)
        elif what == "add":
            found = model.state(document)
            at = len(found.content) if isinstance(found, Known) else 0
            offset = chance.choice([at, at, at, 0, at + 1])
            body = chance.randbytes(chance.choice([0, 1, 2, 700, 1500]))
            right = chance.random() < 0.8
            more = (
                {} if chance.random() < 0.5 and right else {"Upload_Checksum": digest(body if right else body + b"x")}
            )
            answer = await sender.add(document, offset, body, **more)
            assert answer.status_code == model.add(document, offset, body, right=right), answer.text
        elif what == "end":
            assert (await sender.end(document)).status_code == model.end(document)
        elif what == "time":
            world.pass_by(hours=chance.choice([1, 20, 40]))
            model.now = world.clock.now()
        else:
            await care(world).expire()
            await care(world).sweep()
        known = model.state(document)
        head = await sender.client.head(f"/v1/uploads/{document}", headers=sender.headers())
        if isinstance(known, int):
            assert head.status_code == known
        else:
            assert head.headers["Upload-Offset"] == str(len(known.content))
            assert content_of(sender, document) == known.content
    world.pass_by(days=40)
    await care(world).expire()
    await care(world).sweep()
    assert world.all(upload) == []
    assert list(files(world.config.document_folder)) == []
