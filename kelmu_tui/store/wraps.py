"""The file of wrapped keys: how it is read, written and sealed.

`wraps.json` lies beside the encrypted files: `format`, `folder` (the name of the folder it was made in), `method`,
what the method needs, `wraps` (a file's name to its wrapped key) and `stale` (entries of the keyring that open nothing
any more and are to be deleted). It is replaced as a whole, so that a crash leaves the old file or the new one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from kelmu_tui.platform.paths import write_private
from kelmu_tui.store import files
from kelmu_tui.store.errors import KeysLost, KeysMisplaced

WRAPS_FILE: Final = "wraps.json"
FORMAT: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
METHODS: Final = ("keyring", "passphrase", "demo")


def method(folder: Path) -> str | None:
    """Return `keyring`, `passphrase` or `demo`: what opens the wraps in `folder`; None when there are none yet.

    Also None when they are unreadable: asking for a key tells why.
    """
    try:
        found = load(folder)
    except (KeysLost, KeysMisplaced):
        return None
    return None if found is None else str(found["method"])


def begun(folder: Path, how: str) -> dict[str, Any]:
    """Return the content of a new file of wraps."""
    return {"format": FORMAT, "folder": folder.name, "method": how, "wraps": {}}


def load(folder: Path) -> dict[str, Any] | None:
    """Return the content of the file, None when there is none.

    Raises:
        KeysLost: it is damaged.
        KeysMisplaced: it was made in another folder and opens nothing here.
        StoreUnavailable: it cannot be read now.
    """
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
    whole = isinstance(found, dict) and found.get("format") == FORMAT and isinstance(found.get("wraps"), dict)
    if not whole or found.get("method") not in METHODS:
        raise KeysLost("damaged")
    if found.get("folder", folder.name) != folder.name:
        raise KeysMisplaced
    content: dict[str, Any] = found
    return content


def save(folder: Path, content: dict[str, Any]) -> None:
    """Replace the file; the caller holds the lock of the folder."""
    try:
        write_private(folder / WRAPS_FILE, json.dumps(content, indent=1).encode())
        # What a crash left of an earlier write may hold a wrap that is forgotten by now.
        for left in folder.glob(f".{WRAPS_FILE}.*.new"):
            left.unlink(missing_ok=True)
    except OSError as error:
        raise files.unavailable(error) from error


def seal(opener: bytes | bytearray, name: str, key: bytes) -> str:
    """Return `key` encrypted by `opener`; it opens only under the name of its own file."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return (nonce + AESGCM(opener).encrypt(nonce, key, _context(name))).hex()


def unseal(opener: bytes | bytearray, name: str, wrap: Any) -> bytes:
    """Return the key in a wrap.

    Raises:
        KeysLost: the wrap is damaged, or of another file or opener.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        sealed = bytes.fromhex(wrap)
        return AESGCM(opener).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _context(name))
    except (InvalidTag, TypeError, ValueError) as error:
        raise KeysLost("damaged") from error


def _context(name: str) -> bytes:
    return f"kelmu {FORMAT} {name}".encode()
