"""Sealed copies: what comes out is what went in, or nothing; and what nobody opens any more goes."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kelmu_tui.store import copies, sealed
from kelmu_tui.store.copies import NewCopy
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull, StoreUnavailable
from kelmu_tui.store.sealed import PIECE, BrokenSeal, Copy, Seal
from tests.store.build import OWN, flip

DOCUMENT, OTHER = "ab" * 16, "cd" * 16
SIZES = (1, 15, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 7)


def sealed_of(folder: Path, data: bytes, document: str = DOCUMENT) -> tuple[bytes, Path]:
    """Seal bytes, and return key and file."""
    seal = Seal(folder, document)
    for start in range(0, len(data), 300_007):
        seal.write(data[start : start + 300_007])
    seal.finish()
    seal.close()
    assert seal.size == len(data)
    return seal.key, sealed.folder(folder) / document


def read(folder: Path, key: bytes, size: int, document: str = DOCUMENT) -> bytes:
    with Copy(folder, document, key, size) as copy:
        return b"".join(copy.piece(place) for place in range(copy.pieces))


@pytest.mark.parametrize("size", SIZES)
def test_what_comes_out_is_what_went_in(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    key, path = sealed_of(tmp_path, data)
    assert read(tmp_path, key, size) == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_nothing_of_it_lies_there_in_the_clear(tmp_path: Path) -> None:
    data = b"Aino Virtasen tiliote " * 60_000
    _, path = sealed_of(tmp_path, data)
    assert b"Virtasen" not in path.read_bytes()


@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 2 * PIECE + 7 + 3 * 16 - 1))
def test_a_changed_byte_is_found(tmp_path_factory: pytest.TempPathFactory, place: int) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    size = 2 * PIECE + 7
    key, path = sealed_of(folder, bytes(size))
    flip(path, place)
    with Copy(folder, DOCUMENT, key, size) as copy, pytest.raises(BrokenSeal):
        copy.piece(place // (PIECE + 16))


def test_pieces_cannot_be_swapped_cut_off_or_taken_from_another_copy(tmp_path: Path) -> None:
    size = 2 * PIECE
    key, path = sealed_of(tmp_path, os.urandom(size))
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(whole[half:] + whole[:half])
    with Copy(tmp_path, DOCUMENT, key, size) as copy, pytest.raises(BrokenSeal):
        copy.piece(0)
    path.write_bytes(whole[:half])
    with pytest.raises(BrokenSeal):
        Copy(tmp_path, DOCUMENT, key, size)
    # Even where the ledger said that it is shorter: a piece knows that it is not the last one.
    with Copy(tmp_path, DOCUMENT, key, PIECE) as copy, pytest.raises(BrokenSeal):
        copy.piece(0)
    path.with_name(OTHER).write_bytes(whole)
    with Copy(tmp_path, OTHER, key, size) as copy, pytest.raises(BrokenSeal):
        copy.piece(0)
    path.unlink()
    with pytest.raises(BrokenSeal):
        Copy(tmp_path, DOCUMENT, key, size)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    sealed_of(tmp_path, b"x")
    with Copy(tmp_path, DOCUMENT, bytes(32), 1) as copy, pytest.raises(BrokenSeal):
        copy.piece(0)


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not an id"):
        Seal(tmp_path, "../../" + "a" * 26)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "aim").write_text("mine")
    sealed.folder(tmp_path).mkdir(mode=0o700)
    (sealed.folder(tmp_path) / DOCUMENT).symlink_to(tmp_path / "aim")
    with pytest.raises(StoreUnavailable):
        Seal(tmp_path, DOCUMENT)
    with pytest.raises(StoreUnavailable):
        Copy(tmp_path, DOCUMENT, bytes(32), 1)
    assert (tmp_path / "aim").read_text() == "mine"


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    seal = Seal(tmp_path, DOCUMENT)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(StoreFull):  # noqa: PT012 - either of them may be where the disk says no
        seal.write(bytes(PIECE + 1))
        seal.finish()
    monkeypatch.undo()
    seal.discard()
    assert list(sealed.folder(tmp_path).iterdir()) == []


# --- tidying --------------------------------------------------------------------------------------------------------


def added(store: Store, document: str = DOCUMENT) -> Seal:
    """Return a finished copy that the ledger knows and that is still held."""
    seal = Seal(store.folder, document)
    seal.write(b"content")
    seal.finish()
    with store.write() as db:
        copies.add(db, "s1", OWN, [NewCopy(document, seal.size, seal.key, 1, ("gps",))])
    return seal


def test_what_is_being_made_and_what_has_a_key_stays(store: Store) -> None:
    making = Seal(store.folder, OTHER)
    held = added(store)
    held.close()
    assert copies.tidy(store) == 0
    assert {path.name for path in sealed.folder(store.folder).iterdir()} == {DOCUMENT, OTHER}
    making.close()  # whoever made it died before the ledger knew of it
    assert copies.tidy(store) == 1
    assert {path.name for path in sealed.folder(store.folder).iterdir()} == {DOCUMENT}


def test_key_first_then_the_file(store: Store) -> None:
    added(store).close()
    with store.write() as db:
        copies.received(db, "s1")
    with store.read() as db:
        assert db.execute("SELECT key FROM main.sealed_copy").fetchall() == [(None,)]
    assert [path.name for path in sealed.folder(store.folder).iterdir()] == [DOCUMENT]  # a crash may come here
    assert copies.tidy(store) == 1
    assert list(sealed.folder(store.folder).iterdir()) == []
    assert copies.tidy(store) == 0


def test_strange_files_are_left_alone(store: Store) -> None:
    added(store).close()
    (sealed.folder(store.folder) / "notes.txt").write_text("somebody else's")
    assert copies.tidy(store) == 0
    assert (sealed.folder(store.folder) / "notes.txt").exists()


def test_a_key_is_not_shown_by_what_is_handed_out(store: Store) -> None:
    seal = added(store)
    with store.read() as db:
        (key,) = db.execute("SELECT key FROM main.sealed_copy").fetchone()
    assert bytes(key) == seal.key
    shown = repr(copies.Due(DOCUMENT, "s1", OWN, 1, seal.key, begun=False, anew=False, attempt=1))
    assert repr(seal.key) not in shown
    assert "key" not in shown
    seal.close()
