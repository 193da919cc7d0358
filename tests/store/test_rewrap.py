"""Changing what opens the wraps, cut short at every step: the old secret or the new one opens everything."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kelmu_tui.store import keyring_keys, keys, wraps
from kelmu_tui.store.errors import KeysLost, KeysMisplaced, WrongPassphrase
from kelmu_tui.store.keyring_keys import KeyringKeys
from kelmu_tui.store.keys import PassphraseKeys, rewrap
from kelmu_tui.store.wraps import WRAPS_FILE
from tests.store.test_keys import Ring

GOOD, NEW = "kolme punaista venettä", "neljä sinistä purjetta"
NAMES = ("ledger.db", "replica-1.db", "replica-2.db")


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "ARGON2_MEMORY_KIB", 64)
    monkeypatch.setattr(keys, "ARGON2_PASSES", 1)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    monkeypatch.setattr(keyring_keys, "ALLOWED_BACKENDS", frozenset({f"{Ring.__module__}.Ring"}))
    return Ring()


def whole(folder: Path, passphrase: str) -> dict[str, bytes] | None:
    """Return all keys that a passphrase opens, None when it opens none."""
    source = PassphraseKeys(folder, passphrase)
    try:
        return {name: source.key(name) for name in NAMES}
    except WrongPassphrase:
        return None


@pytest.mark.parametrize("step", range(5))
def test_a_crash_leaves_the_old_secret_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    known = whole(tmp_path, GOOD)
    calls = 0

    def counting(real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == step + 1:
                raise Crash
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        # What touches the disk: the file made, its data synced, the rename, the folder synced.
        patch.setattr(os, "open", counting(os.open))
        patch.setattr(os, "fsync", counting(os.fsync))
        patch.setattr(Path, "replace", counting(Path.replace))
        try:
            rewrap(PassphraseKeys(tmp_path, GOOD), PassphraseKeys(tmp_path, NEW))
            finished = True
        except Crash:
            finished = False
    assert calls >= min(step + 1, 5)
    found = [whole(tmp_path, GOOD), whole(tmp_path, NEW)]
    assert known in found
    assert None in found
    assert (found[1] == known) or not finished


def test_the_salt_is_new_and_no_wrap_stays(tmp_path: Path) -> None:
    whole(tmp_path, GOOD)
    before = json.loads((tmp_path / WRAPS_FILE).read_text())
    rewrap(PassphraseKeys(tmp_path, GOOD), PassphraseKeys(tmp_path, NEW))
    after = json.loads((tmp_path / WRAPS_FILE).read_text())
    assert after["argon2id"]["salt"] != before["argon2id"]["salt"]
    assert not set(after["wraps"].values()) & set(before["wraps"].values())


def test_what_a_crash_left_of_a_write_goes_with_the_next(tmp_path: Path) -> None:
    source = PassphraseKeys(tmp_path, GOOD)
    source.key("ledger.db")
    left = tmp_path / f".{WRAPS_FILE}.4711.new"
    left.write_bytes((tmp_path / WRAPS_FILE).read_bytes())
    source.forget("ledger.db")
    assert [path.name for path in tmp_path.iterdir()] == [WRAPS_FILE], "a wrap that is forgotten lies nowhere"


def test_a_keyring_that_will_not_forget_is_asked_again(
    tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeyringKeys(tmp_path, backend=lambda: ring).key("ledger.db")
    rewrap(KeyringKeys(tmp_path, backend=lambda: ring), PassphraseKeys(tmp_path, NEW))
    with monkeypatch.context() as patch:
        patch.setattr(Ring, "delete_password", lambda *_: None)
        assert not KeyringKeys(tmp_path, backend=lambda: ring).forget_stale()
    assert len(ring.secrets) == 1
    rewrap(PassphraseKeys(tmp_path, NEW), PassphraseKeys(tmp_path, GOOD))
    assert KeyringKeys(tmp_path, backend=lambda: ring).forget_stale()
    assert ring.secrets == {}
    assert "stale" not in json.loads((tmp_path / WRAPS_FILE).read_text())


def test_wraps_of_another_folder_are_told_and_nothing_is_touched(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        PassphraseKeys(folder, GOOD).key("ledger.db")
    (two / WRAPS_FILE).write_bytes((one / WRAPS_FILE).read_bytes())
    with pytest.raises(KeysMisplaced):
        PassphraseKeys(two, GOOD).key("ledger.db")
    assert (two / WRAPS_FILE).read_bytes() == (one / WRAPS_FILE).read_bytes()
    content = wraps.load(one) or {}
    del content["folder"]
    wraps.save(one, content)
    assert PassphraseKeys(one, GOOD).key("ledger.db"), "an older file does not name its folder"


@pytest.mark.parametrize("asked", [0, -1, 2**40])
def test_parameters_that_no_machine_could_meet_are_damage(tmp_path: Path, asked: int) -> None:
    PassphraseKeys(tmp_path, GOOD).key("ledger.db")
    content = wraps.load(tmp_path) or {}
    content["argon2id"]["memory_kib"] = asked
    wraps.save(tmp_path, content)
    with pytest.raises(KeysLost):
        PassphraseKeys(tmp_path, GOOD).key("ledger.db")
