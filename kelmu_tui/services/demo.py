"""The demo's backend: started by the first terminal, joined by the others, gone after the last.

Three locks in the profile's `backend` folder, all `flock`, so that the kernel frees them whatever kills a process:

- `start.lock`, exclusive while one terminal looks and perhaps starts, so that two starters cannot race;
- `backend.lock`, exclusive as long as the backend lives: the starter opens it and the backend inherits it, so no
  process number has to be trusted;
- `lifeline`, shared by every terminal that uses the demo. The backend tries for the exclusive lock each second and
  ends itself when it gets it.

The backend says where it listens in `ready.json`, and everything else in `backend.log` (0600).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from kelmu_tui.platform.clock import Clock, SystemClock
from kelmu_tui.platform.detached import start_process
from kelmu_tui.platform.paths import Profile, private_folder, write_private

PROFILE: Final = "demo"
STEP: Final = 0.05
"""Seconds between two looks at the locks and at the ready file."""
LONGEST_START: Final = 600.0
"""Seconds that a start may take at the most: `--notices 1000000` fills a large database."""
LONGEST_FAREWELL: Final = 15.0
"""Seconds that a backend without terminals gets to end itself before a fresh start gives up."""
LOG_TAIL: Final = 2000


class Stage(StrEnum):
    """What the demo does while the user waits."""

    QUEUED = "queued"
    STARTING = "starting"
    FILLING = "filling"
    JOINING = "joining"
    ENDING = "ending"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step on the way; `done` of `total` rows while the database fills, else zeros."""

    stage: Stage
    done: int = 0
    total: int = 0


OnProgress = Callable[[Progress], None]


class DemoError(Exception):
    """Base of the demo's failures; `code` names the text for people."""

    code = "failed"


class DemoInUse(DemoError):
    """A fresh start was asked for while another terminal uses the demo."""

    code = "in_use"


class DemoNotStarted(DemoError):
    """The backend ended or stayed silent; `log` is where it wrote why, `tail` its last lines."""

    code = "not_started"

    def __init__(self, log: Path, tail: str) -> None:
        super().__init__("the backend did not start")
        self.log = log
        self.tail = tail


@dataclass(frozen=True, slots=True)
class Shape:
    """What the generated world looks like; None leaves it to the backend."""

    seed: int | None = None
    people: int | None = None
    notices: int | None = None

    def arguments(self) -> list[str]:
        """Return the backend's command line options for this shape."""
        named = (("--seed", self.seed), ("--people", self.people), ("--notices", self.notices))
        return [part for name, value in named if value is not None for part in (name, str(value))]


class Process(Protocol):
    """What is asked of a started backend."""

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        ...


Start = Callable[[Sequence[str], Path, int], Process]
"""Starts a command with a log file and a lock (file descriptor) to inherit."""


