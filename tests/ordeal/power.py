"""What a disk holds after a power loss, worked out from the journal of `faulty_io.c`.

A file holds what it held at its last sync, a folder the names it had at its own last sync; of what was written since
nothing is there, or, in the other picture, a part of it by chance.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

_HEAD: Final = struct.Struct("<QqII")
_SECTOR: Final = 512


class Record(NamedTuple):
    """One record of the journal; `kind` is a letter that `faulty_io.c` explains."""

    kind: str
    inode: int
    offset: int
    data: bytes


def read_journal(path: Path) -> Iterator[Record]:
    """Give the records in their order."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        inode, offset, length, kind = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield Record(chr(kind), inode, offset, data[at : at + length])
        at += length


class _File:
    """Content as the program sees it, content at the last sync, and what was done since."""

    def __init__(self) -> None:
        self.live = bytearray()
        self.synced = b""
        self.since: list[tuple[int, bytes | None]] = []

    def write(self, offset: int, data: bytes) -> None:
        _put(self.live, offset, data)
        self.since.append((offset, data))

    def truncate(self, length: int) -> None:
        _cut(self.live, length)
        self.since.append((length, None))

    def sync(self) -> None:
        self.synced = bytes(self.live)
        self.since.clear()

    def by_chance(self, dice: random.Random) -> bytes:
        """Return what was synced and about half of what was done since, some of that only in part."""
        content = bytearray(self.synced)
        for offset, data in self.since:
            if dice.random() < 0.5:
                continue
            if data is None:
                _cut(content, offset)
            else:
                sectors = len(data) // _SECTOR
                torn = dice.random() < 0.2
                _put(content, offset, data[: dice.randrange(sectors + 1) * _SECTOR] if torn else data)
        return bytes(content)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    content.extend(bytes(max(0, offset + len(data) - len(content))))
    content[offset : offset + len(data)] = data


def _cut(content: bytearray, length: int) -> None:
    del content[length:]
    content.extend(bytes(length - len(content)))


class Disk:
    """A folder on a disk, brought forward record by record."""

    def __init__(self) -> None:
        self._names: dict[str, _File] = {}
        self._durable: dict[str, _File] = {}
        self._inodes: dict[int, _File] = {}

    def take(self, record: Record) -> bool:
        """Take in a record; tell whether it was a sync, after which power may fail with a new picture."""
        match record.kind:
            case "C":
                self._opened(record.data.decode(), record.inode)
            case "W":
                self._inodes[record.inode].write(record.offset, record.data)
            case "T":
                self._inodes[record.inode].truncate(record.offset)
            case "U":
                self._names.pop(record.data.decode(), None)
            case "R":
                old, new = record.data.decode().split("\0")
                self._names[new] = self._names.pop(old)
            case "S":
                self._inodes[record.inode].sync()
                return True
            case "D":
                self._durable = dict(self._names)
                return True
        return False

    def _opened(self, name: str, inode: int) -> None:
        known = self._names.get(name)
        if known is None or self._inodes.get(inode) is not known:
            # A number that is used again belongs to a new file.
            self._names[name] = self._inodes[inode] = _File()

    def synced(self) -> Mapping[str, bytes]:
        """Return what is there for certain."""
        return {name: file.synced for name, file in self._durable.items()}

    def by_chance(self, dice: random.Random) -> Mapping[str, bytes]:
        """Return a picture in which some of what was not synced is there as well."""
        names = self._names if dice.random() < 0.5 else self._durable
        return {name: file.by_chance(dice) for name, file in names.items()}


def restore(picture: Mapping[str, bytes], folder: Path) -> None:
    """Write a picture into a new folder, without the shared memory, which no power loss leaves."""
    folder.mkdir(mode=0o700)
    for name, content in picture.items():
        if not name.endswith("-shm"):
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
