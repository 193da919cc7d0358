"""The folder of a run that leaves no file: made in memory alone, swept when it was left, never under a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kelmu_tui.platform import ephemeral
from kelmu_tui.platform.ephemeral import LOCK_FILE, PREFIX, NoMemoryDisk, make, sweep
from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.platform.paths import Profile


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that passes for one in memory."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(ephemeral, "SHARED_MEMORY", tmp_path / "none")
    monkeypatch.setattr(ephemeral, "file_system", lambda _: "tmpfs")
    return tmp_path


def test_a_run_has_a_private_folder_and_takes_everything_with_it(memory: Path) -> None:
    run = make(RandomIds())
    assert run.path.parent == memory
    assert run.path.stat().st_mode & 0o777 == 0o700
    profile = run.profile(Profile("demo", memory / "data", memory / "settings.toml"))
    assert profile.ephemeral
    assert profile.settings == memory / "settings.toml"
    profile.users.mkdir(parents=True)
    (profile.users / "x").write_bytes(b"x")
    run.remove()
    run.remove()
    assert list(memory.iterdir()) == []


def test_runs_that_live_are_left_alone_and_the_others_are_swept(memory: Path) -> None:
    living, dead = make(RandomIds()), make(RandomIds())
    os.close(dead._handle)  # as the kernel does when a process is killed
    (dead.path / "data").mkdir()
    (memory / "kelmu-other").mkdir()
    assert sweep() == 1
    assert sorted(path.name for path in memory.iterdir()) == sorted(["kelmu-other", living.path.name])
    living.remove()


def test_a_backend_that_lives_keeps_the_folder_of_a_dead_run(memory: Path) -> None:
    import fcntl

    dead = make(RandomIds())
    os.close(dead._handle)
    backend = dead.path / "data" / "demo" / "backend"
    backend.mkdir(parents=True)
    handle = os.open(backend / "backend.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert sweep() == 0
    os.close(handle)
    assert sweep() == 1


def test_a_link_is_not_followed(memory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / LOCK_FILE).write_bytes(b"")
    (memory / f"{PREFIX}x").symlink_to(elsewhere)
    assert sweep() == 0
    assert (elsewhere / LOCK_FILE).exists()


def test_without_a_disk_in_memory_there_is_no_run(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ephemeral, "file_system", lambda _: "ext4")
    with pytest.raises(NoMemoryDisk):
        make(RandomIds())
    assert list(memory.iterdir()) == []
