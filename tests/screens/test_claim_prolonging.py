"""Prolonging claims: a day or a choice, what the rules warn of and forbid, and what cannot last longer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kelmu_tui.domain.claims.life import Status
from kelmu_tui.screens.claim_day import ProlongScreen
from tests.screens.claims import at, claim, effect, listing, words
from tests.screens.support import press, type_text


async def test_prolonging_by_a_choice_and_by_a_day(tmp_path: Path) -> None:
    rows = [claim("a", family="A"), claim("b", family="B"), claim("c", family="C")]
    async with listing(tmp_path, rows, language="en") as (app, pilot):
        await at(app, pilot, "a")
        await press(pilot, "p")
        assert isinstance(app.screen, ProlongScreen)
        assert "30.4.2027" in words(app)
        await press(pilot, "enter")
        await at(app, pilot, "b")
        await press(pilot, "p")
        await type_text(pilot, "15.6.27")
        assert app.t("claim_view.will_last", count=1, day="15.6.2027") in effect(app)
        await press(pilot, "enter")
        await at(app, pilot, "c")
        await press(pilot, "p")
        await type_text(pilot, "31.3.2027")
        await press(pilot, "enter")
        assert effect(app) == app.t("claim_view.not_later", day="31.3.2027")
        await press(pilot, "ctrl+u", *["down"] * 8, "enter")
        last = {id_: payload["last"] for _, id_, payload in app.commands()}
        assert last == {"a": "2027-04-30", "b": "2027-06-15", "c": "2028-03-31"}


async def test_what_the_rules_warn_of_is_said_once_before_a_claim_is_prolonged(tmp_path: Path) -> None:
    rows = [claim("a", family="A"), claim("b", family="A", first=date(2027, 4, 5), last=date(2027, 5, 31))]
    async with listing(tmp_path, rows, language="en") as (app, pilot):
        await at(app, pilot, "a")
        await press(pilot, "p")
        await type_text(pilot, "30.4.2027")
        await press(pilot, "enter")
        period = app.t.formats.period(date(2027, 4, 5), date(2027, 5, 31))
        doubt = app.t.choice("claims.rule", "overlap_own", period=period)
        assert effect(app) == app.t("claim_view.still", doubt=doubt, key="enter")
        assert app.commands() == []
        await press(pilot, "ctrl+u")
        await type_text(pilot, "4.4.2027")
        assert doubt not in effect(app), "until then nothing is warned of"
        await press(pilot, "ctrl+u")
        await type_text(pilot, "30.4.2027")
        await press(pilot, "enter")
        assert {id_: payload["last"] for _, id_, payload in app.commands()} == {"a": "2027-04-30"}


async def test_what_forbids_prolonging_says_until_when_and_what_to_do_instead(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("a", care_last="2027-04-15")], language="en") as (app, pilot):
        await at(app, pilot, "a")
        await press(pilot, "p")
        await type_text(pilot, "30.4.2027")
        for _ in range(2):
            await press(pilot, "enter")
            assert app.t.formats.period(date(2026, 10, 1), date(2027, 4, 15)) in effect(app)
            assert effect(app).endswith(app.t("claim_view.longer_anew", key="C"))
            assert app.commands() == []
        await press(pilot, "ctrl+u")
        await type_text(pilot, "15.4.2027")
        await press(pilot, "enter")
        assert {id_: payload["last"] for _, id_, payload in app.commands()} == {"a": "2027-04-15"}


@pytest.mark.parametrize(
    ("days", "said"),
    [({"last": None}, "open_ended"), ({"ended_on": "2026-12-31", "end_reason": "care_ended"}, "end_told")],
)
@pytest.mark.parametrize("status", [Status.IN_HANDLING, Status.IN_FORCE])
async def test_what_lasts_anyway_or_has_been_ended_is_not_prolonged(
    tmp_path: Path, days: dict[str, str | None], said: str, status: Status
) -> None:
    rows = [claim("x", status=status, **days)]
    async with listing(tmp_path, rows, (120, 40), language="en") as (app, pilot):
        assert app.t("claim_view.next_prolong", key="p") not in words(app)
        await press(pilot, "p")
        assert not isinstance(app.screen, ProlongScreen)
        assert app.t(f"claim_view.{said}", key="C") in words(app)


async def test_what_can_be_prolonged_says_so(tmp_path: Path) -> None:
    async with listing(tmp_path, [claim("x", status=Status.IN_HANDLING)], (120, 40), language="en") as (app, _):
        assert app.t("claim_view.next_prolong", key="p") in words(app)
