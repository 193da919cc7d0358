"""The instant filter: keystroke to the painted result ÷ the bare full-text query on the same file."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from benchmarks.fill import demo_profile, nobody
from benchmarks.ratios import Row
from benchmarks.screen import FILLED, open_app
from benchmarks.world import county
from kelmu_tui.services.context import open_context
from kelmu_tui.store.rows import Query, View

WORDS = ("virtanen", "korhonen", "nieminen", "laine", "heikkinen")


def typed(home: Path) -> float:
    """Return the median seconds from the last letter of a word to the last byte of its result."""
    found = []
    with open_app(home) as terminal:
        terminal.wait_for(FILLED)
        terminal.settle(0.5)
        for word in WORDS:
            terminal.send("/")
            terminal.settle(0.3)
            terminal.send(*word[:-1])
            terminal.settle(0.4)
            start = last = time.perf_counter()
            terminal.send(word[-1])
            while terminal.pump(0.3):
                last = time.perf_counter()
            found.append(last - start)
            terminal.send("escape", "escape")
            terminal.settle(0.4)
    return statistics.median(found)


def queried(home: Path) -> float:
    """Return the median seconds of the queries a filtered screen needs: its rows and their count."""
    found = []
    with open_context(demo_profile(home), organisation=county().business_id, ask=nobody) as context:
        for word in WORDS:
            query = Query(View.UNHANDLED, text=word)
            start = time.perf_counter()
            context.inbox.page(query, limit=60)
            context.inbox.count(query)
            found.append(time.perf_counter() - start)
    return statistics.median(found)


def filtering(home: Path) -> Row:
    """Compare the two."""
    ours, theirs = typed(home), queried(home)
    detail = f"{ours * 1000:.0f} ms ÷ {theirs * 1000:.0f} ms"
    return Row("filter, keystroke to painted result ÷ the bare queries", ours / theirs, 3.0, detail=detail)
