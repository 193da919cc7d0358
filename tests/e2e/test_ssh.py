"""The app over a real SSH server: a day's work, a dropped line, silence when nothing happens, nothing leaked."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import PIRKANMAA, SHAPE, WORKER, World, eventually, under_cursor
from tests.support.ssh import SshServer, ssh_server
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.sshd, pytest.mark.xdist_group("e2e")]

MOUSE = re.compile(rb"\x1b\[\?(?:9|100[0-7]|1015|1016)h")


@pytest.fixture(scope="module")
def server(demo: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """A server whose sessions find the demo's home."""
    environment = {"KELMU_HOME": str(demo.home), "LC_ALL": "C.UTF-8"}
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    with ssh_server(tmp_path_factory.mktemp("sshd"), environment) as found:
        yield found


def app(server: SshServer) -> Terminal:
    """Log in and start the app."""
    command = f"exec {sys.executable} -m kelmu_tui demo {' '.join(SHAPE)} --lang fi"
    return Terminal(server.command(command), columns=80, rows=24)


def processes(home: Path) -> list[Path]:
    """Return the processes that work in a home, by their environment."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and str(home).encode() in (process / "environ").read_bytes():
                found.append(process)
        except OSError:
            continue
    return found


def apps(home: Path) -> list[Path]:
    """Return the running full-screen apps of a home."""
    found = []
    for process in processes(home):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"kelmu_tui" in words and b"demo" in words:
            found.append(process)
    return found


def test_a_dropped_line_loses_nothing_and_silence_is_silent(demo: World, server: SshServer) -> None:
    """Sign in, take, drop the line, come back; no mouse modes, and not one byte while nothing happens."""
    demo.sign_in(WORKER)
    with app(server) as terminal:
        terminal.wait_for(PIRKANMAA, "synkronoitu", "▌")
        names = [row["customer"].split(",")[0] for row in demo.inbox(WORKER)]
        row = next(row for row in demo.free(WORKER) if names.count(row["customer"].split(",")[0]) == 1)
        name = row["customer"].split(",")[0]
        terminal.send("/")
        terminal.wait_for(" /")
        terminal.send(name.lower(), "enter")
        terminal.wait_until(lambda screen: name in under_cursor(screen), f"the row of {name}")
        terminal.send("a")
        terminal.wait_for("Otettu käsittelyyn.")
        demo.wait_sql(lambda rows: rows == [(WORKER,)], "SELECT assignee FROM notice WHERE id = ?", row["id"])
        running = apps(demo.home)
        terminal.signal(signal.SIGKILL)
        terminal.wait_exit(10)
        eventually(lambda: not set(apps(demo.home)) & set(running), "the end of the app without its line", 15)
    with app(server) as terminal:
        terminal.wait_for(PIRKANMAA, "synkronoitu", "▌")
        terminal.send("v")
        terminal.wait_for("Näkymä", "Omat")
        terminal.send("omat", "enter")
        terminal.wait_for(name, "OR")
        assert not MOUSE.search(terminal.output)
        silent(terminal)
        terminal.send("ctrl+q")
        assert terminal.wait_exit() == 0
    assert not MOUSE.search(terminal.output)


def silent(terminal: Terminal) -> None:
    """Expect three seconds without a byte; live notices may interrupt, so a few tries are allowed."""
    terminal.settle()
    lengths = []
    for _ in range(4):
        before = len(terminal.output)
        if not terminal.pump(3.0):
            return
        terminal.settle()
        lengths.append(len(terminal.output) - before)
    raise AssertionError(f"bytes while nothing happened: {lengths}, the last: {bytes(terminal.output[-200:])!r}")


def test_no_customer_leaves_the_encrypted_files(demo: World, server: SshServer) -> None:
    """Identity codes and names of all of a county's customers: in no log, report, argument or environment."""
    demo.sign_in(WORKER, sync=True)
    needles = set()
    for (customer,) in demo.sql("SELECT customer FROM notice"):
        found = re.findall(r'"(?:identity_code|given_names|family_name)"\s*:\s*"([^"]{6,})"', customer)
        needles.update(found)
    codes = {needle for needle in needles if re.fullmatch(r"\d{6}\S\d{3}\S", needle)}
    givens = {needle for needle in needles if " " in needle}
    assert len(codes) > 100
    assert len(givens) > 50
    with app(server) as terminal:
        terminal.wait_for(PIRKANMAA, "synkronoitu", "▌")
        terminal.send("enter")
        terminal.settle()
        texts = {}
        for process in processes(demo.home):
            for part in ("cmdline", "environ"):
                try:
                    texts[f"{process.name}/{part}"] = (process / part).read_bytes()
                except OSError:
                    continue
        assert [name for name, text in texts.items() if b"kelmu_backend" in text]
        assert [name for name, text in texts.items() if b"kelmu_tui" in text]
    for path in demo.home.rglob("*"):
        # The backend's database is the record of the other side; everything else is the client's machine.
        if path.is_file() and "kelmu.db" not in path.name:
            texts[path.name] = path.read_bytes()
    assert "backend.log" in texts
    for place, text in texts.items():
        leaked = [needle for needle in codes | givens if needle.encode() in text]
        assert not leaked, f"{place} holds {len(leaked)}"
