"""The command line's start ÷ the start of an interpreter that imports sqlite3."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.ratios import Row, alternate
from benchmarks.world import environment

LIST = (sys.executable, "-m", "kelmu_tui", "--profile", "demo", "--json", "inbox", "list", "--limit", "20")
BARE = (sys.executable, "-c", "import sqlite3")


def timed(command: tuple[str, ...], home: Path) -> float:
    """Return the seconds that a command takes."""
    start = time.perf_counter()
    subprocess.run(command, env=environment(home), check=True, capture_output=True)
    return time.perf_counter() - start


def list_start(home: Path, rounds: int) -> Row:
    """Measure `kelmu inbox list --json` on the filled store."""
    timed(LIST, home)  # compiles what is not compiled yet
    ours, theirs = alternate(lambda: timed(LIST, home), lambda: timed(BARE, home), rounds)
    detail = f"{ours * 1000:.0f} ms ÷ {theirs * 1000:.0f} ms"
    return Row("kelmu inbox list --json ÷ python -c 'import sqlite3'", ours / theirs, 6.0, detail=detail)
