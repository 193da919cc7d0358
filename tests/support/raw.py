"""Reading the encrypted files without the program: every page that a key can open, free ones and those of logs too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_PAGE: Final = 4096
_RESERVE: Final = 80
"""Bytes at a page's end: 16 of initialisation vector and 64 of authentication code (SQLCipher 4)."""
_VECTOR: Final = 16
_SALT: Final = 16
_LOG_HEAD, _FRAME_HEAD = 32, 24


def keys(folder: Path) -> dict[str, bytes]:
    """Return the keys that lie open beside the demo's files."""
    wraps: dict[str, str] = json.loads((folder / "wraps.json").read_text())["wraps"]
    return {name: bytes.fromhex(wrap) for name, wrap in wraps.items()}


def _pages(path: Path, key: bytes) -> Iterator[bytes]:
    """Give every stretch of a file that could be a page, decrypted: as in a database and as in a log."""
    data = path.read_bytes()
    for start, step in ((0, _PAGE), (_LOG_HEAD + _FRAME_HEAD, _PAGE + _FRAME_HEAD)):
        for at in range(start, len(data) - _PAGE + 1, step):
            page = data[at : at + _PAGE]
            yield _decrypted(page, key)
            if at == 0:
                yield _decrypted(page[_SALT:], key)


def _decrypted(page: bytes, key: bytes) -> bytes:
    content, vector = page[:-_RESERVE], page[-_RESERVE:][:_VECTOR]
    return Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor().update(content)


def opened_with(folder: Path, key: bytes, needles: Iterable[bytes]) -> list[str]:
    """Return the files below a folder in which the key opens a page that holds one of the needles."""
    wanted = tuple(needles)
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(needle in page for page in _pages(path, key) for needle in wanted)
    )


def lying_open(folder: Path, needles: Iterable[bytes], *, apart_from: tuple[str, ...]) -> list[str]:
    """Return what lies below a folder and holds one of the needles as it is, in its content or its name."""
    wanted = tuple(needles)
    hits: list[str] = []
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        content = path.read_bytes() if path.is_file() else b""
        if not name.startswith(apart_from) and any(needle in content or needle in name.encode() for needle in wanted):
            hits.append(name)
    return hits
