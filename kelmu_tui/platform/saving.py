"""New files that the user asks for: readable by them alone, never over what is there, whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from kelmu_tui.platform.paths import sync_folder

_REASONS: Final = {
    errno.EEXIST: "exists",
    errno.ELOOP: "exists",
    errno.EISDIR: "exists",
    errno.ENOENT: "no_folder",
    errno.ENOTDIR: "no_folder",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.EROFS: "denied",
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "full",
    errno.ENAMETOOLONG: "name",
}
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_PREFIX: Final = ".kelmu-"
"""How the name of what is not finished begins."""


class NotSaved(Exception):
    """A file was not written, and nothing is left of it.

    Attributes:
        reason: `exists`, `no_folder`, `denied`, `full`, `name`, `ending`, or `io` for what the disk says else.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def target(text: str) -> Path:
    """Return the file that a name means: `~` is the home folder, and a bare name lies there too.

    Raises:
        NotSaved: no file can have that name.
    """
    try:
        return Path.home() / Path(text.strip()).expanduser()
    except (RuntimeError, ValueError):
        raise NotSaved("name") from None


def check(path: Path) -> None:
    """Find out what can be known before anything is written.

    Raises:
        NotSaved: it is there already, or its folder is not.
    """
    try:
        folder = path.parent.stat()
        path.lstat()
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise NotSaved("no_folder") from None
        return
    except (OSError, ValueError) as error:
        raise NotSaved(_reason(error)) from None
    raise NotSaved("exists" if stat.S_ISDIR(folder.st_mode) else "no_folder")


def is_shared(folder: Path) -> bool:
    """Tell whether others than the user may put files into `folder` or take them out of it."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return found.st_uid != os.getuid() or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def save_new(path: Path, text: str, *, mark: bool = False) -> None:
    """Write a new file that only the user can read, and have it on the disk before returning.

    Args:
        mark: begin with a byte order mark, by which spreadsheets know UTF-8.

    Raises:
        NotSaved: it is there already, or the disk does not take it.
    """
    data = text.encode("utf-8-sig" if mark else "utf-8")
    with new_file(path) as file:
        file.write(data)


@contextmanager
def disk_told() -> Iterator[None]:
    """Say of what the disk refuses what the user can do.

    Raises:
        NotSaved: in place of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise NotSaved(_reason(error)) from None


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write into that gets its name when the block ends well, whole and on the disk; else it is gone.

    Only the user can read it, and what is there already is never written over. Until it has its name it is a hidden
    file in the same folder, which is all that a process leaves that is killed meanwhile.

    Raises:
        NotSaved: it is there already, or the disk does not take it.
    """
    try:
        if b"\0" in os.fsencode(path):
            raise NotSaved("name")
        handle, name = tempfile.mkstemp(prefix=_PREFIX, dir=path.parent)
    except (OSError, ValueError) as error:
        raise NotSaved(_reason(error)) from None
    begun = Path(name)
    try:
        with disk_told():
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _name(begun, path)
    finally:
        begun.unlink(missing_ok=True)


@contextmanager
def working_folder(beside: Path) -> Iterator[Path]:
    """Give a folder for what is needed while a file is written, next to it and for the user alone; it always goes.

    Raises:
        NotSaved: there is no room for it.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=beside.parent))
    except (OSError, ValueError) as error:
        raise NotSaved(_reason(error)) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _name(begun: Path, path: Path) -> None:
    """Give a finished file its name, unless there is something of that name.

    Raises:
        OSError: there is, or the folder cannot be written to.
    """
    try:
        os.link(begun, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Not every file system knows a second name for a file: the name is taken first, and then what it stands for.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        try:
            begun.replace(path)
        except OSError:
            path.unlink()
            raise
    try:
        begun.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def _reason(error: OSError | ValueError) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return "name" if number is None else _REASONS.get(number, "io")
