"""What a customer's file sends to the terminal: nothing while idle, little for a move, what differs for a section."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from kelmu_tui.domain.sections import Section
from kelmu_tui.screens.customer import CustomerScreen
from tests.screens.customers import LookUpOffice, line, whole
from tests.screens.support import press, settled
from tests.screens.test_bytes import WARM_UP
from tests.store.customer_lines import answer, head, payment, payments
from tests.widgets.support import Recorder, until

MANY = payments(*(payment(f"p{n:04d}", paid_on=date(2026, 11, 2) - timedelta(days=10 * n)) for n in range(300)))


async def test_an_idle_file_is_silent_and_a_move_costs_little(tmp_path: Path) -> None:
    app = LookUpOffice(tmp_path, ())
    app.driver_class = Recorder
    try:
        async with app.run_test(size=(80, 24), headless=False) as pilot:
            await settled(pilot)
            sections = [MANY if one.section is Section.PAYMENTS else one for one in whole()]
            answer(app.store, head(), *sections)
            Recorder.take()
            app.call_later(app.show_customer, "p1")
            await until(pilot, lambda: isinstance(app.screen, CustomerScreen) and app.screen.ready, "the file")
            await settled(pilot)
            first = len(Recorder.take().encode())
            await press(pilot, "4", *WARM_UP)
            Recorder.take()
            app.update_frames()
            app.store_changed_now()
            await settled(pilot)
            idle = len(Recorder.take().encode())
            await press(pilot, "j")
            move = len(Recorder.take().encode())
            answer(app.store, head(), line(Section.CLAIMS))
            app.store_changed_now()
            await settled(pilot)
            elsewhere = len(Recorder.take().encode())
    finally:
        app.thread.close()
    assert idle == 0
    # Two rows of the list and the lines of the page that differ between two payments.
    assert 0 < move <= 1200
    # A section that came meanwhile changes its tab alone.
    assert 0 < elsewhere <= 500
    assert first <= 30_000
