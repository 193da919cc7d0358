"""`python -m benchmarks`: print the rows of docs/performance.md that stand, each as a ratio of one run.

Nothing here is a test: numbers of a busy machine would make it lie. `--only` measures parts, `--notices` a smaller
world while something is being made faster.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import (
    busy,
    claims,
    customer,
    documents,
    drain,
    fill,
    filter,  # noqa: A004 - a module, not the built-in
    lists,
    opening,
    screen,
    server,
    startup,
    world,
)
from benchmarks.ratios import Row

PARTS = (
    "fill",
    "server",
    "drain",
    "busy",
    "opening",
    "startup",
    "paint",
    "memory",
    "latency",
    "bytes",
    "filter",
    "customer",
    "lists",
    "documents",
    "claims",
)


def rows(folder: Path, notices: int, only: list[str], rounds: int) -> Iterator[Row]:
    """Make the worlds that the parts in `only` need, and measure these."""
    if set(only) - {"lists", "documents", "claims"}:
        yield from inbox(folder, notices, only, rounds)
    if "lists" in only:
        yield from lists.measured(folder, rounds)
    if "documents" in only:
        yield from documents.measured(folder, rounds)
    if "claims" in only:
        yield from claims.measured(folder, rounds)


def inbox(folder: Path, notices: int, only: list[str], rounds: int) -> Iterator[Row]:
    """Measure everything about a county with a full inbox."""
    data, home = folder / "backend", folder / "home"
    data.mkdir(mode=0o700)
    world.fill(data, notices)
    with world.backend(data) as url:
        first = fill.first_fill(home, url, folder / "bare", notices)
        if "fill" in only:
            yield first
        if "server" in only:
            yield server.change_poll(url, folder)
        connected = screen.latency(home, url) if "latency" in only else 0.0
        if "drain" in only:
            yield drain.drain(home, url)
    yield from on_a_filled_machine(home, folder, only, rounds, connected)
    if "busy" in only:  # the last, since it leaves old rows to be swept, which whatever came next would measure too
        with world.backend(data) as url:
            yield busy.keys_beside_a_fill(home, url, data)


def on_a_filled_machine(home: Path, folder: Path, only: list[str], rounds: int, connected: float) -> Iterator[Row]:
    """Measure what needs no backend; `connected` is the latency of a row move with one, in seconds."""
    if "opening" in only:
        yield opening.store_open(home, folder)
    if "startup" in only:
        yield startup.list_start(home, rounds * 3)
    if "paint" in only:
        yield screen.first_paint(home, rounds)
    if "memory" in only:
        yield screen.memory(home)
    if "latency" in only:
        yield from latencies(home, connected)
    if "bytes" in only:
        yield from screen.list_bytes(home)
    if "filter" in only:
        yield filter.filtering(home)
    if "customer" in only:
        yield from customer.opening_a_file(home)


def latencies(home: Path, connected: float) -> Iterator[Row]:
    """Compare a row move with the bare list's, and with the backend there and away."""
    away, bare = screen.latency(home, None), screen.bare_latency()
    detail = f"p95 {connected * 1000:.1f} ms ÷ {bare * 1000:.1f} ms"
    yield Row("key to last byte, row move ÷ a minimal line-API list", connected / bare, 2.0, detail=detail)
    detail = f"p95 {away * 1000:.1f} ms ÷ {connected * 1000:.1f} ms"
    yield Row("the same with the backend down ÷ with it there", away / connected, 1.1, detail=detail)


def main() -> int:
    """Print the table; the exit code tells whether every budget is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--notices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(Path(folder), options.notices, options.only, options.rounds):
            print(row, flush=True)
            missed += not row.met
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
