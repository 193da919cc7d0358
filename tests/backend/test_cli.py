"""The backend as a process, and its other commands."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from kelmu_backend import cli, serve
from kelmu_backend.cli import Exit, main
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_tui.api.contract import PersonaList

SMALL = ("--people", "300", "--notices", "40", "--seed", "5")
PATIENCE = 60.0


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start a demo backend on a free port."""
    ready, log = folder / "ready.json", folder / "log"
    command = [sys.executable, "-m", "kelmu_backend", "serve", "--demo", "--port", "0", "--data", str(folder / "data")]
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--ready-file", str(ready), *SMALL, *arguments], stderr=output)
    try:
        yield process, ready
    finally:
        process.kill()
        process.wait(PATIENCE)


def url_of(process: subprocess.Popen[bytes], ready: Path) -> str:
    """Wait for the ready file and return the address in it."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        if ready.exists():
            found = json.loads(ready.read_text())
            assert found["pid"] == process.pid
            return str(found["url"])
        os.sched_yield()
    raise AssertionError(f"the backend does not answer: {ready.with_name('log').read_text()}")


def test_a_demo_is_filled_served_and_ended_by_a_signal(tmp_path: Path) -> None:
    with running(tmp_path) as (process, ready):
        url = url_of(process, ready)
        assert httpx.get(f"{url}/v1/health").json() == {"status": "ok"}
        assert PersonaList.model_validate(httpx.get(f"{url}/v1/demo/personas").json()).personas
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) in (0, -signal.SIGTERM)
    log = (tmp_path / "log").read_text()
    progress = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert progress[-1] == {"stage": "done", "done": 40, "total": 40}
    assert "Traceback" not in log
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != "log":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_second_start_keeps_what_is_there(tmp_path: Path) -> None:
    for start in (1, 2):
        with running(tmp_path) as (process, ready):
            url_of(process, ready)
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        ready.unlink()
        assert ("done" in (tmp_path / "log").read_text()) == (start == 1)


def test_the_lifeline_ends_the_server_with_its_last_client(tmp_path: Path) -> None:
    lifeline = tmp_path / "lifeline"
    with lifeline.open("w") as first, lifeline.open("r") as second:
        fcntl.flock(first, fcntl.LOCK_SH)
        fcntl.flock(second, fcntl.LOCK_SH)
        with running(tmp_path, "--lifeline", str(lifeline)) as (process, ready):
            url = url_of(process, ready)
            fcntl.flock(first, fcntl.LOCK_UN)
            assert httpx.get(f"{url}/v1/health").status_code == 200
            fcntl.flock(second, fcntl.LOCK_UN)
            assert process.wait(PATIENCE) in (0, -signal.SIGTERM)


def test_a_taken_port_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serve.bind("127.0.0.1", 0) as bound:
        bound.listen()
        port = bound.getsockname()[1]
        assert main(["serve", "--port", str(port), "--data", str(tmp_path / "d")]) == Exit.FAILED
    assert "cannot listen" in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


def test_migrate_population_and_users(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", str(tmp_path / "d"))
    assert main(["migrate", *data]) == Exit.OK
    assert capsys.readouterr().err == "migrated\n"
    assert main(["migrate", *data]) == Exit.OK
    assert capsys.readouterr().err == "nothing to do\n"
    assert main(["population", *data, *SMALL]) == Exit.OK
    assert main(["population", *data, *SMALL]) == Exit.NOT_POSSIBLE
    capsys.readouterr()
    assert main(["users", "list", *data]) == Exit.OK
    users = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    without = next(user for user in users if not user["grants"])
    granted = next(user for user in users if user["grants"])
    mandate, principal = granted["grants"][0]["mandate"], granted["grants"][0]["principal"]
    assert main(["users", "grant", without["id"], mandate, principal, *data]) == Exit.OK
    assert main(["users", "revoke", granted["id"], mandate, principal, *data]) == Exit.OK
    assert main(["users", "revoke", "nobody-of-that-name", mandate, principal, *data]) == Exit.NOT_POSSIBLE
    assert main(["users", "grant", without["id"], mandate, "0000000-0", *data]) == Exit.NOT_POSSIBLE
    capsys.readouterr()
    main(["users", "list", *data])
    after = {user["id"]: user for user in map(json.loads, capsys.readouterr().out.splitlines())}
    assert [grant["mandate"] for grant in after[without["id"]]["grants"]] == [mandate]
    assert len(after[granted["id"]]["grants"]) == len(granted["grants"]) - 1
    audit = tables.audit.c
    database = Database(serve.database_url(tmp_path / "d"))
    with database.read() as connection:
        columns = (audit.user, audit.organisation, audit.mandate, audit.action, audit.outcome)
        told = [tuple(row) for row in connection.execute(select(*columns).order_by(audit.id))]
    database.dispose()
    assert told == [
        (without["id"], principal, mandate, "mandate.given", "administrator"),
        (granted["id"], principal, mandate, "mandate.taken", "administrator"),
    ], "what was refused left no trace of something done"


def test_the_environment_names_another_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(cli.DATABASE_VARIABLE, f"sqlite:///{tmp_path / 'other' / 'kelmu.db'}")
    assert main(["migrate", "--data", str(tmp_path / "d")]) == Exit.OK
    assert (tmp_path / "other" / "kelmu.db").exists()
    assert not (tmp_path / "d").exists()
    capsys.readouterr()


def test_an_unsafe_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert main(["migrate", "--data", str(tmp_path / "link")]) == Exit.NOT_POSSIBLE
    assert "symlink" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["serve", "--notices", "-1"], ["users"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == Exit.USAGE
    assert capsys.readouterr().out == ""


def test_the_file_of_a_record_is_private(tmp_path: Path) -> None:
    database = Database(serve.database_url(tmp_path / "d"))
    database.migrate()
    with database.write() as connection:
        connection.execute(tables.meta.insert().values(key="a", value="b"))
        assert {stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "d").iterdir()} == {0o600}
    database.dispose()
