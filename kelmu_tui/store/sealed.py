"""Sealed copies of documents that wait to be sent: encrypted files in the user's folder, for the user alone.

A copy is a row of pieces of 1 MiB, each encrypted with AES-256-GCM under a random key of the copy. The key stands in
the ledger and nowhere else, so that a copy is destroyed by forgetting it; the file follows. A piece is bound to its
document, its place and whether it is the last one: pieces that are changed, moved, missing or of another copy don't
open. Nonces are the places, since a key seals one copy and no other.

A file is locked while it is made and until its key is committed. What is not locked and has no key is nobody's.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kelmu_tui.platform.paths import UnsafePath, private_folder, sync_folder
from kelmu_tui.store import files
from kelmu_tui.store.errors import StoreUnavailable

PIECE: Final = 1 << 20
"""Bytes of a document in one piece."""
KEY_BYTES: Final = 32
FOLDER: Final = "sealed"
_TAG: Final = 16
_NONCE: Final = 12
_DOCUMENT: Final = re.compile(r"[0-9a-f]{32}")


class BrokenSeal(Exception):
    """A copy is gone, too short, or not what was sealed."""


def folder(of: Path) -> Path:
    """Return the folder of the sealed copies in a user's folder."""
    return of / FOLDER


class Seal:
    """A copy that is being made; `close` it after its key is committed, or when it is not wanted.

    Attributes:
        key: opens it; nobody else knows it yet.
        size, sha256: of what has been written into it.
    """

    def __init__(self, of: Path, document: str) -> None:
        """Begin a copy in a user's folder.

        Args:
            document: id of the document, 32 hexadecimal digits.

        Raises:
            StoreFull, StoreUnavailable: the disk does not take it.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.document = document
        self.key = os.urandom(KEY_BYTES)
        self.size = 0
        self._aead = AESGCM(self.key)
        self._digest = hashlib.sha256()
        self._rest = bytearray()
        self._places = 0
        self._path = _path(of, document)
        try:
            private_folder(folder(of))
        except UnsafePath as error:
            raise StoreUnavailable("unsafe") from error
        except OSError as error:
            raise files.unavailable(error) from error
        # Made and locked in one step for whoever tidies up: it never sees the one without the other.
        with files.locked(of):
            self._handle = _made(self._path)
            try:
                files.try_lock(self._handle)
            except BaseException:
                self.discard()
                raise

    @property
    def sha256(self) -> str:
        """Digest of what was written, as hexadecimal digits."""
        return self._digest.hexdigest()

    def write(self, data: bytes | memoryview) -> None:
        """Seal more of the document.

        Raises:
            StoreFull, StoreUnavailable: the disk does not take it.
        """
        self.size += len(data)
        self._digest.update(data)
        self._rest += data
        # What fills a piece exactly may be the last one: it waits for more.
        while len(self._rest) > PIECE:
            self._put(bytes(self._rest[:PIECE]), last=False)
            del self._rest[:PIECE]

    def finish(self) -> None:
        """Seal the last piece and have all of it on the disk.

        Raises:
            StoreFull, StoreUnavailable: the disk does not take it.
        """
        self._put(bytes(self._rest), last=True)
        self._rest.clear()
        try:
            os.fsync(self._handle)
            sync_folder(self._path.parent)
        except OSError as error:
            raise files.unavailable(error) from error

    def discard(self) -> None:
        """Remove the copy: it is not wanted."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file; from now on it stands and falls with its key in the ledger."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _put(self, piece: bytes, *, last: bool) -> None:
        sealed = memoryview(self._aead.encrypt(_nonce(self._places), piece, _context(self.document, last=last)))
        self._places += 1
        try:
            while sealed:
                sealed = sealed[os.write(self._handle, sealed) :]
        except OSError as error:
            raise files.unavailable(error) from error


class Copy:
    """A sealed copy that is read; pieces may be asked for on any thread, one at a time."""

    def __init__(self, of: Path, document: str, key: bytes, size: int) -> None:
        """Open a copy.

        Raises:
            BrokenSeal: it is not there, or its length is not that of what was sealed.
            StoreUnavailable: the disk does not give it.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.size = size
        self.pieces = max(1, -(-size // PIECE))
        self._document = document
        self._aead = AESGCM(key)
        try:
            self._handle = os.open(_path(of, document), os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError as error:
            raise BrokenSeal from error
        except OSError as error:
            raise files.unavailable(error) from error
        if os.fstat(self._handle).st_size != size + self.pieces * _TAG:
            self.close()
            raise BrokenSeal

    def piece(self, place: int) -> bytes:
        """Return the bytes of a piece.

        Raises:
            BrokenSeal: it is not what was sealed.
            StoreUnavailable: the disk does not give it.
        """
        from cryptography.exceptions import InvalidTag

        try:
            sealed = os.pread(self._handle, PIECE + _TAG, place * (PIECE + _TAG))
        except OSError as error:
            raise files.unavailable(error) from error
        try:
            last = place == self.pieces - 1
            return self._aead.decrypt(_nonce(place), sealed, _context(self._document, last=last))
        except (InvalidTag, ValueError) as error:
            raise BrokenSeal from error

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def strays(of: Path, kept: Collection[str]) -> list[str]:
    """Return the documents of files that nothing in the ledger opens, among them those that are being made.

    Args:
        kept: documents with a key.
    """
    try:
        names = os.listdir(folder(of))  # noqa: PTH208 - names are all that is wanted
    except FileNotFoundError:
        return []
    except OSError as error:
        raise files.unavailable(error) from error
    return [name for name in names if _DOCUMENT.fullmatch(name) and name not in kept]


def hold(of: Path, document: str) -> int | None:
    """Take the lock of a copy that nobody is making; the caller closes the handle. None when somebody is, or no file.

    Raises:
        StoreUnavailable: the disk says no.
    """
    try:
        handle = os.open(_path(of, document), os.O_RDWR | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise files.unavailable(error) from error
    if files.try_lock(handle):
        return handle
    os.close(handle)
    return None


def remove(of: Path, document: str) -> None:
    """Remove the file of a copy whose key is gone.

    Raises:
        StoreUnavailable: the disk says no.
    """
    try:
        _path(of, document).unlink(missing_ok=True)
        sync_folder(folder(of))
    except OSError as error:
        raise files.unavailable(error) from error


def _made(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise files.unavailable(error) from error


def _path(of: Path, document: str) -> Path:
    if _DOCUMENT.fullmatch(document) is None:
        raise ValueError("not an id of a document")
    return folder(of) / document


def _nonce(place: int) -> bytes:
    return place.to_bytes(_NONCE, "big")


def _context(document: str, *, last: bool) -> bytes:
    return f"kelmu sealed 1 {document} {'last' if last else 'more'}".encode()
