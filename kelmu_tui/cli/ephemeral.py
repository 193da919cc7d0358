"""`--ephemeral`: the app on a store that is gone when it ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.platform.ephemeral import EphemeralFolder, NoMemoryDisk, make

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ephemeral(env: Env, name: str) -> Iterator[EphemeralFolder]:
    """Let `env` have a profile in memory, called `name`, for the block; nothing is left of it after.

    Raises:
        CliError: the system has no file system in memory.
    """
    from kelmu_tui.platform.paths import profile

    with _orderly():
        try:
            folder = make(env.ids)
        except NoMemoryDisk:
            raise CliError(Exit.STORE, "no_memory_disk", env.t("cli.no_memory_disk")) from None
        env.profile = folder.profile(profile(name))
        try:
            yield folder
        finally:
            folder.remove()


@contextmanager
def _orderly() -> Iterator[None]:
    """Let the signals that end a process unwind it; the app takes over while it runs."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
