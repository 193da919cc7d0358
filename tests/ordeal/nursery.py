"""Processes that are born fast: a warm interpreter forks them, so that a test can afford hundreds.

Each is a process of its own in every respect that counts here: its own connection, locks and death. `main(order)` of
the module it was started for tells on stdout, which only that child's `Child` reads. What any of them writes to
stderr is a failure: nothing of the store or the sync may end in a traceback.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

ROOT: Final = Path(__file__).parents[2]


class Child:
    """One process, from the test's side."""

    def __init__(self, nursery: Nursery, pid: int, said: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._said = os.fdopen(said, encoding="utf-8")
        self._code: int | None = None

    def line(self) -> list[str]:
        """Return the words of the next line it said, none when it has said its last."""
        line = self._said.readline().rstrip()
        return line.split(" ") if line else []

    def rest(self) -> list[list[str]]:
        """Return the lines until its end."""
        return [line.rstrip().split(" ") for line in self._said]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def end(self) -> int:
        """Wait for its end and return the exit code, negative for a signal as with `subprocess`."""
        if self._code is None:
            self._code = self._nursery.reap(self.pid)
            self._said.close()
        return self._code

    def kill(self) -> list[list[str]]:
        """Kill it, alive or dead, and return what it had said before."""
        if self._code is None:
            self.signal(signal.SIGKILL)
            said = self.rest()
            self.end()
            return said
        return []


class Nursery:
    """A warm interpreter with `modules` imported, in the environment `env`."""

    def __init__(self, errors: Path, *modules: str, env: Mapping[str, str] | None = None) -> None:
        self._errors = errors
        self._children: list[Child] = []
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with errors.open("wb") as log, theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), *modules],
                env=dict(os.environ if env is None else env),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stderr=log,
                pass_fds=(theirs.fileno(),),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, module: str, order: Mapping[str, Any]) -> Child:
        """Start `main(order)` of a module in a process of its own."""
        said, say = os.pipe()
        socket.send_fds(self._channel, [json.dumps({"module": module, "order": order}).encode()], [say])
        os.close(say)
        pid = int(self._answer())
        child = Child(self, pid, said)
        self._children.append(child)
        return child

    def run(self, module: str, order: Mapping[str, Any]) -> list[list[str]]:
        """Run it to its end, which must be a good one, and return what it said."""
        child = self.start(module, order)
        said = child.rest()
        assert child.end() == 0, self.complaints
        return said

    def reap(self, pid: int) -> int:
        """Wait until a child has ended; nothing is started meanwhile."""
        self._channel.send(json.dumps({"reap": pid}).encode())
        return int(self._answer())

    @property
    def complaints(self) -> str:
        """What was written to stderr."""
        return self._errors.read_text(errors="replace")

    def close(self) -> None:
        """End everything that still runs."""
        for child in self._children:
            child.kill()
        self._channel.close()
        self._process.wait()

    def _answer(self) -> bytes:
        answer = self._channel.recv(1 << 10)
        assert answer, self.complaints
        return answer


def _serve(channel: socket.socket) -> None:
    while True:
        message, handles, _, _ = socket.recv_fds(channel, 1 << 20, 1)
        if not message:
            return
        wanted = json.loads(message)
        if "reap" in wanted:
            _, status = os.waitpid(wanted["reap"], 0)
            channel.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        pid = os.fork()
        if pid == 0:
            channel.close()
            os.dup2(handles[0], 1)
            os.close(handles[0])
            _live(wanted["module"], wanted["order"])
        os.close(handles[0])
        channel.send(str(pid).encode())


def _live(module: str, order: Mapping[str, Any]) -> None:
    code = 1
    try:
        code = importlib.import_module(module).main(order) or 0
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - the end of a process: whatever it was is told, and nothing runs on
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        importlib.import_module(name)
    _serve(socket.socket(fileno=int(sys.argv[1])))
