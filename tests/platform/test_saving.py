"""New files for the user: theirs alone, never over another, whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
from pathlib import Path

import pytest

from kelmu_tui.platform.saving import NotSaved, check, is_shared, new_file, save_new, target, working_folder


def reason(path: Path, text: str = "teksti") -> str:
    with pytest.raises(NotSaved) as failure:
        save_new(path, text)
    return failure.value.reason


def test_a_new_file_is_for_its_owner_alone_whatever_the_mask(tmp_path: Path) -> None:
    path = tmp_path / "asiakas.txt"
    mask = os.umask(0)
    try:
        save_new(path, "Örnvik\n")
    finally:
        os.umask(mask)
    assert path.read_bytes() == "Örnvik\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_table_begins_with_the_mark_that_spreadsheets_look_for(tmp_path: Path) -> None:
    save_new(tmp_path / "a.csv", "ä", mark=True)
    assert (tmp_path / "a.csv").read_bytes() == b"\xef\xbb\xbf\xc3\xa4"


def test_nothing_that_is_there_is_touched(tmp_path: Path) -> None:
    there, folder, link = tmp_path / "a.txt", tmp_path / "folder", tmp_path / "link"
    there.write_text("tärkeä")
    folder.mkdir()
    link.symlink_to(tmp_path / "elsewhere")
    for path in (there, folder, link):
        assert reason(path) == "exists"
        with pytest.raises(NotSaved, match="exists"):
            check(path)
    assert there.read_text() == "tärkeä"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("none/a.txt", "no_folder"), ("file/a.txt", "no_folder"), ("a" * 300, "name"), ("a\0b", "name")],
)
def test_where_no_file_can_be_is_said(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "file").touch()
    assert reason(tmp_path / name) == expected
    with pytest.raises(NotSaved, match=expected):
        check(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, "full"), (errno.EIO, "io")])
def test_of_a_disk_that_does_not_take_it_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: str
) -> None:
    def refused(_: int) -> None:
        raise OSError(number, "")

    monkeypatch.setattr("os.fsync", refused)
    assert reason(tmp_path / "a.txt") == expected
    assert list(tmp_path.iterdir()) == []


def test_a_free_name_passes(tmp_path: Path) -> None:
    check(tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_bare_name_and_a_tilde_mean_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert target(" a.txt ") == tmp_path / "a.txt"
    assert target("~/a.txt") == tmp_path / "a.txt"
    assert target("/srv/a.txt") == Path("/srv/a.txt")
    with pytest.raises(NotSaved, match="name"):
        target("~nobody-has-this-name/a.txt")


@pytest.mark.parametrize(("mode", "shared"), [(0o700, False), (0o755, False), (0o770, True), (0o1777, True)])
def test_a_folder_is_shared_when_others_may_change_it(tmp_path: Path, mode: int, shared: bool) -> None:
    tmp_path.chmod(mode)
    assert is_shared(tmp_path) is shared
    assert not is_shared(tmp_path / "none")


# --- written some at a time -----------------------------------------------------------------------------------------


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with new_file(path) as file:
        file.write(b"puoli")
        file.flush()
        (begun,) = tmp_path.iterdir()
        assert begun.name.startswith(".kelmu-")
        assert stat.S_IMODE(begun.stat().st_mode) == 0o600
        file.write(b"kas")
    assert [path] == list(tmp_path.iterdir())
    assert path.read_bytes() == b"puolikas"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "a.csv", []
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.exists()))
        fsync(handle)

    monkeypatch.setattr("os.fsync", noted)
    with new_file(path) as file:
        file.write(b"x")
    assert synced == [(False, False), (True, True)]


@pytest.mark.parametrize("raised", [KeyError("x"), KeyboardInterrupt(), SystemExit(143)])
def test_of_a_block_that_fails_nothing_is_left(tmp_path: Path, raised: BaseException) -> None:
    def half() -> None:
        with new_file(tmp_path / "a.csv") as file:
            file.write(b"x")
            raise raised

    with pytest.raises(type(raised)):
        half()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_was_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    def late() -> None:
        with new_file(path) as file:
            file.write(b"x")
            path.write_bytes(b"ensin")

    with pytest.raises(NotSaved, match="exists"):
        late()
    assert path.read_bytes() == b"ensin"
    assert list(tmp_path.iterdir()) == [path]


def _no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, "")


def test_a_disk_without_second_names_takes_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.link", _no_links)
    path = tmp_path / "a.csv"
    save_new(path, "x")
    assert path.read_text() == "x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert reason(path) == "exists"
    assert list(tmp_path.iterdir()) == [path]


def test_of_a_disk_without_second_names_that_fails_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EIO, "")

    monkeypatch.setattr("os.link", _no_links)
    monkeypatch.setattr(Path, "replace", refused)
    assert reason(tmp_path / "a.csv") == "io"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_grows_too_large_is_gone(tmp_path: Path) -> None:
    """A limit of the process is met in the middle of a real write, as a full disk is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(NotSaved, match="full"), new_file(tmp_path / "a.csv") as file:
            file.writelines(b"x" * 1000 for _ in range(1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def test_a_working_folder_is_for_its_owner_alone_and_goes(tmp_path: Path) -> None:
    def work() -> None:
        with working_folder(tmp_path / "a.xlsx") as folder:
            assert folder.parent == tmp_path
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            (folder / "rivit").write_text("x")
            raise KeyError

    mask = os.umask(0)
    try:
        with pytest.raises(KeyError):
            work()
    finally:
        os.umask(mask)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotSaved, match="no_folder"), working_folder(tmp_path / "none" / "a.xlsx"):
        pytest.fail("there is no folder to work in")
