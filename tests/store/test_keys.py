"""Keys: wrapped by keyring, passphrase or nothing, and every way in which they can be missing."""

from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import pytest

from kelmu_tui.platform.ids import RandomIds
from kelmu_tui.platform.paths import Profile
from kelmu_tui.store import files, keyring_keys, keys, wraps
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import KeysLost, KeysUnavailable, StoreFull, WeakPassphrase, WrongPassphrase
from kelmu_tui.store.keyring_keys import KeyringKeys
from kelmu_tui.store.keys import DemoKeys, KeySource, PassphraseKeys, WrappedKeys, method
from kelmu_tui.store.wraps import WRAPS_FILE
from tests.store.build import FixedClock
from tests.store.secrets_table import put_secret, secrets_of

GOOD = "kolme punaista venettä"


class Ring:
    """A keyring in memory; its class stands in for an allowed one."""

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.secrets.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self.secrets[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        del self.secrets[service, name]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    monkeypatch.setattr(keyring_keys, "ALLOWED_BACKENDS", frozenset({f"{Ring.__module__}.Ring"}))
    return Ring()


@pytest.fixture(autouse=True)
def _cheap_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (keys.ARGON2_MEMORY_KIB, keys.ARGON2_PASSES, keys.ARGON2_LANES) == (65536, 3, 4)
    monkeypatch.setattr(keys, "ARGON2_MEMORY_KIB", 64)
    monkeypatch.setattr(keys, "ARGON2_PASSES", 1)


def source(kind: str, folder: Path, ring: Ring) -> KeySource:
    if kind == "demo":
        return DemoKeys(folder, Profile("demo", folder, folder))
    return PassphraseKeys(folder, GOOD) if kind == "passphrase" else KeyringKeys(folder, backend=lambda: ring)


@pytest.mark.parametrize("kind", ["demo", "passphrase", "keyring"])
def test_keys_stay_the_same_differ_by_file_and_end_for_good(kind: str, tmp_path: Path, ring: Ring) -> None:
    assert method(tmp_path) is None
    first = source(kind, tmp_path, ring)
    a, b = first.key("a"), first.key("b")
    assert len(a) == len(b) == 32
    assert a != b
    assert method(tmp_path) == kind
    again = source(kind, tmp_path, ring)
    assert again.key("a") == a
    again.forget("a")
    again.forget("a")
    assert first.key("a") != a
    assert first.key("b") == b
    assert (tmp_path / WRAPS_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["passphrase", "keyring"])
def test_wraps_hold_no_key_and_fit_one_file_only(kind: str, tmp_path: Path, ring: Ring) -> None:
    found = source(kind, tmp_path, ring)
    text = found.key("a").hex()
    assert text not in (tmp_path / WRAPS_FILE).read_text()
    content = json.loads((tmp_path / WRAPS_FILE).read_text())
    content["wraps"]["b"] = content["wraps"]["a"]
    (tmp_path / WRAPS_FILE).write_text(json.dumps(content))
    with pytest.raises(KeysLost):
        found.key("b")


def test_only_the_demo_keeps_keys_open(tmp_path: Path) -> None:
    with pytest.raises(KeysUnavailable) as caught:
        DemoKeys(tmp_path, Profile("default", tmp_path, tmp_path))
    assert caught.value.reason == "demo_only"


def test_a_wrong_passphrase_is_told_and_moves_nothing(tmp_path: Path) -> None:
    Store.open(tmp_path, PassphraseKeys(tmp_path, GOOD), FixedClock(), RandomIds()).close()
    with pytest.raises(WrongPassphrase):
        Store.open(tmp_path, PassphraseKeys(tmp_path, GOOD + "!"), FixedClock(), RandomIds())
    store = Store.open(tmp_path, PassphraseKeys(tmp_path, GOOD), FixedClock(), RandomIds())
    assert store.incidents == ()
    store.close()


@pytest.mark.parametrize(
    ("passphrase", "reason"),
    [("short", "short"), ("salasana12345", "common"), ("aaaaaaaaaaaaaaaa", "common"), ("Qwerty123456", "common")],
)
def test_weak_passphrases_are_refused_for_new_wraps(passphrase: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(WeakPassphrase) as caught:
        PassphraseKeys(tmp_path, passphrase).key("a")
    assert caught.value.reason == reason
    assert not (tmp_path / WRAPS_FILE).exists()


def test_the_parameters_of_the_derivation_stand_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = PassphraseKeys(tmp_path, GOOD).key("a")
    monkeypatch.setattr(keys, "ARGON2_PASSES", 2)
    assert PassphraseKeys(tmp_path, GOOD).key("a") == key
    assert json.loads((tmp_path / WRAPS_FILE).read_text())["argon2id"]["passes"] == 1


def test_another_method_does_not_replace_the_wraps(tmp_path: Path, ring: Ring) -> None:
    KeyringKeys(tmp_path, backend=lambda: ring).key("a")
    with pytest.raises(KeysUnavailable) as caught:
        PassphraseKeys(tmp_path, GOOD).key("a")
    assert (caught.value.code, caught.value.reason) == ("keys_changed", "keyring")


def test_a_keyring_that_never_answers_is_left_behind(tmp_path: Path, ring: Ring) -> None:
    stuck = threading.Event()

    def hanging() -> Ring:
        stuck.wait(30)
        return ring

    with pytest.raises(KeysUnavailable) as caught:
        KeyringKeys(tmp_path, backend=hanging, deadline=0.01).key("a")
    stuck.set()
    assert caught.value.reason == "keyring_silent"


def test_a_keyring_in_clear_text_is_no_keyring(tmp_path: Path) -> None:
    class PlaintextKeyring(Ring):
        pass

    with pytest.raises(KeysUnavailable) as caught:
        KeyringKeys(tmp_path, backend=PlaintextKeyring).key("a")
    assert caught.value.reason == "keyring_missing"


def test_an_allowed_keyring_is_found_in_a_chain(tmp_path: Path, ring: Ring) -> None:
    class Chain:
        backends = (object(), ring)

    KeyringKeys(tmp_path, backend=Chain).key("a")
    assert len(ring.secrets) == 1


def test_a_keyring_that_fails_or_forgets_is_told(tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ring, "set_password", lambda *_: None)
    with pytest.raises(KeysUnavailable) as caught:
        KeyringKeys(tmp_path, backend=lambda: ring).key("a")
    assert caught.value.reason == "keyring_refused"
    assert not (tmp_path / WRAPS_FILE).exists()
    monkeypatch.undo()


def test_a_secret_gone_from_the_keyring_means_lost_keys(tmp_path: Path, ring: Ring) -> None:
    KeyringKeys(tmp_path, backend=lambda: ring).key("a")
    ring.secrets.clear()
    with pytest.raises(KeysLost):
        KeyringKeys(tmp_path, backend=lambda: ring).key("a")


@pytest.mark.parametrize("text", ["", "[]", '{"format": 99}', '{"format": 1, "method": "demo", "wraps": {"a": "zz"}}'])
def test_damaged_wraps_are_lost_keys(text: str, tmp_path: Path) -> None:
    (tmp_path / WRAPS_FILE).write_text(text)
    with pytest.raises(KeysLost):
        DemoKeys(tmp_path, Profile("demo", tmp_path, tmp_path)).key("a")


# --- changing what opens them ---------------------------------------------------------------------------------------

NEW = "neljä sinistä purjetta"


def opener(kind: str, folder: Path, ring: Ring, passphrase: str) -> WrappedKeys:
    return PassphraseKeys(folder, passphrase) if kind == "passphrase" else KeyringKeys(folder, backend=lambda: ring)


@pytest.mark.parametrize(
    ("before", "after"), [("passphrase", "passphrase"), ("passphrase", "keyring"), ("keyring", "passphrase")]
)
def test_all_keys_go_over_to_the_new_way_and_the_old_one_opens_nothing(
    tmp_path: Path, ring: Ring, before: str, after: str
) -> None:
    old = opener(before, tmp_path, ring, GOOD)
    known = {name: old.key(name) for name in ("ledger.db", "replica-1.db")}
    keys.rewrap(old, opener(after, tmp_path, ring, NEW))
    assert KeyringKeys(tmp_path, backend=lambda: ring).forget_stale()
    assert method(tmp_path) == after
    fresh = opener(after, tmp_path, ring, NEW)
    assert {name: fresh.key(name) for name in known} == known
    assert len(ring.secrets) == (after == "keyring")
    if before == "passphrase":
        with pytest.raises(KeysUnavailable):
            PassphraseKeys(tmp_path, GOOD).key("ledger.db")


@pytest.mark.parametrize("new", ["lyhyt", "salasana1234"])
def test_a_weak_new_passphrase_changes_nothing(tmp_path: Path, new: str) -> None:
    known = PassphraseKeys(tmp_path, GOOD).key("a")
    with pytest.raises(WeakPassphrase):
        keys.rewrap(PassphraseKeys(tmp_path, GOOD), PassphraseKeys(tmp_path, new))
    assert PassphraseKeys(tmp_path, GOOD).key("a") == known


def test_with_a_wrong_old_passphrase_nothing_changes(tmp_path: Path) -> None:
    known = PassphraseKeys(tmp_path, GOOD).key("a")
    with pytest.raises(WrongPassphrase):
        keys.rewrap(PassphraseKeys(tmp_path, NEW), PassphraseKeys(tmp_path, NEW))
    assert PassphraseKeys(tmp_path, GOOD).key("a") == known


def test_a_keyring_that_refuses_leaves_the_passphrase(
    tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = PassphraseKeys(tmp_path, GOOD).key("a")
    monkeypatch.setattr(keyring_keys, "ALLOWED_BACKENDS", frozenset())
    with pytest.raises(KeysUnavailable):
        keys.rewrap(PassphraseKeys(tmp_path, GOOD), KeyringKeys(tmp_path, backend=lambda: ring))
    assert PassphraseKeys(tmp_path, GOOD).key("a") == known


def test_a_full_disk_leaves_the_old_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = PassphraseKeys(tmp_path, GOOD).key("a")

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(wraps, "write_private", full)
        with pytest.raises(StoreFull):
            keys.rewrap(PassphraseKeys(tmp_path, GOOD), PassphraseKeys(tmp_path, NEW))
    assert PassphraseKeys(tmp_path, GOOD).key("a") == known


def test_an_open_store_goes_on_and_opens_with_the_new_one(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    store = Store.open(folder, PassphraseKeys(folder, GOOD), FixedClock(), RandomIds())
    with files.locked(folder):
        keys.rewrap(PassphraseKeys(folder, GOOD), PassphraseKeys(folder, NEW))
    put_secret(store, "kept")
    store.close()
    again = Store.open(folder, PassphraseKeys(folder, NEW), FixedClock(), RandomIds())
    assert secrets_of(again) == ["kept"]
    again.close()
