"""A place for a run that leaves no file: a private folder in memory, removed at the end.

What a killed run leaves is unreadable, since its keys were in its memory alone (`store.keys.MemoryKeys`), and goes at
the next start. A lock in the folder, freed by the kernel however its process ends, tells a run from what it left.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from kelmu_tui.platform.ids import Ids
from kelmu_tui.platform.paths import Profile, file_system, private_folder

PREFIX: Final = "kelmu-run-"
LOCK_FILE: Final = "run.lock"
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, for us alone
IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_TRIES: Final = 5


class NoMemoryDisk(OSError):
    """There is no folder in memory that could be written to."""


class EphemeralFolder:
    """The folder of one run; `remove` it at the end."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    def profile(self, regular: Profile) -> Profile:
        """Return the profile of the run: data in memory, the settings of `regular` to be read."""
        return Profile(regular.name, self.path / "data" / regular.name, regular.settings, ephemeral=True)

    def remove(self) -> None:
        """Remove everything; safe to be called twice, and while something still writes into it."""
        for _ in range(_TRIES):
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists():
                break
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def make(ids: Ids) -> EphemeralFolder:
    """Make the folder of a run.

    Raises:
        NoMemoryDisk: the system has no file system in memory for the user.
    """
    place = next(_places(), None)
    if place is None:
        raise NoMemoryDisk
    while True:
        path = private_folder(place / f"{PREFIX}{ids.new()}")
        handle = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        # Whoever sweeps just now may have taken the new folder for one that was left.
        if _locked(handle) and _same(path / LOCK_FILE, handle):
            return EphemeralFolder(path, handle)
        os.close(handle)


def sweep() -> int:
    """Remove what runs that were killed have left; return how many folders."""
    swept = 0
    for place in _places():
        for path in place.glob(f"{PREFIX}*"):
            with suppress(OSError):
                found = path.lstat()
                if found.st_uid == os.getuid() and path.is_dir() and not path.is_symlink() and _left(path):
                    shutil.rmtree(path)
                    swept += 1
    return swept


def _left(path: Path) -> bool:
    """Tell whether neither the run nor a backend that it started holds the folder."""
    for lock in (path / LOCK_FILE, *path.glob("data/*/backend/backend.lock")):
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if not _locked(handle):
                return False
        finally:
            os.close(handle)
    return True


def _places() -> Iterator[Path]:
    """Yield the folders in memory in which the user may make some, the user's own first."""
    for name in (os.environ.get("XDG_RUNTIME_DIR", ""), str(SHARED_MEMORY)):
        place = Path(name)
        usable = place.is_absolute() and place.is_dir() and os.access(place, os.W_OK | os.X_OK)
        if usable and file_system(place) in IN_MEMORY:
            yield place


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same(path: Path, handle: int) -> bool:
    try:
        found, own = path.stat(), os.fstat(handle)
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)
