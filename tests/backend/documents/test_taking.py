"""Kela's side: what is malware is refused, what cannot be looked at waits, and nothing stays that was taken."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kelmu_backend.background import Background
from kelmu_backend.config import Config
from kelmu_backend.database.document_tables import sending, sent_document, upload, upload_piece
from kelmu_backend.documents import scanning
from kelmu_backend.documents.caring import Documents
from kelmu_backend.documents.scanning import EICAR
from kelmu_backend.documents.taking import AGAIN, CLAIM
from kelmu_tui.platform.ids import SeededIds
from tests.backend.conftest import URL, HandClock, World, fill, notice_row, serve

from .support import CODE, Sender, care, files, pdf, scope_of, sending_id


@asynccontextmanager
async def operated(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Sender]:
    """Give aino at a backend with programs of its operator."""
    clock = HandClock()
    config = Config(
        database_url, URL, demo=True, secret_folder=folder / "secrets", clock=clock, ids=SeededIds(7), background=False
    )
    async with serve(replace(config, **settings), clock) as world:
        with world.database.write() as connection:
            fill(connection)
        world.add(notice_row(1, customer=notice_row(1)["customer"] | {"identity_code": CODE}))
        yield Sender(world, world.client)


def program(folder: Path, text: str) -> tuple[str, ...]:
    """Return a program of an operator, of which `path` is the file and `log` a file to write to."""
    script = folder / f"program-{len(list(folder.iterdir()))}.py"
    script.write_text(f"import os, sys\npath = sys.argv[-1]\nlog = {str(folder / 'log')!r}\n{text}\n", encoding="utf-8")
    return (sys.executable, "-I", str(script))


async def states(sender: Sender) -> tuple[str, list[tuple[str, str | None]]]:
    """Return what became of the sending and its documents."""
    (row,) = await sender.rows()
    return row.state.value, [(one.state.value, one.refused) for one in row.documents]


async def sent(sender: Sender, *contents: bytes) -> None:
    """Send documents, and let so much time pass that Kela's side begins."""
    documents = [await sender.upload(content) for content in contents]
    answer = await sender.send(sending_id(), sender.body(*documents))
    assert answer.status_code == 200, answer.text
    sender.world.clock.pass_by(seconds=5)


async def test_malware_is_refused_and_the_rest_is_taken(sender: Sender) -> None:
    await sent(sender, pdf(2**21, EICAR), pdf())
    start = await sender.world.changes()
    assert await care(sender.world).take() == 1
    assert await states(sender) == ("checked", [("refused", "malware"), ("taken", None)])
    (change,) = (await sender.world.changes(start.cursor)).changes
    assert (change.scope, change.version) == (scope_of(sender), 2)
    assert sender.world.audited()[-1] == ("sending.checked", sending_id(), "malware")
    nothing_is_left(sender.world)


async def test_a_sending_of_which_all_is_refused(sender: Sender) -> None:
    await sent(sender, pdf(0, EICAR))
    assert await care(sender.world).take() == 1
    assert await states(sender) == ("refused", [("refused", "malware")])
    nothing_is_left(sender.world)