class DemoHandle:
    """This terminal's hold on the running backend; closing it lets the backend end after the last one."""

    def __init__(self, url: str, lifeline: int, *, joined: bool, reshaped: bool) -> None:
        self.url = url
        """Address of the backend on this machine."""
        self.joined = joined
        """Whether it ran already."""
        self.shape_ignored = reshaped
        """Whether a seed or size was asked for that the existing data does not have."""
        self.browser = False
        """Whether the sign-in goes over the web pages instead of the terminal's persona picker."""
        self._lifeline: int | None = lifeline

    def close(self) -> None:
        """Let go of the lifeline."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Demo:
    """The demo in a profile; clock, waiting and starting of processes are seams for tests."""

    def __init__(
        self,
        profile: Profile,
        *,
        clock: Clock | None = None,
        wait: Callable[[float], None] = time.sleep,
        start: Start = start_process,
    ) -> None:
        self.profile = profile
        self.folder = profile.backend
        self.log = self.folder / "backend.log"
        self.ready_file = self.folder / "ready.json"
        self.data = self.folder / "data"
        self._last_port = 0
        self._shape_file = self.folder / "shape.json"
        self._clock = clock or SystemClock()
        self._wait = wait
        self._start = start

    def open(
        self, shape: Shape | None = None, *, fresh: bool = False, on_progress: OnProgress = lambda _: None
    ) -> DemoHandle:
        """Join the running backend or start one, and hold it.

        Args:
            shape: seed and size of a new world; existing data keeps its own.
            fresh: destroy the old world first, with what the terminals stored of it.

        Raises:
            DemoInUse: a fresh start is impossible, somebody uses the demo.
            DemoNotStarted: the backend did not come up.
            UnsafePath: a folder belongs to somebody else.
        """
        shape = shape or Shape()
        private_folder(self.profile.root)
        private_folder(self.folder)
        with self._lock("start.lock") as start_lock:
            self._acquire(start_lock, fcntl.LOCK_EX, LONGEST_START, on_progress, Stage.QUEUED)
            if fresh:
                self._start_over(on_progress)
            lifeline = self._open_file("lifeline")
            try:
                return self._open(lifeline, shape, on_progress)
            except BaseException:
                os.close(lifeline)
                raise

    def join(self) -> DemoHandle | None:
        """Return a hold on the running backend, None when none runs; nothing is started."""
        if not self.ready_file.exists() or not self._alive():
            return None
        lifeline = self._open_file("lifeline")
        url = self._url() if self._try(lifeline, fcntl.LOCK_SH) and self._alive() else None
        if url is None:
            os.close(lifeline)
            return None
        return DemoHandle(url, lifeline, joined=True, reshaped=False)

    def await_end(self) -> bool:
        """Wait until the backend has ended itself, whose last terminal has let go; tell whether it has."""
        with self._lock("backend.lock") as lock:
            return self._acquired(lock, fcntl.LOCK_EX, LONGEST_FAREWELL, lambda _: None, Stage.ENDING)

    def _open(self, lifeline: int, shape: Shape, on_progress: OnProgress) -> DemoHandle:
        # The lifeline comes first: a backend that got it exclusively is on its way out and must not be joined.
        self._acquire(lifeline, fcntl.LOCK_SH, LONGEST_FAREWELL, on_progress, Stage.ENDING)
        if self._alive():
            on_progress(Progress(Stage.JOINING))
            url = self._await_url(None, on_progress)
            if url is not None:
                on_progress(Progress(Stage.READY))
                return DemoHandle(url, lifeline, joined=True, reshaped=self._differs(shape))
        url = self._start_backend(shape, on_progress)
        on_progress(Progress(Stage.READY))
        return DemoHandle(url, lifeline, joined=False, reshaped=self._differs(shape))

    def _start_backend(self, shape: Shape, on_progress: OnProgress) -> str:
        self._last_port = free_port(self._url())
        self.ready_file.unlink(missing_ok=True)
        if not self.data.exists():
            private_folder(self.data)
            self._remember(shape)
        with self._lock("backend.lock") as lock:
            self._acquire(lock, fcntl.LOCK_EX, LONGEST_FAREWELL, on_progress, Stage.ENDING)
            os.set_inheritable(lock, True)
            process = self._start(self.command(self._remembered()), self.log, lock)
        on_progress(Progress(Stage.STARTING))
        url = self._await_url(process, on_progress)
        if url is None:
            raise DemoNotStarted(self.log, self._tail())
        return url

    def command(self, shape: Shape) -> list[str]:
        """Return the command that starts the backend."""
        return [
            *(sys.executable, "-m", "kelmu_backend", "serve", "--demo", "--host", "127.0.0.1"),
            *("--port", str(self._last_port), "--data", str(self.data), "--ready-file", str(self.ready_file)),
            *("--lifeline", str(self.folder / "lifeline"), *shape.arguments()),
        ]

    def _await_url(self, process: Process | None, on_progress: OnProgress) -> str | None:
        """Wait for the ready file as long as the backend lives, telling how far the filling is."""
        ends = self._clock.monotonic() + LONGEST_START
        told: Progress | None = None
        while self._clock.monotonic() < ends:
            url = self._url()
            if url is not None:
                return url
            if process.poll() is not None if process is not None else not self._alive():
                return None
            progress = self._filling()
            if progress is not None and progress != told:
                told = progress
                on_progress(progress)
            self._wait(STEP)
        return None

    def _filling(self) -> Progress | None:
        """Read how far the backend is from its log: lines of JSON with `done` and `total`."""
        for line in reversed(self._tail().splitlines()):
            with suppress(ValueError, KeyError, TypeError):
                found = json.loads(line)
                return Progress(Stage.FILLING, int(found["done"]), int(found["total"]))
        return None

    def _url(self) -> str | None:
        try:
            url = json.loads(self.ready_file.read_text(encoding="utf-8"))["url"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return url if isinstance(url, str) else None

    def _tail(self) -> str:
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - LOG_TAIL))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    # --- starting over and shape ------------------------------------------------------------------------------------

    def _start_over(self, on_progress: OnProgress) -> None:
        """Destroy the world: only with the lifeline exclusively in hand, so that nobody looks at it."""
        lifeline = self._open_file("lifeline")
        try:
            if not self._acquired(lifeline, fcntl.LOCK_EX, 2.0, on_progress, Stage.ENDING):
                raise DemoInUse("another terminal uses the demo")
        finally:
            os.close(lifeline)
        # Nobody holds the lifeline and nobody can start: the backend notices within a second and goes.
        with self._lock("backend.lock") as lock:
            if not self._acquired(lock, fcntl.LOCK_EX, LONGEST_FAREWELL, on_progress, Stage.ENDING):
                raise DemoInUse("the backend does not end")
            for folder in (self.data, self.profile.users):
                if folder.exists():
                    shutil.rmtree(folder)
            for file in (self.ready_file, self._shape_file, self.profile.root / "current"):
                file.unlink(missing_ok=True)

    def _remember(self, shape: Shape) -> None:
        values = {"seed": shape.seed, "people": shape.people, "notices": shape.notices}
        write_private(self._shape_file, json.dumps(values).encode())

    def _remembered(self) -> Shape:
        try:
            found = json.loads(self._shape_file.read_text(encoding="utf-8"))
            values = [found[name] for name in ("seed", "people", "notices")]
        except (OSError, ValueError, KeyError, TypeError):
            return Shape()
        return Shape(*(value if isinstance(value, int) else None for value in values))

    def _differs(self, shape: Shape) -> bool:
        """Tell whether `shape` asks for something that the present data does not have."""
        have = self._remembered()
        pairs = ((shape.seed, have.seed), (shape.people, have.people), (shape.notices, have.notices))
        return any(wanted is not None and wanted != found for wanted, found in pairs)

    # --- locks ------------------------------------------------------------------------------------------------------

    def _alive(self) -> bool:
        """Tell whether a backend lives: it inherited the lock and nobody else keeps it."""
        with self._lock("backend.lock") as lock:
            return not self._try(lock, fcntl.LOCK_SH)  # shared, so that two who ask do not see each other

    def _lock(self, name: str) -> _Lock:
        return _Lock(self._open_file(name))

    def _open_file(self, name: str) -> int:
        return os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)

    @staticmethod
    def _try(handle: int, kind: int) -> bool:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _acquired(self, handle: int, kind: int, seconds: float, on_progress: OnProgress, stage: Stage) -> bool:
        ends = self._clock.monotonic() + seconds
        told = False
        while not self._try(handle, kind):
            if self._clock.monotonic() >= ends:
                return False
            if not told:
                told = True
                on_progress(Progress(stage))
            self._wait(STEP)
        return True

    def _acquire(self, handle: int, kind: int, seconds: float, on_progress: OnProgress, stage: Stage) -> None:
        if not self._acquired(handle, kind, seconds, on_progress, stage):
            raise DemoNotStarted(self.log, self._tail())


def free_port(url: str | None) -> int:
    """Return the port of `url` when it can be listened on, else 0, which lets the system choose.

    A backend that was killed comes back where the terminals that still run look for it.
    """
    import socket
    from urllib.parse import urlsplit

    try:
        port = urlsplit(url or "").port or 0
        with socket.create_server(("127.0.0.1", port)):
            return port
    except (OSError, ValueError, OverflowError):
        return 0


class _Lock:
    """An open lock file, closed (and thus freed by us) at the end of the block."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __enter__(self) -> int:
        return self._handle

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)
