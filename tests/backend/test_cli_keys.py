"""`kelmu-backend keys`, and a server that is no demo and has none."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from kelmu_backend.cli import Exit, main
from kelmu_backend.cli import keys as commands
from kelmu_backend.identity import keys, tokens
from tests.backend.conftest import HandClock

PATIENCE = 60.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    found = HandClock()
    monkeypatch.setattr(commands, "SystemClock", lambda: found)
    return found


def listed(data: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["keys", "list", "--data", str(data)]) == Exit.OK
    out, err = capsys.readouterr()
    assert err == ""
    return [json.loads(line) for line in out.splitlines()]


def secrets_of(data: Path) -> set[str]:
    """Return everything in the key files that nobody may see."""
    found = set()
    for path in (data / "secrets" / keys.FOLDER).iterdir():
        content = json.loads(path.read_text())
        found.add(content["key"] if "key" in content else content["jwk"]["d"])
    return found


def test_keys_are_made_once_and_never_shown(
    tmp_path: Path, clock: HandClock, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "d"
    assert main(["keys", "create", "--data", str(data)]) == Exit.OK
    out, err = capsys.readouterr()
    made = json.loads(out)
    assert made == {"id": made["id"], "signs_from": clock.now().isoformat(), "state": "signing"}
    files = {path: path.read_bytes() for path in (data / "secrets" / keys.FOLDER).iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert not [secret for secret in secrets_of(data) if secret in out + err]
    assert main(["keys", "create", "--data", str(data)]) == Exit.NOT_POSSIBLE
    refused = capsys.readouterr()
    assert refused.out == ""
    assert "already" in refused.err
    assert {path: path.read_bytes() for path in files} == files
    assert listed(data, capsys) == [made]


def test_half_a_set_is_completed(tmp_path: Path, clock: HandClock, capsys: pytest.CaptureFixture[str]) -> None:
    main(["keys", "create", "--data", str(tmp_path)])
    (tmp_path / "secrets" / keys.FOLDER / "hash.json").unlink()
    (kept,) = (tmp_path / "secrets" / keys.FOLDER).iterdir()
    before = kept.read_bytes()
    assert main(["keys", "list", "--data", str(tmp_path)]) == Exit.NOT_POSSIBLE
    assert main(["keys", "create", "--data", str(tmp_path)]) == Exit.OK
    assert kept.read_bytes() == before
    assert len(listed(tmp_path, capsys)) == 1


def test_a_replaced_key_stays_as_long_as_any_token_made_with_it(
    tmp_path: Path, clock: HandClock, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", str(tmp_path))
    main(["keys", "create", *data])
    assert main(["keys", "rotate", *data]) == Exit.OK
    first, second = listed(tmp_path, capsys)
    assert (first["state"], second["state"]) == ("signing", "waiting")
    assert datetime.fromisoformat(second["signs_from"]) == clock.now() + keys.OVERLAP

    # Whoever asks twice does not get a heap of keys.
    assert main(["keys", "rotate", *data]) == Exit.NOT_POSSIBLE
    assert second["id"] in capsys.readouterr().err

    clock.pass_by(seconds=keys.OVERLAP.total_seconds())
    last_token = clock.now() + tokens.LIFE + tokens.SKEW
    assert [row["state"] for row in listed(tmp_path, capsys)] == ["verifying", "signing"]
    main(["keys", "rotate", *data])
    assert [row["id"] for row in listed(tmp_path, capsys)][:2] == [first["id"], second["id"]]

    clock.pass_by(seconds=(keys.RETIRED_AFTER - timedelta(seconds=1)).total_seconds())
    assert last_token < clock.now()
    assert [row["state"] for row in listed(tmp_path, capsys)] == ["verifying", "verifying", "signing"]
    main(["keys", "rotate", *data])
    assert first["id"] in [row["id"] for row in listed(tmp_path, capsys)]
    clock.pass_by(hours=1)
    assert [row["state"] for row in listed(tmp_path, capsys)] == ["over", "over", "over", "signing"]
    main(["keys", "rotate", *data])
    assert [row["state"] for row in listed(tmp_path, capsys)] == ["signing", "waiting"]


@pytest.mark.parametrize("action", ["rotate", "list"])
def test_without_keys_the_way_to_them_is_told(action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", action, "--data", str(tmp_path / "d")]) == Exit.NOT_POSSIBLE
    out, err = capsys.readouterr()
    assert (out, "kelmu-backend keys create" in err) == ("", True)
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("action", ["rotate", "list"])
@pytest.mark.parametrize("harm", ["demo", "open", "damaged"])
def test_keys_that_are_not_fit_are_told(
    action: str, harm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.create(tmp_path / "secrets", datetime(2026, 11, 23, tzinfo=UTC), demo=harm == "demo")
    (path,) = (tmp_path / "secrets" / keys.FOLDER).glob("signing-*")
    if harm == "open":
        path.chmod(0o644)
    if harm == "damaged":
        path.write_text("{")
    assert main(["keys", action, "--data", str(tmp_path)]) == Exit.NOT_POSSIBLE
    err = capsys.readouterr().err
    assert "cannot be used" in err
    assert len(list((tmp_path / "secrets" / keys.FOLDER).iterdir())) == 2


def serving(data: Path, ready: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kelmu_backend", "serve", "--port", "0", "--data", str(data)]
    return subprocess.Popen([*command, "--ready-file", str(ready)], stderr=subprocess.PIPE, text=True)


def test_a_server_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    process = serving(tmp_path / "d", tmp_path / "ready")
    err = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == Exit.FAILED
    assert err.startswith("kelmu-backend: ")
    assert "`kelmu-backend keys create`" in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "d").exists()


def test_a_server_refuses_the_keys_of_a_demo(tmp_path: Path) -> None:
    keys.create(tmp_path / "secrets", datetime(2026, 11, 23, tzinfo=UTC), demo=True)
    process = serving(tmp_path, tmp_path / "ready")
    err = process.communicate(timeout=PATIENCE)[1]
    assert (process.returncode, "demonstration" in err) == (Exit.FAILED, True)


def test_a_server_takes_up_a_rotation_while_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, ready = tmp_path / "d", tmp_path / "ready"
    assert main(["keys", "create", "--data", str(data)]) == Exit.OK
    process = serving(data, ready)
    try:
        ends = time.monotonic() + PATIENCE
        while not ready.exists():
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < ends
            os.sched_yield()
        url = json.loads(ready.read_text())["url"]

        def published() -> list[str]:
            return [key["kid"] for key in httpx.get(f"{url}/.well-known/jwks.json").json()["keys"]]

        assert published() == [row["id"] for row in listed(data, capsys)]
        assert main(["keys", "rotate", "--data", str(data)]) == Exit.OK
        assert published() == [row["id"] for row in listed(data, capsys)]
        assert len(published()) == 2
        assert httpx.get(f"{url}/v1/demo/personas").status_code == 404
    finally:
        process.kill()
        process.communicate()
