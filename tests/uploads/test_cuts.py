"""Documents through a real network to a real backend: cut at every tenth, killed, started again; never doubled."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.identifiers import parse_identity_code
from kelmu_tui.platform.clock import SystemClock
from kelmu_tui.services.context import Context, connect
from kelmu_tui.services.sealing import Request
from kelmu_tui.services.sendings import File
from kelmu_tui.store import copies, sealed
from tests.e2e.world import KELMU, WORKER, eventually
from tests.uploads.conftest import Wired
from tests.uploads.desk import queue
from tests.uploads.model import ARRIVED

pytestmark = pytest.mark.xdist_group("uploads")


def picture(seed: int, side: int = 420) -> bytes:
    """Return a picture of about half a mebibyte that nothing makes smaller, with no word beside what it shows."""
    made = Image.frombytes("RGB", (side, side), random.Random(seed).randbytes(side * side * 3))
    out = io.BytesIO()
    made.save(out, "PNG")
    return out.getvalue()


def write(folder: Path, *seeds: int) -> list[Path]:
    paths = []
    for seed in seeds:
        path = folder / f"kuva-{seed}.png"
        path.write_bytes(picture(seed))
        paths.append(path)
    return paths


def request(wired: Wired, *paths: Path) -> Request:
    """Return a request to send files about the customer of this world."""
    today = local_date(SystemClock().now())
    code = parse_identity_code(wired.code, today=today)
    return Request(code, wired.name, "customer", today, "telephone", None, [File(p, "bill", "Lasku") for p in paths])


async def bring_up(context: Context, *, tries: int = 8) -> None:
    async with connect(context, on_failure=lambda name, error: pytest.fail(f"{name}: {error!r}")) as connection:
        assert await connection.engine.bring_up(tries=tries)
        await connection.engine.once()


def states(context: Context, sending: str) -> set[copies.State]:
    with context.store.read() as db:
        return {one.state for one in copies.of(db, sending)}


@pytest.mark.parametrize("tenth", range(10))
async def test_an_upload_cut_at_every_tenth_goes_on_where_it_was(wired: Wired, tmp_path: Path, tenth: int) -> None:
    paths = write(tmp_path, tenth)
    before = wired.sent()
    with wired.opened() as context:
        sending = queue(context.sendings, request(wired, *paths))
        paths[0].write_bytes(b"changed after it was sealed")
        line = context.sendings.open(sending)
        assert line is not None
        size = line.size
        cuts, bodies = wired.line.cuts, wired.line.counted.bodies
        wired.line.cut_after(max(1, size * tenth // 10))
        await bring_up(context)
        assert wired.line.cuts == cuts + 1
        line = context.sendings.open(sending)
        assert line is not None
        assert (line.state in ARRIVED, line.receipt is not None) == (True, True)
        assert states(context, sending) == {copies.State.RECEIVED}
        assert list(sealed.folder(context.store.folder).iterdir()) == []
    assert wired.sent()[len(before) :] == [(sending, 1)]
    assert wired.sizes(sending) == [size]
    # What had arrived did not go once more, but for what the backend had not counted when the line was cut.
    assert wired.line.counted.bodies - bodies <= size + (1 << 18)


async def test_without_a_network_it_waits_and_goes_when_it_is_back(wired: Wired, tmp_path: Path) -> None:
    from kelmu_tui.api.errors import Unreachable
    from tests.e2e.proxy import Mode

    with wired.opened() as context:
        sending = queue(context.sendings, request(wired, *write(tmp_path, 21, 22)))
        wired.line.switch(Mode.AWAY)
        try:
            with pytest.raises(Unreachable):
                await bring_up(context, tries=1)
        finally:
            wired.line.switch(Mode.PASS)
        line = context.sendings.open(sending)
        assert line is not None
        assert line.state == "queued"
        await bring_up(context)
        line = context.sendings.open(sending)
        assert line is not None
        assert line.state in ARRIVED


def send_by_command(wired: Wired, *paths: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*KELMU, "--profile", "demo", "--user", WORKER, "documents", "send", *map(str, paths), "--kind", "bill",
         "--way", "letter", "--json"],
        env=wired.world.env, cwd=wired.world.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(wired.code)
    process.stdin.close()
    return process


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def test_killed_while_a_document_goes_up_it_goes_on_and_never_doubles(wired: Wired, tmp_path: Path) -> None:
    paths = write(tmp_path, 31, 32)
    before = wired.sent()
    for part in (0.4, 0.8):
        wired.line.cut_after(int(len(picture(31)) * part), hold=True)
        if part == 0.4:
            process = send_by_command(wired, *paths)
        else:
            process = subprocess.Popen(
                [*KELMU, "--profile", "demo", "--user", WORKER, "documents", "retry"],
                env=wired.world.env, cwd=wired.world.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                text=True,
            )  # fmt: skip
        assert wired.line.reached.wait(60)
        kill(process)
    for path in paths:
        path.unlink()
    # The backend may hold the document for the request that died, until it notices.
    eventually(lambda: _done(wired, len(before) + 1), "the sending", timeout=90)
    assert [count for _, count in wired.sent()[len(before) :]] == [2]
    assert wired.world.kelmu("--user", WORKER, "documents", "retry").code == 0
    assert len(wired.sent()) == len(before) + 1


def _done(wired: Wired, count: int) -> bool:
    wired.world.kelmu("--user", WORKER, "documents", "retry", code=None)
    return len(wired.sent()) >= count


def test_killed_while_sealing_nothing_is_sent_and_what_is_left_goes(wired: Wired, tmp_path: Path) -> None:
    paths = write(tmp_path, *range(40, 44))
    before = wired.sent()
    folder = sealed.folder(wired.folder)
    process = send_by_command(wired, *paths)
    eventually(lambda: folder.exists() and any(folder.iterdir()), "the first copy", timeout=60)
    kill(process)
    wired.world.kelmu("--user", WORKER, "sync")
    with wired.opened() as context:
        waiting = [line for line in context.sendings.lines() if line.receipt is None]
    left = {path.name for path in folder.iterdir()}
    # Either it was not queued yet and nothing of it is left, or it was, and has gone out whole.
    assert (waiting, left) == ([], set())
    assert [count for _, count in wired.sent()[len(before) :]] in ([], [4])


async def test_taken_back_before_the_receipt_nothing_is_left_on_either_side(wired: Wired, tmp_path: Path) -> None:
    before = wired.sent()
    with wired.opened() as context:
        sending = queue(context.sendings, request(wired, *write(tmp_path, 51)))
        wired.line.cut_after(200_000)
        async with connect(context, on_failure=lambda name, error: pytest.fail(f"{name}: {error!r}")) as connection:
            with pytest.raises(Exception, match=r"unreachable|bad_answer"):
                await connection.engine.bring_up(tries=1)
            context.sendings.cancel(sending)
            assert list(sealed.folder(context.store.folder).iterdir()) == []
            await connection.engine.bring_up(tries=8)
        assert states(context, sending) == {copies.State.ENDED}
        assert all(line.id != sending for line in context.sendings.lines())
    assert wired.sent() == before
    assert wired.world.sql("SELECT count(*) FROM upload WHERE sending IS NULL AND wrapped IS NOT NULL") == [(0,)]


async def test_no_file_of_the_client_holds_a_word_of_a_document(wired: Wired, tmp_path: Path) -> None:
    (path,) = write(tmp_path, 61)
    content = path.read_bytes()
    needle = content[len(content) // 2 :][:32]
    home = wired.world.home
    with wired.opened() as context:
        sending = queue(context.sendings, request(wired, path))
        path.unlink()
        assert _holding(home, needle) == []
        assert _holding(home, wired.code.encode()) == []
        await bring_up(context)
        line = context.sendings.open(sending)
        assert line is not None
        assert line.state in ARRIVED
    assert _holding(home, needle) == []


def _holding(home: Path, needle: bytes) -> list[Path]:
    own = home / "data" / "demo" / "backend"
    return [
        path
        for path in home.rglob("*")
        if path.is_file() and not path.is_relative_to(own) and needle in path.read_bytes()
    ]
