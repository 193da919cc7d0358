"""New files that the user asks for: readable by them alone, never over what is there, whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from kelmu_tui.platform.paths import write_new

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
    errno.ENAMETOOLONG: "name",
}


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
    try:
        write_new(path, data)
    except (OSError, ValueError) as error:
        raise NotSaved(_reason(error)) from None


def _reason(error: OSError | ValueError) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return "name" if number is None else _REASONS.get(number, "io")
