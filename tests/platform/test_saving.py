"""New files for the user: theirs alone, never over another, whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from kelmu_tui.platform.saving import NotSaved, check, is_shared, save_new, target


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
