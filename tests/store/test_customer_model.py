"""A customer's section against a model of a few lines: whatever comes, in whatever order, however late."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kelmu_tui.domain.sections import looks_kept
from kelmu_tui.store import customer_files, customers, expiry
from tests.store.build import NOW, OWN, FixedClock, open_store
from tests.store.customer_lines import KEPT, PAYMENTS, answer, begin, down, head, hidden, payment, payments

HOUR = timedelta(hours=1)
contents = st.dictionaries(st.sampled_from(["m1", "m2", "m3"]), st.sampled_from(["1.00", "2.00"]))


class Section(RuleBasedStateMachine):
    """Answers come, sources fail, time passes, the user looks or forgets; what is shown is what the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = FixedClock()
        self.store = open_store(self.folder / "one", self.clock)
        self.store.attach(OWN)
        self.file_ends: datetime | None = None
        self.ends = NOW
        self.state: str | None = None
        self.rows: dict[str, str] = {}
        self.seen: dict[str, str] | None = None
        self.seen_until = NOW

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.clock.at

    def tidy(self) -> None:
        """Let the model forget what has ended."""
        if self.seen is not None and self.seen_until <= self.now:
            self.seen = None
        if self.file_ends is not None and self.file_ends <= self.now:
            self.file_ends = self.state = None
            self.rows = {}
        if self.state is not None and self.ends <= self.now:
            # Rows of before end before the file: a source that was down is, one that was not asked again is not there.
            self.state = "down" if self.state == "stale" else None
            self.rows, self.ends = {}, self.file_ends or self.now

    @rule(rows=contents)
    def tells(self, rows: dict[str, str]) -> None:
        expiry.sweep(self.store)
        answer(self.store, head(self.now), payments(*(payment(id_, net) for id_, net in rows.items()), at=self.now))
        self.file_ends = self.ends = self.now + KEPT
        self.state, self.rows = ("shown" if rows else "none"), rows
        if self.seen is None:
            self.look()

    @rule()
    def hides(self) -> None:
        expiry.sweep(self.store)
        answer(self.store, head(self.now), hidden(PAYMENTS))
        self.file_ends = self.ends = self.now + KEPT
        self.state, self.rows = "hidden", {}

    @rule()
    def fails(self) -> None:
        expiry.sweep(self.store)
        answer(self.store, head(self.now), down())
        self.file_ends = self.now + KEPT
        if self.state in ("shown", "none", "stale"):
            self.state = "stale"
        else:
            self.state, self.rows, self.ends = "down", {}, self.file_ends

    @rule()
    def breaks_off(self) -> None:
        expiry.sweep(self.store)
        begin(self.store, head(self.now))
        with self.store.write("replica") as db:
            customers.settle(db, "p1")
        self.file_ends = self.now + KEPT
        if self.state is None:
            self.state, self.ends = "down", self.file_ends

    @rule()
    def look(self) -> None:
        with self.store.write("replica") as db:
            customers.seen(db, "p1", PAYMENTS, self.now)
        if self.state in ("shown", "none", "stale") and (self.seen is None or self.news()):
            self.seen, self.seen_until = dict(self.rows), self.now + looks_kept()

    @rule(hours=st.sampled_from([4, 8, 24 * 50]))
    def time_passes(self, hours: int) -> None:
        self.clock.at += hours * HOUR
        self.tidy()

    @rule()
    def forget(self) -> None:
        with self.store.write("replica") as db:
            customers.forget(db, "p1")
        self.file_ends = self.state = self.seen = None
        self.rows = {}

    @rule()
    def swept(self) -> None:
        expiry.sweep(self.store)
        assert expiry.sweep(self.store) == 0

    def news(self) -> set[str]:
        """Return what the model calls news."""
        return {id_ for id_, net in self.rows.items() if self.seen is None or self.seen.get(id_) != net}

    @invariant()
    def it_is_what_the_model_says(self) -> None:
        expiry.sweep(self.store)
        with self.store.read() as db:
            found = customer_files.file(db, "p1", self.now)
        if self.file_ends is None:
            assert found is None
            return
        assert found is not None
        assert found.expires_at == self.file_ends
        if self.state is None:
            assert found.sections == {}
            return
        shown = found.sections[PAYMENTS]
        assert shown.state == self.state
        assert [row.id for row in shown.rows] == list(self.rows)
        assert shown.news == self.news()


TestSection = Section.TestCase
TestSection.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
