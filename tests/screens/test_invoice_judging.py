"""What the user says of findings: one and many, with reasons, taken back and undone; and the dispute that is sent."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kelmu_tui.domain.identifiers import mask
from kelmu_tui.screens.customer_find import FindScreen
from kelmu_tui.screens.finding_rows import FindingRowsScreen
from kelmu_tui.screens.invoice import InvoiceScreen
from kelmu_tui.screens.invoice_pages import DisputeScreen
from kelmu_tui.screens.list_rows import ListRowsScreen
from kelmu_tui.screens.reason import ReasonScreen
from kelmu_tui.services.invoices import MAX_TEXT
from kelmu_tui.widgets.block_field import BlockField
from tests.screens.invoices import LIST, PERIOD, InvoicesOffice, billing, opened, right, screen, shown, wrong
from tests.screens.lists import looks, words
from tests.screens.support import press, settled, text_of, type_text

SUBJECT = f"{LIST}/{PERIOD}"


def on_top(app: InvoicesOffice) -> type:
    return type(app.screen)


async def test_accepting_is_taken_back_by_the_same_key_and_undone(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(2))
        await opened(app, pilot)
        await press(pilot, "a")
        assert app.said() == [("accepted", "")]
        assert app.t.choice("invoice_view.judged", "accepted", count=1) in words(app)
        await press(pilot, "a")
        assert app.said() == []
        assert app.t("invoice_view.taken_back", count=1) in words(app)
        await press(pilot, "u")
        assert app.said() == [("accepted", "")]
        await press(pilot, "u")
        assert app.said() == []
        await press(pilot, "u")
        assert app.t.choice("actions.why", "nothing_to_undo") in words(app)


async def test_a_dispute_needs_a_reason(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(2))
        await opened(app, pilot)
        await press(pilot, "d")
        assert isinstance(app.screen, ReasonScreen)
        await press(pilot, "ctrl+s")
        assert app.t("invoice_view.reason_needed") in words(app)
        await press(pilot, "space", "enter", "ctrl+s")
        assert app.said() == []
        assert isinstance(app.screen, ReasonScreen)
        await type_text(pilot, "counted wrong")
        await press(pilot, "ctrl+s")
        assert app.said() == [("disputed", "counted wrong")]
        assert "counted wrong" in words(app)
        await press(pilot, "d")
        assert app.said() == []
        await press(pilot, "u")
        assert app.said() == [("disputed", "counted wrong")]


async def test_what_was_typed_is_there_again(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(2))
        await opened(app, pilot)
        await press(pilot, "d")
        await type_text(pilot, "half a reason")
        await press(pilot, "escape")
        assert app.said() == []
        await press(pilot, "d")
        assert app.screen.query_one(BlockField).text == "half a reason"
        await press(pilot, "escape", "j", "d")
        assert app.screen.query_one(BlockField).text == ""


async def test_a_reason_is_no_longer_than_it_may_be(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(1))
        await opened(app, pilot)
        await press(pilot, "d")
        app.screen.query_one(BlockField).text = "x" * MAX_TEXT
        await press(pilot, "y", "ctrl+s")
        assert app.said() == [("disputed", "x" * MAX_TEXT)]


async def test_a_note_may_be_empty_and_is_edited(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(2))
        await opened(app, pilot)
        await press(pilot, "e")
        assert app.t("invoice_view.nothing_to_edit") in words(app)
        await press(pilot, "n", "ctrl+s")
        assert app.said() == [("noted", "")]
        await press(pilot, "e")
        await type_text(pilot, "ask Kela")
        await press(pilot, "ctrl+s")
        assert app.said() == [("noted", "ask Kela")]
        await press(pilot, "e")
        assert app.screen.query_one(BlockField).text == "ask Kela"
        await press(pilot, "escape", "u")
        assert app.said() == [("noted", "")]


async def test_several_at_once_and_the_same_again(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(5))
        found = await opened(app, pilot)
        await press(pilot, "a", "g", "x", "x", "x", "d")
        assert app.t.choice("invoice_view.ask", "disputed", count=3) in text_of(app)
        await type_text(pilot, "twice")
        await press(pilot, "ctrl+s")
        assert [state for _, state in shown(found)] == ["disputed", "disputed", "disputed", "", ""]
        assert not found.rows.marks
        await press(pilot, "full_stop")
        assert [state for _, state in shown(found)] == ["disputed"] * 4 + [""]
        await press(pilot, "u", "u")
        # Each has again what was said of it before.
        assert [state for _, state in shown(found)] == ["accepted", "", "", "", ""]
        await press(pilot, "asterisk", "a")
        assert [state for _, state in shown(found)] == ["accepted"] * 5
        assert app.t("invoice_view.all_judged") in words(app)
        await press(pilot, "asterisk", "a")
        assert app.said() == []


async def test_what_was_said_is_there_after_the_screen_was_left(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(2))
        await opened(app, pilot)
        await press(pilot, "d")
        await type_text(pilot, "wrong")
        await press(pilot, "ctrl+s", "q")
        assert [state for _, state in shown(await opened(app, pilot))] == ["disputed", ""]


async def test_the_rows_of_a_finding_and_the_customer(tmp_path: Path) -> None:
    async with billing(tmp_path, (120, 40), language="en") as (app, pilot):
        app.have(wrong(2))
        found = await opened(app, pilot)
        row = found.rows.rows[0].rows[0]
        before = looks(app)
        await press(pilot, "enter")
        assert on_top(app) is FindingRowsScreen
        text, code = words(app), str(row.values["identity_code"])
        assert (str(row.values["name"])[:10] in text, mask(code) in text, code in text) == (True, True, False)
        # The review has logged the look at all rows a moment ago; these are some of them.
        assert looks(app) == before == [("list_rows", SUBJECT, len(right()))]
        await press(pilot, "c")
        assert code in words(app)
        await press(pilot, "y")
        assert looks(app)[-1] == ("list_copy", SUBJECT, 1)
        rows = app.screen
        await press(pilot, "enter")
        assert on_top(app) is FindScreen
        await press(pilot, "escape", "x", "q")
        assert app.screen is rows
        await press(pilot, "q")
        assert app.screen is found


async def test_all_rows_of_the_invoice(tmp_path: Path) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(wrong(2))
        await opened(app, pilot)
        await press(pilot, "A")
        assert isinstance(app.screen, ListRowsScreen)
        await press(pilot, "q")
        left: object = app.screen
        assert isinstance(left, InvoiceScreen)


async def test_the_dispute_is_shown_logged_and_saved(tmp_path: Path) -> None:
    async with billing(tmp_path, (80, 24), language="en") as (app, pilot):
        app.have(wrong(3))
        found = await opened(app, pilot)
        await press(pilot, "w")
        assert app.t("invoice_view.nothing_disputed", key="d") in words(app)
        await press(pilot, "a", "j", "d")
        await type_text(pilot, "a cent too much")
        await press(pilot, "ctrl+s", "w")
        assert isinstance(app.screen, DisputeScreen)
        assert looks(app)[-1][1:] == (SUBJECT, len(right()))
        assert "DISPUTE" in text_of(app)
        disputed, other = found.rows.rows[1].rows[0], found.rows.rows[0].rows[0]
        path = tmp_path / "dispute.txt"
        await press(pilot, "w", "ctrl+u")
        await type_text(pilot, str(tmp_path / "dispute.csv"))
        await press(pilot, "enter")
        assert app.t("invoice_view.pages_only") in words(app)
        assert not (tmp_path / "dispute.csv").exists()
        await press(pilot, "ctrl+u")
        await type_text(pilot, str(path))
        await press(pilot, "enter")
        text = path.read_text(encoding="utf-8")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "a cent too much" in text
        assert str(disputed.values["identity_code"]) in text
        assert str(other.values["identity_code"]) not in text
        with app.store.read() as db:
            left = db.execute(
                "SELECT body ->> 'rows' FROM main.view_event WHERE body ->> 'view' = 'invoice_dispute'"
            ).fetchall()
        assert left == [(1,), (1,)]  # when it was shown, and when it was saved


@pytest.mark.parametrize("key", ["a", "d", "n", "e", "K", "enter"])
async def test_without_a_finding_the_keys_say_so(tmp_path: Path, key: str) -> None:
    async with billing(tmp_path, language="en") as (app, pilot):
        app.have(right())
        await opened(app, pilot)
        await press(pilot, key)
        assert app.screen is screen(app)
        assert app.t.choice("actions.why", "nothing_selected") in words(app)
        await settled(pilot)
