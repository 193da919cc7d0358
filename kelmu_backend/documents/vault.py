"""Content of documents, sealed before it touches a disk: in files beside a record in a file, in rows on PostgreSQL.

Each upload has a random key of its own, which the record holds wrapped by a key that is derived from the backend's.
Content comes in pieces of at most a mebibyte, each sealed by AES-256-GCM under a random nonce and bound to its upload
and its number, so that pieces cannot be swapped, left out or taken from elsewhere. Whoever loses the backend's key has
lost what was uploaded and not yet taken; whoever deletes the wrapped key has destroyed the content.

While it arrives, content is appended to a file that is locked for one writer. Nothing of it counts before the record
says so: what lies behind that is cut off by the next writer. With PostgreSQL the file holds one request's pieces only,
which move into rows in the transaction that counts them, so that any process of the backend can go on.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, bindparam, insert, select

from kelmu_backend.database.document_tables import upload, upload_piece
from kelmu_backend.database.engine import Database
from kelmu_tui.platform.paths import private_folder, sync_folder

PIECE: Final = 1 << 20
"""Bytes of content that one piece holds at the most."""

_NONCE: Final = 12
_LENGTH: Final = struct.Struct(">I")
"""In a file, the length of a sealed piece stands before it."""
_SEALED: Final = PIECE + _NONCE + 16

_ONE: Final = select(upload_piece.c.content).where(
    upload_piece.c.place == bindparam("of"), upload_piece.c.number == bindparam("nth")
)
_COUNTED: Final = select(upload.c.offset, upload.c.stored).where(upload.c.place == bindparam("of"))


class Busy(Exception):
    """Somebody else writes the same content now."""


class Unreadable(Exception):
    """The content or its key is gone or damaged, or the backend's key is another one."""


class Held(NamedTuple):
    """What the record counts of an upload's content.

    Attributes:
        place: its name.
        wrapped: its key, wrapped.
        offset: bytes of content.
        pieces: in how many pieces.
        stored: how many bytes of a file they take, 0 where they lie in rows.
    """

    place: str
    wrapped: bytes
    offset: int = 0
    pieces: int = 0
    stored: int = 0


class Writer:
    """Appends to one upload's content; `close` it in any case.

    Raises:
        Busy: somebody else does.
    """

    def __init__(self, path: Path, held: Held, key: AESGCM) -> None:
        self._before = self._now = held
        self._key = key
        # Not truncated when opened: somebody else may be writing it.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(handle, "r+b", buffering=0)
        self._path = path
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise Busy from None

    @property
    def held(self) -> Held:
        """What there is now; it counts once the record says so."""
        return self._now

    def add(self, chunks: Iterable[bytes]) -> None:
        """Seal and append some bytes; all of them stay in memory for that.

        Raises:
            OSError: the disk does not take them.
        """
        content = memoryview(b"".join(chunks))
        for start in range(0, len(content), PIECE):
            part = content[start : start + PIECE]
            nonce = os.urandom(_NONCE)
            sealed = self._key.encrypt(nonce, part, _bound(self._now.place, self._now.pieces))
            length = _NONCE + len(sealed)
            self._write(b"".join((_LENGTH.pack(length), nonce)))
            self._write(sealed)
            self._now = self._now._replace(
                offset=self._now.offset + len(part),
                pieces=self._now.pieces + 1,
                stored=self._now.stored + _LENGTH.size + length,
            )

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def sync(self) -> None:
        """Let what was written outlive a loss of power."""
        os.fsync(self._file.fileno())
        if not self._before.stored:
            sync_folder(self._path.parent)

    def drop(self) -> None:
        """Forget what was added, or what lies behind what is counted.

        Raises:
            Unreadable: what is counted is not there any more.
        """
        if os.fstat(self._file.fileno()).st_size < self._before.stored:
            raise Unreadable
        self._file.truncate(self._before.stored)
        self._file.seek(self._before.stored)
        self._now = self._before

    def close(self) -> None:
        """Let others write."""
        self._file.close()

    def added(self) -> Iterator[tuple[int, bytes]]:
        """Give number and sealed bytes of each piece that was added."""
        self._file.seek(self._before.stored)
        for number in range(self._before.pieces, self._now.pieces):
            yield number, _next(self._file)


