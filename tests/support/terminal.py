"""A real terminal for programs under test: a pseudo-terminal, an emulator that keeps the picture, no sleeping.

Every wait is for a condition on the screen with a wall-clock bound; what the program wrote is kept in full, so that
tests can search it and benchmarks can count it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyte

KEYS: Final = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "ctrl+c": "\x03",
    "ctrl+p": "\x10",
    "ctrl+q": "\x11",
}
PATIENCE: Final = 60.0
"""Seconds that a wait lasts before it fails; generous, since two cores may be shared with other tests."""


class Terminal:
    """A program in a pseudo-terminal of `columns` × `rows`."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.output = bytearray()
        self.exit_code: int | None = None
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        for name in ("COLORTERM", "COLUMNS", "LINES"):  # of the machine's own terminal; `env` may set them
            environment.pop(name, None)
        environment.update(env or {})
        self.started = self.heard = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                if cwd is not None:
                    os.chdir(cwd)
                os.execvpe(argv[0], list(argv), environment)
            os._exit(127)
        self.resize(columns, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- input

    def send(self, *keys: str) -> None:
        """Type: names of `KEYS` as keys, everything else as text."""
        for key in keys:
            os.write(self._fd, KEYS.get(key, key).encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window; the program is told by the kernel."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close the line as a dropped connection does."""
        os.close(self._fd)
        self._fd = -1

    # --- output

    @property
    def text(self) -> str:
        """The picture as lines of text."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def pump(self, timeout: float) -> bool:
        """Read what the program wrote within `timeout` seconds; false when it wrote nothing or has closed the line."""
        if self._fd < 0:
            return False
        ready, _, _ = select.select([self._fd], [], [], timeout)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return False
        self.heard = time.perf_counter()
        self.output += data
        self._stream.feed(data)
        return bool(data)

    def wait_until(self, holds: Callable[[str], bool], what: str, timeout: float = PATIENCE) -> float:
        """Wait until the picture satisfies `holds`; return the seconds since the start of the program.

        Raises:
            AssertionError: it did not within `timeout`; the message shows the screen.
        """
        end = time.perf_counter() + timeout
        while not holds(self.text):
            if time.perf_counter() > end or (not self.pump(0.1) and self._ended()):
                self.pump(0.1)
                if holds(self.text):
                    break
                raise AssertionError(f"waited for {what}; exit code {self.exit_code}; the screen shows:\n{self.text}")
        return time.perf_counter() - self.started

    def wait_for(self, *texts: str, timeout: float = PATIENCE) -> float:
        """Wait until all `texts` are on the screen."""
        return self.wait_until(lambda screen: all(text in screen for text in texts), repr(texts), timeout)

    def wait_gone(self, text: str, timeout: float = PATIENCE) -> float:
        """Wait until `text` is not on the screen any more."""
        return self.wait_until(lambda screen: text not in screen, f"{text!r} to go", timeout)

    def settle(self, gap: float = 0.15, timeout: float = 10.0) -> None:
        """Read until the program has written nothing for `gap` seconds."""
        end = time.perf_counter() + timeout
        quiet = time.perf_counter()
        while time.perf_counter() < end:
            if self.pump(gap):
                quiet = time.perf_counter()
            elif time.perf_counter() - quiet >= gap:
                return

    def wait_exit(self, timeout: float = PATIENCE) -> int:
        """Wait for the program's end and return its exit code (negative: the signal)."""
        end = time.perf_counter() + timeout
        while not self._ended():
            self.pump(0.05)
            if time.perf_counter() > end:
                raise AssertionError(f"the program did not end; the screen shows:\n{self.text}")
        while self.pump(0.05):
            pass
        assert self.exit_code is not None
        return self.exit_code

    def peak_memory(self) -> int:
        """Peak resident memory of the program in KiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1])
        raise AssertionError("the kernel does not tell the peak memory")

    def _ended(self) -> bool:
        if self.exit_code is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None

    def close(self) -> None:
        """End the program if it still runs, and the line."""
        if not self._ended():
            self.signal(signal.SIGTERM)
            end = time.perf_counter() + 5
            while not self._ended() and time.perf_counter() < end:
                self.pump(0.05)
            if not self._ended():
                self.signal(signal.SIGKILL)
                os.waitpid(self.pid, 0)
                self.exit_code = -signal.SIGKILL
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