@pytest.mark.parametrize("before", range(3))
def test_the_pattern_is_found_wherever_it_stands(tmp_path: Path, before: int) -> None:
    path = tmp_path / "content"
    path.write_bytes(bytes(2**20 - len(EICAR) * before // 2) + EICAR + bytes(10))
    with path.open("rb") as file:
        assert scanning.scan(file, ()) is scanning.Outcome.MALWARE
    path.write_bytes(EICAR[:-1])
    with path.open("rb") as file:
        assert scanning.scan(file, ()) is scanning.Outcome.CLEAN


async def test_the_operators_scanner_decides(database_url: str, tmp_path: Path) -> None:
    scanner = program(
        tmp_path,
        "found = os.fstat(0)\n"
        "open(log, 'a').write(f'{found.st_mode:o} {found.st_nlink}\\n')\n"
        "sys.exit(1 if b'a virus' in sys.stdin.buffer.read() else 0)",
    )
    async with operated(database_url, tmp_path, scanner=scanner) as sender:
        await sent(sender, pdf(100, b"a virus"), pdf(100, b"a bill"))
        assert await care(sender.world).take() == 1
        assert await states(sender) == ("checked", [("refused", "malware"), ("taken", None)])
        # The file that it reads is its owner's alone, and has no name.
        for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines():
            mode, links = line.split()
            assert (stat.S_IMODE(int(mode, 8)), links) == (0o600, "0")


@pytest.mark.parametrize("scanner", ["fails", "missing", "slow"])
async def test_what_cannot_be_scanned_waits(
    database_url: str, tmp_path: Path, scanner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "TIMEOUT", 0.2 if scanner == "slow" else 60)
    text = {
        "fails": "sys.exit(0 if os.path.exists(log) else 2)",
        "slow": "os.path.exists(log) or os.read(os.pipe()[0], 1)",
    }
    found = ("/nowhere/scanner",) if scanner == "missing" else program(tmp_path, text[scanner])
    async with operated(database_url, tmp_path, scanner=found) as sender:
        await sent(sender, pdf())
        assert await care(sender.world).take() == 0
        assert await states(sender) == ("received", [("received", None)])
        assert len(sender.world.all(upload)) == 1
        assert await care(sender.world).take() == 0  # not at once again
        monkeypatch.setattr(scanning, "TIMEOUT", 60)
        (tmp_path / "log").touch()
        sender.world.clock.pass_by(seconds=AGAIN.total_seconds())
        assert await care(sender.world).take() == (scanner != "missing")


async def test_without_room_it_waits_and_is_taken_whole_later(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, _: object, /) -> int:
            raise OSError(28, "No space left on device")

    size = tmp_path / "size"
    deliver = program(tmp_path, f"open({str(size)!r}, 'w').write(str(os.path.getsize(path)))")
    content = pdf(300_000)
    async with operated(database_url, tmp_path, delivery=deliver) as sender:
        await sent(sender, content)
        with monkeypatch.context() as patch:
            patch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
            assert await care(sender.world).take() == 0
        assert await states(sender) == ("received", [("received", None)])
        sender.world.clock.pass_by(seconds=AGAIN.total_seconds())
        assert await care(sender.world).take() == 1
    assert size.read_text() == str(len(content))


async def test_the_operators_delivery_gets_document_and_slip(database_url: str, tmp_path: Path) -> None:
    delivery = program(
        tmp_path, "open(log, 'ab').write(sys.stdin.buffer.read() + b'\\n' + open(path, 'rb').read()[-6:] + b'\\n')"
    )
    async with operated(database_url, tmp_path, delivery=delivery) as sender:
        await sent(sender, pdf())
        (row,) = await sender.rows()
        assert await care(sender.world).take() == 1
        slip, end = (tmp_path / "log").read_bytes().strip().rsplit(b"\n", 1)
        assert end == b"%%EOF"
        told = json.loads(slip)
        assert (told["identity_code"], told["receipt"], told["kind"]) == (CODE, row.receipt, "bill")
        assert (told["sending"], told["name"], told["media_type"]) == (sending_id(), "Sähkölasku", "application/pdf")
        assert await states(sender) == ("checked", [("taken", None)])
        nothing_is_left(sender.world)


async def test_what_is_not_delivered_is_kept(database_url: str, tmp_path: Path) -> None:
    delivery = program(tmp_path, "sys.exit(0 if os.path.exists(log) else 75)")
    async with operated(database_url, tmp_path, delivery=delivery) as sender:
        await sent(sender, pdf(), pdf())
        assert await care(sender.world).take() == 0
        sender.world.pass_by(days=40)
        assert await care(sender.world).expire() == 0
        background = Background(sender.world.core)
        assert await background.drop() == 0  # nobody has taken it: its receipt stays too
        (tmp_path / "log").touch()
        assert await care(sender.world).take() == 1
        assert await background.drop() > 0


async def test_a_document_that_cannot_be_delivered_lets_those_beside_it_be_handed_over_once(
    database_url: str, tmp_path: Path
) -> None:
    delivery = program(
        tmp_path,
        "import json\n"
        "slip = json.load(sys.stdin)\n"
        "bad = slip['size'] > 5_000 and not os.path.exists(log + '.mended')\n"
        "open(log, 'a').write(f\"{slip['document']} {bad}\\n\")\n"
        "sys.exit(75 if bad else 0)",
    )
    async with operated(database_url, tmp_path, delivery=delivery) as sender:
        await sent(sender, pdf(), pdf(9_000), pdf(0, EICAR), pdf())
        start = await sender.world.changes()
        for _ in range(3):
            assert await care(sender.world).take() == 0
            sender.world.clock.pass_by(seconds=AGAIN.total_seconds())
        assert await states(sender) == ("received", [("received", None)] * 4), "it is told when all is known"
        assert (await sender.world.changes(start.cursor)).changes == []
        (tmp_path / "log.mended").touch()
        assert await care(sender.world).take() == 1
        assert await states(sender) == (
            "checked", [("taken", None), ("taken", None), ("refused", "malware"), ("taken", None)],
        )  # fmt: skip
        handed = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
        assert sorted(line.endswith("False") for line in handed) == [False] * 3 + [True] * 3
        nothing_is_left(sender.world)


async def test_outside_a_demo_nothing_is_destroyed_that_nobody_takes(sender: Sender) -> None:
    await sent(sender, pdf())
    documents = Documents(sender.world.core)
    documents._kela = replace(documents._kela, playing=False)
    assert await documents.take() == 0
    assert await states(sender) == ("received", [("received", None)])
    assert len(sender.world.all(upload)) == 1


async def test_of_two_processes_one_takes_a_sending_unless_it_dies(sender: Sender) -> None:
    await sent(sender, pdf())
    first, second = care(sender.world), care(sender.world)
    claimed = first._claim()
    assert claimed is not None
    assert second._claim() is None
    sender.world.pass_by(seconds=CLAIM.total_seconds())
    assert await second.take() == 1
    # The first one was only slow: what it finds out comes too late.
    assert await first._judge(claimed) is None
    first._release(claimed)
    assert first._finish(claimed) == (None, [])
    assert await states(sender) == ("checked", [("taken", None)])


async def test_a_clock_that_is_set_back_stops_no_sending(sender: Sender) -> None:
    await sent(sender, pdf())
    first = care(sender.world)._claim()
    assert first is not None
    sender.world.clock.pass_by(seconds=-timedelta(days=2).total_seconds())
    assert await care(sender.world).take() == 1


async def test_content_that_is_lost_is_refused_and_said_so(sender: Sender) -> None:
    await sent(sender, pdf(), pdf())
    place = sender.world.all(upload)[0]["place"]
    with sender.world.database.write() as connection:
        connection.execute(upload_piece.delete().where(upload_piece.c.place == place))
    (sender.world.config.document_folder / place).unlink(missing_ok=True)
    assert await care(sender.world).take() == 1
    state, documents = await states(sender)
    assert state == "checked"
    assert sorted(documents, key=str) == [("refused", "broken"), ("taken", None)]


async def test_receipts_end(sender: Sender) -> None:
    await sent(sender, pdf())
    assert await care(sender.world).take() == 1
    sender.world.pass_by(days=29)
    background = Background(sender.world.core)
    assert await background.drop() == 0
    start = await sender.world.changes()
    sender.world.pass_by(days=1)
    assert await background.drop() == 1
    (change,) = (await sender.world.changes(start.cursor)).changes
    assert (change.scope, change.id, change.op) == (scope_of(sender), sending_id(), "rm")
    assert sender.world.all(sending) == sender.world.all(sent_document) == []
    assert sender.world.audited()[-1] == ("sending.over", sending_id(), "done")


async def test_the_code_of_the_customer_goes_with_the_content(sender: Sender) -> None:
    await sent(sender, pdf())
    assert [row["identity_code"] for row in sender.world.all(sending)] == [CODE]
    await care(sender.world).take()
    assert [row["identity_code"] for row in sender.world.all(sending)] == [None]


async def test_the_loop_takes_them_by_itself(database_url: str, tmp_path: Path) -> None:
    async with operated(database_url, tmp_path) as sender:
        await sent(sender, pdf())
        start = await sender.world.changes()
        background = Background(sender.world.core)
        background.start()
        told = await sender.world.changes(start.cursor, wait=20)
        await background.close()
    assert [(change.scope, change.version) for change in told.changes if change.scope == scope_of(sender)]


def nothing_is_left(world: World) -> None:
    """Hold that no content is left."""
    assert world.all(upload) == world.all(upload_piece) == []
    assert [os.fspath(path) for path in files(world.config.document_folder)] == []


def test_the_pauses_make_sense() -> None:
    assert timedelta() < AGAIN < CLAIM
    assert timedelta(seconds=10 * scanning.TIMEOUT) <= CLAIM
