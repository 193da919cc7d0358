"""The life of lists in a replica, at random: what is shown is whole, of one version, and in its time."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kelmu_tui.domain.lists import retention
from kelmu_tui.store import expiry, list_fetch, list_pages, lists
from kelmu_tui.store.database import Store
from kelmu_tui.store.list_fetch import Fetch, Incomplete, Overtaken
from kelmu_tui.store.list_pages import ListQuery
from tests.store.build import OWN, FixedClock, open_store
from tests.store.list_rows import LIST, published, row

PERIODS = st.sampled_from(("2026-09", "2026-10"))
ROWS = 7
UNTIL = st.sampled_from((0, 3, ROWS))


def rows_of(period: str, version: int) -> list[dict[str, Any]]:
    """Return what the backend would send: a version names itself in every row."""
    return [row(number, id=f"{number:02d}", address=f"{period} v{version}") for number in range(ROWS)]


class Shown:
    """What the model says is shown."""

    def __init__(self, version: int, until: Any) -> None:
        self.version = version
        self.until = until


class Life(RuleBasedStateMachine):
    """A backend that publishes, republishes and withdraws, a client that fetches in pieces, and time."""

    @initialize()
    def begin_all(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.clock = FixedClock()
        self.store: Store = self._opened()
        self.versions = {"2026-09": 1, "2026-10": 1}
        self.shown: dict[str, Shown] = {}
        self.left: list[Fetch] = []

    def _opened(self) -> Store:
        store = open_store(self.folder / "users" / "one", self.clock)
        store.attach(OWN)
        return store

    def _staged(self, period: str) -> Fetch | None:
        return list_fetch.staged(self.store, LIST, period)

    @rule(period=PERIODS, until=UNTIL)
    def fetch_some(self, period: str, until: int) -> None:
        self.fetch(period, until)

    def fetch(self, period: str, until: int) -> None:
        """Begin, or go on, and break off after some rows, or end."""
        before, version = self._staged(period), self.versions[period]
        under_way = list_fetch.begin(self.store, published(ROWS, period=period, version=version))
        if before is None or before.version != version:
            assert (under_way.rows, under_way.after) == (0, None)
        assert under_way.after == (f"{under_way.rows - 1:02d}" if under_way.rows else None)
        self.left.append(under_way)
        more = rows_of(period, version)[under_way.rows : until]
        under_way = list_fetch.put_rows(self.store, under_way, more)
        self.left.append(under_way)
        if until == ROWS:
            list_fetch.finish(self.store, under_way)
            self._is_shown(under_way)

    @precondition(lambda self: self.left)
    @rule(which=st.integers(0, 100))
    def go_on_with_what_was_left(self, which: int) -> None:
        """Go on with what another fetch may have overtaken, or time, or the backend, ended."""
        under_way = self.left[-1 - which % len(self.left)]
        current = self._staged(under_way.period) == under_way
        more = rows_of(under_way.period, under_way.version)[under_way.rows :]
        try:
            done = list_fetch.put_rows(self.store, under_way, more)
            list_fetch.finish(self.store, done)
        except Overtaken:
            assert not current
        else:
            assert current
            self._is_shown(done)

    @precondition(lambda self: self.left)
    @rule()
    def end_too_early(self) -> None:
        under_way = self.left.pop()
        if under_way.rows < ROWS:
            current = self._staged(under_way.period) == under_way
            with pytest.raises(Incomplete if current else Overtaken):
                list_fetch.finish(self.store, under_way)

    def _is_shown(self, done: Fetch) -> None:
        self.shown[done.period] = Shown(done.version, self.clock.at + retention().kept)

    @rule(period=PERIODS, until=UNTIL)
    def publish_anew(self, period: str, until: int) -> None:
        self.versions[period] += 1
        self.fetch(period, until)

    @rule(period=PERIODS)
    def withdraw(self, period: str) -> None:
        told = published(0, period=period, version=self.versions[period], withdrawn=True)
        with self.store.write("replica") as db:
            lists.announce(db, [told], [LIST])
        self.shown.pop(period, None)
        assert self._staged(period) is None

    @rule()
    def crash(self) -> None:
        self.store.close()
        self.store = self._opened()

    @rule(days=st.sampled_from((1, 40)))
    def wait(self, days: int) -> None:
        self.clock.at += timedelta(days=days)

    @precondition(lambda self: self.shown)
    @rule(by=st.sampled_from((-1, 0)))
    def wait_for_an_end(self, by: int) -> None:
        self.clock.at = max(self.clock.at, min(one.until for one in self.shown.values()) + timedelta(microseconds=by))

    @rule()
    def sweep(self) -> None:
        expiry.sweep(self.store)

    @rule()
    def lose_the_mandate(self) -> None:
        with self.store.write("replica") as db:
            lists.keep_only(db, frozenset())
            assert not lists.any_held(db)
        self.shown.clear()

    @invariant()
    def what_is_shown_is_whole_and_of_one_version(self) -> None:
        now = self.clock.at
        with self.store.read() as db:
            found = {copy.period: copy for copy in lists.copies(db, now)}
            assert found.keys() == {period for period, one in self.shown.items() if one.until > now}
            for period, copy in found.items():
                assert copy.version == self.shown[period].version
                for query in (ListQuery(), ListQuery(text="aino")):
                    rows = list(list_pages.every(db, copy, query))
                    assert [one.id for one in rows] == [one["id"] for one in rows_of(period, copy.version)]
                    assert {one.values["address"] for one in rows} == {f"{period} v{copy.version}"}
            orphans = db.execute(
                "SELECT 1 FROM replica.list_row WHERE copy NOT IN (SELECT number FROM replica.list_copy)"
            )
            assert orphans.fetchone() is None

    def teardown(self) -> None:
        with self.store.write("replica") as db:
            while not lists.erase(db):
                pass
            left = db.execute(
                "SELECT count(*) FROM replica.list_row AS r JOIN replica.list_copy AS c ON c.number = r.copy"
            )
            kept = db.execute("SELECT coalesce(sum(rows), 0) FROM replica.list_copy")
            assert left.fetchone() == kept.fetchone()
        self.store.close()
        shutil.rmtree(self.folder)


Life.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestLife = pytest.mark.filterwarnings("error")(Life.TestCase)
