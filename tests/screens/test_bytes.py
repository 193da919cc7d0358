"""What the inbox sends to the terminal: nothing while idle, little for a move."""

from __future__ import annotations

from pathlib import Path

from kelmu_tui.store import replica
from tests.screens.support import Office, change, notices, press, settled, text_of
from tests.widgets.support import Recorder, until

WARM_UP = ("j", "k")
"""What Textual laid out while lines were waiting to be painted, it paints once more with the first of them."""


async def test_an_idle_inbox_is_silent_and_a_move_costs_little(tmp_path: Path) -> None:
    app = Office(tmp_path, notices(200))
    app.driver_class = Recorder
    try:
        async with app.run_test(size=(80, 24), headless=False) as pilot:
            await settled(pilot)
            await until(pilot, lambda: "Vapaa teksti 0" in text_of(app))
            await settled(pilot)
            first = len(Recorder.take().encode())
            await press(pilot, *WARM_UP)
            Recorder.take()
            app.update_frames()
            app.set_status()
            await settled(pilot)
            idle = len(Recorder.take().encode())
            await press(pilot, "j")
            await until(pilot, lambda: "Vapaa teksti 30" in text_of(app))
            await settled(pilot)
            move = len(Recorder.take().encode())
    finally:
        app.thread.close()
    assert idle == 0
    # Two rows of the list and the few lines of the preview that differ between two notices.
    assert move <= 1200
    assert first <= 30_000


async def test_a_change_costs_the_lines_that_look_different(tmp_path: Path) -> None:
    app = Office(tmp_path, notices(200))
    app.driver_class = Recorder
    try:
        async with app.run_test(size=(80, 24), headless=False) as pilot:
            await until(pilot, lambda: "Vapaa teksti 0" in text_of(app))
            await settled(pilot)
            await press(pilot, *WARM_UP)
            Recorder.take()
            same = notices(200)
            change(app.store, lambda db: replica.put_rows(db, 1, same[150:]), "notice")
            await settled(pilot)
            unseen = len(Recorder.take().encode())
            taken = same[1] | {"version": 2, "status": "in_progress", "assignee": "u9", "assignee_name": "Matti Meri"}
            change(app.store, lambda db: replica.put_rows(db, 1, [taken]), "notice", keys=["n0001"])
            await until(pilot, lambda: "M. Meri" in text_of(app) or "MM" in text_of(app))
            await settled(pilot)
            one = len(Recorder.take().encode())
    finally:
        app.thread.close()
    assert unseen == 0
    assert 0 < one <= 300, one
