"""One leader among the terminals of a user: the holder of `sync.lock` talks to the backend, the others read along.

The lock dies with its process, however it dies. The leader touches the file now and then, so that the others can
tell one that was stopped from one that has nothing to do.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from kelmu_tui.store import files
from kelmu_tui.store.errors import StoreError

FILE: Final = "sync.lock"
SILENT_AFTER: Final = 60.0
"""Seconds without a sign of life after which a leader counts as stopped."""


class Lead(StrEnum):
    """Who leads, as seen from one terminal."""

    THIS = "this"
    ANOTHER = "another"
    NOBODY = "nobody"


class LeaderLock:
    """The lock of one process; not inherited by processes it starts."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether we lead."""
        return self._handle is not None

    def try_acquire(self) -> bool:
        """Become the leader if nobody else is; never waits.

        Raises:
            StoreFull, StoreUnavailable: the disk says no, so nobody knows.
        """
        if self._handle is not None:
            return True
        handle = files.open_lock(self._path)
        try:
            if files.try_lock(handle):
                self._handle = handle
        finally:
            if self._handle is None:
                os.close(handle)
        return self.held

    def beat(self, now: datetime) -> None:
        """Show that we live; a disk that takes no sign leaves us looking stopped, which is told to the others."""
        if self._handle is not None:
            with suppress(OSError):
                os.utime(self._handle, (now.timestamp(), now.timestamp()))

    def silent(self, now: datetime) -> bool:
        """Tell whether the leader has given no sign of life for long."""
        beaten = last_beat(self._path.parent)
        return beaten is not None and (now - beaten).total_seconds() > SILENT_AFTER

    def release(self) -> None:
        """Give up the lead."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def is_led(folder: Path) -> bool:
    """Tell whether some process leads for the user of `folder` just now; no, when the disk does not say."""
    lock = LeaderLock(folder)
    try:
        return not lock.try_acquire()
    except StoreError:
        return False
    finally:
        lock.release()


def last_beat(folder: Path) -> datetime | None:
    """Return when a leader of the user of `folder` last gave a sign of life, None when there never was one."""
    try:
        return datetime.fromtimestamp((folder / FILE).stat().st_mtime, UTC)
    except OSError:
        return None
