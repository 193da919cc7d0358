"""What the feed brings while the inbox is open: counted, or shown at once when the user's own doing brought it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kelmu_tui.store import aftermath, outbox, replica
from kelmu_tui.store.rows import View
from tests.screens.support import change, notices, office, pending, press, settled, text_of, where
from tests.store.build import NOW, OWN, notice, trace
from tests.widgets.support import until


async def test_new_rows_are_counted_and_come_when_asked_for(tmp_path: Path) -> None:
    async with office(tmp_path, notices(10)) as (app, pilot):
        await press(pilot, *"jj")
        shown = [row.id for row in app.inbox.rows.rows]
        new = notice("fresh", family="Uusi", due="2026-11-02")
        change(app.store, lambda db: replica.put_rows(db, 1, [new]), "notice", keys=["fresh"])
        await until(pilot, lambda: app.inbox.rows.fresh == 1)
        await settled(pilot)
        assert [row.id for row in app.inbox.rows.rows] == shown
        assert app.t("inbox.fresh", count=1) in text_of(app)
        cursor = where(app)
        await press(pilot, "N")
        assert "fresh" in [row.id for row in app.inbox.rows.rows]
        assert where(app) == cursor


async def test_what_a_colleague_does_shows_live(tmp_path: Path) -> None:
    async with office(tmp_path, notices(10)) as (app, pilot):
        row = notices(10)[0] | {
            "version": 2,
            "status": "in_progress",
            "assignee": "user-9",
            "assignee_name": "Matti Virtanen",
        }
        change(app.store, lambda db: replica.put_rows(db, 1, [row]), "notice", keys=["n0000"])
        await until(pilot, lambda: "MV" in text_of(app) or "M. Virtanen" in text_of(app))
        await press(pilot, "a")
        assert " ".join(text_of(app).split()).count(app.t("errors.refusal.already_taken")) == 1
        assert pending(app) == []


async def test_the_total_beside_a_filter_follows_the_view(tmp_path: Path) -> None:
    async with office(tmp_path, notices(10)) as (app, pilot):
        await press(pilot, "slash", *"sukunimi0003", "enter")
        assert "1/10" in text_of(app).splitlines()[3]
        app.counts.views = {View.UNHANDLED: 12}
        app.update_frames()
        await settled(pilot)
        assert "1/12" in text_of(app).splitlines()[3]


async def test_what_an_own_command_brings_back_is_no_news(tmp_path: Path) -> None:
    """A transfer that was taken back comes home by the feed, among rows of others that are only counted."""
    async with office(tmp_path, notices(10)) as (app, pilot):
        await press(pilot, *"jj", "t")
        await press(pilot, *"turku", "tab", *"muutto", "enter")
        assert pending(app) == [("transfer", "n0002")]

        def gone(db: Any) -> None:
            """The backend took it, and the feed has shown that: the notice left, its trace is there."""
            (command,) = outbox.pending(db, OWN)
            outbox.freeze(db, command.id)
            outbox.acknowledge(db, command.id, seq=7, version=2, epoch="epoch", now=NOW)
            aftermath.settle(db, OWN, epoch="epoch", checkpoint=7, filling=False, now=NOW)
            replica.remove(db, 1, "n0002")
            replica.put_rows(db, 2, [trace("n0002")])

        change(app.store, gone, "notice", "trace", "command")
        await settled(pilot)
        assert pending(app) == []
        await press(pilot, "u")
        assert pending(app) == [("take-back", "n0002")]

        def back(db: Any) -> None:
            (command,) = outbox.pending(db, OWN)
            outbox.freeze(db, command.id)
            outbox.acknowledge(db, command.id, seq=9, version=3, epoch="epoch", now=NOW)
            aftermath.settle(db, OWN, epoch="epoch", checkpoint=9, filling=False, now=NOW)
            replica.put_rows(db, 1, [notices(10)[2] | {"version": 3}, notice("fresh", family="Uusi", due="2026-11-02")])

        shown = [row.id for row in app.inbox.rows.rows]
        change(app.store, back, "notice", "trace", "command")
        await until(pilot, lambda: app.inbox.rows.fresh == 1)
        await settled(pilot)
        assert [row.id for row in app.inbox.rows.rows] == sorted({*shown, "n0002"})
        assert app.t("inbox.fresh", count=1) in text_of(app)
