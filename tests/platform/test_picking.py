"""What a typed path can become."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kelmu_tui.platform import picking
from kelmu_tui.platform.picking import Entry, completed, listing, path_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("Zeta", "alfa"):
        (tmp_path / name).mkdir()
    for name in ("beta.csv", "Beeta.xlsx", ".hidden", "alfa/own.csv"):
        (tmp_path / name).write_bytes(b"abc")
    return tmp_path


def names(text: str) -> list[str]:
    return [entry.name for entry in listing(text).entries]


def test_folders_come_first_and_hidden_ones_when_asked_for(home: Path) -> None:
    assert names("~/") == names("") == names("~") == ["alfa", "Zeta", "Beeta.xlsx", "beta.csv"]
    assert names("~/.") == [".hidden"]
    assert names("~/b") == ["Beeta.xlsx", "beta.csv"]
    assert names("alfa/") == ["own.csv"]
    assert names(f"{home}/z") == ["Zeta"]
    assert listing("~/b").entries[1] == Entry("beta.csv", folder=False, size=3)
    assert listing("~/z").entries[0] == Entry("Zeta", folder=True, size=None)


def test_a_path_typed_behind_another_takes_its_place(home: Path) -> None:
    assert names(f"~/{home}/b") == ["Beeta.xlsx", "beta.csv"]
    assert names("~/Zeta/~/b") == ["Beeta.xlsx", "beta.csv"]
    assert names(f"{home}/Zeta/~") == names("~/")
    assert path_of(f"~/{home}/beta.csv") == path_of(f"{home}/~/beta.csv") == home / "beta.csv"
    assert listing("~/Zeta/b~").typed == "~/Zeta/", "a name may end so"


def test_what_is_no_folder_has_nothing_in_it(home: Path) -> None:
    for text in ("~/none/", "~/beta.csv/", "~nobody-of-that-name/x", "a\0b/", f"{home}/{'x' * 300}/"):
        assert listing(text) == picking.Listing(listing(text).typed, (), there=False)
    assert listing("~/q") == picking.Listing("~/", (), there=True)


def test_names_that_cannot_be_shown_and_links_to_nothing(home: Path) -> None:
    (home / "x\x1b[2J").write_bytes(b"")
    Path(os.fsdecode(os.fsencode(home) + b"/x\xff")).write_bytes(b"")
    (home / "xlink").symlink_to(home / "gone")
    os.mkfifo(home / "xpipe")
    assert listing("~/x").entries == (Entry("xlink", folder=False, size=None), Entry("xpipe", folder=False, size=None))


def test_a_path_is_completed_as_far_as_all_agree(home: Path) -> None:
    def tab(text: str) -> str:
        return completed(listing(text), text)

    assert tab("~/al") == "~/alfa/"
    assert tab("~/alfa/") == "~/alfa/own.csv"
    assert tab("~/b") == "~/Be"
    assert tab("~/be") == "~/Be"
    assert tab("~/bet") == "~/beta.csv"
    assert tab("~/none") == "~/none"
    assert tab("~") == "~"


def test_not_everything_of_a_large_folder_is_offered(home: Path) -> None:
    for number in range(picking.MOST + 5):
        (home / f"n{number:04d}").write_bytes(b"")
    assert len(names("~/n")) == picking.MOST


def test_paths_lie_in_the_home_folder_unless_they_say_otherwise(home: Path) -> None:
    assert path_of(" ~/a ") == home / "a"
    assert path_of("a/b") == home / "a" / "b"
    assert path_of("/a") == Path("/a")
    with pytest.raises(ValueError, match="home"):
        path_of("~nobody-of-that-name/x")
