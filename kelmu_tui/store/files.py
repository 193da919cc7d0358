"""Files of the store as files: made private, moved aside, removed, and one lock for doing so among processes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from kelmu_tui.platform.paths import sync_folder
from kelmu_tui.store.errors import StoreFull, StoreUnavailable

LOCK_FILE: Final = "files.lock"
_COMPANIONS: Final = ("-wal", "-shm", "-journal")
_CHUNK: Final = 1 << 20


def unavailable(error: OSError) -> StoreFull | StoreUnavailable:
    """Return the error of ours that stands for one of the system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull()
    return StoreUnavailable("read_only" if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM) else "io")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock under which files of `folder` are made, moved and removed; the kernel frees it at a crash."""
    handle = open_lock(folder / LOCK_FILE)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)


def open_lock(path: Path) -> int:
    """Open a file that is only there to be locked, made when there is none; the caller closes the handle.

    Raises:
        StoreFull, StoreUnavailable: the disk says no.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise unavailable(error) from error


def try_lock(handle: int) -> bool:
    """Take the lock of an open file unless another process has it; never waits.

    Raises:
        StoreUnavailable: the file system says no.
    """
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise unavailable(error) from error
    return True


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # a platform without it: two processes may only meet at the very first start
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        raise unavailable(error) from error


def create(path: Path) -> bool:
    """Make an empty private file unless there is one and say whether it did; companions get the same mode by SQLite.

    Raises:
        StoreUnavailable: the path is a symbolic link, or the disk says no.
    """
    fresh = not path.exists()
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise (StoreUnavailable("unsafe") if error.errno == errno.ELOOP else unavailable(error)) from error
    try:
        if os.fstat(handle).st_mode & 0o077:
            os.fchmod(handle, 0o600)
    finally:
        os.close(handle)
    return fresh


def is_empty(path: Path) -> bool:
    """Tell whether nothing is in a database's file, nor in the write-ahead log beside it."""
    names = (path.name, *(path.name + companion for companion in _COMPANIONS if companion != "-shm"))
    beside = [path.with_name(name) for name in names]
    return not any(one.exists() and one.stat().st_size for one in beside)


def read_through(path: Path) -> None:
    """Read a file and its log to their ends: what is still damaged after that is damaged, and not just out of reach.

    Raises:
        StoreUnavailable: the disk does not give them.
    """
    try:
        for name in (path.name, path.name + "-wal"):
            with suppress(FileNotFoundError), path.with_name(name).open("rb", buffering=0) as file:
                while file.read(_CHUNK):
                    pass
    except OSError as error:
        raise unavailable(error) from error


def why_closed(path: Path, salt: bytes) -> str:
    """Say why a file did not open: `corrupt` when it begins with our own salt, else it is of another key.

    Raises:
        StoreUnavailable: the disk does not give it.
    """
    try:
        with path.open("rb") as file:
            return "corrupt" if file.read(len(salt)) == salt else "wrong_key"
    except OSError as error:
        raise unavailable(error) from error


def set_aside(path: Path, mark: str) -> Path:
    """Rename a file and its companions to `<name>.<mark>` and return the new path."""
    moved = path.with_name(f"{path.name}.{mark}")
    try:
        path.rename(moved)
        for companion in _COMPANIONS:
            beside = path.with_name(path.name + companion)
            if beside.exists():
                beside.rename(moved.with_name(moved.name + companion))
        sync_folder(path.parent)
    except OSError as error:
        raise unavailable(error) from error
    return moved


def remove(path: Path) -> None:
    """Remove a file and its companions, whichever of them exist."""
    try:
        for name in (path.name, *(path.name + companion for companion in _COMPANIONS)):
            path.with_name(name).unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise unavailable(error) from error
