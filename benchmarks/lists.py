"""Lists of 100 000 rows: fetched against the bare stream, opened against one of 100 rows, compared against bare SQL.

Fetching is measured in processes of their own, on copies of one signed-in machine (`fetching`). Opening is what the
screen of a list asks for before it can paint, the log of the look included, and the screen itself on a real terminal.
The bare SQL counts who is new, who left and whose values changed in the same encrypted file, and keeps nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.customer import until_heard
from benchmarks.fetching import fetched, ours
from benchmarks.list_world import FEW, PART, ROWS, Desk, fill, recipients, town
from benchmarks.ratios import Row, alternate
from benchmarks.screen import open_app
from benchmarks.world import backend, backend_process, forget_peak, peak_memory
from kelmu_tui.domain.lists import ColumnType
from kelmu_tui.services.context import Context
from kelmu_tui.services.lists import Comparing, Lists, Reading
from kelmu_tui.store.list_compare import Kind
from kelmu_tui.store.lists import span
from tests.support.terminal import Terminal

PAGE: Final = 60
"""Rows that a screen asks for first, on a large terminal."""
LISTS: Final = "Luettelot"
FIRST: Final = b"Heikkinen"
"""Who stands first in every list."""


def measured(folder: Path, rounds: int) -> Iterator[Row]:
    """Make the record and the machines, and measure everything."""
    data = folder / "lists"
    data.mkdir(mode=0o700)
    at_town, at_county = town(), recipients()
    fill(data, {at_town: (ROWS, ROWS, PART), at_county: (ROWS, FEW)})
    whole, before, part = (period.key for period in at_town.periods(3))
    with backend(data) as url:
        home, other = folder / "town", folder / "county"
        at_town.sign_in(home, url)
        at_county.sign_in(other, url)
        yield from _fetching(home, url, data, whole, part, rounds)
        asyncio.run(ours(at_town, home, url, before, whole))
        asyncio.run(ours(at_county, other, url, *(period.key for period in at_county.periods(2))))
    with at_county.opened(other) as context:
        yield _opening(context, at_county, rounds * 8)
    yield _painting(other, rounds * 4)
    with at_town.opened(home) as context:
        yield _comparing(context, at_town, before, whole, rounds)


# --- fetching ---


def _fetching(home: Path, url: str, data: Path, whole: str, part: str, rounds: int) -> Iterator[Row]:
    process = backend_process(data)
    peaks: dict[str, list[int]] = {whole: [], part: []}
    served: dict[str, list[int]] = {whole: [], part: []}
    mine, theirs = [], []
    fetched("bare", home, url, part)  # what a backend needs only once it has then
    for _ in range(rounds):
        for period in (part, whole):
            forget_peak(process)
            mine.append(fetched("ours", home, url, period))
            peaks[period].append(mine[-1].peak)
            served[period].append(peak_memory(process))
        mine.remove(mine[-2])
        theirs.append(fetched("bare", home, url, whole))
    times, plain = (statistics.median(one.seconds for one in found) for found in (mine, theirs))
    works, plainly = (statistics.median(one.cpu for one in found) for found in (mine, theirs))
    detail = f"{times:.1f} s ÷ {plain:.1f} s; processor time of the client {works:.1f} s ÷ {plainly:.1f} s"
    what = "list of 100 000 rows fetched ÷ streaming and inserting the same bytes"
    yield Row(what, times / plain, 3.0, detail=detail)
    yield _flat("peak memory of the client", peaks, whole, part)
    yield _flat("peak memory of the backend", served, whole, part)


def _flat(what: str, peaks: dict[str, list[int]], whole: str, part: str) -> Row:
    long, short = (statistics.median(peaks[period]) for period in (whole, part))
    detail = f"{long / 1024:.0f} MiB ÷ {short / 1024:.0f} MiB"
    return Row(f"{what}, 100 000 rows fetched ÷ 20 000", long / short, 1.2, detail=detail)


# --- opening ---


def _opening(context: Context, desk: Desk, rounds: int) -> Row:
    long, short = (period.key for period in desk.periods(2))

    def reading(period: str) -> tuple[float, Lists, Reading]:
        lists = Lists(context.store, context.active, context.clock, context.ids)
        start = time.perf_counter()
        return start, lists, lists.open(desk.list_id, period)

    def opened(period: str) -> float:
        start, lists, found = reading(period)
        lists.page(found, limit=PAGE)
        lists.totals(found)
        return time.perf_counter() - start

    def paged(period: str) -> float:
        _, lists, found = reading(period)
        start = time.perf_counter()
        lists.page(found, limit=PAGE)
        return time.perf_counter() - start

    mine, theirs = alternate(lambda: opened(long), lambda: opened(short), rounds, min)
    pages = alternate(lambda: paged(long), lambda: paged(short), rounds, min)
    detail = f"{_ratio(mine, theirs)}; a page alone {_ratio(*pages)}"
    return Row("list of 100 000 rows opened ÷ one of 100", mine / theirs, 1.2, detail=detail)


def _ratio(mine: float, theirs: float) -> str:
    return f"{mine * 1000:.2f} ms ÷ {theirs * 1000:.2f} ms"


def _painting(home: Path, rounds: int) -> Row:
    with open_app(home) as app:
        app.wait_for(LISTS)
        app.settle(0.5)
        app.send("3")
        app.settle(0.5)

        def shown(key: str) -> float:
            app.send(key)
            app.settle(0.1)
            return _shown(app)

        mine, theirs = alternate(lambda: shown("g"), lambda: shown("j"), rounds, min)
    detail = _ratio(mine, theirs)
    return Row("the same on the screen, key to the first row", mine / theirs, 1.2, detail=detail)


def _shown(app: Terminal) -> float:
    took = until_heard(app, ["enter"], FIRST)
    app.settle(0.1)
    app.send("q")
    app.wait_gone(FIRST.decode())
    app.settle(0.1)
    return took


# --- comparing ---


def _comparing(context: Context, desk: Desk, before: str, after: str, rounds: int) -> Row:
    lists, order = context.lists, (before, after)

    def compared() -> float:
        nonlocal order
        order = order[::-1]  # the same once more would be remembered
        start = time.perf_counter()
        comparing = lists.compare(desk.list_id, order[0], order[1])
        lists.differences(comparing, Kind.CHANGED)
        return time.perf_counter() - start

    comparing = lists.compare(desk.list_id, before, after)

    def bare() -> float:
        start = time.perf_counter()
        counts = _counted(context, desk, comparing)
        took = time.perf_counter() - start
        found = comparing.found
        if counts != (found.came.rows, found.went.rows, found.changed.rows):
            raise AssertionError("the bare SQL counts otherwise")
        return took

    mine, theirs = alternate(compared, bare, rounds)
    return Row("two lists of 100 000 rows compared ÷ the bare SQL", mine / theirs, 2.0, detail=_ratio(mine, theirs))


def _counted(context: Context, desk: Desk, comparing: Comparing) -> tuple[int, ...]:
    old, new = (span(copy.number) for copy in comparing.pair[:2])
    one = "FROM replica.list_row WHERE row >= ? AND row < ?"
    alone = f"SELECT count(*) {one} AND person NOT IN (SELECT person {one})"
    places = [place for place, column in enumerate(desk.one.columns) if column.type is not ColumnType.CODE]
    kept = ", ".join(f"v{place}" for place in places)
    differs = " OR ".join(f"o.v{place} IS NOT n.v{place}" for place in places)
    changed = (
        f"WITH o AS MATERIALIZED (SELECT person, {kept} {one}), n AS MATERIALIZED (SELECT person, {kept} {one})"
        f" SELECT count(*) FROM n JOIN o ON o.person = n.person WHERE {differs}"
    )
    with context.store.read() as db:
        return tuple(
            db.execute(statement, values).fetchone()[0]
            for statement, values in ((alone, (*new, *old)), (alone, (*old, *new)), (changed, (*old, *new)))
        )
