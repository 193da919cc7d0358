"""Keys of the encrypted files: one random 256-bit key for each, wrapped in `wraps.json` beside them (`wraps`).

What opens the wraps is the operating system's keyring (`keyring_keys`), a passphrase (Argon2id), or, for the demo
alone, nothing. A run that leaves no file keeps its keys in memory. Deleting a wrap is the shredding of its file.
Asking for a passphrase is the face's job: it comes in as an argument. The store calls a `KeySource` under the lock of
its folder, so none of these locks by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from kelmu_tui.platform.paths import Profile
from kelmu_tui.store import files
from kelmu_tui.store.errors import KeysChanged, KeysLost, KeysUnavailable, WeakPassphrase, WrongPassphrase
from kelmu_tui.store.wraps import KEY_BYTES, WRAPS_FILE, begun, load, save, seal, unseal
from kelmu_tui.store.wraps import method as method

ARGON2_MEMORY_KIB: Final = 64 * 1024
ARGON2_PASSES: Final = 3
ARGON2_LANES: Final = 4
MOST_MEMORY_KIB: Final = 1024 * 1024
"""A file that asks for more than this to derive a key is damaged, or meant to harm."""
MIN_PASSPHRASE: Final = 12
_COMMON: Final = ("password", "salasana", "lösenord", "losenord", "qwerty", "kelmu", "123456", "abcdef", "aaaaaa")
_CHECK: Final = "check"


class KeySource(Protocol):
    """Where the store gets the keys of its files from."""

    def key(self, name: str) -> bytes:
        """Return the 32-byte key of the file `name`, made and wrapped when there is none.

        Raises:
            KeysUnavailable: it cannot be had now; `KeysLost` when it never can, `KeysChanged` when something else
                opens the wraps by now.
        """
        ...

    def holds(self, name: str) -> bool:
        """Tell whether there is a key of the file `name` already."""
        ...

    def forget(self, name: str) -> None:
        """Delete the wrap of a file for good."""
        ...

    def set_aside(self, stamp: str) -> Path:
        """Move lost wraps aside, so that new ones are begun; return where they are now."""
        ...

    def drop(self) -> None:
        """Forget every secret that is held in memory; the source is of no use afterwards."""
        ...


def salt_of(key: bytes) -> bytes:
    """Return the public salt that a file encrypted with `key` begins with: it tells a wrong key from damage."""
    return hashlib.sha256(b"kelmu file salt\0" + key).digest()[:16]


def wipe(secret: bytearray) -> None:
    """Overwrite a secret; copies that Python or a library made of it are out of reach."""
    secret[:] = bytes(len(secret))


class WrappedKeys:
    """What the sources with a file of wraps share; it is read at each call since another process may have changed it.

    `begin`, `wrap` and `unwrap` work on the file's content, for `rewrap`.
    """

    method = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, name: str) -> bytes:
        """Return the key of a file, as `KeySource`."""
        found = load(self.folder)
        if found is None:
            found = begun(self.folder, self.method)
            self.begin(found)
            save(self.folder, found)
        if found["method"] != self.method:
            raise KeysChanged(str(found["method"]))
        wrap = found["wraps"].get(name)
        if wrap is not None:
            return self.unwrap(found, name, wrap)
        key = os.urandom(KEY_BYTES)
        found["wraps"][name] = self.wrap(found, name, key)
        save(self.folder, found)
        return key

    def holds(self, name: str) -> bool:
        """Tell whether there is a wrap of a file."""
        try:
            found = load(self.folder)
        except KeysUnavailable:
            return False
        return found is not None and name in found["wraps"]

    def forget(self, name: str) -> None:
        """Delete the wrap of a file."""
        found = load(self.folder)
        if found is not None and found["wraps"].pop(name, None) is not None:
            save(self.folder, found)

    def set_aside(self, stamp: str) -> Path:
        """Move the file of wraps aside."""
        return files.set_aside(self.folder / WRAPS_FILE, f"corrupt-{stamp}")

    def drop(self) -> None:
        """Forget what is held in memory: nothing here."""

    def begin(self, content: dict[str, Any]) -> None:
        """Put what the method needs into a new file of wraps."""
        raise NotImplementedError

    def wrap(self, content: dict[str, Any], name: str, key: bytes) -> str:
        """Return the wrap of a key."""
        return seal(self._opener(content), name, key)

    def unwrap(self, content: dict[str, Any], name: str, wrap: Any) -> bytes:
        """Return the key in a wrap."""
        return unseal(self._opener(content), name, wrap)

    def _opener(self, content: dict[str, Any]) -> bytes | bytearray:
        """Return the key that the wraps are encrypted with."""
        raise NotImplementedError


class DemoKeys(WrappedKeys):
    """Keys that lie open beside the files: artificial data, no questions asked. Only the demo may use them."""

    method = "demo"

    def __init__(self, folder: Path, profile: Profile) -> None:
        if profile.name != "demo":
            raise KeysUnavailable("demo_only")
        super().__init__(folder)

    def begin(self, content: dict[str, Any]) -> None:
        """Nothing but the wraps is needed."""

    def wrap(self, content: dict[str, Any], name: str, key: bytes) -> str:  # noqa: ARG002
        """Return the key as it is."""
        return key.hex()

    def unwrap(self, content: dict[str, Any], name: str, wrap: Any) -> bytes:  # noqa: ARG002
        """Return the key as it was written."""
        try:
            key = bytes.fromhex(wrap)
        except (TypeError, ValueError) as error:
            raise KeysLost("damaged") from error
        if len(key) != KEY_BYTES:
            raise KeysLost("damaged")
        return key


class PassphraseKeys(WrappedKeys):
    """Keys wrapped by a passphrase: for machines without a keyring, over SSH for instance.

    The passphrase is held until a key has been derived from it, the derived key until `drop`: organisations are
    changed and replicas begun without asking again. After the wraps were given another passphrase by another
    terminal, the derived key opens nothing: `KeysChanged`.
    """

    method = "passphrase"

    def __init__(self, folder: Path, passphrase: str) -> None:
        super().__init__(folder)
        self._passphrase: str | None = passphrase
        self._derived: tuple[str, bytearray] | None = None

    def drop(self) -> None:
        """Overwrite the derived key and let go of the passphrase, which Python cannot overwrite."""
        self._passphrase = None
        if self._derived is not None:
            wipe(self._derived[1])
            self._derived = None

    def begin(self, content: dict[str, Any]) -> None:
        """Choose a salt and the parameters of the derivation."""
        check_passphrase(self._passphrase or "")
        content["argon2id"] = {
            "salt": os.urandom(16).hex(),
            "memory_kib": ARGON2_MEMORY_KIB,
            "passes": ARGON2_PASSES,
            "lanes": ARGON2_LANES,
        }
        # Sealed nothing: tells a wrong passphrase from damaged wraps.
        content[_CHECK] = seal(self._derive(content), _CHECK, b"")

    def _opener(self, content: dict[str, Any]) -> bytearray:
        opener = self._derive(content)
        try:
            unseal(opener, _CHECK, content.get(_CHECK))
        except KeysLost as error:
            raise WrongPassphrase from error
        self._passphrase = None
        return opener

    def _derive(self, content: dict[str, Any]) -> bytearray:
        try:
            how = content["argon2id"]
            stamp = json.dumps(how, sort_keys=True)
            if self._derived is None or self._derived[0] != stamp:
                if self._passphrase is None:
                    raise KeysChanged(self.method)
                self._derived = (stamp, _argon2id(self._passphrase, how))
        except (KeyError, TypeError, ValueError) as error:
            raise KeysLost("damaged") from error
        return self._derived[1]


def _argon2id(passphrase: str, how: dict[str, Any]) -> bytearray:
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    if not 0 < how["memory_kib"] <= MOST_MEMORY_KIB:
        raise KeysLost("damaged")
    try:
        derived = hash_secret_raw(
            passphrase.encode(),
            bytes.fromhex(how["salt"]),
            time_cost=how["passes"],
            memory_cost=how["memory_kib"],
            parallelism=how["lanes"],
            hash_len=KEY_BYTES,
            type=Type.ID,
        )
    except HashingError as error:
        raise KeysLost("damaged") from error
    return bytearray(derived)


class MemoryKeys:
    """Keys of a run that leaves no file: when the process ends, nothing opens its files any more.

    They are all there is to open the files with, so that a lock cannot drop them.
    """

    _of: ClassVar[dict[Path, MemoryKeys]] = {}

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    @classmethod
    def of(cls, folder: Path) -> MemoryKeys:
        """Return the keys of `folder` in this process: its files are opened more than once."""
        return cls._of.setdefault(folder, MemoryKeys())

    def key(self, name: str) -> bytes:
        """Return the key of a file."""
        return self._keys.setdefault(name, os.urandom(KEY_BYTES))

    def holds(self, name: str) -> bool:
        """Tell whether there is a key of a file."""
        return name in self._keys

    def forget(self, name: str) -> None:
        """Forget the key of a file."""
        self._keys.pop(name, None)

    def set_aside(self, stamp: str) -> Path:
        """Never happens: what is in memory is not damaged."""
        raise KeysLost(stamp)

    def drop(self) -> None:
        """Keep the keys."""


def rewrap(old: WrappedKeys, new: WrappedKeys) -> None:
    """Let another secret open the files of a folder, in one write; the caller holds the lock of the folder.

    Raises:
        WeakPassphrase, WrongPassphrase, KeysUnavailable, StoreUnavailable: nothing was changed.
    """
    found = load(old.folder)
    if found is None:
        raise KeysLost("damaged")
    if found["method"] != old.method:
        raise KeysChanged(str(found["method"]))
    keys = {name: old.unwrap(found, name, wrap) for name, wrap in found["wraps"].items()}
    made = begun(new.folder, new.method)
    new.begin(made)
    made["wraps"] = {name: new.wrap(made, name, key) for name, key in keys.items()}
    stale = [*found.get("stale", ()), *([found["entry"]] if "entry" in found else [])]
    if stale:
        made["stale"] = stale
    save(new.folder, made)


def check_passphrase(passphrase: str) -> None:
    """Refuse a new passphrase that is short or common.

    Raises:
        WeakPassphrase: `reason` is `short` or `common`.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise WeakPassphrase("short")
    folded = passphrase.casefold()
    rest = folded
    for word in _COMMON:
        rest = rest.replace(word, "")
    if len(rest) < MIN_PASSPHRASE // 2 or len(set(folded)) < MIN_PASSPHRASE // 2:
        raise WeakPassphrase("common")
