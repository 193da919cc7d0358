"""The app on a real pseudo-terminal: first paint, keys, bytes, memory, filter."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.ratios import Row, alternate, percentile
from benchmarks.world import environment
from tests.support.terminal import Terminal

APP = (sys.executable, "-m", "benchmarks.app")
AWAY = "http://127.0.0.1:9"
"""Where nothing listens."""
LABEL = (sys.executable, "-m", "benchmarks.bare_label")
LIST = (sys.executable, "-m", "benchmarks.bare_list")
FILLED = "tpv"
"""Stands in every row of the inbox: the working days that are left."""


def open_app(home: Path, url: str | None = None) -> Terminal:
    """Start the app on the store in `home`; `url` is where it finds its backend, None for one that is away."""
    return Terminal([*APP, url or AWAY], env=environment(home))


def first_paint(home: Path, rounds: int) -> Row:
    """Spawn to a filled inbox ÷ spawn to the label of a bare app."""

    def app() -> float:
        with open_app(home) as terminal:
            return terminal.wait_for(FILLED)

    def bare() -> float:
        with Terminal(LABEL) as terminal:
            return terminal.wait_for("ready-to-measure")

    ours, theirs = alternate(app, bare, rounds)
    return Row("first paint of a filled inbox ÷ bare app", ours / theirs, 1.6, detail=f"{ours:.3f} s ÷ {theirs:.3f} s")


def memory(home: Path) -> Row:
    """Peak resident memory with the inbox filled ÷ a bare app."""
    with open_app(home) as terminal:
        terminal.wait_for(FILLED)
        terminal.settle()
        ours = terminal.peak_memory()
    with Terminal(LABEL) as terminal:
        terminal.wait_for("ready-to-measure")
        terminal.settle()
        theirs = terminal.peak_memory()
    return Row("peak memory ÷ bare app", ours / theirs, 2.5, detail=f"{ours // 1024} MiB ÷ {theirs // 1024} MiB")


def key_latencies(terminal: Terminal, key: str, count: int) -> list[float]:
    """Press a key `count` times and return the seconds from the press to its last byte."""
    found = []
    for _ in range(count):
        terminal.settle(0.05)
        start = time.perf_counter()
        terminal.send(key)
        last = start
        while terminal.pump(0.06):
            last = time.perf_counter()
        found.append(last - start)
    return found


def latency(home: Path, url: str | None, count: int = 40) -> float:
    """Return the p95 of a row move in the app, in seconds."""
    with open_app(home, url) as terminal:
        terminal.wait_for(FILLED)
        terminal.settle(0.5)
        return percentile(key_latencies(terminal, "j", count) + key_latencies(terminal, "k", count), 0.95)


def bare_latency(count: int = 40) -> float:
    """Return the p95 of a row move in the bare list, in seconds."""
    with Terminal(LIST) as terminal:
        terminal.wait_for("row-000005")
        terminal.settle(0.5)
        return percentile(key_latencies(terminal, "j", count) + key_latencies(terminal, "k", count), 0.95)


def key_bytes(terminal: Terminal, keys: Sequence[str]) -> float:
    """Return the median of the bytes that each of `keys` costs."""
    costs = []
    for key in keys:
        terminal.settle(0.25)
        before = len(terminal.output)
        terminal.send(key)
        terminal.settle(0.25)
        costs.append(len(terminal.output) - before)
    return percentile(costs, 0.5)


def list_bytes(home: Path) -> list[Row]:
    """Bytes of a row move, of one that scrolls and of a page, the list alone (preview hidden), at 80×24."""
    rows = []
    with open_app(home) as terminal:
        terminal.wait_for(FILLED)
        terminal.settle(0.5)
        terminal.send("p")  # hides the preview
        terminal.settle(0.5)
        rows.append(Row("bytes of a row move", key_bytes(terminal, ["j", "k"] * 4), 300, unit="bytes"))
        terminal.send(*["j"] * 30)
        terminal.settle(0.5)
        rows.append(Row("bytes of a row move that scrolls", key_bytes(terminal, ["j"] * 6), 3500, unit="bytes"))
        rows.append(Row("bytes of a page of rows", key_bytes(terminal, ["pagedown"] * 4), 4000, unit="bytes"))
    return rows
