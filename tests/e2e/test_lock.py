"""The lock in a real terminal: no name in the picture or in the stream, no file open, and somebody else may lead."""

from __future__ import annotations

import contextlib
import re
import signal
from pathlib import Path

import pytest

from tests.e2e.world import PIRKANMAA, RESTORED, WORKER, World, eventually, rows_of, under_cursor
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

LOCK = "\x0c"
TITLE = re.compile(rb"\x1b\][012];")
"""What sets the title of a window."""


def at_work(demo: World) -> Terminal:
    demo.sign_in(WORKER, sync=True)
    return demo.app()


def names_on(screen: str) -> list[str]:
    """Return the family names in the list."""
    found = re.findall(r"([A-ZÅÄÖ][\w-]{3,}), [A-ZÅÄÖ]", "\n".join(rows_of(screen)))
    assert found
    return found


def open_files(pid: int) -> list[str]:
    found = []
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(handle.readlink()))
    return found


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_nothing_is_seen_and_nothing_is_open_until_it_is_unlocked(demo: World) -> None:
    with at_work(demo) as app:
        app.wait_for(PIRKANMAA, "synkronoitu", "Käsittelemättömät", "▌")
        app.send("j", "j")
        app.settle()
        names, cursor = names_on(app.text), under_cursor(app.text)
        needles = [name.encode() for name in names] + [PIRKANMAA.encode()]
        before = len(app.output)
        app.send(LOCK)
        app.wait_for("Kelmu on lukittu")
        eventually(lambda: not [file for file in open_files(app.pid) if ".db" in file], "the files to be closed")
        app.send("j", ":", "?", "escape", "q", "tab", LOCK)
        app.settle()
        stream = bytes(app.output[before:])
        assert not [needle for needle in needles if needle in stream]
        assert not [needle for needle in needles if needle.decode() in app.text]
        assert "Kelmu on lukittu" in app.text
        assert demo.kelmu("--user", WORKER, "sync", "--json").data["state"] == "online", "another terminal may lead"
        app.send("enter")
        app.wait_for(PIRKANMAA, "synkronoitu")
        app.wait_until(lambda screen: under_cursor(screen) == cursor, "the cursor where it was")
        app.send("ctrl+q")
        assert app.wait_exit() == 0
        assert TITLE.search(app.output) is None


def test_a_locked_app_that_idles_writes_not_a_byte(demo: World) -> None:
    with at_work(demo) as app:
        app.wait_for(PIRKANMAA, "synkronoitu", "▌")
        app.send(LOCK)
        app.wait_for("Kelmu on lukittu")
        eventually(lambda: not [file for file in open_files(app.pid) if ".db" in file], "the files to be closed")
        app.settle()
        before = len(app.output)
        demo.kelmu("--user", WORKER, "sync")  # what others do is none of its business
        assert not app.pump(2.0)
        assert len(app.output) == before
        app.send("ctrl+q")
        assert app.wait_exit() == 0
        assert all(mark in app.output for mark in RESTORED)


def test_a_suspended_app_is_locked_and_leaves_an_empty_terminal(demo: World) -> None:
    with at_work(demo) as app:
        app.wait_for(PIRKANMAA, "synkronoitu", "Käsittelemättömät", "▌")
        app.settle()
        names = names_on(app.text)
        before = len(app.output)
        app.signal(signal.SIGTSTP)
        eventually(lambda: app.pump(0.01) is not None and state_of(app.pid) == "T", "the suspension")
        app.settle()
        assert RESTORED[0] in app.output[before:]
        assert not [name for name in names if name in app.text or name.encode() in app.output[before:]]
        assert not [file for file in open_files(app.pid) if ".db" in file]
        app.signal(signal.SIGCONT)
        app.wait_for("Kelmu on lukittu")
        app.send("enter")
        app.wait_for(PIRKANMAA, "synkronoitu", *names[:2])
        app.send("ctrl+q")
        assert app.wait_exit() == 0
