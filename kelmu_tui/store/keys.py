"""Keys of the encrypted files: one random 256-bit key for each, wrapped in `wraps.json` beside them.

What opens the wraps is the operating system's keyring, a passphrase (Argon2id), or, for the demo alone, nothing.
Deleting a wrap is the shredding of its file. Asking for a passphrase is the face's job: it comes in as an argument.
The store calls a `KeySource` under the lock of its folder, so none of these locks by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from kelmu_tui.platform.paths import Profile, write_private
from kelmu_tui.store import files
from kelmu_tui.store.errors import KeysLost, KeysUnavailable, WeakPassphrase, WrongPassphrase

WRAPS_FILE: Final = "wraps.json"
FORMAT: Final = 1
KEY_BYTES: Final = 32
KEYRING_DEADLINE: Final = 3.0
"""Seconds that the keyring may take: a locked collection can keep its caller waiting for ever."""
KEYRING_SERVICE: Final = "kelmu"
ALLOWED_BACKENDS: Final = frozenset(
    {
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
    }
)
"""Keyrings that keep secrets encrypted by the operating system; files in clear text are not among them."""

ARGON2_MEMORY_KIB: Final = 64 * 1024
ARGON2_PASSES: Final = 3
ARGON2_LANES: Final = 4
MIN_PASSPHRASE: Final = 12
_COMMON: Final = ("password", "salasana", "lösenord", "losenord", "qwerty", "kelmu", "123456", "abcdef", "aaaaaa")
_NONCE_BYTES: Final = 12
_CHECK: Final = "check"


class KeySource(Protocol):
    """Where the store gets the keys of its files from."""

    def key(self, name: str) -> bytes:
        """Return the 32-byte key of the file `name`, made and wrapped when there is none.

        Raises:
            KeysUnavailable: it cannot be had now; `KeysLost` when it never can.
        """
        ...

    def forget(self, name: str) -> None:
        """Delete the wrap of a file for good."""
        ...

    def set_aside(self, stamp: str) -> Path:
        """Move lost wraps aside, so that new ones are begun; return where they are now."""
        ...


def salt_of(key: bytes) -> bytes:
    """Return the public salt that a file encrypted with `key` begins with: it tells a wrong key from damage."""
    return hashlib.sha256(b"kelmu file salt\0" + key).digest()[:16]


def method(folder: Path) -> str | None:
    """Return `keyring`, `passphrase` or `demo`: what opens the wraps in `folder`; None when there are none yet."""
    try:
        found = _load(folder)
    except KeysLost:
        return None
    return None if found is None else str(found["method"])


def _load(folder: Path) -> dict[str, Any] | None:
    try:
        text = (folder / WRAPS_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise KeysLost("damaged") from error
    except OSError as error:
        raise files.unavailable(error) from error
    try:
        found = json.loads(text)
    except ValueError as error:
        raise KeysLost("damaged") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("wraps"), dict):
        raise KeysLost("damaged")
    return found


def _save(folder: Path, found: dict[str, Any]) -> None:
    try:
        write_private(folder / WRAPS_FILE, json.dumps(found, indent=1).encode())
    except OSError as error:
        raise files.unavailable(error) from error


class _Wraps:
    """What the three sources share: the file, read again at each call since another process may have changed it."""

    method = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, name: str) -> bytes:
        found = _load(self.folder)
        if found is None:
            found = {"format": FORMAT, "method": self.method, "wraps": {}}
            self._begin(found)
            _save(self.folder, found)
        if found["method"] != self.method:
            raise KeysUnavailable(f"wrapped_by_{found['method']}")
        wrap = found["wraps"].get(name)
        if wrap is not None:
            return self._unwrap(found, name, wrap)
        key = os.urandom(KEY_BYTES)
        found["wraps"][name] = self._wrap(found, name, key)
        _save(self.folder, found)
        return key

    def forget(self, name: str) -> None:
        found = _load(self.folder)
        if found is not None and found["wraps"].pop(name, None) is not None:
            _save(self.folder, found)

    def all(self) -> dict[str, bytes]:
        """Return the keys of all files by their names."""
        found = self._found()
        return {name: self._unwrap(found, name, wrap) for name, wrap in found["wraps"].items()}

    def begin_with(self, keys: Mapping[str, bytes]) -> None:
        """Write a new file of wraps with these keys over the old one, in one step."""
        fresh: dict[str, Any] = {"format": FORMAT, "method": self.method, "wraps": {}}
        self._begin(fresh)
        fresh["wraps"] = {name: self._wrap(fresh, name, key) for name, key in keys.items()}
        _save(self.folder, fresh)

    def retire(self) -> Callable[[], None]:
        """Return what forgets that which opens the wraps of now, once others have taken their place."""
        return lambda: None

    def _found(self) -> dict[str, Any]:
        found = _load(self.folder)
        if found is None or found["method"] != self.method:
            raise KeysUnavailable("wrapped_by_another")
        return found

    def set_aside(self, stamp: str) -> Path:
        return files.set_aside(self.folder / WRAPS_FILE, f"corrupt-{stamp}")

    def _begin(self, found: dict[str, Any]) -> None:
        """Put what the method needs into a new file of wraps."""
        raise NotImplementedError

    def _wrap(self, found: dict[str, Any], name: str, key: bytes) -> str:
        return _seal(self._opener(found), name, key)

    def _unwrap(self, found: dict[str, Any], name: str, wrap: Any) -> bytes:
        return _unseal(self._opener(found), name, wrap)

    def _opener(self, found: dict[str, Any]) -> bytes:
        """Return the key that the wraps are encrypted with."""
        raise NotImplementedError


class DemoKeys(_Wraps):
    """Keys that lie open beside the files: artificial data, no questions asked. Only the demo may use them."""

    method = "demo"

    def __init__(self, folder: Path, profile: Profile) -> None:
        if profile.name != "demo":
            raise KeysUnavailable("demo_only")
        super().__init__(folder)

    def _begin(self, found: dict[str, Any]) -> None:
        """Nothing but the wraps is needed."""

    def _wrap(self, _found: dict[str, Any], _name: str, key: bytes) -> str:
        return key.hex()

    def _unwrap(self, _found: dict[str, Any], _name: str, wrap: Any) -> bytes:
        try:
            key = bytes.fromhex(wrap)
        except (TypeError, ValueError) as error:
            raise KeysLost("damaged") from error
        if len(key) != KEY_BYTES:
            raise KeysLost("damaged")
        return key


class PassphraseKeys(_Wraps):
    """Keys wrapped by a passphrase: for machines without a keyring, over SSH for instance."""

    method = "passphrase"

    def __init__(self, folder: Path, passphrase: str) -> None:
        super().__init__(folder)
        self._passphrase = passphrase
        self._derived: tuple[str, bytes] | None = None

    def _begin(self, found: dict[str, Any]) -> None:
        check_passphrase(self._passphrase)
        found["argon2id"] = {
            "salt": os.urandom(16).hex(),
            "memory_kib": ARGON2_MEMORY_KIB,
            "passes": ARGON2_PASSES,
            "lanes": ARGON2_LANES,
        }
        # Sealed nothing: tells a wrong passphrase from damaged wraps.
        found[_CHECK] = _seal(self._derive(found), _CHECK, b"")

    def _opener(self, found: dict[str, Any]) -> bytes:
        opener = self._derive(found)
        try:
            _unseal(opener, _CHECK, found.get(_CHECK))
        except KeysLost as error:
            raise WrongPassphrase from error
        return opener

    def _derive(self, found: dict[str, Any]) -> bytes:
        from argon2.low_level import Type, hash_secret_raw

        try:
            how = found["argon2id"]
            stamp = json.dumps(how, sort_keys=True)
            if self._derived is None or self._derived[0] != stamp:
                derived = hash_secret_raw(
                    self._passphrase.encode(),
                    bytes.fromhex(how["salt"]),
                    time_cost=how["passes"],
                    memory_cost=how["memory_kib"],
                    parallelism=how["lanes"],
                    hash_len=KEY_BYTES,
                    type=Type.ID,
                )
                self._derived = (stamp, derived)
        except (KeyError, TypeError, ValueError) as error:
            raise KeysLost("damaged") from error
        return self._derived[1]


class KeyringKeys(_Wraps):
    """Keys wrapped by a secret of the operating system's keyring."""

    method = "keyring"

    def __init__(
        self, folder: Path, *, backend: Callable[[], Any] | None = None, deadline: float = KEYRING_DEADLINE
    ) -> None:
        super().__init__(folder)
        self._backend = backend or _system_keyring
        self._deadline = deadline
        self._secrets: dict[str, bytes] = {}

    def _begin(self, found: dict[str, Any]) -> None:
        entry, secret = os.urandom(16).hex(), os.urandom(KEY_BYTES)
        self._ask(lambda ring: ring.set_password(KEYRING_SERVICE, entry, secret.hex()))
        # A keyring that forgets at once would cost the whole ledger at the next start.
        if self._ask(lambda ring: ring.get_password(KEYRING_SERVICE, entry)) != secret.hex():
            raise KeysUnavailable("keyring_refused")
        found["entry"] = entry

    def retire(self) -> Callable[[], None]:
        entry = str(self._found().get("entry"))

        def forget() -> None:
            # What is left opens nothing any more: that it can't be deleted is no reason to fail.
            with suppress(KeysUnavailable):
                self._ask(lambda ring: ring.delete_password(KEYRING_SERVICE, entry))

        return forget

    def _opener(self, found: dict[str, Any]) -> bytes:
        entry = str(found.get("entry"))
        if entry not in self._secrets:
            answer = self._ask(lambda ring: ring.get_password(KEYRING_SERVICE, entry))
            if answer is None:
                raise KeysLost("keyring_forgot")
            self._secrets[entry] = bytes.fromhex(answer)
        return self._secrets[entry]

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        """Ask the keyring in a thread of its own, which is left behind when it does not answer in time."""
        import queue
        import threading

        answers: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put((True, question(self._allowed(self._backend()))))
            except KeysUnavailable as error:
                answers.put((False, error))
            except Exception as error:  # noqa: BLE001 - each backend raises its own family
                refused = KeysUnavailable("keyring_refused")
                refused.__cause__ = error
                answers.put((False, refused))

        threading.Thread(target=ask, name="keyring", daemon=True).start()
        try:
            good, answer = answers.get(timeout=self._deadline)
        except queue.Empty:
            raise KeysUnavailable("keyring_silent") from None
        if not good:
            raise answer
        return answer

    @staticmethod
    def _allowed(found: Any) -> Any:
        """Return the keyring to use: the one found, or the first good one when several are chained.

        Raises:
            KeysUnavailable: none of them keeps secrets encrypted.
        """
        for ring in (found, *getattr(found, "backends", ())):
            kind = type(ring)
            if f"{kind.__module__}.{kind.__qualname__}" in ALLOWED_BACKENDS:
                return ring
        raise KeysUnavailable("keyring_missing")


def rewrap(old: KeySource, new: KeySource) -> None:
    """Wrap all keys of a folder by `new` in place of `old`; the caller holds the folder's lock.

    The wraps are replaced in one step: a crash leaves the old ones or the new ones, and either opens everything.

    Raises:
        KeysUnavailable: `old` does not open them, or `new` can't be had; nothing has changed then.
    """
    if not isinstance(old, _Wraps) or not isinstance(new, _Wraps):
        raise KeysUnavailable("demo_only")
    keys, forget = old.all(), old.retire()
    new.begin_with(keys)
    forget()


def _system_keyring() -> Any:
    import keyring  # 70 ms: only where it is used

    return keyring.get_keyring()


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


def _seal(opener: bytes, name: str, key: bytes) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    return (nonce + AESGCM(opener).encrypt(nonce, key, _context(name))).hex()


def _unseal(opener: bytes, name: str, wrap: Any) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        sealed = bytes.fromhex(wrap)
        return AESGCM(opener).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _context(name))
    except (InvalidTag, TypeError, ValueError) as error:
        raise KeysLost("damaged") from error


def _context(name: str) -> bytes:
    """A wrap opens only under the name of its own file."""
    return f"kelmu {FORMAT} {name}".encode()
