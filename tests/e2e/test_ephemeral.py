"""A run that leaves no file: however it ends, memory and disk are as they were, or hold what nobody can read."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kelmu_tui.platform.ephemeral import IN_MEMORY, PREFIX, SHARED_MEMORY
from kelmu_tui.platform.paths import file_system
from tests.e2e.world import KELMU, RESTORED, alive, eventually, rows_of
from tests.support.terminal import Terminal

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.skipif(file_system(SHARED_MEMORY) not in IN_MEMORY, reason="no file system in memory"),
]

SHAPE = ("--seed", "1", "--people", "300", "--notices", "300")


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory, as a session's run-time folder is."""
    path = SHARED_MEMORY / f"kelmu-test-{secrets.token_hex(6)}"
    path.mkdir(mode=0o700)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with settings, for the program and for the user."""
    (tmp_path / "kelmu").mkdir()
    (tmp_path / "user").mkdir()
    (tmp_path / "kelmu" / "settings.toml").write_text('theme = "dark"\n')
    return tmp_path


def app(home: Path, memory: Path) -> Terminal:
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    env = {
        **kept,
        "KELMU_HOME": str(home / "kelmu"),
        "HOME": str(home / "user"),
        "XDG_RUNTIME_DIR": str(memory),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Terminal([*KELMU, "demo", "--ephemeral", *SHAPE, "--lang", "fi"], env=env, cwd=home)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def signed_in(terminal: Terminal) -> list[str]:
    """Sign in as the first persona, and return names that are on the screen."""
    terminal.wait_for("Kenenä kirjaudut?", "▌")
    terminal.send("enter")
    terminal.wait_for("synkronoitu", "Käsittelemättömät", "▌")
    terminal.wait_until(lambda screen: len(rows_of(screen)) > 3, "notices")
    names = re.findall(r"([A-ZÅÄÖ][\w-]{3,}), [A-ZÅÄÖ]", "\n".join(rows_of(terminal.text)))
    assert names
    return names


def backend_of(run: Path) -> int:
    return int(json.loads((run / "data" / "demo" / "backend" / "ready.json").read_text())["pid"])


@pytest.mark.parametrize("how", ["quit", "terminate"])
def test_an_orderly_end_leaves_nothing(home: Path, memory: Path, how: str) -> None:
    before = tree(home)
    with app(home, memory) as terminal:
        signed_in(terminal)
        (run,) = memory.iterdir()
        assert run.name.startswith(PREFIX)
        assert list(run.glob("data/demo/users/*/ledger.db"))
        terminal.send("L")  # a language that is chosen is not remembered
        terminal.wait_for("Obehandlade")
        if how == "quit":
            terminal.send("ctrl+q")
        else:
            terminal.signal(signal.SIGTERM)
        code = terminal.wait_exit()
        assert code == (0 if how == "quit" else 128 + signal.SIGTERM)
        assert all(mark in terminal.output for mark in RESTORED)
    assert list(memory.iterdir()) == []
    assert tree(home) == before


def test_what_a_killed_run_leaves_cannot_be_read_and_goes_at_the_next_start(home: Path, memory: Path) -> None:
    before = tree(home)
    with app(home, memory) as terminal:
        names = signed_in(terminal)
        (run,) = memory.iterdir()
        backend = backend_of(run)
        terminal.signal(signal.SIGKILL)
        terminal.wait_exit()
    (left,) = memory.iterdir()
    assert left == run
    assert not list(run.rglob("wraps.json*")), "no key is in any file"
    for path in (run / "data" / "demo" / "users").rglob("*"):
        if path.is_file():
            assert not [name for name in names if name.encode() in path.read_bytes()], path
    eventually(lambda: not alive(backend), "the end of the backend that was left alone")
    with app(home, memory) as terminal:
        terminal.wait_for("Kenenä kirjaudut?", "▌")
        (fresh,) = memory.iterdir()
        assert fresh != run
        terminal.send("ctrl+q")
        assert terminal.wait_exit() == 0
    assert list(memory.iterdir()) == []
    assert tree(home) == before
