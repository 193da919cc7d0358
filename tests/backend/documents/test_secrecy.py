"""Nothing of a document lies anywhere in plain, and nobody reads it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from kelmu_backend.config import Config
from kelmu_backend.database.document_tables import upload
from kelmu_backend.keys import FILE
from kelmu_backend.routes.declare import endpoints
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import URL, HandClock, fill, notice_row, refusal, serve

from .support import CODE, Sender, care, files, pdf, sending_id

NEEDLE = b"rent-to-Koivula-842-euros"


def marked() -> bytes:
    """Return a document full of needles, of several pieces."""
    return pdf(3 * 2**20, NEEDLE)


def plain(url: str, folder: Path) -> list[str]:
    """Return where the needle lies: files of the backend and of its record, rows of its tables."""
    found = [str(path) for path in files(folder) if NEEDLE in path.read_bytes()]
    if url.startswith("sqlite"):
        return found
    engine = create_engine(url)
    with engine.connect() as connection:
        server = Path(connection.execute(text("SHOW data_directory")).scalar_one())
        connection.execute(text("SELECT 1"))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CHECKPOINT"))
    engine.dispose()
    return found + [str(path) for path in files(server) if NEEDLE in path.read_bytes()]


async def test_no_plain_text_lies_anywhere(sender: Sender, database_url: str, tmp_path: Path) -> None:
    document = await sender.upload(marked())
    assert plain(database_url, tmp_path) == []
    assert (await sender.send(sending_id(), sender.body(document))).status_code == 200
    assert plain(database_url, tmp_path) == []
    sender.world.clock.pass_by(seconds=5)
    assert await care(sender.world).take() == 1
    assert plain(database_url, tmp_path) == []
    # The search finds what is there: a needle in a file is seen.
    (tmp_path / "left").write_bytes(marked())
    assert plain(database_url, tmp_path) == [str(tmp_path / "left")]


async def test_files_are_their_owners_alone(sender: Sender) -> None:
    await sender.upload(marked())
    folder = sender.world.config.document_folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files(folder))


async def test_no_answer_gives_content_back(sender: Sender) -> None:
    document = await sender.upload(marked())
    answers = []

    async def all_routes() -> None:
        for path, _ in endpoints(sender.world.app.routes):
            named = path.replace("{document}", document).replace("{sending}", sending_id()).replace("{notice}", "n0001")
            for method in ("GET", "HEAD", "OPTIONS", "POST"):
                answer = await sender.client.request(method, named, headers=sender.headers(Upload_Offset="0"))
                assert NEEDLE not in answer.content, (method, named)
                answers.append(answer.status_code)

    await all_routes()
    await sender.send(sending_id(), sender.body(document))
    await all_routes()
    sender.world.clock.pass_by(seconds=5)
    await care(sender.world).take()
    await all_routes()
    assert 200 in answers


async def test_a_lost_key_makes_content_unreadable_and_uploads_begin_anew(database_url: str, tmp_path: Path) -> None:
    clock = HandClock()
    secrets = tmp_path / "secrets"
    config = Config(database_url, URL, True, secrets, clock, SeededIds(7), background=False)
    content = marked()
    async with serve(config, clock) as world:
        with world.database.write() as connection:
            fill(connection)
        world.add(notice_row(1, customer=notice_row(1)["customer"] | {"identity_code": CODE}))
        sender = Sender(world, world.client)
        half, whole, given = sender.new(), await sender.upload(content), await sender.upload(pdf())
        await sender.create(half, 10, b"half ")
        assert (await sender.send(sending_id(), sender.body(given))).status_code == 200
    (secrets / FILE).unlink()
    async with serve(config, clock) as world:
        world.pass_by()  # nobody is signed in any more
        sender = Sender(world, world.client, made=sender.made, documents=sender.documents)
        assert refusal(await sender.add(half, 5, b"other")) == (410, "upload_gone", None)
        assert refusal(await sender.send(sending_id(2), sender.body(whole), key="two")) == (
            409,
            "rule_refused",
            "sending_upload",
        )
        clock.pass_by(seconds=5)
        assert await care(world).take() == 1
        (row,) = await sender.rows()
        assert (row.state, row.documents[0].refused) == ("refused", "broken")
        # Who asked for it has heard that it is gone; whole ones are given up by whoever hears of the refusal.
        assert (await sender.end(half)).status_code == 404
        assert (await sender.end(whole)).status_code == 204
        again = await sender.upload(content, whole)
        assert (await sender.send(sending_id(3), sender.body(again), key="three")).status_code == 200
        assert len(world.all(upload)) == 1


async def test_logs_say_nothing_of_documents(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    document = await sender.upload(marked())
    await sender.send(sending_id(), sender.body(sender.document(document, name="Salainen-lasku")))
    sender.world.clock.pass_by(seconds=5)
    await care(sender.world).take()
    for word in (NEEDLE.decode(), "Salainen-lasku", CODE, "Virta, Oskar"):
        assert word not in caplog.text
