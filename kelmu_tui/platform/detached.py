"""Processes that outlive the terminal that started them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


class Detached:
    """A started process that may outlive this one; nobody has to wait for its end."""

    def __init__(self, started: subprocess.Popen[bytes]) -> None:
        self.pid = started.pid
        self._code: int | None = None
        # Popen complains at its own end about a child that still runs; this one is meant to.
        started.returncode = 0

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self._code is None:
            with suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self._code = os.waitstatus_to_exitcode(status)
        return self._code


def start_process(command: Sequence[str], log: Path, lock: int) -> Detached:
    """Start a command that a Ctrl-C in this terminal does not reach; it inherits `lock` and writes to `log`."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        return Detached(
            subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                pass_fds=(lock,),
                start_new_session=True,
                cwd=log.parent,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        )
    finally:
        os.close(handle)