class Vault:
    """All content of one record."""

    def __init__(self, folder: Path, key: bytes, database: Database) -> None:
        self._folder = folder
        self._wrapping = AESGCM(key)
        self._database = database
        self._in_rows = not database.is_sqlite

    def new(self, place: str) -> Held:
        """Return empty content with a key of its own."""
        nonce = os.urandom(_NONCE)
        key = AESGCM.generate_key(256)
        return Held(place, nonce + self._wrapping.encrypt(nonce, key, place.encode()))

    def writer(self, held: Held) -> Writer:
        """Open content for writing.

        Raises:
            Busy: somebody else writes it, or did since it was looked up.
            Unreadable: it cannot be opened any more.
            OSError: the disk refuses.
        """
        key = self._open(held)
        writer = Writer(private_folder(self._folder) / held.place, held, key)
        try:
            # Behind the lock, for whoever held it before may have added what must not be cut off.
            with self._database.read() as connection:
                counted = connection.execute(_COUNTED, {"of": held.place}).one_or_none()
            if counted is None or tuple(counted) != (held.offset, held.stored):
                raise Busy
            writer.drop()
        except BaseException:
            writer.close()
            raise
        return writer

    def counted(self, writer: Writer) -> Held:
        """Return what is to be counted of what a writer has added."""
        return writer.held._replace(stored=0) if self._in_rows else writer.held

    def keep(self, connection: Connection, writer: Writer) -> None:
        """Keep what a writer added, in the transaction that has counted it: nobody else can do so until its end.

        On PostgreSQL it moves into rows here; elsewhere the writer must have been settled before.
        """
        if self._in_rows:
            for number, sealed in writer.added():
                values = {"place": writer.held.place, "number": number, "content": sealed}
                connection.execute(insert(upload_piece), values)

    def settle(self, writer: Writer) -> None:
        """Make what a writer added durable where the record does not do that by itself."""
        if not self._in_rows:
            writer.sync()

    def done(self, writer: Writer) -> None:
        """Close a writer; a file that has no part in the content any more goes."""
        if self._in_rows:
            (self._folder / writer.held.place).unlink(missing_ok=True)
        writer.close()

    def read(self, held: Held) -> Iterator[bytes]:
        """Give the content piece by piece.

        Raises:
            Unreadable: not all of it can be opened.
        """
        key = self._open(held)
        total = 0
        for number, sealed in enumerate(self._sealed(held)):
            try:
                part = key.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(held.place, number))
            except (InvalidTag, ValueError):
                raise Unreadable from None
            total += len(part)
            yield part
        if total != held.offset:
            raise Unreadable

    def destroy(self, places: Iterable[str]) -> None:
        """Remove the files of content whose keys the record has forgotten."""
        for place in places:
            (self._folder / place).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the names of the files, whatever they belong to."""
        if not self._folder.is_dir():
            return []
        with os.scandir(self._folder) as found:
            return [one.name for one in found if one.is_file(follow_symlinks=False)]

    def destroy_stray(self, place: str) -> bool:
        """Remove a file that belongs to no content, unless somebody is writing it; return whether it is gone."""
        try:
            with (self._folder / place).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (self._folder / place).unlink()
        except OSError:
            return False
        return True

    def _sealed(self, held: Held) -> Iterator[bytes]:
        if self._in_rows:
            for number in range(held.pieces):
                # A short look for each: no connection is held while a piece is worked on.
                with self._database.read() as connection:
                    content = connection.execute(_ONE, {"of": held.place, "nth": number}).scalar_one_or_none()
                if content is None:
                    raise Unreadable
                yield bytes(content)
            return
        if not held.pieces:
            return  # before the first byte there is no file
        try:
            with (self._folder / held.place).open("rb", buffering=0) as file:
                for _ in range(held.pieces):
                    yield _next(file)
        except OSError:
            raise Unreadable from None

    def _open(self, held: Held) -> AESGCM:
        wrapped = held.wrapped
        try:
            return AESGCM(self._wrapping.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], held.place.encode()))
        except (InvalidTag, ValueError):
            raise Unreadable from None


def _bound(place: str, number: int) -> bytes:
    return f"{place}:{number}".encode()


def _next(file: FileIO) -> bytes:
    head = file.read(_LENGTH.size)
    if len(head) != _LENGTH.size:
        raise Unreadable
    (length,) = _LENGTH.unpack(head)
    sealed = file.read(length) if length <= _SEALED else b""
    if len(sealed) != length:
        raise Unreadable
    return sealed
