"""The backend's own secret, and what is signed or sealed with it: cursors, leases, keys of documents.

One random key lies in the secret folder; a key for each purpose is derived from it, so that a signature made for
one purpose means nothing for another. Sign-in has keys of its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from kelmu_tui.platform.paths import private_folder, write_private

FILE: Final = "backend.key"
_TAG: Final = 16
"""Bytes of a signature: 128 bits cannot be guessed over the network."""


def load(folder: Path) -> bytes:
    """Return the backend's 32-byte key, made on the first start.

    Raises:
        UnsafePath: the folder is not ours alone.
        ValueError: the key file is damaged.
    """
    path = private_folder(folder) / FILE
    if not path.exists():
        write_private(path, secrets.token_bytes(32))
    key = path.read_bytes()
    if len(key) != 32:
        raise ValueError("the backend's key file does not hold 32 bytes")
    return key


def derived(key: bytes, purpose: str) -> bytes:
    """Return the 32-byte key for one purpose."""
    return hmac.digest(key, purpose.encode(), hashlib.sha256)


class Signer:
    """Signs and opens short texts for one purpose."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._key = derived(key, purpose)

    def sign(self, payload: bytes, context: str = "") -> str:
        """Return `payload` with its signature, URL-safe; `context` is signed too but not carried."""
        return base64.urlsafe_b64encode(self._tag(payload, context) + payload).decode().rstrip("=")

    def open(self, text: str, context: str = "") -> bytes | None:
        """Return the payload of a signed text, None when it was not signed here for this context."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        tag, payload = raw[:_TAG], raw[_TAG:]
        return payload if hmac.compare_digest(tag, self._tag(payload, context)) else None

    def mark(self, text: str) -> str:
        """Return what tells `text` from others without telling it: 64 hexadecimal digits."""
        return hmac.digest(self._key, text.encode(), hashlib.sha256).hex()

    def _tag(self, payload: bytes, context: str) -> bytes:
        message = len(context).to_bytes(4, "big") + context.encode() + payload
        return hmac.digest(self._key, message, hashlib.sha256)[:_TAG]
