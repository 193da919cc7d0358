"""Folders and files that only their owner may read, whatever the umask says."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kelmu_tui.platform.paths import UnsafePath, private_folder, profile, styles, write_new, write_private


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """A careless umask: what is private must be so in spite of it."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_folder_on_the_way_is_private(tmp_path: Path) -> None:
    private_folder(tmp_path / "data" / "demo" / "users")
    assert [mode(tmp_path / p) for p in ("data", "data/demo", "data/demo/users")] == [0o700] * 3


def test_a_folder_that_was_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    assert mode(private_folder(tmp_path / "data")) == 0o700


def test_a_planted_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafePath) as caught:
        private_folder(tmp_path / "data")
    assert caught.value.why == "symlink"


def test_a_written_file_is_private_and_whole(tmp_path: Path) -> None:
    target = tmp_path / "key"
    write_private(target, b"first")
    write_private(target, b"second")
    assert target.read_bytes() == b"second"
    assert mode(target) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["key"], "no temporary file stays behind"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(OSError, match="folder"):
        write_private(target, b"a file cannot replace a folder")
    assert target.is_dir()
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_the_home_variable_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KELMU_HOME", str(tmp_path))
    found = profile("demo")
    for path in (found.root, found.settings, found.users, found.backend, found.reports):
        assert tmp_path in path.parents


def test_the_style_sheets_are_found() -> None:
    assert list(styles().glob("*.tcss"))


def test_a_new_file_is_private_and_whole(tmp_path: Path) -> None:
    target = tmp_path / "new.txt"
    write_new(target, b"all of it")
    assert (target.read_bytes(), mode(target)) == (b"all of it", 0o600)


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    target, link = tmp_path / "there.txt", tmp_path / "link.txt"
    target.write_bytes(b"before")
    link.symlink_to(tmp_path / "elsewhere.txt")
    for path in (target, link, tmp_path):
        with pytest.raises(FileExistsError):
            write_new(path, b"after")
    assert target.read_bytes() == b"before"
    assert not (tmp_path / "elsewhere.txt").exists()


def test_of_a_file_that_could_not_be_written_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        del handle
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_new(tmp_path / "new.txt", b"half")
    assert list(tmp_path.iterdir()) == []
