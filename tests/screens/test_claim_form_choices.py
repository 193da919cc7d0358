"""Basis, benefit and account in the form of a claim: what can be chosen, what not and why, and what changes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kelmu_tui.screens.claim_choosing import PickScreen
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.claim_letter import DraftLetterScreen
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import PickList
from tests.screens.claim_forms import (
    NAME,
    fill_in,
    filling,
    form,
    go,
    on_top,
    paste,
    write,
)
from tests.screens.claims import IBAN
from tests.screens.support import press, settled, type_text
from tests.store.customer_lines import CODE
from tests.widgets.support import until


async def test_what_goes_in_writing_can_be_read_and_not_chosen(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await go(app, pilot, "basis")
        await type_text(pilot, "lapsilisälaki")
        choice = app.screen.query_one(PickList).current
        assert choice is not None
        assert choice.closed
        assert "LL 2" in choice.cells[1]
        await press(pilot, "enter")
        assert isinstance(app.screen, PickScreen)
        await press(pilot, "escape")
        assert form(app).values.get("basis", "") == ""


async def test_the_two_of_kelmu_stand_before_the_others(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await go(app, pilot, "basis")
        await press(pilot, "enter")
        closed = [choice.closed for choice in app.screen.query_one(PickList).matches]
        assert closed == sorted(closed)
        assert closed.count(False) == 2


@pytest.mark.parametrize(
    ("basis", "letters", "why"),
    [
        ("14", "asumistuki", "claim_form.other_basis"),
        ("23", "äitiysavustus", "claim_form.nobody_claims"),
        ("23", "perustoimeentulotuki", "claim_form.in_writing"),
    ],
)
async def test_a_benefit_that_a_basis_does_not_allow_says_why(
    tmp_path: Path, basis: str, letters: str, why: str
) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await write(app, pilot, "basis", basis)
        await go(app, pilot, "benefit")
        await type_text(pilot, letters)
        choice = app.screen.query_one(PickList).current
        assert choice is not None
        assert choice.closed
        assert choice.cells[1].startswith(app.t(why, basis="", forms="")[:10])
        await press(pilot, "enter")
        assert isinstance(app.screen, PickScreen)


async def test_an_account_that_is_not_the_organisations_is_not_taken(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await go(app, pilot, "account")
        await press(pilot, "enter")
        await paste(app, pilot, "FI14 1009 3000 1234 58")
        told = app.screen.query_one("#told", Caption)
        assert told.text == app.t("claim_form.not_own_account")
        await press(pilot, "backspace")
        assert told.text == app.t.choice("claims.account_fault", "length")
        await press(pilot, "ctrl+u")
        await paste(app, pilot, "FI4250001510000023")
        assert told.text == app.t.choice("claims.account_fault", "national")
        await press(pilot, "enter")
        assert isinstance(app.screen, PickScreen)
        await press(pilot, "escape")
        assert form(app).values["account"] == IBAN


async def test_the_other_basis_asks_for_other_fields_and_loses_none(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await write(app, pilot, "basis", "14")
        await write(app, pilot, "care_first", "1.12.2026")
        await write(app, pilot, "basis", "23")
        assert not form(app).query_one("#row-care_first").display
        await write(app, pilot, "basis", "14")
        assert form(app).query_one("#row-care_first").display
        assert form(app).query_one("#care_first").value == "1.12.2026"  # type: ignore[attr-defined]


async def test_the_letter_of_what_goes_in_writing_says_what_was_typed(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot, _):
        await fill_in(app, pilot, {"benefit": "vanhuuseläke", "first": "1.1.2027"})
        await go(app, pilot, "basis")
        await type_text(pilot, "67")
        await press(pilot, "ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, DraftLetterScreen) and app.screen._read, "the letter")
        await settled(pilot)
        assert isinstance(app.screen, DraftLetterScreen)
        letter = app.screen._text
        assert letter is not None
        for text in ("Kansaneläkelaki 67", CODE, NAME, "vanhuuseläke"):
            assert text in letter, text
        assert [(view, rows) for view, _subject, rows in app.looks() if view == "claim:letter"] == [("claim:letter", 1)]
        await press(pilot, "escape")
        assert on_top(app, ClaimFormScreen)
        assert form(app).values["first"] == "1.1.2027"


# --- beside it --------------------------------------------------------------------------------------------------------
