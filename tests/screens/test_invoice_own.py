"""An invoice held against what the organisation itself knows: residents of a file, and a county's own answers."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from kelmu_tui.screens.own_file import OwnFileScreen
from kelmu_tui.services.reviewing import Missing
from tests.screens.invoices import billing, opened, right, screen
from tests.screens.own_files import ABROAD
from tests.screens.own_files import opened as own_opened
from tests.screens.support import press
from tests.services.own_tables import csv_bytes

PERIOD = "2026-H1"


async def test_residents_are_read_for_this_sitting_and_strangers_found(home: Path) -> None:
    async with billing(home.parent / "store", (120, 40), language="en") as (app, pilot):
        rows = right()
        codes = sorted({row["identity_code"] for row in rows})
        (home / "own.csv").write_bytes(csv_bytes([("Hetu",), *((code,) for code in codes[1:])]))
        app.have(rows)
        found = await opened(app, pilot)
        assert found.reviewed is not None
        assert found.reviewed.found == ()
        await press(pilot, "i")
        assert isinstance(app.screen, OwnFileScreen)
        await own_opened(app, pilot, "own.csv")
        await press(pilot, "enter")
        reviewed = screen(app).reviewed
        assert reviewed is not None
        assert Missing.RESIDENTS not in reviewed.without
        strangers = {id_ for one in reviewed.found for id_ in one.finding.rows}
        assert {one.finding.rule for one in reviewed.found} == {"person_unknown"}
        assert strangers == {row["id"] for row in rows if row["identity_code"] == codes[0]}
        # The next invoice is held against them too.
        app.have(right("2026-09"), period="2026-09")
        await press(pilot, "q")
        after = await opened(app, pilot, period="2026-09")
        assert after.reviewed is not None
        assert Missing.RESIDENTS not in after.reviewed.without


async def test_a_countys_answers_are_kept_and_held_against_the_rows(home: Path) -> None:
    async with billing(home.parent / "store", (120, 40), language="en") as (app, pilot):
        app.work_for("wellbeing_county", ABROAD)
        rows = right(PERIOD, "treatment_abroad")
        app.have(rows, kind="treatment_abroad", period=PERIOD)
        asked = [row for row in rows if row["request_ref"] is not None]
        answers = [(row["request_ref"], row["comparable_cost_eur"], row["client_fee_eur"]) for row in asked]
        other = (answers[0][0], str(Decimal(answers[0][1]) + 1), answers[0][2])
        (home / "own.csv").write_bytes(csv_bytes([("ref", "cost", "fee"), other, *answers[1:]]))
        await opened(app, pilot, "treatment_abroad", PERIOD)
        await press(pilot, "i")
        await own_opened(app, pilot, "own.csv")
        await press(pilot, "enter")
        reviewed = screen(app).reviewed
        assert reviewed is not None
        assert Missing.ANSWERS not in reviewed.without
        differs = [one.finding for one in reviewed.found if one.finding.rule == "answer_differs"]
        assert [(one.rows, one.expected) for one in differs] == [((asked[0]["id"],), Decimal(other[1]))]
        assert app.desk is not None
        assert len(app.desk.own_data.answers()) == len(answers)
