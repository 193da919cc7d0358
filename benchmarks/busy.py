"""Keys while the whole inbox is read anew beside them ÷ keys while nothing happens, in one and the same app.

The backend is stopped and let go again by turns, so that both are measured within the same second of the machine: a
stream that stands still is an app that has nothing to do.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.fill import demo_profile, nobody
from benchmarks.ratios import Row, percentile
from benchmarks.screen import FILLED, open_app
from benchmarks.world import backend_process, county
from kelmu_tui.services.context import open_context
from kelmu_tui.store import feed
from kelmu_tui.store.database import Store
from tests.support.terminal import Terminal

CURSOR: Final = "▌"
TURN: Final = 16
"""Keys of a turn."""
DRAINED: Final = 0.5
"""Seconds after which a stopped stream has been worked off."""
FLOWING: Final = 0.3


def row_of_cursor(terminal: Terminal) -> int | None:
    """Return the line of the screen that the list's cursor stands on, None while it is being painted."""
    return next((y for y, line in enumerate(terminal.screen.display) if line.startswith(CURSOR)), None)


def moves(terminal: Terminal) -> list[float]:
    """Move down and up and return the seconds from each key to the last byte of the moved cursor.

    What else is painted meanwhile, the progress of the fill for one, must not be taken for the key's own.
    """
    found = []
    for number in range(TURN):
        before = row_of_cursor(terminal)
        start = time.perf_counter()
        terminal.send("j" if number % 8 < 4 else "k")
        while row_of_cursor(terminal) in (before, None):
            terminal.pump(5.0)
        found.append(time.perf_counter() - start)
        rest(terminal, 0.08)
    return found


def rest(terminal: Terminal, seconds: float) -> None:
    """Read what the app writes for so long."""
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        terminal.pump(left)


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """Let a process stand still."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def filling(store: Store) -> bool:
    """Tell whether the inbox is being read anew."""
    with store.read() as db:
        return feed.state(db).filling


def keys_beside_a_fill(home: Path, url: str, data: Path) -> Row:
    """Have the app in `home` fill its inbox anew beside the one it shows, and move in that one all the while."""
    process = backend_process(data)
    quiet: list[float] = []
    busy: list[float] = []
    context = open_context(demo_profile(home), organisation=county().business_id, ask=nobody)
    with context, open_app(home, url) as terminal:
        terminal.wait_for(FILLED)
        terminal.settle(0.5)
        with context.store.write("replica") as db:
            feed.forget_cursor(db)
        terminal.send("r")
        while not filling(context.store):
            terminal.pump(0.02)
        rest(terminal, FLOWING)
        while filling(context.store):
            found = moves(terminal)
            if not filling(context.store):  # it ended on the way: some of these were of an app at rest
                break
            busy += found
            with stopped(process):
                rest(terminal, DRAINED)
                quiet += moves(terminal)
            rest(terminal, FLOWING)
    ours, theirs = percentile(busy, 0.95), percentile(quiet, 0.95)
    detail = f"p95 of {len(busy)} keys: {ours * 1000:.1f} ms ÷ {theirs * 1000:.1f} ms"
    return Row("key to last byte while a whole inbox is filled ÷ when idle", ours / theirs, 2.0, detail=detail)
