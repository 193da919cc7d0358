"""The form and its boxes in every size and language: nothing is clipped, the field that is typed in can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from kelmu_tui.screens.claim_choosing import PickScreen
from kelmu_tui.screens.claim_fields import Fields
from kelmu_tui.screens.claim_preview import PreviewScreen
from kelmu_tui.screens.claim_told import SourceScreen, ToldScreen
from kelmu_tui.services.claim_typing import Field, fields_of
from tests.screens.claim_forms import fill_in, filling, form, on_top, paste
from tests.screens.claims import ClaimsOffice
from tests.screens.support import HOSTILE, LANGUAGES, SIZES, check_grid, press
from tests.widgets.support import picture


def in_sight(app: ClaimsOffice) -> bool:
    """Tell whether the cursor's field is between head and foot."""
    focused = app.focused
    assert focused is not None
    area = form(app).query_one(Fields).region
    return area.y <= focused.region.y < area.bottom


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_form_fits(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    async with filling(tmp_path, size=size, language=language) as (app, pilot, _):
        check_grid(app, size)
        await fill_in(app, pilot, {"basis": "23", "first": "1.1.", "last": "32.1.", "amount": "1,5oo"})
        for _step in range(len(fields_of(form(app).values["basis"]))):
            assert in_sight(app), app.focused
            check_grid(app, size)
            await press(pilot, "tab")
        await press(pilot, "ctrl+g")
        assert in_sight(app)
        await press(pilot, "f2")
        assert on_top(app, PreviewScreen)
        check_grid(app, size)
        await press(pilot, "escape", "f3")
        assert on_top(app, ToldScreen)
        check_grid(app, size)
        await press(pilot, "K")
        assert on_top(app, SourceScreen)
        check_grid(app, size)
        await press(pilot, "escape", "escape")
        for field in (Field.BASIS, Field.BENEFIT, Field.ACCOUNT):
            form(app).choose(field)
            await press(pilot, "down")
            assert on_top(app, PickScreen)
            check_grid(app, size)
            assert "enter" in "\n".join(picture(app)), "the hints of the box are on the screen"
            await press(pilot, "escape")


async def test_beside_the_form_stands_what_kela_will_read_where_there_is_room(tmp_path: Path) -> None:
    async with filling(tmp_path, size=(120, 40)) as (app, pilot, _):
        await fill_in(app, pilot, {"amount": "1234,5"})
        assert app.t("claim_form.preview_title") in "\n".join(picture(app))
        assert app.t.formats.euros(form(app).judging.said.partial.amount) in "\n".join(picture(app))  # type: ignore[union-attr,arg-type]


async def test_hostile_text_harms_nothing(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        for name in ("payee", "amount", "reference", "grounds", "handler"):
            form(app).set_focus(form(app).query_one(f"#{name}"))
            await press(pilot, "ctrl+u")
            await paste(app, pilot, HOSTILE)
            check_grid(app, (80, 24))
        await press(pilot, "f2")
        check_grid(app, (80, 24))
