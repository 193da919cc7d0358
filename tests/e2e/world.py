"""Real processes for the tests of this folder: a home with a demo, its backend, the command line and the app.

Nothing here shares memory with the program: what a test knows it has from a screen, from JSON on stdout, or from the
backend's own database file.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.terminal import PATIENCE, Terminal

KELMU: Final = (sys.executable, "-m", "kelmu_tui")
BACKEND: Final = (sys.executable, "-m", "kelmu_backend")
SHAPE: Final = ("--seed", "1", "--people", "1500", "--notices", "900")

WORKER, COLLEAGUE, RECEIVER = "persona-county-worker", "persona-county-colleague", "persona-county-receiver"
SUPERVISOR = "persona-supervisor"
PIRKANMAA, VARSINAIS_SUOMI = "Pirkanmaan hyvinvointialue", "Varsinais-Suomen hyvinvointialue"
TAMPERE, TURKU = "837", "853"

RESTORED: Final = (b"\x1b[?1049l", b"\x1b[?25h")
"""What the program writes when it leaves its own screen and gives the cursor back."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The data of the one JSON document on stdout."""
        found = json.loads(self.out)
        assert found["schema"] == 1
        return found["data"]


@dataclass(frozen=True)
class World:
    """A home of its own; `extra` goes into the environment of everything that is started."""

    home: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of the processes: no locale, colours or sizes of the machine's."""
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        return {**kept, "KELMU_HOME": str(self.home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

    @property
    def profile(self) -> Path:
        """Folder of the demo's profile."""
        return self.home / "data" / "demo"

    @property
    def users(self) -> list[Path]:
        """Folders with the encrypted files, one for each user who signed in."""
        return sorted((self.profile / "users").iterdir())

    # --- the program ------------------------------------------------------------------------------------------------

    def spawn(self, *argv: str) -> subprocess.Popen[str]:
        """Start the command line on the demo's profile."""
        return subprocess.Popen(
            [*KELMU, "--profile", "demo", *argv],
            env=self.env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kelmu(self, *argv: str, code: int | None = 0) -> Ran:
        """Run the command line to its end; `code` is what it must exit with, None allows all."""
        process = self.spawn(*argv)
        out, err = process.communicate(timeout=PATIENCE)
        assert code is None or process.returncode == code, f"{argv}: {process.returncode}\n{out}\n{err}"
        return Ran(process.returncode, out, err)

    def sign_in(self, persona: str, *, sync: bool = False) -> None:
        """Sign a persona in; the next app that starts is theirs."""
        self.kelmu("sign-in", "--persona", persona, "--backend", self.url)
        if sync:
            self.kelmu("--user", persona, "sync")

    def app(self, *argv: str, language: str = "fi", columns: int = 80, rows: int = 24) -> Terminal:
        """Start the full-screen app in a terminal, for the user who signed in last."""
        return Terminal(
            [*KELMU, "demo", *SHAPE, "--lang", language, *argv],
            columns=columns,
            rows=rows,
            env=self.env,
            cwd=self.home,
        )

    def inbox(self, user: str, view: str = "all") -> list[dict[str, Any]]:
        """Return what the user's local store lists, without asking the backend."""
        ran = self.kelmu("--user", user, "inbox", "list", "--view", view, "--limit", "1000", "--json")
        rows: list[dict[str, Any]] = ran.data["notices"]
        return rows

    def free(self, user: str) -> list[dict[str, Any]]:
        """Return the user's notices that nobody has taken, which any county may receive, and which are not Turku's."""
        return [
            row
            for row in self.inbox(user)
            if row["status"] in ("new", "opened")
            and row["assignee"] is None
            and row["kind"] != "immigrant_2_months"
            and row["municipality"] != TURKU
        ]

    # --- the backend ------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where clients find the backend."""
        return str(json.loads((self.profile / "backend" / "ready.json").read_text())["url"])

    @property
    def backend_pid(self) -> int:
        """Number of the backend's process."""
        return int(json.loads((self.profile / "backend" / "ready.json").read_text())["pid"])

    @property
    def backend_data(self) -> Path:
        """Folder of the backend's database and keys."""
        return self.profile / "backend" / "data"

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the backend's database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.backend_data / 'kelmu.db'}?mode=ro", uri=True)) as db:
            return list(db.execute(statement, values))

    def change(self, statement: str, *values: object) -> None:
        """Change the backend's database behind its back, as an administrator's tool would."""
        with contextlib.closing(sqlite3.connect(self.backend_data / "kelmu.db", timeout=30)) as db, db:
            db.execute(statement, values)

    def wait_sql(self, holds: Callable[[list[tuple[Any, ...]]], bool], statement: str, *values: object) -> None:
        """Wait until the rows satisfy `holds`."""
        eventually(lambda: holds(self.sql(statement, *values)), f"{statement} {values}")


def eventually(holds: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
    """Wait for a condition outside any terminal, looking at it 50 times a second.

    Raises:
        AssertionError: it did not hold within `timeout` seconds.
    """
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def demo_world(home: Path) -> Iterator[World]:
    """A home with a demo backend as `kelmu demo` starts it, held until the end of the block."""
    world = World(home)
    world.kelmu("demo", "--personas", *SHAPE)  # starts the backend; it lives as long as somebody holds the lifeline
    lifeline = os.open(world.profile / "backend" / "lifeline", os.O_RDWR)
    try:
        fcntl.flock(lifeline, fcntl.LOCK_SH)
        world.kelmu("demo", "--personas", *SHAPE)  # had it ended just before our lock, then this starts it again
        yield world
    finally:
        os.close(lifeline)
        eventually(lambda: not alive(world.backend_pid), "the end of the backend after its last client")


def start_backend(world: World, ready: Path, public_url: str, port: int = 0) -> subprocess.Popen[bytes]:
    """Start the backend's process; it writes its address to `ready` once it answers."""
    command = [*BACKEND, "serve", "--demo", "--port", str(port), "--data", str(world.backend_data), *SHAPE]
    with (world.profile / "backend" / "backend.log").open("ab") as log:
        return subprocess.Popen(
            [*command, "--ready-file", str(ready), "--public-url", public_url],
            env=world.env,
            cwd=world.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


@contextlib.contextmanager
def posing(world: World) -> Iterator[None]:
    """Hold what tells `kelmu` that a demo's backend lives, for one that the test starts itself."""
    folder = world.profile / "backend"
    folder.mkdir(parents=True, mode=0o700)
    lock = os.open(folder / "backend.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def announce(world: World, url: str, pid: int) -> None:
    """Say where clients find the backend."""
    (world.profile / "backend" / "ready.json").write_text(json.dumps({"url": url, "pid": pid}))


@contextlib.contextmanager
def served_world(home: Path, public_url: str) -> Iterator[tuple[World, str]]:
    """A home whose backend the test starts itself, known to clients by `public_url`; gives its real address too."""
    world = World(home)
    inner = home / "inner.json"
    with posing(world):
        server = start_backend(world, inner, public_url)
        try:
            eventually(lambda: inner.exists() or server.poll() is not None, "the backend's address")
            assert server.poll() is None, (world.profile / "backend" / "backend.log").read_text()
            announce(world, public_url, server.pid)
            yield world, str(json.loads(inner.read_text())["url"])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE)


def saved_note(app: Terminal, text: str) -> None:
    """Write a note on the notice under the cursor of an app in Finnish, and wait until it is confirmed."""
    app.send("n")
    app.wait_for("Muistiinpano näkyy tiimille")
    app.send(text)
    app.wait_for(text)
    app.send("\x13")
    app.wait_for("Muistiinpano lisätty.")


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def rows_of(screen: str) -> Sequence[str]:
    """Return the lines of the list on an inbox screen at 80×24, without the header."""
    lines = screen.splitlines()
    start = next((i for i, line in enumerate(lines) if "Määräaika" in line or "Tidsfrist" in line), None)
    if start is None:
        return ()
    end = next((i for i, line in enumerate(lines) if i > start and line.startswith("──")), len(lines))
    return [line for line in lines[start + 1 : end] if line.strip()]


def under_cursor(screen: str) -> str:
    """Return the line of the list that the cursor stands on, empty when there is none."""
    return next((line for line in rows_of(screen) if line.startswith("▌")), "")
